"""Alignment strategies: word labels to subword labels, and subword scores to word scores."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

IGNORE = -100
"""The label of positions without one: special tokens, padding, subwords that a strategy leaves out."""

NO_WORD = -1
"""The word id of units that belong to no word: special tokens and padding."""

IntArray = NDArray[np.int32]
FloatArray = NDArray[np.float32]


class AlignmentStrategy(ABC):
    """Converts word labels to subword labels for training, and subword scores to word scores for prediction.

    All methods work on flat arrays of a whole split or batch: sentences are concatenated, `word_ids` has the row of the
    word of every subword (`NO_WORD` for special tokens and padding), and the subwords of a word are consecutive.
    """

    name: ClassVar[str]
    summary: ClassVar[str]

    @abstractmethod
    def to_subwords(self, labels: IntArray, word_ids: IntArray, continuation: IntArray) -> IntArray:
        """Labels for training.

        Args:
            labels: int32 (words,), a label id for each word, or IGNORE for a word without annotation.
            word_ids: int32 (subwords,).
            continuation: int32 (labels,), the id of `LabelScheme.continuation` for each label id.

        Returns:
            int32 (subwords,), IGNORE for subwords that are not trained on. At least one subword of a word with a label
            has that label.
        """

    @abstractmethod
    def to_words(self, scores: FloatArray, word_ids: IntArray, n_words: int) -> FloatArray:
        """Scores of words.

        Args:
            scores: float32 (subwords, labels), a probability for each label.
            word_ids: int32 (subwords,).
            n_words: Number of words.

        Returns:
            float32 (n_words, labels). A word without a subword gets the same score for every label.
        """

    def reads(self, word_ids: IntArray) -> NDArray[np.bool_]:
        """The subwords that `to_words` reads; scores of the others are not computed.

        By default all subwords of words. Override it in a strategy that reads fewer, for speed. A subclass of such a
        strategy that reads more must override it again.

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
