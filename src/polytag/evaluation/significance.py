"""How far a score can be trusted: confidence intervals, and tests of the difference between two taggers.

All functions work on per-sentence statistics that add up (see `Metric.statistics`) and resample whole sentences: the
words of a sentence are not independent of one another. Sentences whose statistics are equal are exchangeable, so what
is drawn is how often each distinct row occurs: exactly the distribution of drawing sentence by sentence, at a cost that
hardly grows with the corpus.

Everything is deterministic: the same statistics and seed give the same figures.
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
"""Differences closer than this are the same difference, computed in another order."""


class Difference(NamedTuple):
    """How much higher the second of two systems scores.

    Attributes:
        value: Its score minus that of the first.
        low, high: Ends of the 95% confidence interval of this difference.
    """

    value: float
    low: float
    high: float


def bootstrap_interval(
    statistics: Array, headline_of: Headline, seed: int, samples: int = _SAMPLES
) -> tuple[float, float]:
    """The 95% confidence interval of a score: the percentile bootstrap over sentences.

    Corpora of as many sentences are drawn with replacement, and the interval lies between the 2.5% and 97.5% quantiles
    of their scores (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13).

    Args:
        statistics: float64 (sentences, k), at least one sentence.
        headline_of: The score of summed statistics.
        seed: Seed of the draws.
        samples: How many corpora are drawn.

    Raises:
        ValueError: There is no sentence.
    """
    scores = headline_of(_resampled(_checked(statistics), np.random.default_rng(seed), samples))
    return _interval(scores)


def paired_bootstrap(
    first: Array, second: Array, headline_of: Headline, seed: int, samples: int = _SAMPLES
) -> Difference:
    """The difference of two systems' scores on the same sentences, with its 95% confidence interval.

    Each drawn corpus holds the same sentences for both systems (Efron and Tibshirani 1993, chapter 13; for systems
    compared on one test set: Koehn, Statistical Significance Tests for Machine Translation Evaluation, EMNLP 2004).
    Exchanging the systems changes the sign of the result and nothing else.

    Args:
        first, second: float64 (sentences, k), statistics of the two systems.
        headline_of: The score of summed statistics.
        seed: Seed of the draws.
        samples: How many corpora are drawn.

    Raises:
        ValueError: There is no sentence, or the two differ in shape.
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
    """The two-sided p value of the difference between two systems' scores, were the systems interchangeable.

    For each sentence a coin decides whether the two systems exchange their output. With r of n such shuffles at least
    as far apart as the systems really are, p = (r + 1) / (n + 1) (Noreen, Computer-Intensive Methods for Testing
    Hypotheses, 1989; for F1: Yeh, More accurate tests for the statistical significance of result differences, COLING
    2000). Exchanging the systems does not change it.

    Args:
        first, second: float64 (sentences, k), statistics of the two systems.
        headline_of: The score of summed statistics.
        seed: Seed of the coins.
        samples: How many shuffles: the smallest p value there can be is 1 / (samples + 1).

    Raises:
        ValueError: There is no sentence, or the two differ in shape.
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
    """Whether the systems are in the other of their two orders: the draws must not depend on who comes first."""
    unequal = np.flatnonzero(first.ravel() != second.ravel())
    return bool(len(unequal)) and bool(first.ravel()[unequal[0]] > second.ravel()[unequal[0]])


def _checked(statistics: Array) -> Array:
    if not len(statistics):
        raise ValueError("no sentence to resample")
    return statistics


def _check_pair(first: Array, second: Array) -> None:
    if _checked(first).shape != second.shape:
        raise ValueError(f"statistics of different shapes: {first.shape} and {second.shape}")
