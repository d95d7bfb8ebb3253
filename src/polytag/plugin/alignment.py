"""Alignment strategies: between one label a word and one score a subword, both ways."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

IGNORE = -100
"""The label of positions that carry none: special tokens, padding, subwords a strategy leaves out."""

NO_WORD = -1
"""The word id of units that belong to no word: special tokens and padding."""

IntArray = NDArray[np.int32]
FloatArray = NDArray[np.float32]


class AlignmentStrategy(ABC):
    """How word labels become subword labels for training, and subword scores word scores for prediction.

    All methods work on flat arrays that hold a whole split or batch: sentences stand one after the other, `word_ids`
    gives for every subword the row of its word (`NO_WORD` for special tokens and padding), and the subwords of one
    word are consecutive.
    """

    name: ClassVar[str]
    summary: ClassVar[str]

    @abstractmethod
    def to_subwords(self, labels: IntArray, word_ids: IntArray, continuation: IntArray) -> IntArray:
        """Labels for training.

        Args:
            labels: int32 (words,), a label id for each word, or IGNORE where the word carries no annotation.
            word_ids: int32 (subwords,).
            continuation: int32 (labels,), the id of `LabelScheme.continuation` for each label id.

        Returns:
            int32 (subwords,), IGNORE where nothing is to be learnt. A word with a label and at least one subword
            gets its own label on at least one of them.
        """

    @abstractmethod
    def to_words(self, scores: FloatArray, word_ids: IntArray, n_words: int) -> FloatArray:
        """Scores of words.

        Args:
            scores: float32 (subwords, labels), a probability for each label.
            word_ids: int32 (subwords,).
            n_words: How many words there are.

        Returns:
            float32 (n_words, labels). A word without a subword gets the same score for every label.
        """

    def reads(self, word_ids: IntArray) -> NDArray[np.bool_]:
        """Which subwords `to_words` looks at: what others are given need not be computed.

        By default all that belong to words. A strategy that looks at fewer says so to be faster; one that inherits from
        such a strategy and looks at more has to say so, too.

        Args:
            word_ids: int32 (subwords,).

        Returns:
            bool (subwords,).
        """
        belong: NDArray[np.bool_] = word_ids != NO_WORD
        return belong


def first_units(word_ids: IntArray) -> NDArray[np.bool_]:
    """A bool (subwords,) mask of the first subword of every word."""
    mask: NDArray[np.bool_] = word_ids != NO_WORD
    mask[1:] &= word_ids[1:] != word_ids[:-1]
    return mask


def last_units(word_ids: IntArray) -> NDArray[np.bool_]:
    """A bool (subwords,) mask of the last subword of every word."""
    mask: NDArray[np.bool_] = word_ids != NO_WORD
    mask[:-1] &= word_ids[1:] != word_ids[:-1]
    return mask


def labels_at(labels: IntArray, word_ids: IntArray, mask: NDArray[np.bool_]) -> IntArray:
    """The word's label on the subwords under `mask`, IGNORE on all others: int32 (subwords,)."""
    aligned = np.full(word_ids.shape, IGNORE, dtype=np.int32)
    aligned[mask] = labels[word_ids[mask]]
    return aligned


def scores_at(scores: FloatArray, word_ids: IntArray, n_words: int, mask: NDArray[np.bool_]) -> FloatArray:
    """The scores of the one subword of each word under `mask`: float32 (n_words, labels)."""
    uniform = np.float32(1 / max(scores.shape[1], 1))
    words = np.full((n_words, scores.shape[1]), uniform, dtype=np.float32)
    words[word_ids[mask]] = scores[mask]
    return words
