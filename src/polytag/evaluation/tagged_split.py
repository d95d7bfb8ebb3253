"""A split with the tags that a system gave it, and their scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self, TextIO

from polytag.corpus.splits import Split
from polytag.evaluation.mistakes import confusions, write_mistakes
from polytag.evaluation.results import Evaluation, Tags
from polytag.plugin.scheme import LabelScheme


@dataclass(frozen=True)
class TaggedSplit:
    """A split with predicted tags and their scores.

    Attributes:
        data: The split, its tags in the schemes.
        schemes: The label scheme of each task.
        tags: The predicted tags of each task, `UNANNOTATED` wherever the gold tag is.
        places: File and line of the beginning of each sentence.
        evaluation: The scores.
    """

    data: Split
    schemes: Mapping[str, LabelScheme]
    tags: Mapping[str, Tags]
    places: Sequence[str]
    evaluation: Evaluation

    def with_confusions(self, limit: int) -> Self:
        """The same with the most frequent confusions of each task, at most `limit`."""
        tasks = {}
        for name, scores in self.evaluation.tasks.items():
            sides = self.data.tags[name], self.tags[name], self.schemes[name]
            tasks[name] = replace(scores, confusions=confusions(self.data.sentences, *sides, self.places, limit))
        return replace(self, evaluation=replace(self.evaluation, tasks=tasks))

    def write_mistakes(self, sink: TextIO) -> None:
        """Write every sentence with a mistake, with its gold and predicted tags."""
        sides = [(name, self.data.tags[name], self.tags[name], scheme) for name, scheme in self.schemes.items()]
        write_mistakes(sink, self.data.sentences, sides, self.places)
