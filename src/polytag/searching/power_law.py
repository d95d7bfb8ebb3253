"""Forecast what more labels bring, by a power law of scores over the number of sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LEAST_POINTS = 3
_EXPONENTS = np.linspace(0.05, 2, 80)
_SAMPLES = 1000
_QUANTILES = (0.025, 0.975)
_NORMAL = 3.92
"""Width of the 95% interval of a normal distribution, in standard deviations."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """The score that a number of sentences would give.

    Attributes:
        sentences: Number of sentences.
        score: The score.
        interval: Its 95% interval.
        gain: The difference from the fitted score of all sentences that there are now.
        gain_interval: Its 95% interval.
    """

    sentences: int
    score: float
    interval: tuple[float, float]
    gain: float
    gain_interval: tuple[float, float]


def forecast(
    sizes: Sequence[int], scores: Sequence[float], intervals: Sequence[tuple[float, float]], wanted: int, seed: int = 0
) -> Forecast:
    """Extrapolate scores by the power law c - a * n ** -b, with a >= 0, c <= 1 and b from 0.05 to 2.

    Inverse power laws describe learning curves best among simple functions (Viering and Loog, The Shape of Learning
    Curves: A Review, 2022). For each b of a grid, c and a are least squares. The interval is that of fits to scores
    drawn from the normal distributions that the intervals of the points describe. It does not cover the error of the
    law itself, nor the chance of another seed.

    Args:
        sizes: Number of sentences of each point, rising; at least `LEAST_POINTS`.
        scores, intervals: The score of each point from 0 to 1, with its 95% interval.
        wanted: The number of sentences to extrapolate to.
        seed: Seed of the draws.
    """
    n, y = np.array(sizes, dtype=np.float64), np.array(scores, dtype=np.float64)
    deviations = np.array([(high - low) / _NORMAL for low, high in intervals])
    drawn = np.random.default_rng(seed).normal(y, deviations, (_SAMPLES, len(y)))
    last, more = _fitted(n, np.vstack([y[None], drawn]), np.array([n[-1], wanted], dtype=np.float64)).T
    gains = more - last
    low, high = np.quantile(more[1:], _QUANTILES)
    low_gain, high_gain = np.quantile(gains[1:], _QUANTILES)
    score, gain = float(more[0]), float(gains[0])
    return Forecast(wanted, score, (float(low), float(high)), gain, (float(low_gain), float(high_gain)))


def _fitted(n: Array, scores: Array, at: Array) -> Array:
    """The values of the fitted laws at some sizes, float64 (curves, sizes), for scores, float64 (curves, points)."""
    best = np.full(len(scores), np.inf)
    values = np.zeros((len(scores), len(at)))
    for exponent in _EXPONENTS:
        x, x_at = (n / n[-1]) ** -exponent, (at / n[-1]) ** -exponent
        centred = x - x.mean()
        slope = np.maximum(0, -(scores @ centred) / (centred @ centred))
        limit = scores.mean(axis=1) + slope * x.mean()
        over = limit > 1
        # With the limit fixed at 1, the slope is that of a line through one point.
        slope = np.where(over, ((1 - scores) @ x) / (x @ x), slope)
        limit = np.where(over, 1.0, limit)
        errors = ((scores - limit[:, None] + slope[:, None] * x) ** 2).sum(axis=1)
        better = errors < best
        best = np.where(better, errors, best)
        values = np.where(better[:, None], limit[:, None] - slope[:, None] * x_at, values)
    return values
