"""Measure precision and recall of the spans or words that a tagger is sure of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from polytag.evaluation.buckets import Item, Sides

STEPS = 1000
"""Number of steps of the threshold from 0 to 1."""
TARGETS = (0.9, 0.95, 0.99)
"""The precisions for which a threshold is looked for."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """The lowest threshold with a precision.

    Attributes:
        target: The precision that is looked for.
        value: The lowest multiple of 0.001 that reaches it; None if no threshold does.
        precision, recall: What the kept items reach.
        kept: Number of items with at least this probability.
    """

    target: float
    value: float | None = None
    precision: float | None = None
    recall: float | None = None
    kept: int = 0


@dataclass(frozen=True, slots=True)
class ThresholdCurve:
    """Predicted items by their probability.

    Attributes:
        gold: Number of gold items.
        kept: For each threshold 0, 0.001, …, 1: the number of predicted items with at least this probability.
        correct: The number of correct ones among them.
        thresholds: The thresholds for the precisions in `TARGETS`.
    """

    gold: int
    kept: tuple[int, ...]
    correct: tuple[int, ...]
    thresholds: tuple[Threshold, ...]


def threshold_curve(sides: Sides, scores: Sequence[Sequence[float]]) -> ThresholdCurve:
    """Count the items that each threshold of `polytag predict --min-score` keeps.

    Args:
        sides: Gold and predicted items.
        scores: The probability of the tag of every word, in sentences. The probability of a span is the product of
            its words' probabilities.
    """
    gold = set(sides.gold)
    sure = np.array([_probability(item, scores) for item in sides.predicted])
    right = np.array([item in gold for item in sides.predicted], dtype=bool)
    steps = np.array([step / STEPS for step in range(STEPS + 1)])
    kept, correct = (len(some) - np.searchsorted(np.sort(some), steps) for some in (sure, sure[right]))
    thresholds = tuple(_threshold(target, kept, correct, len(gold)) for target in TARGETS)
    return ThresholdCurve(len(gold), tuple(kept.tolist()), tuple(correct.tolist()), thresholds)


def _probability(item: Item, scores: Sequence[Sequence[float]]) -> float:
    return prod(scores[item.sentence][item.start : item.end])


def _threshold(target: float, kept: NDArray[np.int64], correct: NDArray[np.int64], gold: int) -> Threshold:
    reached = np.flatnonzero((kept > 0) & (correct / np.maximum(kept, 1) >= target))
    if not len(reached):
        return Threshold(target)
    step = int(reached[0])
    right, some = int(correct[step]), int(kept[step])
    return Threshold(target, step / STEPS, right / some, right / gold if gold else 0.0, some)
