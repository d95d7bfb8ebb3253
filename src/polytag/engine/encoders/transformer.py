"""The transformer block of the BERT family (Vaswani et al. 2017, Devlin et al. 2019).

Queries, keys and values are one matrix product, whose weights are one variable. Dropout draws one random byte per
number. `operations` and `layers` have the rest of what makes it faster than Keras's own layers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from polytag.engine.encoders.disentangled import RelativeScores
from polytag.engine.encoders.layers import Linear, Norm, in_training
from polytag.engine.encoders.operations import exact_gelu, pick_rows

_MASKED = -1e9
"""Bias on the attention scores of padding."""


@dataclass(frozen=True, slots=True)
class BlockSizes:
    """Properties that all blocks of a network share.

    Attributes:
        width: Of the vectors between blocks.
        heads: Number of attention heads.
        inner: Width of the feed-forward layer.
        epsilon: Added to variances.
        dropout: Rate.
    """

    width: int
    heads: int
    inner: int
    epsilon: float
    dropout: float


class TransformerBlock(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Attention and a feed-forward layer, each added to what it was computed from, and then normalised.

    Args:
        sizes: Sizes of the network.
        name: Its name.
        dtype: Its dtype policy.
        relative: Makes scores of relative positions, if the network has them.

    Attributes:
        activation: Of the feed-forward layer.
        frozen: Whether the block is computed without dropout also in training.
    """

    frozen = False

    def __init__(self, sizes: BlockSizes, name: str, dtype: Any, relative: RelativeScores | None = None) -> None:
        super().__init__(name=name, dtype=dtype)
        if sizes.width % sizes.heads:
            raise ValueError(f"{sizes.heads} heads cannot share vectors of width {sizes.width}")
        self.sizes, self._relative = sizes, relative
        width, policy = sizes.width, self.dtype_policy
        self.joint = Linear(width, 3 * width, True, "query_key_value", policy)
        self.output_dense = Linear(width, width, True, "attention_output", policy)
        self.attention_norm = Norm(width, sizes.epsilon, "attention_norm", policy)
        self.inner = Linear(width, sizes.inner, True, "inner", policy)
        self.outer = Linear(sizes.inner, width, True, "outer", policy)
        self.outer_norm = Norm(width, sizes.epsilon, "outer_norm", policy)
        self.activation = exact_gelu
        if sizes.dropout:
            self._seeds = keras.random.SeedGenerator()
        self.built = True

    def call(
        self, inputs: Any, padding_mask: Any, relative: Any = None, training: bool = False, wanted: Any = None
    ) -> Any:
        """Vectors, float (batch, length, width), of vectors.

        Args:
            inputs: float (batch, length, width).
            padding_mask: int32 (batch, length), 0 at padding.
            relative: The embedding of each bucket of relative positions, if the network has them.
            training: Whether dropout is on.
            wanted: int32 (n,), distinct positions among batch * length. Only their vectors are returned, float (n,
                width), and everything except the attention to other positions is computed only for them.
        """
        training = training and not self.frozen
        width, heads = self.sizes.width, self.sizes.heads
        shape = tf.shape(inputs)
        batch, length = shape[0], shape[1]
        rows = tf.reshape(inputs, (-1, width))
        if self._relative is not None:
            relative = self._relative.nearby(relative, length)
        drop: Callable[[Any], Any] = _unchanged
        if training and self.sizes.dropout:
            n_numbers = tf.size(rows) if wanted is None else tf.size(wanted) * width
            n_relative = 0 if relative is None else tf.size(relative)
            drop = self._dropouts(n_relative + batch * heads * length * length + 2 * n_numbers)

        parts = tf.reshape(self.joint(rows, training=training), (batch, length, 3, heads, width // heads))
        query, key, value = tf.unstack(tf.transpose(parts, (2, 0, 3, 1, 4)), num=3)
        terms = 1 if self._relative is None else self._relative.TERMS
        query *= (heads / width / terms) ** 0.5
        scores = tf.matmul(query, key, transpose_b=True)
        if self._relative is not None:
            of_positions = tf.reshape(self.joint(drop(relative), training=training), (-1, 3, heads, width // heads))
            scores += self._relative.scores(query, key, of_positions, (heads / width / terms) ** 0.5, length)
        # In float32: in float16, what is masked everywhere would be no number.
        bias = tf.where(padding_mask > 0, 0.0, _MASKED)[:, None, None, :]
        weights = drop(tf.nn.softmax(tf.cast(scores, tf.float32) + bias))
        context = tf.matmul(tf.cast(weights, value.dtype), value)
        context = tf.reshape(tf.transpose(context, (0, 2, 1, 3)), (-1, width))
        if wanted is not None:
            context, rows = pick_rows(context, wanted), pick_rows(rows, wanted)

        rows = self.attention_norm(drop(self.output_dense(context, training=training)) + rows)
        activation = in_training(self.activation) if training else self.activation
        hidden = activation(self.inner(rows, training=training))
        rows = self.outer_norm(drop(self.outer(hidden, training=training)) + rows)
        return tf.reshape(rows, shape) if wanted is None else rows

    def _dropouts(self, numbers: Any) -> Callable[[Any], Any]:
        """Dropout for all places in the block, one after the other: one random byte per number, in one draw."""
        seed = tf.cast(self._seeds.next(), tf.int32)
        drawn = tf.random.stateless_uniform(((numbers + 3) // 4,), seed, minval=None, maxval=None, dtype=tf.int32)
        limit = round(256 * self.sizes.dropout)
        kept = tf.reshape(tf.bitcast(drawn, tf.uint8), (-1,)) >= limit
        start = 0

        def drop(x: Any) -> Any:
            nonlocal start
            first, start = start, start + tf.size(x)
            return tf.where(tf.reshape(kept[first:start], tf.shape(x)), x * (256 / (256 - limit)), 0.0)

        return drop


def _unchanged(x: Any) -> Any:
    return x
