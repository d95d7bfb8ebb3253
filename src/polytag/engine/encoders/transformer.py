"""The transformer block of the BERT family, in fewer and larger operations than in Keras.

It computes the same function as KerasHub's `TransformerEncoder`, on the same weights. Queries, keys and values are one
matrix product, whose weights are one variable. Dropout draws one random byte per number. GELU, the residual
normalisation and the dense layers have custom gradients, which store and read less than the gradients of their parts.
Matrix products can have operands in bfloat16, which some processors multiply at twice the rate; everything else stays
in float32.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from polytag.engine.encoders.adapter import SCALE
from polytag.engine.encoders.keras_hub_parts import TransformerEncoder

_MASKED = -1e9
"""Bias on the attention scores of padding."""


class FusedTransformerEncoder(TransformerEncoder):  # type: ignore[misc]  # KerasHub has no types
    """A `TransformerEncoder` with a faster call; made by `fuse`.

    Attributes:
        operands: The dtype of the operands of dense layers' matrix products in training.
        frozen: Whether the block is computed without dropout also in training.
    """

    operands = "float32"
    frozen = False

    def call(self, inputs: Any, padding_mask: Any = None, training: bool = False, wanted: Any = None) -> Any:
        """Vectors, float32 (batch, length, width), of vectors.

        Args:
            inputs: float32 (batch, length, width).
            padding_mask: int32 (batch, length), 0 at padding.
            training: Whether dropout is on.
            wanted: int32 (n,), distinct positions among batch * length. Only their vectors are returned, float32
                (n, width), and everything except the attention to other positions is computed only for them.
        """
        training = training and not self.frozen
        attention = self._self_attention_layer
        shape, width, heads = tf.shape(inputs), inputs.shape[-1], attention._num_heads
        batch, length = shape[0], shape[1]
        rows = tf.reshape(inputs, (-1, width))
        n_scores = batch * heads * length * length
        n_numbers = tf.size(rows) if wanted is None else tf.size(wanted) * width
        drop = self._dropouts(n_scores + 2 * n_numbers) if training and self.dropout else None

        parts = self._dense(rows, attention._joint_dense, training)
        parts = tf.reshape(parts, (batch, length, 3, heads, width // heads))
        query, key, value = tf.unstack(tf.transpose(parts, (2, 0, 3, 1, 4)), num=3)
        scores = tf.matmul(query * (heads / width) ** 0.5, key, transpose_b=True)
        if padding_mask is not None:
            scores += tf.where(tf.cast(padding_mask, tf.bool), 0.0, _MASKED)[:, None, None, :]
        weights = tf.nn.softmax(scores)
        if drop:
            weights = drop(weights, 0, n_scores)
        context = tf.reshape(tf.transpose(tf.matmul(weights, value), (0, 2, 1, 3)), (-1, width))
        if wanted is not None:
            context, rows = pick_rows(context, wanted), pick_rows(rows, wanted)

        attended = self._dense(context, attention._output_dense, training)
        if drop:
            attended = drop(attended, n_scores, n_numbers)
        rows = self._add_and_normalise(attended, rows, self._self_attention_layer_norm, training)

        inner, outer = self._feedforward_intermediate_dense, self._feedforward_output_dense
        hidden = self._dense(rows, inner, training)
        activation = gelu if training and inner.activation is exact_gelu else inner.activation
        changed = self._dense(activation(hidden), outer, training)
        if drop:
            changed = drop(changed, n_scores + n_numbers, n_numbers)
        rows = self._add_and_normalise(changed, rows, self._feedforward_layer_norm, training)
        return tf.reshape(rows, shape) if wanted is None else rows

    def _dense(self, rows: Any, layer: Any, training: bool) -> Any:
        return linear(rows, layer, self.operands, training)

    def _add_and_normalise(self, change: Any, residual: Any, norm: Any, training: bool) -> Any:
        if not training:
            return layer_norm(change + residual, norm)
        gamma, beta = tf.convert_to_tensor(norm.gamma), tf.convert_to_tensor(norm.beta)
        return _add_and_normalise(change, residual, gamma, beta, norm.epsilon)

    def _dropouts(self, numbers: Any) -> Callable[[Any, Any, Any], Any]:
        """Dropout for all places in the block: one random byte per number, in one draw."""
        seed = tf.cast(self._self_attention_dropout.seed_generator.next(), tf.int32)
        drawn = tf.random.stateless_uniform(((numbers + 3) // 4,), seed, minval=None, maxval=None, dtype=tf.int32)
        limit = round(256 * self.dropout)
        kept = tf.reshape(tf.bitcast(drawn, tf.uint8), (-1,)) >= limit

        def drop(x: Any, start: Any, size: Any) -> Any:
            return tf.where(tf.reshape(kept[start : start + size], tf.shape(x)), x * (256 / (256 - limit)), 0.0)

        return drop


def exact_gelu(x: Any) -> Any:
    """GELU (Hendrycks and Gimpel 2016): x times the normal distribution function of x, without approximation."""
    return x * _normal_distribution(x)


@tf.custom_gradient  # type: ignore[untyped-decorator]  # TensorFlow has no types
def gelu(x: Any) -> Any:
    """`exact_gelu`, with a gradient that reuses the distribution function."""
    below = _normal_distribution(x)

    def gradient(upstream: Any) -> Any:
        density = tf.exp(-0.5 * tf.square(x)) * (1 / math.sqrt(2 * math.pi))
        return upstream * (below + x * density)

    return x * below, gradient


@tf.custom_gradient  # type: ignore[untyped-decorator]  # TensorFlow has no types
def pick_rows(x: Any, wanted: Any) -> Any:
    """Rows `wanted`, int32 (n,), of a matrix (rows, width). They must be distinct, which makes the gradient faster."""
    return tf.gather(x, wanted), lambda upstream: (tf.scatter_nd(wanted[:, None], upstream, tf.shape(x)), None)


def layer_norm(x: Any, norm: Any) -> Any:
    """Layer normalisation with the weights of a Keras layer, in fewer passes over memory."""
    normalised, _ = normalise(x, norm.epsilon)
    return normalised * tf.convert_to_tensor(norm.gamma) + tf.convert_to_tensor(norm.beta)


def _normal_distribution(x: Any) -> Any:
    return 0.5 * tf.math.erf(x * math.sqrt(0.5)) + 0.5


class Columns:
    """Some columns of a variable, read and set in the shape of the variable that they replace.

    Attributes:
        whole: The variable.
        shape: The shape of that variable, with the same numbers in the same order.
        columns: The columns.
    """

    def __init__(self, whole: Any, first: int, shape: tuple[int, ...]) -> None:
        self.shape = shape
        self.whole = whole
        self.columns = slice(first, first + math.prod(shape) // math.prod(whole.shape[:-1]))

    def assign(self, values: NDArray[Any]) -> None:
        """Set them."""
        # TensorFlow copies a variable on every read once a part of it was assigned.
        whole = np.array(self.whole)
        whole[..., self.columns] = np.reshape(values, (*whole.shape[:-1], -1))
        self.whole.assign(whole)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """The values, float32."""
        return np.asarray(self.whole)[..., self.columns].reshape(self.shape).astype(dtype or np.float32)


def fuse(backbone: Any, operands: str) -> list[tuple[Any, Columns]]:
    """Give the blocks of a backbone their faster call; a backbone with other blocks is not changed.

    Args:
        backbone: A KerasHub backbone with float32 variables.
        operands: The dtype of operands of matrix products in training.

    Returns:
        Pairs of a variable that is no longer used, and its replacement.
    """
    blocks = [layer for layer in backbone._flatten_layers() if isinstance(layer, TransformerEncoder)]
    if any(type(block) is not TransformerEncoder or block.normalize_first for block in blocks):
        return []
    replaced = []
    for block in blocks:
        block.__class__ = FusedTransformerEncoder
        block.operands = operands
        replaced += _join_projections(block._self_attention_layer)
    return replaced


def _join_projections(attention: Any) -> list[tuple[Any, Columns]]:
    """Join the projections to queries, keys and values, in this order, in one dense layer."""
    parts = [attention._query_dense, attention._key_dense, attention._value_dense]
    width = parts[0].kernel.shape[0]
    joint = keras.layers.Dense(3 * width, kernel_initializer="zeros", dtype="float32", name="query_key_value")
    joint.build((None, width))
    replaced = []
    for index, part in enumerate(parts):
        for old, new in ((part.kernel, joint.kernel), (part.bias, joint.bias)):
            replaced.append((old, Columns(new, index * width, tuple(old.shape))))
        attention._tracker.untrack(part)
    del attention._query_dense, attention._key_dense, attention._value_dense
    attention._tracker.unlock()
    attention._joint_dense = joint
    attention._tracker.lock()
    return replaced


def linear(rows: Any, layer: Any, operands: str, training: bool) -> Any:
    """Rows, float32 (n, inputs), times the kernel of a layer, plus its bias, if any.

    Args:
        rows: The rows.
        layer: Has a kernel, a bias or None, and perhaps an adapter.
        operands: The dtype of the operands of products in training.
        training: Whether gradients are wanted.
    """
    adapter = getattr(layer, "adapter", None)
    bias = None if layer.bias is None else tf.convert_to_tensor(layer.bias)
    if adapter is not None and training:
        # The adapter apart: the gradient of the large kernel is not needed, nor computed.
        narrow = dense(rows, tf.convert_to_tensor(adapter.down), None, operands)
        change = SCALE * dense(narrow, tf.convert_to_tensor(adapter.up), None, operands)
        return dense(rows, _matrix(adapter.kernel, rows), bias, operands) + change
    kernel = _matrix(layer.kernel if adapter is None else adapter.changed(), rows)
    if training:
        return dense(rows, kernel, bias, operands)
    # Without gradients, TensorFlow fuses these two, and the activation after them.
    product = tf.matmul(rows, kernel)
    return product if bias is None else tf.nn.bias_add(product, bias)


def _matrix(kernel: Any, rows: Any) -> Any:
    """A kernel as a matrix (inputs, outputs)."""
    found = tf.convert_to_tensor(kernel)
    return found if len(found.shape) == 2 else tf.reshape(found, (rows.shape[-1], -1))


def dense(rows: Any, kernel: Any, bias: Any | None, operands: str) -> Any:
    """Rows, float32 (n, inputs), times a kernel, plus a bias, if any; operands of the products are of a short dtype."""
    dtype = tf.as_dtype(operands)

    @tf.custom_gradient  # type: ignore[untyped-decorator]  # TensorFlow has no types
    def product(rows: Any, kernel: Any, *biases: Any) -> Any:
        left, right = tf.cast(rows, dtype), tf.cast(kernel, dtype)
        found = tf.cast(tf.matmul(left, right), tf.float32)

        def gradient(upstream: Any) -> Any:
            short = tf.cast(upstream, dtype)
            of_rows = tf.cast(tf.matmul(short, right, transpose_b=True), tf.float32)
            of_kernel = tf.cast(tf.matmul(left, short, transpose_a=True), tf.float32)
            return of_rows, of_kernel, *(column_sums(upstream) for _ in biases)

        return tf.nn.bias_add(found, biases[0]) if biases else found, gradient

    return product(rows, kernel) if bias is None else product(rows, kernel, bias)


def _add_and_normalise(change: Any, residual: Any, gamma: Any, beta: Any, epsilon: float) -> Any:
    """Layer normalisation (Ba et al. 2016) of a sum."""

    @tf.custom_gradient  # type: ignore[untyped-decorator]  # TensorFlow has no types
    def add_and_normalise(change: Any, residual: Any, gamma: Any, beta: Any) -> Any:
        normalised, inverse = normalise(change + residual, epsilon)

        def gradient(upstream: Any) -> Any:
            inner = upstream * gamma
            mean = tf.reduce_mean(inner, axis=-1, keepdims=True)
            along = normalised * tf.reduce_mean(inner * normalised, axis=-1, keepdims=True)
            of_sum = inverse * (inner - mean - along)
            return of_sum, of_sum, column_sums(upstream * normalised), column_sums(upstream)

        return normalised * gamma + beta, gradient

    return add_and_normalise(change, residual, gamma, beta)


def normalise(x: Any, epsilon: float, centred: bool = True) -> tuple[Any, Any]:
    """Rows divided by their standard deviation, or uncentred by their root mean square, and one over the divisor."""
    if centred:
        x -= tf.reduce_mean(x, axis=-1, keepdims=True)
    inverse = tf.math.rsqrt(tf.reduce_mean(tf.square(x), axis=-1, keepdims=True) + epsilon)
    return x * inverse, inverse


def column_sums(x: Any) -> Any:
    """The sum of each column of a matrix, by a product, which takes half the time of a reduction."""
    return tf.reshape(tf.matmul(tf.ones((1, tf.shape(x)[0])), x), (-1,))
