"""Encoders with rotary positions: pre-normalised blocks with gated feed-forward layers, as in ModernBERT and EuroBERT.

Queries and keys are rotated by angles that grow with their position (Su et al. 2021, RoFormer), so that a score depends
on the distance of two positions, and no table of positions limits the length. A block attends to all positions, or only
to those nearby (Beltagy et al. 2020, Longformer); in long inputs, the scores of nearby positions alone are computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from polytag.engine.encoders.layers import Linear, Norm, in_training
from polytag.engine.encoders.operations import exact_gelu, pick_rows
from polytag.engine.encoders.rotary_attention import FEW_BLOCKS, attend, attend_nearby, rotated


@dataclass(frozen=True, slots=True)
class Sizes:
    """Properties that all blocks of a network share.

    Attributes:
        width: Of the vectors between blocks.
        heads: Number of attention heads.
        shared: Number of heads of keys and values, each of which serves heads / shared heads of queries.
        head_width: Width of a head.
        inner: Width of the feed-forward layer.
        epsilon: Added to variances.
        centred: Whether normalisations subtract the mean (layer norm), or only divide (root mean square).
        norm_bias, attention_bias, inner_bias: Whether normalisations, attention and feed-forward layers have biases.
        attention_dropout, output_dropout, inner_dropout: Rates, of the weights of attention, of its result, and of the
            feed-forward layer.
    """

    width: int
    heads: int
    shared: int
    head_width: int
    inner: int
    epsilon: float
    centred: bool
    norm_bias: bool = False
    attention_bias: bool = False
    inner_bias: bool = False
    attention_dropout: float = 0.0
    output_dropout: float = 0.0
    inner_dropout: float = 0.0


class RotaryBlock(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Attention and a gated feed-forward layer (Shazeer 2020), each added to what it was computed from.

    Args:
        sizes: Sizes of the network.
        theta: Base of the angles: the slowest turns once in about 2 pi theta positions.
        nearby: Greatest distance of positions that attend to each other; None for all.
        normalised_before: Whether the vectors are normalised before the attention.
        name: Its name.
        dtype: Its dtype policy.

    Attributes:
        activation: Of the gated layer.
        head_activation: Of the head, if it is the last block of a network that has one.
        frozen: Whether the block is computed without dropout also in training.
    """

    frozen = False

    def __init__(
        self, sizes: Sizes, theta: float, nearby: int | None, normalised_before: bool, name: str, dtype: Any
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.sizes, self._theta, self._nearby = sizes, theta, nearby
        width, joint = sizes.width, (sizes.heads + 2 * sizes.shared) * sizes.head_width
        policy = self.dtype_policy
        self.attention_norm = _norm(sizes, "attention_norm", policy) if normalised_before else None
        self.joint = Linear(width, joint, sizes.attention_bias, "query_key_value", policy)
        self.output_dense = Linear(
            sizes.heads * sizes.head_width, width, sizes.attention_bias, "attention_output", policy
        )
        self.inner_norm = _norm(sizes, "inner_norm", policy)
        self.gated = Linear(width, 2 * sizes.inner, sizes.inner_bias, "gated", policy)
        self.inner_output = Linear(sizes.inner, width, sizes.inner_bias, "inner_output", policy)
        self._weight_dropout = keras.layers.Dropout(sizes.attention_dropout, dtype=policy)
        self._output_dropout = keras.layers.Dropout(sizes.output_dropout, dtype=policy)
        self._inner_dropout = keras.layers.Dropout(sizes.inner_dropout, dtype=policy)
        self.activation = self.head_activation = exact_gelu
        self._final_norm: Norm | None = None
        self._head: Linear | None = None
        self._head_norm: Norm | None = None
        self.built = True

    def end_with(self, norm: Norm, head: Linear | None, head_norm: Norm | None) -> None:
        """Make it the last block: normalise its vectors, and apply a head and its normalisation, if any."""
        self._final_norm, self._head, self._head_norm = norm, head, head_norm

    def call(self, inputs: Any, padding_mask: Any, training: bool = False, wanted: Any = None) -> Any:
        """Vectors, float (batch, length, width), of vectors.

        Args:
            inputs: float (batch, length, width).
            padding_mask: int32 (batch, length), 0 at padding.
            training: Whether dropout is on.
            wanted: int32 (n,), distinct positions among batch * length. Only their vectors are returned, float (n,
                width), and everything except the attention to other positions is computed only for them.
        """
        training = training and not self.frozen
        shape = tf.shape(inputs)
        rows = tf.reshape(inputs, (-1, self.sizes.width))
        normalised = rows if self.attention_norm is None else self.attention_norm(rows)
        context = self._attended(normalised, padding_mask, training)
        if wanted is not None:
            context, rows = pick_rows(context, wanted), pick_rows(rows, wanted)
        attended = self.output_dense(context, training=training)
        rows += self._output_dropout(attended, training=training)

        activated, factor = tf.split(self.gated(self.inner_norm(rows), training=training), 2, axis=-1)
        activation = in_training(self.activation) if training else self.activation
        inner = self._inner_dropout(activation(activated) * factor, training=training)
        rows += self.inner_output(inner, training=training)
        if self._final_norm is not None:
            rows = self._final_norm(rows)
        if self._head is not None and self._head_norm is not None:
            activation = in_training(self.head_activation) if training else self.head_activation
            rows = self._head_norm(activation(self._head(rows, training=training)))
        return tf.reshape(rows, shape) if wanted is None else rows

    def _attended(self, rows: Any, padding_mask: Any, training: bool) -> Any:
        """The weighted values of all heads, float (batch * length, heads * head_width)."""
        sizes = self.sizes
        batch, length = tf.shape(padding_mask)[0], tf.shape(padding_mask)[1]
        parts = tf.reshape(
            self.joint(rows, training=training), (batch, length, sizes.heads + 2 * sizes.shared, sizes.head_width)
        )
        parts = tf.transpose(parts, (0, 2, 1, 3))
        turned = rotated(parts[:, : sizes.heads + sizes.shared], length, self._theta)
        query, key, value = (
            turned[:, : sizes.heads] * tf.cast(sizes.head_width**-0.5, turned.dtype),
            turned[:, sizes.heads :],
            parts[:, sizes.heads + sizes.shared :],
        )
        if sizes.shared != sizes.heads:
            key, value = (tf.repeat(part, sizes.heads // sizes.shared, axis=1) for part in (key, value))
        is_unit, near = padding_mask > 0, self._nearby

        def weights(scores: Any) -> Any:
            return self._weight_dropout(tf.nn.softmax(scores), training=training)

        if not near:  # all positions, or each position itself: nothing to cut up
            context = attend(query, key, value, is_unit, weights, near)
        else:
            context = tf.cond(
                length > FEW_BLOCKS * near,
                lambda: attend_nearby(query, key, value, is_unit, weights, near),
                lambda: attend(query, key, value, is_unit, weights, near),
            )
        return tf.reshape(tf.transpose(context, (0, 2, 1, 3)), (-1, sizes.heads * sizes.head_width))


def _norm(sizes: Sizes, name: str, dtype: Any) -> Norm:
    return Norm(sizes.width, sizes.epsilon, name, dtype, centred=sizes.centred, bias=sizes.norm_bias)


class RotaryBackbone(keras.Model):  # type: ignore[misc]  # Keras has no types
    """Embeddings and blocks, as `PretrainedNetwork` expects a backbone.

    Args:
        vocabulary: Number of embeddings.
        sizes: Sizes of the blocks.
        thetas: The base of the angles of each block.
        nearby: For each block, the greatest distance of positions that attend to each other; None for all.
        first_norm: Whether the embeddings are normalised, instead of the input of the first attention.
        embedding_dropout: Rate.
        prediction_head: Whether the dense layer of a head has a bias; None for no head, which is a dense layer, an
            activation and a normalisation.
        longest: Greatest number of positions.
        dtype: Its dtype policy.

    Attributes:
        blocks: The blocks.
        first_norm, final_norm: Normalisations of the embeddings, if there is one, and of the last vectors.
        head, head_norm: Layers of the prediction head, if there is one.
        token_embedding: The embeddings.
    """

    def __init__(
        self,
        vocabulary: int,
        sizes: Sizes,
        thetas: list[float],
        nearby: list[int | None],
        first_norm: bool,
        embedding_dropout: float,
        prediction_head: bool | None,
        longest: int,
        dtype: Any = None,
    ) -> None:
        tokens = keras.Input((None,), dtype="int32", name="token_ids")
        mask = keras.Input((None,), dtype="int32", name="padding_mask")
        embedding = keras.layers.Embedding(
            vocabulary, sizes.width, embeddings_initializer="zeros", name="token_embedding", dtype=dtype
        )
        vectors = embedding(tokens)
        norm = _norm(sizes, "first_norm", dtype) if first_norm else None
        if norm is not None:
            vectors = norm(vectors)
        if embedding_dropout:
            vectors = keras.layers.Dropout(embedding_dropout, dtype=dtype)(vectors)
        blocks = [
            RotaryBlock(sizes, theta, near, bool(number) or not first_norm, f"block_{number}", dtype)
            for number, (theta, near) in enumerate(zip(thetas, nearby, strict=True))
        ]
        final_norm = _norm(sizes, "final_norm", dtype)
        head = head_norm = None
        if prediction_head is not None:
            drawn = keras.initializers.RandomNormal(stddev=0.02)  # a bare encoder has no head
            head = Linear(sizes.width, sizes.width, prediction_head, "head", dtype, drawn)
            head_norm = _norm(sizes, "head_norm", dtype)
        blocks[-1].end_with(final_norm, head, head_norm)
        for block in blocks:
            vectors = block(vectors, padding_mask=mask)
        super().__init__(inputs={"token_ids": tokens, "padding_mask": mask}, outputs=vectors)
        self.dtype_policy = keras.dtype_policies.get(dtype)  # as an argument, a functional model ignores it
        self.token_embedding, self.blocks = embedding, blocks
        self.first_norm, self.final_norm = norm, final_norm
        self.head, self.head_norm = head, head_norm
        self.max_sequence_length = longest
