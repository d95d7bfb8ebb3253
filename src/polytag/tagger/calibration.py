"""Calibration: make the probability of a tag mean how often it is right."""

from __future__ import annotations

from typing import Any

import numpy as np

from polytag.plugin.alignment import IGNORE, FloatArray, IntArray

_SMALLEST = 1e-30
_SEARCHED = (0.05, 20.0)


def tempered(scores: FloatArray, temperature: float) -> FloatArray:
    """Probabilities with their logits divided by a temperature: float32 (words, labels).

    Working on probabilities gives the same as dividing the logits, since a softmax leaves logits known up to a constant
    of each word. The order of labels stays, and so do the best sequences.

    Args:
        scores: float32 (words, labels), probabilities.
        temperature: Over 1 to make them less sure, under 1 to make them surer.
    """
    if temperature == 1.0:
        return scores
    logits = np.log(np.maximum(scores, _SMALLEST)) / temperature
    logits -= logits.max(axis=1, keepdims=True)
    powers = np.exp(logits)
    scaled: FloatArray = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    return scaled


def fit_temperature(scores: FloatArray, labels: IntArray) -> float:
    """The temperature under which the gold labels are likeliest (Guo et al. 2017, section 4.2).

    Args:
        scores: float32 (words, labels), probabilities.
        labels: int32 (words,), gold label ids; words with IGNORE are left out.
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
