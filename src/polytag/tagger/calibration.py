"""Temperature scaling, so that the probability of a tag matches its accuracy."""

from __future__ import annotations

from typing import Any

import numpy as np

from polytag.plugin.alignment import IGNORE, FloatArray, IntArray

_SMALLEST = 1e-30
_SEARCHED = (0.05, 20.0)
_DISTINCT = (1e-30, 1e30)
"""Temperatures beyond these give the same float32 probabilities: one label of a word has all, or all have the same."""


def tempered(scores: FloatArray, temperature: float) -> FloatArray:
    """Probabilities with their logits divided by a temperature: float32 (words, labels).

    Probabilities give the same result as logits, because log probabilities differ from logits only by a constant per
    word. The order of the labels does not change, nor do the best sequences.

    Args:
        scores: float32 (words, labels), probabilities.
        temperature: Above 1 for flatter distributions, below 1 for sharper ones.
    """
    if temperature == 1.0:
        return scores
    logits = np.log(np.maximum(scores, _SMALLEST))
    logits -= logits.max(axis=1, keepdims=True)
    least, most = _DISTINCT
    logits /= np.float32(min(max(temperature, least), most))
    return softmax(logits)


def softmax(logits: FloatArray) -> FloatArray:
    """Probabilities, float32 (..., labels), of logits, which they replace in memory."""
    logits -= logits.max(axis=-1, keepdims=True)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=-1, keepdims=True)
    return logits


def fit_temperature(scores: FloatArray, labels: IntArray) -> float:
    """The temperature that maximises the likelihood of the gold labels (Guo et al. 2017, section 4.2).

    Args:
        scores: float32 (words, labels), probabilities.
        labels: int32 (words,), gold label ids; words with IGNORE are skipped.
    """
    from scipy.optimize import minimize_scalar

    known = labels != IGNORE
    if not known.any():
        return 1.0
    logits = np.log(np.maximum(scores[known], _SMALLEST)).astype(np.float64)
    gold = logits[np.arange(len(logits)), labels[known]]

    def loss(log_temperature: Any) -> float:
        scale = np.exp(-log_temperature)
        scaled = logits * scale
        top = scaled.max(axis=1)
        normaliser = top + np.log(np.exp(scaled - top[:, None]).sum(axis=1))
        return float(np.mean(normaliser - gold * scale))

    found = minimize_scalar(loss, bounds=tuple(np.log(_SEARCHED)), method="bounded", options={"xatol": 1e-4})
    return float(np.exp(found.x))
