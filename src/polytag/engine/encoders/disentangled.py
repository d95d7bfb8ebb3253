"""Attention to relative positions, as DeBERTa has it (He et al. 2021, https://arxiv.org/abs/2006.03654).

The score of a query at i and a key at j has two further terms: the product of the query with the vector of a position,
and the product of the key with another. The position is the bucket of i - j. Each term is a product with a vector for
each distance that the input has, shifted row by row: buckets are not looked up for each pair of positions.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from polytag.encoding.relative_positions import bucket_of
from polytag.engine.encoders.layers import Norm


class RelativeEmbedding(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """The normalised embedding of each bucket of relative positions.

    Args:
        buckets: Number of buckets of each sign.
        width: Of an embedding.
        epsilon: Added to variances.
        name: Its name.
        dtype: Its dtype policy.
    """

    def __init__(self, buckets: int, width: int, epsilon: float, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.embeddings = self.add_weight((2 * buckets, width), "zeros", name="embeddings")
        self.norm = Norm(width, epsilon, "norm", self.dtype_policy)
        self.built = True

    def call(self, inputs: Any) -> Any:
        """float (2 buckets, width), whatever the inputs are: they make it a layer of a Keras model."""
        return self.norm(tf.convert_to_tensor(self.embeddings))


class RelativeScores:
    """The terms of relative positions in the scores of a block.

    Args:
        buckets: Number of buckets of each sign.
        longest: Greatest length of an input.
    """

    TERMS = 3
    """Number of terms of a score, the usual one included."""

    def __init__(self, buckets: int, longest: int) -> None:
        self._longest = longest
        rising = np.arange(-longest, longest)
        # The buckets of the distances from -longest to longest - 1, and of the same with the other sign.
        self._rising, self._falling = (bucket_of(sign * rising, buckets, longest).astype(np.int32) for sign in (1, -1))

    def nearby(self, embeddings: Any, length: Any) -> Any:
        """The embeddings of the buckets that an input of a length has, float (n, width)."""
        rising, falling = self._of(length)
        return embeddings[rising[0] : falling[0] + 1]

    def scores(self, query: Any, key: Any, of_positions: Any, scale: float, length: Any) -> Any:
        """The terms, float (batch, heads, length, length).

        Args:
            query, key: float (batch, heads, length, size), the query scaled.
            of_positions: Queries, keys and values of the result of `nearby`, float (n, 3, heads, size).
            scale: Of queries.
            length: Of the input.
        """
        rising, falling = (buckets - self._of(length)[0][0] for buckets in self._of(length))
        of_queries, of_keys = of_positions[:, 0] * scale, of_positions[:, 1]
        to_keys = _shifted(tf.matmul(query, _vectors(of_keys, falling)), length)
        to_queries = _shifted(tf.matmul(key, _vectors(of_queries, rising)), length)
        return to_keys + tf.transpose(to_queries, (0, 1, 3, 2))

    def _of(self, length: Any) -> tuple[Any, Any]:
        """The buckets of the distances from -length to length - 1, and of the same with the other sign."""
        first, last = self._longest - length, self._longest + length
        return tf.constant(self._rising)[first:last], tf.constant(self._falling)[first:last]


def _vectors(of_buckets: Any, buckets: Any) -> Any:
    """The vector of each distance, float (heads, size, 2 length)."""
    return tf.transpose(tf.gather(of_buckets, buckets), (1, 2, 0))


def _shifted(x: Any, length: Any) -> Any:
    """Row i of x, (..., length, 2 length), from column length - i on: float (..., length, length).

    Read as rows that are shorter by one, each row begins one place further to the left in the row above.
    """
    shape = tf.shape(x)
    flat = tf.reshape(x, (shape[0], shape[1], -1))[:, :, length:]
    return tf.reshape(flat, (shape[0], shape[1], length, -1))[:, :, :, :length]
