"""Contracts of alignment strategies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from polytag.plugin.alignment import IGNORE, NO_WORD, AlignmentStrategy, FloatArray, IntArray
from polytag.testing.contracts import BrokenContractError, Contract, Workbench

_RANDOM_BATCHES = 200


class _Batch(NamedTuple):
    labels: IntArray
    word_ids: IntArray
    continuation: IntArray
    scores: FloatArray

    def units_of(self, word: int) -> list[int]:
        units: list[int] = np.flatnonzero(self.word_ids == word).tolist()
        return units


def _gives_labels(strategy: AlignmentStrategy, bench: Workbench) -> None:
    for batch in _batches():
        aligned = strategy.to_subwords(batch.labels, batch.word_ids, batch.continuation)
        call = f"to_subwords({_shown(batch.labels)}, {_shown(batch.word_ids)}, {_shown(batch.continuation)})"
        if aligned.dtype != np.int32 or aligned.shape != batch.word_ids.shape:
            raise BrokenContractError(
                f"{call} is {aligned.dtype} of shape {aligned.shape}, and must be int32 with a label for each of the "
                f"{len(batch.word_ids)} subwords."
            )
        if (aligned[batch.word_ids == NO_WORD] != IGNORE).any():
            raise BrokenContractError(
                f"{call} is {_shown(aligned)}: subwords without a word (id {NO_WORD}) must have IGNORE ({IGNORE})."
            )
        for word, label in enumerate(batch.labels.tolist()):
            units = batch.units_of(word)
            given = aligned[units].tolist()
            if label == IGNORE and any(value != IGNORE for value in given):
                raise BrokenContractError(
                    f"{call} is {_shown(aligned)}: word {word} has no annotation, but its subwords have labels."
                )
            if label != IGNORE and units and label not in given:
                raise BrokenContractError(
                    f"{call} is {_shown(aligned)}: none of the subwords of word {word} has its label {label}, so that "
                    "nothing is learnt from it."
                )
            if any(value != IGNORE and not 0 <= value < len(batch.continuation) for value in given):
                raise BrokenContractError(f"{call} is {_shown(aligned)}: word {word} has a label that does not exist.")


def _gives_predictions(strategy: AlignmentStrategy, bench: Workbench) -> None:
    for batch in _batches():
        n_words, n_labels = len(batch.labels), len(batch.continuation)
        words = strategy.to_words(batch.scores, batch.word_ids, n_words)
        call = f"to_words(scores, {_shown(batch.word_ids)}, {n_words})"
        if words.dtype != np.float32 or words.shape != (n_words, n_labels):
            raise BrokenContractError(
                f"{call} is {words.dtype} of shape {words.shape}, and must be float32 of shape "
                f"{(n_words, n_labels)}: a score for each label of each word."
            )
        if not np.isfinite(words).all() or (words < 0).any():
            raise BrokenContractError(f"{call} has scores that are negative or not finite: {words.tolist()}.")
        for word in range(n_words):
            if not batch.units_of(word) and words[word].size and np.ptp(words[word]) > 1e-6:
                raise BrokenContractError(
                    f"{call}: word {word} has no subword, but its scores {words[word].tolist()} are not all equal."
                )


def _follows_subwords(strategy: AlignmentStrategy, bench: Workbench) -> None:
    for batch in _batches():
        n_words, n_labels = len(batch.labels), len(batch.continuation)
        wanted = np.arange(n_words) % n_labels
        scores = np.full(batch.scores.shape, np.float32(0.1 / max(n_labels - 1, 1)), dtype=np.float32)
        for word in range(n_words):
            scores[batch.units_of(word), wanted[word]] = 0.9
        words = strategy.to_words(scores, batch.word_ids, n_words)
        for word in range(n_words):
            if batch.units_of(word) and int(words[word].argmax()) != wanted[word]:
                raise BrokenContractError(
                    f"to_words(scores, {_shown(batch.word_ids)}, {n_words}): every subword of word {word} has its best "
                    f"score at label {wanted[word]}, and the word has it at label {int(words[word].argmax())}."
                )


def _reads_what_it_says(strategy: AlignmentStrategy, bench: Workbench) -> None:
    for batch in _batches():
        read = strategy.reads(batch.word_ids)
        if read.dtype != np.bool_ or read.shape != batch.word_ids.shape:
            raise BrokenContractError(
                f"reads({_shown(batch.word_ids)}) is {read.dtype} of shape {read.shape}, and must be bool with a "
                f"value for each of the {len(batch.word_ids)} subwords."
            )
        others = np.where(read[:, np.newaxis], batch.scores, np.float32(0))
        n_words = len(batch.labels)
        words = strategy.to_words(batch.scores, batch.word_ids, n_words)
        if not np.array_equal(words, strategy.to_words(others, batch.word_ids, n_words)):
            raise BrokenContractError(
                f"reads({_shown(batch.word_ids)}) is {read.tolist()}, but to_words gives other scores if the scores of "
                "the other subwords are 0."
            )


def _leaves_inputs(strategy: AlignmentStrategy, bench: Workbench) -> None:
    for batch in _batches():
        before = [array.copy() for array in batch]
        strategy.to_subwords(batch.labels, batch.word_ids, batch.continuation)
        strategy.to_words(batch.scores, batch.word_ids, len(batch.labels))
        strategy.reads(batch.word_ids)
        for name, array, copy in zip(batch._fields, batch, before, strict=True):
            if not np.array_equal(array, copy):
                raise BrokenContractError(f"It changes its argument {name}. Work on a copy.")


CONTRACTS = (
    Contract("alignment strategy", "every word with a subword gets its label", _gives_labels),
    Contract("alignment strategy", "every word gets one prediction", _gives_predictions),
    Contract("alignment strategy", "a word gets the label that its subwords agree on", _follows_subwords),
    Contract("alignment strategy", "it reads exactly the subwords of reads()", _reads_what_it_says),
    Contract("alignment strategy", "its arguments are not changed", _leaves_inputs),
)


def _batches() -> Iterator[_Batch]:
    """Batches with all special cases: no words, words without subwords, special tokens, padding, IGNORE."""
    random = np.random.default_rng(0)
    for number in range(_RANDOM_BATCHES):
        n_labels = int(random.integers(1, 6))
        counts = random.choice((0, 1, 1, 2, 5), size=number % 11)
        labels = random.integers(0, n_labels, len(counts))
        labels[random.random(len(counts)) < 0.2] = IGNORE
        word_ids: list[int] = []
        for word, count in enumerate(counts.tolist()):
            word_ids += [NO_WORD] * int(random.integers(0, 3)) + [word] * count
        word_ids += [NO_WORD] * int(random.integers(0, 3))
        yield _Batch(
            labels.astype(np.int32),
            np.array(word_ids, dtype=np.int32),
            random.integers(0, n_labels, n_labels).astype(np.int32),
            random.dirichlet(np.ones(n_labels), len(word_ids)).astype(np.float32).reshape(len(word_ids), n_labels),
        )


def _shown(array: IntArray) -> str:
    return str(array.tolist())
