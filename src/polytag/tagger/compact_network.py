"""`compact` in NumPy: the function of `CompactNetwork` in the engine, without training, in float32."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from polytag.encoding.coders import BLOCKS, N_HASHES, WINDOW
from polytag.encoding.compact_layout import (
    EMBEDDING_WIDTH,
    EPSILON,
    MISFIT,
    ROWS_NAME,
    SCALES_NAME,
    SHAPES,
    WIDTH,
    check_tensors,
)
from polytag.encoding.word_hashes import HASHES, ROWS
from polytag.errors import TaggerError
from polytag.plugin.alignment import FloatArray

_ROWS_AT_ONCE = 256
"""Words that pass through a layer together: their vectors stay in the processor's cache."""

_FEW_ROWS = 27
"""Up to so many words, a product is computed in parts of 192 columns: for at most a million multiplications, OpenBLAS
does not copy the kernel, which makes the parts 1.3 times as fast as the whole."""

_HASHED_WIDTH = len(ROWS) * EMBEDDING_WIDTH
_MEAN = np.full(WIDTH, 1 / WIDTH, dtype=np.float32)
_KEY = np.random.default_rng(0).integers(1 << 62, size=N_HASHES)

# Single numbers are arrays, too: for short sentences, the conversion of a number takes as long as the operation.
_ZERO, _VARIANCE, _EPSILON = (np.array(number, dtype=np.float32) for number in (0, 1 / WIDTH, EPSILON))
_LOG_TAIL = [
    np.array(number, dtype=np.float32)
    for number in (-0.000328062495, 0.00491057496, -0.0359238577, -0.318842603, -0.797665299, -0.693173265)
]
"""Coefficients of P(z), highest first: see `gelu`."""


class CompactNetwork:
    """The word-level network.

    Args:
        tensors: The weights by their saved names; they are not copied if they are float32.

    Raises:
        TaggerError: A tensor is missing or has the wrong shape.
    """

    width = WIDTH

    def __init__(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        check_tensors(tensors)
        weights = {name: np.asarray(tensors[name], dtype=np.float32) for name in SHAPES}
        self._table = weights["encoder.table"]
        self._vectors_of_words = _Vectors(tensors[ROWS_NAME], tensors[SCALES_NAME]) if ROWS_NAME in tensors else None
        self._mix = _Layer.of(weights, "mix", "mix_norm")
        self._blocks = [_Layer.of(weights, f"convolution_{index}", f"norm_{index}") for index in range(BLOCKS)]

    def __call__(self, ids: NDArray[np.int32], mask: NDArray[np.bool_], wanted: NDArray[np.int64]) -> FloatArray:
        """Vectors of some positions.

        Args:
            ids: int32 (batch, length, features), rows of the table, and after them rows of the vectors of words.
            mask: bool (batch, length), False at padding, which is at the end of sentences.
            wanted: int64 (n,), positions among batch * length, none of them padding.

        Returns:
            float32 (n, 192).

        Raises:
            TaggerError: The words with vectors do not belong to the weights.
        """
        if (ids.shape[2] == N_HASHES) != (self._vectors_of_words is None):
            raise TaggerError(MISFIT)
        with np.errstate(all="ignore"):  # absurd weights overflow, which whoever decodes the scores finds out
            return self._vectors(ids, mask, wanted)

    def _vectors(self, ids: NDArray[np.int32], mask: NDArray[np.bool_], wanted: NDArray[np.int64]) -> FloatArray:
        # All sentences in one matrix, with a row of zeros before, between and after them: a convolution sees zeros
        # beyond the edges of a sentence, and no time is spent on padding.
        sentences = np.nonzero(mask)[0]
        rows = np.arange(1, len(sentences) + 1) + sentences
        x = np.zeros((len(sentences) + len(mask) + 1, WIDTH), dtype=np.float32)
        x[rows] = self._embed(ids[mask])
        between = np.cumsum(np.count_nonzero(mask[:-1], axis=1)) + np.arange(1, len(mask))
        memory = _Memory(min(len(x), _ROWS_AT_ONCE), WINDOW * WIDTH)
        for layer in self._blocks:
            _convolve(x, layer, memory)
            x[between] = 0
        found: FloatArray = x[rows[np.cumsum(mask)[wanted] - 1]]
        return found

    def _embed(self, ids: NDArray[np.int32]) -> FloatArray:
        """Vectors of words without context, float32 (words, 192); of many words, each distinct one is embedded once."""
        distinct, index = ids, None
        if len(ids) > _FEW_ROWS:
            _, first, index = np.unique(ids[:, :N_HASHES] @ _KEY, return_index=True, return_inverse=True)
            distinct = ids[first]
            if not np.array_equal(distinct[index], ids):  # two words have one key
                distinct, index = ids, None
        vectors = np.empty((len(distinct), WIDTH), dtype=np.float32)
        words = self._vectors_of_words
        width = len(self._mix.kernel)
        memory = _Memory(min(len(distinct), _ROWS_AT_ONCE), width)
        for start in range(0, len(distinct), _ROWS_AT_ONCE):
            rows = distinct[start : start + _ROWS_AT_ONCE]
            hashed = rows[:, :N_HASHES].reshape(-1, len(ROWS), HASHES)
            inputs, y = memory.inputs[: len(hashed)], vectors[start : start + len(hashed)]
            embedded = inputs[:, :_HASHED_WIDTH].reshape(-1, len(ROWS), EMBEDDING_WIDTH, copy=False)
            np.add(self._table[hashed[:, :, 0]], self._table[hashed[:, :, 1]], out=embedded)
            if words is not None:
                words.write(rows[:, N_HASHES:], inputs[:, _HASHED_WIDTH:])
            parts = [inputs[:, at : at + WIDTH] for at in range(0, width, WIDTH)]
            _multiply(parts if len(y) <= _FEW_ROWS else [inputs], self._mix.kernel, y)
            _activate(y, self._mix, memory)
        return vectors if index is None else vectors[index]


class _Vectors(NamedTuple):
    """The vectors of words: int8 (rows, width), and the scale of each row, float32 (rows,)."""

    rows: NDArray[np.int8]
    scales: FloatArray

    def write(self, rows: NDArray[np.int32], out: FloatArray) -> None:
        """Write the means of vectors to `out`, float32 (words, width), of rows, int32 (words, parts), 0 for none."""
        if rows.max() >= len(self.rows):
            raise TaggerError(MISFIT)
        np.multiply(self.rows[rows[:, 0]], self.scales[rows[:, 0], None], out=out)
        for part in rows.T[1:]:
            longer = np.flatnonzero(part)  # fewer and fewer words
            if not len(longer):
                break
            out[longer] += self.rows[part[longer]] * self.scales[part[longer], None]
        out /= np.maximum(np.count_nonzero(rows, axis=1), 1).astype(np.float32)[:, None]


class _Layer(NamedTuple):
    """The weights of a dense layer or convolution and of the layer norm after it, float32; kernel (inputs, 192)."""

    kernel: FloatArray
    bias: FloatArray
    gamma: FloatArray
    beta: FloatArray

    @classmethod
    def of(cls, weights: Mapping[str, FloatArray], dense: str, norm: str) -> _Layer:
        names = f"{dense}.kernel", f"{dense}.bias", f"{norm}.gamma", f"{norm}.beta"
        kernel, *vectors = (weights[f"encoder.{name}"] for name in names)
        return cls(kernel.reshape(-1, WIDTH), *vectors)


class _Memory:
    """Memory for `n` rows of a layer.

    Attributes:
        inputs: float32 (n, width).
        outputs: float32 (n, 192).
        scratch: float32 (2, n, 192).
    """

    def __init__(self, n: int, width: int) -> None:
        self.inputs = np.empty((n, width), dtype=np.float32)
        self.outputs = np.empty((n, WIDTH), dtype=np.float32)
        self.scratch = np.empty((2, n, WIDTH), dtype=np.float32)


def _convolve(x: FloatArray, layer: _Layer, memory: _Memory) -> None:
    """Add the result of one block to `x`, in place, in all rows but the first and the last."""
    n = len(x) - WINDOW + 1
    if n <= _FEW_ROWS:
        y = memory.outputs[:n]
        _multiply([x[offset : offset + n] for offset in range(WINDOW)], layer.kernel, y)
        _activate(y, layer, memory)
        x[1:-1] += y
        return
    before = x[0].copy()  # the row before the part that is computed, as it was
    for start in range(1, n + 1, _ROWS_AT_ONCE):
        stop = min(start + _ROWS_AT_ONCE, n + 1)
        inputs, y = memory.inputs[: stop - start], memory.outputs[: stop - start]
        for offset in range(WINDOW):
            inputs[:, offset * WIDTH : (offset + 1) * WIDTH] = x[start + offset - 1 : stop + offset - 1]
        inputs[0, :WIDTH] = before
        before = x[stop - 1].copy()
        _multiply([inputs], layer.kernel, y)
        _activate(y, layer, memory)
        x[start:stop] += y


def _multiply(parts: Sequence[FloatArray], kernel: FloatArray, y: FloatArray) -> None:
    """Write the product of inputs, given in parts of their columns, and a kernel to `y`."""
    first, *others = parts
    at = first.shape[1]
    np.matmul(first, kernel[:at], out=y)
    for part in others:
        y += part @ kernel[at : at + part.shape[1]]
        at += part.shape[1]


def _activate(y: FloatArray, layer: _Layer, memory: _Memory) -> None:
    """Add the bias, then apply GELU and the layer norm, in place."""
    y += layer.bias
    gelu(y, memory.scratch[:, : len(y)])
    y -= (y @ _MEAN)[:, None]
    scale = np.vecdot(y, y)
    scale *= _VARIANCE
    scale += _EPSILON
    y *= np.reciprocal(np.sqrt(scale, out=scale), out=scale)[:, None]
    y *= layer.gamma
    y += layer.beta


def gelu(x: FloatArray, scratch: FloatArray) -> None:
    """GELU (Hendrycks and Gimpel 2016), in place: x times the normal distribution function of x.

    With z = abs(x), this is max(x, 0) - z * F(-z), where F is that function. The logarithm of F(-z) is smooth and
    nearly quadratic, so it is approximated by a polynomial P(z) of degree 5, fitted for the least maximum error of
    z * exp(P(z)) (by Lawson's algorithm, on Chebyshev nodes of 0..6; beyond, both are below 1e-8). That error is at
    most 5e-7, rounding included.

    Args:
        x: float32.
        scratch: float32 (2, *x.shape), overwritten.
    """
    z, tail = scratch
    np.abs(x, out=z)
    highest, *others = _LOG_TAIL
    np.multiply(z, highest, out=tail)
    for coefficient in others[:-1]:
        tail += coefficient
        tail *= z
    tail += others[-1]
    np.exp(tail, out=tail)
    tail *= z
    np.maximum(x, _ZERO, out=x)
    x -= tail
