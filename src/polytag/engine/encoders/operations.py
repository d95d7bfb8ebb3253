"""The operations of blocks, in fewer and larger steps than in Keras.

GELU, normalisation and dense layers have custom gradients, which store and read less than the gradients of their
parts. Matrix products can have operands in bfloat16, which some processors multiply at twice the rate; everything else
stays in float32.
"""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf


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


def scaled_norm(rows: Any, gamma: Any, beta: Any | None, epsilon: float, centred: bool) -> Any:
    """Normalised rows, float32 (..., width), times a factor for each column, plus a bias, if any."""

    @tf.custom_gradient  # type: ignore[untyped-decorator]  # TensorFlow has no types
    def scaled(rows: Any, gamma: Any, *betas: Any) -> Any:
        normalised, inverse = normalise(rows, epsilon, centred)

        def gradient(upstream: Any) -> Any:
            inner = upstream * gamma
            change = inner - normalised * tf.reduce_mean(inner * normalised, axis=-1, keepdims=True)
            if centred:
                change -= tf.reduce_mean(inner, axis=-1, keepdims=True)
            of_gamma = column_sums(upstream * normalised)
            return inverse * change, of_gamma, *(column_sums(upstream) for _ in betas)

        product = normalised * gamma
        return product + betas[0] if betas else product, gradient

    return scaled(rows, gamma) if beta is None else scaled(rows, gamma, beta)


def normalise(x: Any, epsilon: float, centred: bool = True) -> tuple[Any, Any]:
    """Rows divided by their standard deviation, or uncentred by their root mean square, and one over the divisor."""
    if centred:
        x -= tf.reduce_mean(x, axis=-1, keepdims=True)
    inverse = tf.math.rsqrt(tf.reduce_mean(tf.square(x), axis=-1, keepdims=True) + epsilon)
    return x * inverse, inverse


def column_sums(x: Any) -> Any:
    """The sum of each column of rows (..., width), by a product, which takes half the time of a reduction."""
    rows = tf.reshape(x, (-1, x.shape[-1]))
    return tf.reshape(tf.matmul(tf.ones((1, tf.shape(rows)[0])), rows), (-1,))
