"""Confidence intervals of scores, and significance tests of the difference between two taggers.

All functions take additive statistics of sentences (see `Metric.statistics`) and resample whole sentences, because the
words of a sentence are not independent. Sentences with equal statistics are exchangeable, so the count of each distinct
row is drawn: this has the same distribution as drawing single sentences, at a cost that hardly grows with the corpus.

All results are deterministic: the same statistics and seed give the same figures.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Headline = Callable[[Array], Array]
"""Scores, float64 (...), of summed statistics, float64 (..., k)."""

LEVEL = 0.95
"""Confidence of all intervals."""

_SAMPLES = 1000
_SHUFFLES = 9999
_ROUNDING = 1e-12
"""Smaller deviations are rounding errors of a different order of computation."""


class Difference(NamedTuple):
    """The difference of two systems' scores.

    Attributes:
        value: Score of the second system minus score of the first.
        low, high: Bounds of the 95% confidence interval of the difference.
    """

    value: float
    low: float
    high: float


def bootstrap_interval(
    statistics: Array, headline_of: Headline, seed: int, samples: int = _SAMPLES
) -> tuple[float, float]:
    """The 95% confidence interval of a score, by the percentile bootstrap over sentences.

    Corpora of the same size are drawn with replacement, and the interval lies between the 2.5% and 97.5% quantiles
    of their scores (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13).

    Args:
        statistics: float64 (sentences, k), at least one sentence.
        headline_of: The score of summed statistics.
        seed: Seed of the draws.
        samples: Number of corpora drawn.

    Raises:
        ValueError: The statistics have no sentence.
    """
    scores = headline_of(_resampled(_checked(statistics), np.random.default_rng(seed), samples))
    return _interval(scores)


def paired_bootstrap(
    first: Array, second: Array, headline_of: Headline, seed: int, samples: int = _SAMPLES
) -> Difference:
    """The difference of two systems' scores on the same sentences, with its 95% confidence interval.

    Each drawn corpus has the same sentences for both systems (Efron and Tibshirani 1993, chapter 13; for systems
    compared on one test set: Koehn, Statistical Significance Tests for Machine Translation Evaluation, EMNLP 2004).
    Exchanging the systems only changes the sign of the result.

    Args:
        first, second: float64 (sentences, k), statistics of the two systems.
        headline_of: The score of summed statistics.
        seed: Seed of the draws.
        samples: Number of corpora drawn.

    Raises:
        ValueError: The statistics have no sentence, or differ in shape.
    """
    _check_pair(first, second)
    if _exchanged(first, second):
        value, low, high = paired_bootstrap(second, first, headline_of, seed, samples)
        return Difference(-value, -high, -low)
    totals = _resampled(np.hstack([first, second]), np.random.default_rng(seed), samples)
    width = first.shape[1]
    low, high = _interval(headline_of(totals[:, width:]) - headline_of(totals[:, :width]))
    return Difference(_difference(first.sum(0), second.sum(0), headline_of), low, high)


def approximate_randomisation(
    first: Array, second: Array, headline_of: Headline, seed: int, samples: int = _SHUFFLES
) -> float:
    """The two-sided p value of the difference of two systems' scores, if the systems were interchangeable.

    In each shuffle, the two systems exchange their output in every sentence with probability 0.5. If r of n shuffles
    have at least the observed difference, p = (r + 1) / (n + 1) (Noreen, Computer-Intensive Methods for Testing
    Hypotheses, 1989; for F1: Yeh, More accurate tests for the statistical significance of result differences, COLING
    2000). Exchanging the systems does not change p.

    Args:
        first, second: float64 (sentences, k), statistics of the two systems.
        headline_of: The score of summed statistics.
        seed: Seed of the shuffles.
        samples: Number of shuffles; the smallest possible p value is 1 / (samples + 1).

    Raises:
        ValueError: The statistics have no sentence, or differ in shape.
    """
    _check_pair(first, second)
    if _exchanged(first, second):
        first, second = second, first
    total_first, total_second = first.sum(0), second.sum(0)
    actual = abs(_difference(total_first, total_second, headline_of))
    rows, counts = np.unique(second - first, axis=0, return_counts=True)
    generator = np.random.default_rng(seed)
    moved = generator.binomial(counts, 0.5, size=(samples, len(counts))) @ rows
    shuffled = np.abs(headline_of(total_second - moved) - headline_of(total_first + moved))
    as_far = int(np.count_nonzero(shuffled >= actual - _ROUNDING))
    return (as_far + 1) / (samples + 1)


def _resampled(statistics: Array, generator: np.random.Generator, samples: int) -> Array:
    """Summed statistics, float64 (samples, k), of corpora drawn with replacement."""
    rows, counts = np.unique(statistics, axis=0, return_counts=True)
    drawn = generator.multinomial(len(statistics), counts / len(statistics), size=samples)
    totals: Array = drawn @ rows
    return totals


def _interval(scores: Array) -> tuple[float, float]:
    low, high = np.quantile(scores, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _difference(first: Array, second: Array, headline_of: Headline) -> float:
    return float(headline_of(second)) - float(headline_of(first))


def _exchanged(first: Array, second: Array) -> bool:
    """Whether to exchange the systems, so that the draws do not depend on their order."""
    unequal = np.flatnonzero(first.ravel() != second.ravel())
    return bool(len(unequal)) and bool(first.ravel()[unequal[0]] > second.ravel()[unequal[0]])


def _checked(statistics: Array) -> Array:
    if not len(statistics):
        raise ValueError("no sentence to resample")
    return statistics


def _check_pair(first: Array, second: Array) -> None:
    if _checked(first).shape != second.shape:
        raise ValueError(f"statistics of different shapes: {first.shape} and {second.shape}")
