"""The splits of a corpus, with the tags of each task in its training scheme."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from polytag.corpus.corpus import Corpus
from polytag.corpus.recognition import scheme_of_tags
from polytag.errors import CorpusError
from polytag.plugin.registry import registry
from polytag.plugin.scheme import LabelScheme, convert_tags
from polytag.plugin.task import Task


@dataclass(frozen=True, slots=True)
class Split:
    """The words of a split, with the tags of each task in the task's scheme."""

    sentences: list[list[str]]
    documents: list[int] | None
    tags: dict[str, list[list[str]]]

    @property
    def n_words(self) -> int:
        """Number of words."""
        return sum(map(len, self.sentences))

    def select(self, chosen: Sequence[int]) -> Split:
        """The sentences with these indices."""
        return Split(
            [self.sentences[i] for i in chosen],
            None if self.documents is None else [self.documents[i] for i in chosen],
            {task: [tags[i] for i in chosen] for task, tags in self.tags.items()},
        )


def training_scheme(task: Task, wanted: str | None) -> LabelScheme:
    """The scheme to train a task in: the wanted one, unless only one of it and the task's own encodes spans."""
    own = registry().schemes.get(task.scheme, f"the task {task.name!r}")
    if wanted is None:
        return own
    chosen = registry().schemes[wanted]
    return chosen if chosen.encodes_spans == own.encodes_spans else own


def read_split(
    corpus: Corpus, name: str, tasks: Mapping[str, Task], schemes: Mapping[str, LabelScheme], declared: str | None
) -> Split:
    """One split, as returned by `read_splits`."""
    return read_splits(corpus, [name], tasks, schemes, declared)[name]


def read_splits(
    corpus: Corpus,
    names: Iterable[str],
    tasks: Mapping[str, Task],
    schemes: Mapping[str, LabelScheme],
    declared: str | None,
) -> dict[str, Split]:
    """The words of splits, and their tags converted to the training scheme of each task.

    Each column of each split is read from the corpus once.

    Args:
        corpus: The corpus.
        names: Names of the splits.
        tasks: The tasks.
        schemes: The training scheme of each task.
        declared: Name of the scheme of the corpus' spans; recognised if None.

    Raises:
        CorpusError: A column is missing, violates the declared scheme, or has no spans although its task needs them.
    """
    splits = {name: Split(corpus.words(name), corpus.documents(name), {}) for name in names}
    for task_name, task in tasks.items():
        column = corpus.column_for(task)
        scheme = schemes[task_name]
        # A scheme is recognised from all splits of the column, wanted or not.
        read = [name for name in corpus.splits_with(column) if scheme.encodes_spans or name in splits]
        tags = {name: corpus.tags(name, column) for name in read}
        source = scheme_of_tags(corpus, column, tags, declared).scheme if scheme.encodes_spans else scheme
        if scheme.encodes_spans and not source.encodes_spans:
            raise CorpusError(
                f"The column {column!r} of the corpus {corpus.reference!r} has no spans: its tags have no "
                f"prefixes such as B- and I-, which the task {task_name!r} needs. Name the right column with "
                "--columns, or train a task without spans on it."
            )
        for name, split in splits.items():
            sentences = tags[name] if name in tags else corpus.tags(name, column)  # which says that it has no column
            split.tags[task_name] = [convert_tags(sentence, source, scheme) for sentence in sentences]
    return splits
