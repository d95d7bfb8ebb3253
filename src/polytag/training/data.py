"""The data of a run: the training and validation splits, and the label inventory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import accumulate, islice

import numpy as np
from numpy.typing import NDArray

from polytag.corpus.corpus import Corpus
from polytag.corpus.recognition import unreadable_tags
from polytag.corpus.splits import Split
from polytag.encoding.features import Features
from polytag.errors import CorpusError, PolytagError
from polytag.plugin.alignment import IGNORE, IntArray
from polytag.plugin.reporter import Reporter
from polytag.plugin.scheme import OUTSIDE, UNANNOTATED, LabelScheme, outside_first
from polytag.plugin.task import Task
from polytag.tagger.decoder import Decoder

HELD_OUT = 10
"""If a corpus has no validation split, one document (or sentence) in this many is held out of training."""


def training_splits(corpus: Corpus, splits: Mapping[str, Split], seed: int, reporter: Reporter) -> tuple[Split, Split]:
    """The training and validation splits; validation is held out of training if the corpus has none.

    Raises:
        CorpusError: The corpus has no training split, or too few sentences to hold some out.
    """
    if "train" not in splits:
        corpus.split("train")
    training = splits["train"]
    if "validation" in splits:
        return training, splits["validation"]
    groups = training.documents or list(range(len(training.sentences)))
    names = sorted(set(groups))
    if len(names) < HELD_OUT:  # one of a few documents can be most of the corpus
        groups = list(range(len(training.sentences)))
        names = groups
    if len(names) < 2:
        raise CorpusError(
            f"The corpus {corpus.reference!r} has one training sentence and no validation split: too few sentences."
        )
    chosen = np.random.default_rng(seed).permutation(len(names))[: max(1, len(names) // HELD_OUT)]
    held = {names[index] for index in chosen}
    kind = "documents" if training.documents and groups is training.documents else "sentences"
    reporter.message(f"No validation split: {len(held)} of {len(names)} {kind} are held out of training.")
    inside = [i for i, group in enumerate(groups) if group not in held]
    outside = [i for i, group in enumerate(groups) if group in held]
    return training.select(inside), training.select(outside)


def part_of(training: Split, share: float, seed: int) -> Split:
    """A random part of a training split, in whole documents where there are enough of them.

    With one seed, a smaller part is within every larger one.

    Args:
        training: The split.
        share: The least share of its sentences, above 0 and at most 1.
        seed: Seed of the choice.
    """
    if share == 1:
        return training
    groups = training.documents or []
    if len(set(groups)) < HELD_OUT:
        groups = list(range(len(training.sentences)))
    sizes = Counter(groups)
    names = sorted(sizes)
    order = [names[index] for index in np.random.default_rng(seed).permutation(len(names))]
    before = accumulate((sizes[name] for name in order), initial=0)
    kept = {name for name, size in zip(order, before, strict=False) if size < share * len(groups)}
    return training.select([index for index, group in enumerate(groups) if group in kept])


def read_units(decoder: Decoder, features: Features, labels: IntArray, decoding: str) -> NDArray[np.bool_]:
    """The unit in which each word is read, for a loss of sentences of words: bool (units,).

    Args:
        decoder: The decoder of a task.
        features: The features.
        labels: int32 (units,), its labels of units.
        decoding: The decoding of the run, for the message.

    Raises:
        PolytagError: A word is trained on or read in several units.
    """
    word_ids = features.word_ids
    read = decoder.reads(word_ids)
    counts = np.bincount(word_ids[read], minlength=features.n_words)
    if (counts != 1).any() or (labels[~read] != IGNORE).any():
        raise PolytagError(
            f"The decoding {decoding!r} learns sequences of words, and needs one subword for each word. The alignment "
            f"strategy {decoder.strategy.name!r} trains on several, or reads several. Choose first or last: "
            "--alignment first"
        )
    return read


def inventory(corpus: Corpus, task: Task, scheme: LabelScheme, training: Split) -> list[str]:
    """Labels in id order: fixed by the task, or listed by a ClassLabel column, or `O` and then the others, sorted.

    Labels that later subwords need are always included (I-PER if the corpus has only B-PER).

    Raises:
        CorpusError: No word is annotated, or a tag is unknown to the task or unreadable in the scheme.
    """
    column = corpus.column_for(task)
    found = {tag for sentence in training.tags[task.name] for tag in sentence} - {UNANNOTATED}
    if not found:
        raise CorpusError(
            f"The training data of the corpus {corpus.reference!r} has no annotated word in the column {column!r}, so "
            f"the task {task.name!r} cannot be learned from it. Leave out the task, or annotate some sentences."
        )
    # Such labels would make a tagger that cannot be loaded: refuse them before training, not after it.
    if unreadable := list(islice(unreadable_tags(sorted(found.union(task.labels or ())), scheme), 5)):
        raise CorpusError(
            f"The label scheme {scheme.name!r} cannot read all tags of the task {task.name!r} in the column {column!r} "
            f"of the corpus {corpus.reference!r}: {', '.join(unreadable)}. Repair them; `polytag corpus check` "
            "shows their places."
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
    keeps_order = bool(named) and found <= set(named) and not any(unreadable_tags(named, scheme))
    labels = named if keeps_order else sorted(found, key=outside_first)
    complete = with_continuations(labels, scheme)
    return complete if keeps_order else sorted(complete, key=outside_first)


def with_continuations(labels: Sequence[str], scheme: LabelScheme) -> list[str]:
    """Labels, and after them those that words outside spans and later subwords need in addition."""
    needed = {scheme.continuation(label) for label in labels} | ({OUTSIDE} if scheme.encodes_spans else set())
    return [*labels, *sorted(needed - set(labels), key=outside_first)]


def continuations(labels: Sequence[str], scheme: LabelScheme) -> IntArray:
    """The id of each label's continuation: int32 (labels,)."""
    ids = {label: index for index, label in enumerate(labels)}
    return np.array([ids.get(scheme.continuation(label), ids[label]) for label in labels], dtype=np.int32)
