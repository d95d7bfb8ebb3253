"""A corpus, made ready for tasks: tags in each task's scheme, label inventories, a validation split."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from polytag.corpus.corpus import Corpus
from polytag.corpus.recognition import scheme_of
from polytag.errors import CorpusError
from polytag.plugin.alignment import IntArray
from polytag.plugin.registry import registry
from polytag.plugin.scheme import OUTSIDE, UNANNOTATED, LabelScheme, convert
from polytag.plugin.task import Task
from polytag.training.progress import Reporter

HELD_OUT = 10
"""Where a corpus has no validation split, one document (or sentence) in so many is held out of training."""


@dataclass(frozen=True, slots=True)
class Split:
    """The words of a split, with the tags of each task in the task's scheme."""

    sentences: list[list[str]]
    documents: list[int] | None
    tags: dict[str, list[list[str]]]

    @property
    def n_words(self) -> int:
        """How many words it has."""
        return sum(map(len, self.sentences))

    def select(self, chosen: Sequence[int]) -> Split:
        """The sentences with these indices."""
        return Split(
            [self.sentences[i] for i in chosen],
            None if self.documents is None else [self.documents[i] for i in chosen],
            {task: [tags[i] for i in chosen] for task, tags in self.tags.items()},
        )


def training_scheme(task: Task, wanted: str | None) -> LabelScheme:
    """The scheme to train a task in: the wanted one, unless only one of the two encodes spans."""
    own = registry().schemes[task.scheme]
    if wanted is None:
        return own
    chosen = registry().schemes[wanted]
    return chosen if chosen.encodes_spans == own.encodes_spans else own


def read_split(
    corpus: Corpus, name: str, tasks: Mapping[str, Task], schemes: Mapping[str, LabelScheme], declared: str | None
) -> Split:
    """One split, as `read_splits` gives it."""
    return read_splits(corpus, [name], tasks, schemes, declared)[name]


def read_splits(
    corpus: Corpus,
    names: Iterable[str],
    tasks: Mapping[str, Task],
    schemes: Mapping[str, LabelScheme],
    declared: str | None,
) -> dict[str, Split]:
    """The words of splits, and their tags converted to the scheme each task is trained in.

    Args:
        corpus: The corpus.
        names: Names of the splits.
        tasks: The tasks.
        schemes: For each task the scheme it is trained in.
        declared: Name of the scheme the corpus' spans are in; recognised when None.

    Raises:
        CorpusError: A column is missing, breaks the declared scheme, or does not encode spans where a task needs them.
    """
    splits = {name: Split(corpus.words(name), corpus.documents(name), {}) for name in names}
    for task_name, task in tasks.items():
        column = corpus.column_for(task)
        scheme = schemes[task_name]
        # Recognition looks at all splits of the column, so it is done once for all of them.
        source = scheme_of(corpus, column, declared).scheme if scheme.encodes_spans else scheme
        if scheme.encodes_spans and not source.encodes_spans:
            raise CorpusError(
                f"The column {column!r} of the corpus {corpus.reference!r} does not encode spans: its tags have no "
                f"prefixes such as B- and I-, which the task {task_name!r} needs. Name the right column with "
                "--columns, or train a task without spans on it."
            )
        for name, split in splits.items():
            split.tags[task_name] = [convert(sentence, source, scheme) for sentence in corpus.tags(name, column)]
    return splits


def training_splits(corpus: Corpus, splits: Mapping[str, Split], seed: int, reporter: Reporter) -> tuple[Split, Split]:
    """What to train on and what to choose the best epoch by; the latter is held out where the corpus does not have it.

    Raises:
        CorpusError: There is nothing to train on.
    """
    if "train" not in splits:
        corpus.split("train")
    training = splits["train"]
    if "validation" in splits:
        return training, splits["validation"]
    groups = training.documents or list(range(len(training.sentences)))
    names = sorted(set(groups))
    if len(names) < HELD_OUT:  # one document of a few can be most of the corpus
        groups = list(range(len(training.sentences)))
        names = groups
    if len(names) < 2:
        raise CorpusError(
            f"The corpus {corpus.reference!r} has one training sentence and no validation split: too little."
        )
    chosen = np.random.default_rng(seed).permutation(len(names))[: max(1, len(names) // HELD_OUT)]
    held = {names[index] for index in chosen}
    kind = "documents" if training.documents and groups is training.documents else "sentences"
    reporter.message(f"No validation split: {len(held)} of {len(names)} {kind} are held out of training.")
    inside = [i for i, group in enumerate(groups) if group not in held]
    outside = [i for i, group in enumerate(groups) if group in held]
    return training.select(inside), training.select(outside)


def inventory(corpus: Corpus, task: Task, scheme: LabelScheme, training: Split) -> list[str]:
    """Labels in id order: those the task fixes, or those of a ClassLabel column, or `O` and then the rest, sorted.

    Labels that later subwords need (I-PER where the corpus has B-PER only) are there in any case.
    """
    column = corpus.column_for(task)
    found = {tag for sentence in training.tags[task.name] for tag in sentence} - {UNANNOTATED}
    if not found:
        raise CorpusError(
            f"No word that the corpus {corpus.reference!r} has to train on is annotated in the column {column!r}, so "
            f"the task {task.name!r} cannot be learnt from it. Leave the task out, or annotate some sentences."
        )
    if task.labels is not None:
        unknown = sorted(found - set(task.labels))
        if unknown:
            raise CorpusError(
                f"The column {column!r} of the corpus {corpus.reference!r} has tags that the task {task.name!r} does "
                f"not know: {', '.join(unknown[:5])}. It knows {', '.join(task.labels)}."
            )
        return list(task.labels)
    named = list(corpus.labels(column) or ())
    keeps_order = bool(named) and found <= set(named)
    labels = named if keeps_order else sorted(found, key=_outside_first)
    needed = {scheme.continuation(label) for label in labels} | ({OUTSIDE} if scheme.encodes_spans else set())
    missing = sorted(needed - set(labels), key=_outside_first)
    return [*labels, *missing] if keeps_order else sorted([*labels, *missing], key=_outside_first)


def _outside_first(tag: str) -> tuple[bool, str]:
    return tag != OUTSIDE, tag


def continuations(labels: Sequence[str], scheme: LabelScheme) -> IntArray:
    """int32 (labels,): the id of each label's continuation."""
    ids = {label: index for index, label in enumerate(labels)}
    return np.array([ids.get(scheme.continuation(label), ids[label]) for label in labels], dtype=np.int32)
