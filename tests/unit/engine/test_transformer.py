"""The fused transformer block, against KerasHub's own."""

from __future__ import annotations

from typing import Any

import keras  # noqa: TID253
import numpy as np
import pytest
import tensorflow as tf  # noqa: TID253
from keras_hub.layers import TransformerEncoder  # noqa: TID253

from polytag.engine.encoders.transformer import exact_gelu, fuse

WIDTH, HEADS, INNER = 32, 4, 48


def block(dropout: float = 0.0, fused: bool = False, operands: str = "float32") -> Any:
    """A block with the weights that seed 1 gives."""
    keras.utils.set_random_seed(1)
    made = TransformerEncoder(
        INNER, HEADS, dropout, exact_gelu, kernel_initializer=keras.initializers.RandomNormal(stddev=0.3), name="block"
    )
    made.build((None, None, WIDTH))
    for variable in made.trainable_variables:  # biases and norms start at 0 and 1 otherwise
        variable.assign_add(tf.random.stateless_normal(variable.shape, seed=(1, len(variable.path)), stddev=0.2))
    if fused:
        for old, new in fuse(made, operands):
            new.assign(np.asarray(old))
    return made


def example() -> tuple[Any, Any, Any]:
    """Vectors, a padding mask, and what the gradients start from."""
    random = np.random.default_rng(0)
    x, upstream = random.normal(size=(2, 3, 7, WIDTH)).astype(np.float32)
    mask = np.arange(7) < np.array([[7], [4], [1]])
    return tf.constant(x), tf.constant(mask, tf.int32), tf.constant(upstream * mask[:, :, None])


def outputs_and_gradients(made: Any, training: bool) -> list[Any]:
    x, mask, upstream = example()
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = made(x, padding_mask=mask, training=training)
        loss = tf.reduce_sum(y * upstream)
    gradients = tape.gradient(loss, [x, *(variable.value for variable in made.trainable_variables)])
    return [np.asarray(y)[np.asarray(mask, bool)], *map(np.asarray, gradients)]


def as_fused(found: list[Any]) -> list[Any]:
    """What `outputs_and_gradients` gives for a block of KerasHub, in the order and shapes of a fused one."""
    y, x, *projections = found[:8]
    kernel = np.concatenate([one.reshape(WIDTH, WIDTH) for one in projections[::2]], axis=1)
    bias = np.concatenate([one.reshape(WIDTH) for one in projections[1::2]])
    return [y, x, *found[8:10], kernel, bias, *found[10:]]


@pytest.mark.parametrize("training", [False, True])
def test_vectors_and_all_gradients_are_those_of_keras_hub(training: bool) -> None:
    expected = as_fused(outputs_and_gradients(block(), training))
    found = outputs_and_gradients(block(fused=True), training)
    assert len(found) == 14
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=2e-5)


def test_bfloat16_operands_cost_a_little_accuracy_in_training_and_none_in_prediction() -> None:
    exact, short = block(fused=True), block(fused=True, operands="bfloat16")
    expected, found = outputs_and_gradients(exact, training=True), outputs_and_gradients(short, training=True)
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == other.dtype == np.float32
        # A bias of the keys changes no attention weight: its gradient is nothing but rounding.
        assert np.abs(one - other).max() < 0.05 * np.abs(one).max() + 1e-5
    assert np.abs(found[0] - expected[0]).max() > 1e-4
    x, mask, _ = example()
    assert np.array_equal(exact(x, padding_mask=mask), short(x, padding_mask=mask))


@pytest.mark.parametrize("training", [False, True])
def test_some_rows_are_what_they_are_among_all(training: bool) -> None:
    made = block(fused=True)
    x, mask, _ = example()
    wanted = tf.constant([11, 0, 9, 3])

    def rows(wanted_only: bool) -> tuple[Any, list[Any]]:
        with tf.GradientTape() as tape:
            tape.watch(x)
            if wanted_only:
                y = made.call(x, mask, training, wanted)
            else:
                y = tf.gather(tf.reshape(made.call(x, mask, training), (-1, WIDTH)), wanted)
            loss = tf.reduce_sum(y * tf.range(4.0)[:, None])
        return y, tape.gradient(loss, [x, *(variable.value for variable in made.trainable_variables)])

    found, gradients = rows(wanted_only=True)
    expected, expected_gradients = rows(wanted_only=False)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    for one, other in zip(gradients, expected_gradients, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=2e-5)
    assert made.call(x, mask, training, tf.zeros((0,), tf.int32)).shape == (0, WIDTH)


def test_dropout_leaves_out_its_share_and_keeps_the_mean() -> None:
    made = block(dropout=0.25, fused=True)
    drop = made._dropouts(tf.constant(40_000))
    dropped = np.asarray(drop(tf.ones((200, 200)), 0, 40_000))
    assert (dropped == 0).mean() == pytest.approx(0.25, abs=0.01)
    assert dropped.mean() == pytest.approx(1, abs=0.01)
    x, mask, _ = example()
    first, second = (np.asarray(made(x, padding_mask=mask, training=True)) for _ in range(2))
    assert not np.array_equal(first, second)


def test_padding_changes_nothing() -> None:
    made = block(fused=True)
    x, mask, _ = example()
    longer = tf.pad(x, ((0, 0), (0, 5), (0, 0)), constant_values=9.0)
    padded = made(longer, padding_mask=tf.pad(mask, ((0, 0), (0, 5))))
    kept = np.asarray(mask, bool)
    np.testing.assert_allclose(
        np.asarray(padded)[:, :7][kept], np.asarray(made(x, padding_mask=mask))[kept], rtol=1e-5, atol=1e-6
    )
