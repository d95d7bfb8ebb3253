"""The usual alignment strategies: `first`, `last`, `all` and `mean`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from polytag import IGNORE, NO_WORD, AlignmentStrategy, first_units, labels_at, last_units, scores_at

IntArray = NDArray[np.int32]
FloatArray = NDArray[np.float32]


class First(AlignmentStrategy):
    """Train on and read from the first subword of each word."""

    name = "first"
    summary = "Train on and read from the first subword of each word"

    def to_subwords(self, labels: IntArray, word_ids: IntArray, continuation: IntArray) -> IntArray:
        """The word's label on its first subword, IGNORE on all others: int32 (subwords,)."""
        return labels_at(labels, word_ids, first_units(word_ids))

    def to_words(self, scores: FloatArray, word_ids: IntArray, n_words: int) -> FloatArray:
        """The scores of each word's first subword: float32 (n_words, labels)."""
        return scores_at(scores, word_ids, n_words, first_units(word_ids))

    def reads(self, word_ids: IntArray) -> NDArray[np.bool_]:
        """Each word's first subword: bool (subwords,)."""
        return first_units(word_ids)


class Last(AlignmentStrategy):
    """Train on and read from the last subword of each word."""

    name = "last"
    summary = "Train on and read from the last subword of each word"

    def to_subwords(self, labels: IntArray, word_ids: IntArray, continuation: IntArray) -> IntArray:
        """The word's label on its last subword, IGNORE on all others: int32 (subwords,)."""
        return labels_at(labels, word_ids, last_units(word_ids))

    def to_words(self, scores: FloatArray, word_ids: IntArray, n_words: int) -> FloatArray:
        """The scores of each word's last subword: float32 (n_words, labels)."""
        return scores_at(scores, word_ids, n_words, last_units(word_ids))

    def reads(self, word_ids: IntArray) -> NDArray[np.bool_]:
        """Each word's last subword: bool (subwords,)."""
        return last_units(word_ids)


class All(AlignmentStrategy):
    """Train on every subword, later ones with the continuation of the word's tag; read from the first subword."""

    name = "all"
    summary = "Train on every subword, later ones as continuations; read from the first subword"

    def to_subwords(self, labels: IntArray, word_ids: IntArray, continuation: IntArray) -> IntArray:
        """The word's label on its first subword, its continuation on the later ones: int32 (subwords,)."""
        aligned = labels_at(labels, word_ids, word_ids != NO_WORD)
        later = (aligned != IGNORE) & ~first_units(word_ids)
        aligned[later] = continuation[aligned[later]]
        return aligned

    def to_words(self, scores: FloatArray, word_ids: IntArray, n_words: int) -> FloatArray:
        """The scores of each word's first subword: float32 (n_words, labels)."""
        return scores_at(scores, word_ids, n_words, first_units(word_ids))

    def reads(self, word_ids: IntArray) -> NDArray[np.bool_]:
        """Each word's first subword: bool (subwords,)."""
        return first_units(word_ids)


class Mean(AlignmentStrategy):
    """Train on every subword with the word's label; average the scores of all subwords of a word."""

    name = "mean"
    summary = "Train on every subword with the word's own label; average the scores of a word's subwords"

    def to_subwords(self, labels: IntArray, word_ids: IntArray, continuation: IntArray) -> IntArray:
        """The word's label on each of its subwords: int32 (subwords,)."""
        return labels_at(labels, word_ids, word_ids != NO_WORD)

    def to_words(self, scores: FloatArray, word_ids: IntArray, n_words: int) -> FloatArray:
        """The mean of the scores of each word's subwords: float32 (n_words, labels)."""
        of_words = word_ids != NO_WORD
        ids = word_ids[of_words]
        starts = np.flatnonzero(first_units(word_ids)[of_words])
        if not starts.size:
            return scores_at(scores, word_ids, n_words, of_words)
        counts = np.diff(starts, append=ids.size).astype(np.float32)
        means: FloatArray = np.add.reduceat(scores[of_words], starts, axis=0)
        means /= counts[:, np.newaxis]
        return scores_at(means, ids[starts], n_words, np.ones(starts.shape, dtype=np.bool_))
