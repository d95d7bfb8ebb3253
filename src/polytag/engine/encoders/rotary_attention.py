"""Attention with rotary positions, to all positions or to those nearby."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from polytag.engine.encoders.layers import Function

_MASKED = -1e9
"""Bias on the attention scores of what is not attended to."""

FEW_BLOCKS = 4
"""An input of at most so many times the greatest distance is not worth cutting up."""


def attend(query: Any, key: Any, value: Any, is_unit: Any, weights: Function, nearby: int | None = None) -> Any:
    """Weighted values, float (batch, heads, length, width), by the scores of all pairs of positions.

    Args:
        query, key, value: float (batch, heads, length, width), the query scaled.
        is_unit: bool (batch, length), False at padding.
        weights: From scores, the weights of values.
        nearby: Greatest distance of positions that attend to each other; None for all.
    """
    bias = tf.where(is_unit, 0.0, _MASKED)[:, None, None, :]
    if nearby is not None:
        positions = tf.range(tf.shape(is_unit)[1])
        bias += tf.where(abs(positions[:, None] - positions) <= nearby, 0.0, _MASKED)
    scores = tf.matmul(query, key, transpose_b=True)
    return tf.matmul(_short(weights(tf.cast(scores, tf.float32) + bias), value), value)


def attend_nearby(query: Any, key: Any, value: Any, is_unit: Any, weights: Function, nearby: int) -> Any:
    """The same as `attend`, by blocks: each sees itself, the block before it and the block after it."""
    shape = tf.shape(query)
    batch, heads, length, width = shape[0], shape[1], shape[2], query.shape[-1]
    blocks = (length + nearby - 1) // nearby
    short = blocks * nearby - length

    def cut(part: Any, before: int) -> Any:
        padded = tf.pad(part, ((0, 0), (0, 0), (before, short + before), (0, 0)))
        return tf.reshape(padded, (batch, -1, tf.shape(padded)[2] // nearby, nearby, part.shape[-1]))

    def around(part: Any) -> Any:
        pieces = cut(part, nearby)
        return tf.concat([pieces[:, :, :-2], pieces[:, :, 1:-1], pieces[:, :, 2:]], axis=3)

    distances = tf.range(nearby)[:, None] + nearby - tf.range(3 * nearby)
    far = tf.where(abs(distances) <= nearby, 0.0, _MASKED)
    units = around(tf.reshape(tf.cast(is_unit, tf.int32), (batch, 1, length, 1)))  # (batch, 1, blocks, 3 * nearby, 1)
    bias = far + tf.transpose(tf.where(units > 0, 0.0, _MASKED), (0, 1, 2, 4, 3))
    scores = tf.matmul(cut(query, 0), around(key), transpose_b=True)
    found = weights(tf.cast(scores, tf.float32) + bias)
    context = tf.matmul(_short(found, value), around(value))
    return tf.reshape(context, (batch, heads, blocks * nearby, width))[:, :, :length]


def _short(weights: Any, like: Any) -> Any:
    # The weights themselves are computed in float32: in float16, what is masked everywhere would be no number.
    return tf.cast(weights, like.dtype)


def rotated(parts: Any, length: Any, theta: float) -> Any:
    """Each pair of numbers of a head, half a head apart, turned by an angle in proportion to its position."""
    half = parts.shape[-1] // 2
    speeds = theta ** (-tf.range(half, dtype=tf.float32) / half)
    angles = tf.cast(tf.range(length), tf.float32)[:, None] * speeds
    cosine, sine = tf.cast(tf.cos(angles), parts.dtype), tf.cast(tf.sin(angles), parts.dtype)
    first, second = parts[..., :half], parts[..., half:]
    return tf.concat([first * cosine - second * sine, second * cosine + first * sine], axis=-1)
