"""The transformer block, against Keras's own layers."""

from __future__ import annotations

from typing import Any

import keras  # noqa: TID253
import numpy as np
import pytest
import tensorflow as tf  # noqa: TID253

from polytag.engine.encoders.layers import Linear
from polytag.engine.encoders.transformer import BlockSizes, TransformerBlock

WIDTH, HEADS, INNER = 32, 4, 48


def block(dropout: float = 0.0, operands: str = "float32") -> Any:
    """A block with the weights that seed 1 gives."""
    made = TransformerBlock(BlockSizes(WIDTH, HEADS, INNER, 1e-5, dropout), "block", "float32")
    for number, variable in enumerate(made.trainable_variables):
        variable.assign_add(tf.random.stateless_normal(variable.shape, seed=(1, number), stddev=0.3))
    for layer in made._flatten_layers():
        if isinstance(layer, Linear):
            layer.operands = operands
    return made


class OfKeras(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """The same function of the same weights, in Keras's own layers."""

    def __init__(self, own: Any) -> None:
        super().__init__()
        self.attention = keras.layers.MultiHeadAttention(HEADS, WIDTH // HEADS)
        self.attention.build((None, None, WIDTH), (None, None, WIDTH))
        self.norms = [keras.layers.LayerNormalization(epsilon=1e-5) for _ in range(2)]
        self.dense = [keras.layers.Dense(INNER, activation="gelu"), keras.layers.Dense(WIDTH)]
        self.dense[0].activation = lambda x: keras.activations.gelu(x, approximate=False)
        for norm in self.norms:
            norm.build((None, None, WIDTH))
        for layer, width in zip(self.dense, (WIDTH, INNER), strict=True):
            layer.build((None, None, width))
        parts = zip(np.split(own.joint.kernel, 3, axis=1), np.split(own.joint.bias, 3), strict=True)
        projections = [part for pair in parts for part in pair]
        rest = [
            variable
            for layer in (own.output_dense, own.attention_norm, own.outer_norm, own.inner, own.outer)
            for variable in layer.trainable_variables
        ]
        for variable, values in zip(self.trainable_variables, [*projections, *rest], strict=True):
            variable.assign(np.reshape(values, variable.shape))
        self.built = True

    def call(self, inputs: Any, padding_mask: Any, training: bool = False) -> Any:
        attended = self.attention(inputs, inputs, attention_mask=padding_mask[:, None, :], training=training)
        rows = self.norms[0](attended + inputs)
        return self.norms[1](self.dense[1](self.dense[0](rows)) + rows)


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


def in_the_order_of_keras(found: list[Any]) -> list[Any]:
    """What `outputs_and_gradients` gives for a block, in the order and shapes of `OfKeras`."""
    y, x, kernel, bias, kernel_of_output, bias_of_output, gamma, beta, *dense, last_gamma, last_beta = found
    head = (HEADS, WIDTH // HEADS)
    joint = []
    for kernel_part, bias_part in zip(np.split(kernel, 3, axis=1), np.split(bias, 3), strict=True):
        joint += [kernel_part.reshape(WIDTH, *head), bias_part.reshape(head)]
    output = [kernel_of_output.reshape(*head, WIDTH), bias_of_output]
    return [y, x, *joint, *output, gamma, beta, last_gamma, last_beta, *dense]


@pytest.mark.parametrize("training", [False, True])
def test_vectors_and_all_gradients_are_those_of_keras(training: bool) -> None:
    own = block()
    expected = outputs_and_gradients(OfKeras(own), training)
    found = in_the_order_of_keras(outputs_and_gradients(own, training))
    assert len(found) == 18
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=3e-5)


def test_bfloat16_operands_cost_a_little_accuracy_in_training_and_none_in_prediction() -> None:
    exact, short = block(), block(operands="bfloat16")
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
    made = block()
    x, mask, _ = example()
    wanted = tf.constant([11, 0, 9, 3])

    def rows(wanted_only: bool) -> tuple[Any, list[Any]]:
        with tf.GradientTape() as tape:
            tape.watch(x)
            if wanted_only:
                y = made.call(x, mask, training=training, wanted=wanted)
            else:
                y = tf.gather(tf.reshape(made.call(x, mask, training=training), (-1, WIDTH)), wanted)
            loss = tf.reduce_sum(y * tf.range(4.0)[:, None])
        return y, tape.gradient(loss, [x, *(variable.value for variable in made.trainable_variables)])

    found, gradients = rows(wanted_only=True)
    expected, expected_gradients = rows(wanted_only=False)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    for one, other in zip(gradients, expected_gradients, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=2e-5)
    assert made.call(x, mask, training=training, wanted=tf.zeros((0,), tf.int32)).shape == (0, WIDTH)


def test_dropout_leaves_out_its_share_and_keeps_the_mean() -> None:
    made = block(dropout=0.25)
    drop = made._dropouts(tf.constant(40_000))
    dropped = np.asarray(drop(tf.ones((200, 200))))
    assert (dropped == 0).mean() == pytest.approx(0.25, abs=0.01)
    assert dropped.mean() == pytest.approx(1, abs=0.01)
    x, mask, _ = example()
    first, second = (np.asarray(made(x, padding_mask=mask, training=True)) for _ in range(2))
    assert not np.array_equal(first, second)


def test_padding_changes_nothing() -> None:
    made = block()
    x, mask, _ = example()
    longer = tf.pad(x, ((0, 0), (0, 5), (0, 0)), constant_values=9.0)
    padded = made(longer, padding_mask=tf.pad(mask, ((0, 0), (0, 5))))
    kept = np.asarray(mask, bool)
    np.testing.assert_allclose(
        np.asarray(padded)[:, :7][kept], np.asarray(made(x, padding_mask=mask))[kept], rtol=1e-5, atol=1e-6
    )
