"""Measure the calibration of probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polytag.plugin.alignment import FloatArray

BINS = 15


@dataclass(frozen=True, slots=True)
class Calibration:
    """Expected calibration error of the tags' probabilities, before and after temperature scaling, both 0..1."""

    before: float
    after: float


@dataclass(frozen=True, slots=True)
class ReliabilityBins:
    """Words in bins of equal width of their confidence; each tuple has a number per bin, `BINS` in all.

    Attributes:
        words: Number of words.
        correct: Number of words whose tag is right.
        confidence: Sum of the confidences.
    """

    words: tuple[int, ...]
    correct: tuple[int, ...]
    confidence: tuple[float, ...]


def reliability_bins(confidences: FloatArray, correct: NDArray[np.bool_]) -> ReliabilityBins:
    """Count words by their confidence.

    Args:
        confidences: float32 (words,), the probability of each word's tag.
        correct: bool (words,), whether the tag is right.
    """
    bins = np.minimum((confidences * BINS).astype(int), BINS - 1)
    words = np.bincount(bins, minlength=BINS)
    right = np.bincount(bins[correct], minlength=BINS)
    confidence = np.bincount(bins, weights=confidences, minlength=BINS)
    return ReliabilityBins(tuple(words.tolist()), tuple(right.tolist()), tuple(confidence.tolist()))


def expected_calibration_error(confidences: FloatArray, correct: NDArray[np.bool_]) -> float:
    """Mean distance between confidence and accuracy, over 15 bins of equal width (Naeini et al. 2015; Guo et al. 2017).

    Args:
        confidences: float32 (words,), the probability of each word's tag.
        correct: bool (words,), whether the tag is right.

    Returns:
        A number in 0..1; 0 without words.
    """
    if not len(confidences):
        return 0.0
    bins = reliability_bins(confidences, correct)
    return float(np.abs(np.array(bins.confidence) - np.array(bins.correct)).sum() / len(confidences))
