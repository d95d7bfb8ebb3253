"""`compact` in NumPy: the function of `CompactNetwork` in the engine, without training, in float32."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polytag.encoding.coders import BLOCKS, WINDOW
from polytag.encoding.compact_layout import EMBEDDING_WIDTH, EPSILON, SHAPES, WIDTH, check_tensors
from polytag.encoding.word_hashes import HASHES, ROWS
from polytag.plugin.alignment import FloatArray

_ROWS_AT_ONCE = 256
"""Words that pass through a layer together: their vectors stay in the processor's cache."""

_MIXED_WIDTH = len(ROWS) * EMBEDDING_WIDTH
_MEAN = np.full(WIDTH, 1 / WIDTH, dtype=np.float32)
_KEY = np.random.default_rng(0).integers(1 << 62, size=HASHES * len(ROWS))

_LOG_TAIL = np.array(
    [-0.693173265, -0.797665299, -0.318842603, -0.0359238577, 0.00491057496, -0.000328062495], dtype=np.float32
)
"""Coefficients of P(z), lowest first: see `gelu`."""


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
        self._weights = {name.removeprefix("encoder."): np.asarray(tensors[name], dtype=np.float32) for name in SHAPES}

    def __call__(self, ids: NDArray[np.int32], mask: NDArray[np.bool_], wanted: NDArray[np.int64]) -> FloatArray:
        """Vectors of some positions.

        Args:
            ids: int32 (batch, length, 10), rows of the table.
            mask: bool (batch, length), False at padding, which is at the end of sentences.
            wanted: int64 (n,), positions among batch * length, none of them padding.

        Returns:
            float32 (n, 192).
        """
        # All sentences in one matrix, with a row of zeros before, between and after them: a convolution sees zeros
        # beyond the edges of a sentence, and no time is spent on padding.
        sentences = np.nonzero(mask)[0]
        rows = np.arange(1, len(sentences) + 1) + sentences
        x = np.zeros((len(sentences) + len(mask) + 1, WIDTH), dtype=np.float32)
        self._embed(ids[mask], x, rows)
        gaps = np.ones(len(x), dtype=bool)
        gaps[rows] = False
        buffers = _Buffers(min(len(x), _ROWS_AT_ONCE), WINDOW * WIDTH)
        for block in range(BLOCKS):
            self._convolve(x, block, buffers)
            x[gaps] = 0
        found: FloatArray = x[rows[np.cumsum(mask)[wanted] - 1]]
        return found

    def _embed(self, ids: NDArray[np.int32], x: FloatArray, rows: NDArray[np.int64]) -> None:
        """Write the vectors of words without context to rows of `x`; each distinct word is embedded once."""
        _, first, index = np.unique(ids @ _KEY, return_index=True, return_inverse=True)
        distinct = ids[first]
        if not np.array_equal(distinct[index], ids):  # two words have one key
            distinct, index = ids, np.arange(len(ids))
        vectors = np.empty((len(distinct), WIDTH), dtype=np.float32)
        buffers = _Buffers(min(len(distinct), _ROWS_AT_ONCE), _MIXED_WIDTH)
        table = self._weights["table"]
        for start in range(0, len(distinct), _ROWS_AT_ONCE):
            hashed = distinct[start : start + _ROWS_AT_ONCE].reshape(-1, len(ROWS), HASHES)
            embedded = buffers.inputs[: len(hashed)].reshape(-1, len(ROWS), EMBEDDING_WIDTH)
            np.add(table[hashed[:, :, 0]], table[hashed[:, :, 1]], out=embedded)
            vectors[start : start + len(hashed)] = self._layer("mix", "mix_norm", buffers, len(hashed))
        x[rows] = vectors[index]

    def _convolve(self, x: FloatArray, block: int, buffers: _Buffers) -> None:
        """Add the result of one block to `x`, in place, in all rows but the first and the last."""
        before = x[0].copy()  # the row before the part that is computed, as it was
        for start in range(1, len(x) - 1, _ROWS_AT_ONCE):
            stop = min(start + _ROWS_AT_ONCE, len(x) - 1)
            inputs = buffers.inputs[: stop - start].reshape(-1, WINDOW, WIDTH)
            for offset in range(WINDOW):
                inputs[:, offset] = x[start + offset - 1 : stop + offset - 1]
            inputs[0, 0] = before
            before = x[stop - 1].copy()
            x[start:stop] += self._layer(f"convolution_{block}", f"norm_{block}", buffers, stop - start)

    def _layer(self, dense: str, norm: str, buffers: _Buffers, n: int) -> FloatArray:
        """A dense layer, GELU and a layer norm: float32 (n, 192), in one of the buffers."""
        weights = self._weights
        y = buffers.outputs[:n]
        np.matmul(buffers.inputs[:n], weights[f"{dense}.kernel"].reshape(-1, WIDTH), out=y)
        y += weights[f"{dense}.bias"]
        gelu(y, buffers.inputs.reshape(-1)[: 2 * y.size].reshape(2, n, WIDTH))
        y -= (y @ _MEAN)[:, None]
        y *= (1 / np.sqrt(np.vecdot(y, y) / WIDTH + np.float32(EPSILON)))[:, None]
        y *= weights[f"{norm}.gamma"]
        y += weights[f"{norm}.beta"]
        return y


class _Buffers:
    """Memory for `n` rows of a layer.

    Attributes:
        inputs: float32 (n, width), at least twice as wide as the outputs.
        outputs: float32 (n, 192).
    """

    def __init__(self, n: int, width: int) -> None:
        self.inputs = np.empty((n, width), dtype=np.float32)
        self.outputs = np.empty((n, WIDTH), dtype=np.float32)


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
    np.multiply(z, _LOG_TAIL[-1], out=tail)
    for coefficient in _LOG_TAIL[-2:0:-1]:
        tail += coefficient
        tail *= z
    tail += _LOG_TAIL[0]
    np.exp(tail, out=tail)
    tail *= z
    np.maximum(x, 0, out=x)
    x -= tail
