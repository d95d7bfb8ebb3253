"""Convert sentences to the flat arrays of training and prediction, with aligned labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polytag.encoding.windows import Windows, plan_windows
from polytag.plugin.alignment import IGNORE, AlignmentStrategy, IntArray
from polytag.plugin.attribution import misfit_of
from polytag.plugin.encoder import Units, WordCoder
from polytag.plugin.registry import registry


@dataclass(frozen=True, slots=True)
class Features:
    """A split, or part of one, as input of the encoder.

    Attributes:
        ids: int32 (units, n_features), the units of all words in order.
        unit_starts: int64 (words + 1,), the index of the first unit of each word.
        sentence_starts: int64 (sentences + 1,), the index of the first word of each sentence.
        windows: The windows, as word indices.
    """

    ids: IntArray
    unit_starts: NDArray[np.int64]
    sentence_starts: NDArray[np.int64]
    windows: Windows

    @property
    def n_words(self) -> int:
        """Number of words."""
        return len(self.unit_starts) - 1

    @property
    def word_ids(self) -> IntArray:
        """int32 (units,): the word of each unit."""
        return np.repeat(np.arange(self.n_words, dtype=np.int32), np.diff(self.unit_starts))

    @property
    def lengths(self) -> NDArray[np.int64]:
        """int64 (windows,): units in each window, without special units."""
        lengths: NDArray[np.int64] = self.unit_starts[self.windows.end] - self.unit_starts[self.windows.start]
        return lengths

    def unit_labels(self, labels: IntArray, strategy: AlignmentStrategy, continuation: IntArray) -> IntArray:
        """Labels of units, int32 (units,), for word labels, int32 (words,)."""
        word_ids = self.word_ids
        found = checked_result(strategy, strategy.to_subwords(labels, word_ids, continuation), word_ids.shape)
        if not ((found == IGNORE) | (found >= 0) & (found < len(continuation))).all():
            raise registry().alignments.misfit(strategy.name, "numbers that are no labels")
        return found


def checked_result(strategy: AlignmentStrategy, found: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Check the result of an alignment strategy, and return it.

    Raises:
        PluginError: It is not an array of numbers with this shape.
    """
    if not isinstance(found, np.ndarray) or found.shape != shape or found.dtype.kind not in "biuf":
        raise registry().alignments.misfit(strategy.name, f"{repr(found)[:60]} and not an array of the shape {shape}")
    return found


def featurise(
    encoder: WordCoder,
    sentences: Sequence[Sequence[str]],
    documents: Sequence[int] | None = None,
    max_units: int | None = None,
    units: Units | None = None,
) -> Features:
    """Encode sentences and plan their windows.

    Args:
        encoder: Turns words into units.
        sentences: Words in sentences.
        documents: The document of each sentence, to pack sentences of one document into windows; None for one window
            per sentence.
        max_units: Maximum number of units per window, if lower than the encoder's.
        units: The units of all words, if they are known already.
    """
    counts = np.fromiter((len(sentence) for sentence in sentences), dtype=np.int64, count=len(sentences))
    sentence_starts = np.concatenate([[0], np.cumsum(counts)])
    limit = min(max_units or encoder.max_units, encoder.max_units)
    if units is None:
        units = encoded(encoder, [word for sentence in sentences for word in sentence])
    units = _cut(units, limit)
    unit_starts = np.concatenate([[0], np.cumsum(units.counts, dtype=np.int64)])
    windows = plan_windows(unit_starts, sentence_starts, limit, min(encoder.overlap, limit // 4), documents)
    return Features(units.ids, unit_starts, sentence_starts, windows)


def complete_sentences(
    encoder: WordCoder,
    sentences: Sequence[Sequence[str]],
    documents: Sequence[int],
    max_units: int | None,
    units: Units,
) -> int:
    """Number of first sentences whose windows stay when more sentences follow; arguments as in `featurise`.

    Sentences of a document are packed from its start, so that only the last window can take in more of them.
    """
    features = featurise(encoder, sentences, documents, max_units, units)
    windows, starts = features.windows, features.sentence_starts
    if not len(windows.start):
        return 0
    last = windows.start[-1]
    return int(np.searchsorted(starts, last, side="right")) - 1


def encoded(encoder: WordCoder, words: Sequence[str]) -> Units:
    """The units of words.

    Raises:
        PluginError: They do not fit the contract of `WordCoder.encode`.
    """
    units, n_words = encoder.encode(words), len(words)
    if not isinstance(units, Units) or not all(
        isinstance(array, np.ndarray) and array.dtype.kind == "i" for array in units
    ):
        raise misfit_of(encoder, f"gave {repr(units)[:60]} and not Units of two int32 arrays")
    expected = (int(units.counts.sum()), encoder.n_features)
    if units.counts.shape != (n_words,) or units.ids.shape != expected or (n_words and units.counts.min() < 1):
        raise misfit_of(
            encoder,
            f"gave ids of the shape {units.ids.shape} and counts of the shape {units.counts.shape} for {n_words} words",
        )
    return units


def _cut(units: Units, limit: int) -> Units:
    """Truncate words to `limit` units: a word has to fit into a window."""
    if (units.counts <= limit).all():
        return units
    counts = np.minimum(units.counts, limit)
    begins = np.cumsum(units.counts, dtype=np.int64) - units.counts
    kept = np.repeat(begins - (np.cumsum(counts, dtype=np.int64) - counts), counts) + np.arange(int(counts.sum()))
    return Units(units.ids[kept], counts)


def label_ids(tags: Sequence[Sequence[str]], labels: Sequence[str]) -> IntArray:
    """Word labels, int32 (words,), of all sentences; a tag outside `labels`, such as UNANNOTATED, becomes IGNORE."""
    ids = {label: index for index, label in enumerate(labels)}
    return np.array([ids.get(tag, IGNORE) for sentence in tags for tag in sentence], dtype=np.int32)
