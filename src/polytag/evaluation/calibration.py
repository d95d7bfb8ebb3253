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
    bins = np.minimum((confidences * BINS).astype(int), BINS - 1)
    confidence = np.bincount(bins, weights=confidences, minlength=BINS)
    accuracy = np.bincount(bins, weights=correct, minlength=BINS)
    return float(np.abs(confidence - accuracy).sum() / len(confidences))
