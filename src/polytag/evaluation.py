"""Run metrics on gold and predicted tags: per word, per sentence, never per subword."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from polytag.hooks.registry import registry
from polytag.metrics import Scores
from polytag.schemes import OUTSIDE, LabelScheme

Tags = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class TaskEvaluation:
    """The scores of one task on one split.

    Attributes:
        metrics: Scores by metric; the first metric is the task's main one.
        headline: Name of the main metric's headline score.
        baseline: The headline score of a per-word majority-tag baseline, where a training split is at hand.
    """

    metrics: Mapping[str, Scores]
    headline: str
    baseline: float | None = None

    @property
    def score(self) -> float:
        """The headline score of the main metric."""
        return float(next(iter(self.metrics.values())).overall[self.headline])


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The scores of all tasks on one split.

    Attributes:
        corpus: What the user named.
        split: Name of the split.
        sentences, words: How many were scored: all of them.
        tasks: Scores by task.
    """

    corpus: str
    split: str
    sentences: int
    words: int
    tasks: Mapping[str, TaskEvaluation]

    def to_dict(self) -> dict[str, Any]:
        """The same as plain data, for JSON."""
        return asdict(self)

    @property
    def headlines(self) -> dict[str, float]:
        """Named headline scores: `{"ner f1": 0.91, "pos accuracy": 0.96}`."""
        return {f"{name} {task.headline}": task.score for name, task in self.tasks.items()}


def evaluate_tags(
    gold: Tags, predicted: Tags, scheme: LabelScheme, metrics: Sequence[str], baseline: Tags | None = None
) -> TaskEvaluation:
    """Score the tags of one task.

    Args:
        gold: Tags of every sentence, in `scheme`.
        predicted: The same for the predicted tags.
        scheme: The label scheme of both.
        metrics: Names of metrics; the first is the main one.
        baseline: Tags of a baseline, to score by the main metric.
    """
    found = {name: registry().metrics[name].compute(gold, predicted, scheme) for name in metrics}
    main = registry().metrics[metrics[0]]
    lower = None if baseline is None else main.compute(gold, baseline, scheme).overall[main.headline]
    return TaskEvaluation(found, main.headline, lower)


class MajorityBaseline:
    """Gives each word the tag it has most often in training; a new word gets `O`, or the most frequent tag of all.

    Args:
        sentences: Words of the training split.
        tags: Their tags.
        scheme: The scheme of the tags.
    """

    def __init__(self, sentences: Tags, tags: Tags, scheme: LabelScheme) -> None:
        counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        overall: Counter[str] = Counter()
        for words, word_tags in zip(sentences, tags, strict=True):
            for word, tag in zip(words, word_tags, strict=True):
                counts[word][tag] += 1
                overall[tag] += 1
        # Ties go to the tag that sorts first, so that the baseline is the same everywhere.
        self._best = {word: min(tags, key=lambda tag: (-tags[tag], tag)) for word, tags in counts.items()}
        self._default = OUTSIDE if scheme.encodes_spans else min(overall, key=lambda tag: (-overall[tag], tag))

    def tag(self, sentences: Tags) -> list[list[str]]:
        """The tags of every sentence."""
        return [[self._best.get(word, self._default) for word in words] for words in sentences]
