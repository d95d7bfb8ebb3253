"""The splits of a corpus, with the tags of each task in its training scheme."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from polytag.corpus.corpus import Corpus
from polytag.corpus.span_schemes import holds_spans, span_scheme_of, without_spans
from polytag.errors import CorpusError
from polytag.plugin.registry import registry
from polytag.plugin.scheme import LabelScheme, convert_tags, respelled
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
    corpus: Corpus,
    name: str,
    tasks: Mapping[str, Task],
    schemes: Mapping[str, LabelScheme],
    declared: str | None,
    tags_as_is: bool = False,
) -> Split:
    """One split, as returned by `read_splits`."""
    return read_splits(corpus, [name], tasks, schemes, declared, tags_as_is)[name]


def read_splits(
    corpus: Corpus,
    names: Iterable[str],
    tasks: Mapping[str, Task],
    schemes: Mapping[str, LabelScheme],
    declared: str | None,
    tags_as_is: bool = False,
) -> dict[str, Split]:
    """The words of splits, and their tags converted to the training scheme of each task.

    Each column of each split is read from the corpus once.

    Args:
        corpus: The corpus.
        names: Names of the splits.
        tasks: The tasks.
        schemes: The training scheme of each task.
        declared: Name of the scheme of the corpus' spans; recognised if None.
        tags_as_is: Whether to accept tags that no label scheme writes, as parts of spans.

    Raises:
        CorpusError: A column is missing, violates the declared scheme, has no spans although its task needs them, or
            has tags that no label scheme writes.
    """
    splits = {name: Split(corpus.words(name), corpus.documents(name), {}) for name in names}
    columns = _columns_of(corpus, tasks)
    for task_name, task in tasks.items():
        column = columns[task_name]
        scheme = schemes[task_name]
        # A scheme is recognised from all splits of the column, wanted or not.
        read = [name for name in corpus.splits_with(column) if scheme.encodes_spans or name in splits]
        tags = {name: corpus.tags(name, column) for name in read}
        source, odd = scheme, False
        if scheme.encodes_spans:
            if not holds_spans(corpus, column, declared, tags):
                raise CorpusError(without_spans(corpus, column, task, tags))
            fit, odd = span_scheme_of(corpus, column, tags, declared, tags_as_is=tags_as_is, used=splits)
            source = fit.scheme
            if not source.encodes_spans:  # as declared
                raise CorpusError(without_spans(corpus, column, task, tags))
        rewritten = respelled if odd else convert_tags
        for name, split in splits.items():
            sentences = tags[name] if name in tags else corpus.tags(name, column)  # which says that it has no column
            split.tags[task_name] = [rewritten(sentence, source, scheme) for sentence in sentences]
    return splits


def _columns_of(corpus: Corpus, tasks: Mapping[str, Task]) -> dict[str, str]:
    """The column of each task; two tasks may share one only if both name it."""
    columns = {name: corpus.column_for(task) for name, task in tasks.items()}
    for name, column in columns.items():
        sharing = [other for other in columns if columns[other] == column]
        if len(sharing) > 1 and column not in tasks[name].columns:
            raise CorpusError(
                f"The tasks {' and '.join(map(repr, sharing))} would be read from one column of the corpus "
                f"{corpus.reference!r}, {column!r}. Say which task it holds, for instance --task {name}={column}, and "
                "leave out the others."
            )
    return columns
