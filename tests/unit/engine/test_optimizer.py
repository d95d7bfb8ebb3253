"""AdamW, against the formulas of the paper, and the learning-rate schedule."""

from __future__ import annotations

import keras  # noqa: TID253
import numpy as np
import pytest
import tensorflow as tf  # noqa: TID253
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from polytag.engine.optimizer import AVERAGING_INTERVAL, AdamW, learning_rate_at

Arrays = list[NDArray[np.float64]]
SHAPES = {"kernel": (4, 3), "bias": (3,), "gamma": (5,), "beta": (5,), "table": (6, 2)}


class Run:
    """Variables that are trained on random gradients; with `by_row`, those of the table in some rows only."""

    def __init__(
        self, weight_decay: float = 0.0, clip: float = 1e9, averaging: float = 0.0, by_row: bool = False
    ) -> None:
        self.random = np.random.default_rng(0)
        self.start = [self.random.normal(size=shape) for shape in SHAPES.values()]
        self.variables = [
            keras.Variable(value.astype(np.float32), name=name) for name, value in zip(SHAPES, self.start, strict=True)
        ]
        tables = self.variables[-1:] if by_row else ()
        self.optimizer = AdamW(self.variables, weight_decay, clip, averaging, tables)
        self.apply = tf.function(self.optimizer.apply)

    def gradients(self, scale: float = 1.0) -> Arrays:
        return [scale * self.random.normal(size=shape) for shape in SHAPES.values()]

    def step(self, gradients: Arrays, rate: float) -> float:
        return float(self.apply([tf.constant(g, tf.float32) for g in gradients], tf.constant(rate)))

    def step_rows(self, rows: list[int], values: NDArray[np.float64], rate: float) -> None:
        """An update in which nothing but these rows of the table has a gradient."""
        gradients = [tf.zeros(shape) for shape in list(SHAPES.values())[:-1]]
        slices = tf.IndexedSlices(tf.constant(values, tf.float32), tf.constant(rows, tf.int32), tf.constant((6, 2)))
        self.apply([*gradients, slices], tf.constant(rate))

    @property
    def table(self) -> NDArray[np.float64]:
        with self.optimizer.averaged_weights():
            return self.values[-1]

    @property
    def values(self) -> Arrays:
        return [np.asarray(variable, np.float64) for variable in self.variables]


def adamw(start: Arrays, gradients: list[Arrays], rates: list[float], decay: float) -> list[Arrays]:
    """Algorithm 2 of Loshchilov and Hutter (2019), with their schedule multiplier folded into the rates."""
    weights = [value.copy() for value in start]
    first = [np.zeros_like(value) for value in start]
    second = [np.zeros_like(value) for value in start]
    history = []
    for t, (step, rate) in enumerate(zip(gradients, rates, strict=True), start=1):
        for i, (name, gradient) in enumerate(zip(SHAPES, step, strict=True)):
            first[i] = 0.9 * first[i] + 0.1 * gradient
            second[i] = 0.999 * second[i] + 0.001 * gradient**2
            unbiased_first, unbiased_second = first[i] / (1 - 0.9**t), second[i] / (1 - 0.999**t)
            own_decay = 0.0 if name in ("bias", "gamma", "beta") else decay
            change = unbiased_first / (np.sqrt(unbiased_second) + 1e-8) + own_decay * weights[i]
            weights[i] = weights[i] - rate * change
        history.append([value.copy() for value in weights])
    return history


def assert_close(found: Arrays, expected: Arrays) -> None:
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=3e-5)


def test_every_step_is_that_of_the_paper() -> None:
    run = Run(weight_decay=0.1)
    gradients = [run.gradients(scale) for scale in (1.0, 0.01, 3.0, 1e-4, 0.5)]
    rates = [0.1, 0.2, 0.05, 0.3, 0.0]
    for step, rate, expected in zip(gradients, rates, adamw(run.start, gradients, rates, 0.1), strict=True):
        run.step(step, rate)
        assert_close(run.values, expected)


def test_biases_and_norms_do_not_decay() -> None:
    run = Run(weight_decay=0.5)
    run.step([np.zeros(shape) for shape in SHAPES.values()], 0.1)
    for name, before, after in zip(SHAPES, run.start, run.values, strict=True):
        shrink = 1 if name in ("bias", "gamma", "beta") else 1 - 0.1 * 0.5
        np.testing.assert_allclose(after, shrink * before, rtol=1e-6)


@pytest.mark.parametrize("scale", [0.001, 100.0])
def test_gradients_are_clipped_together_by_their_global_norm(scale: float) -> None:
    run = Run(clip=0.5)
    gradients = [run.gradients(scale) for _ in range(3)]
    norms = [np.sqrt(sum((gradient**2).sum() for gradient in step)) for step in gradients]
    clipped = [
        [gradient * min(1, 0.5 / norm) for gradient in step] for step, norm in zip(gradients, norms, strict=True)
    ]
    for step, norm in zip(gradients, norms, strict=True):
        assert run.step(step, 0.1) == pytest.approx(norm, rel=1e-5)
    assert_close(run.values, adamw(run.start, clipped, [0.1] * 3, 0.0)[-1])
    # The moments are those of the clipped gradients: with huge ones, that is what Adam's scale-free step leaves to see.
    squares = sum(float(np.sum(second)) for second in run.optimizer.second)
    expected = sum(0.001 * 0.999 ** (2 - i) * (g**2).sum() for i, step in enumerate(clipped) for g in step)
    assert squares == pytest.approx(expected, rel=1e-4)


def test_the_average_follows_the_weights_and_can_be_looked_at() -> None:
    run = Run(averaging=0.9)
    gradients = [run.gradients() for _ in range(2 * AVERAGING_INTERVAL + 1)]
    history = adamw(run.start, gradients, [0.1] * len(gradients), 0.0)
    average = run.start
    for done, (step, expected) in enumerate(zip(gradients, history, strict=True), start=1):
        run.step(step, 0.1)
        if done % AVERAGING_INTERVAL == 0:
            decay = min(0.9, (1 + done) / (10 + done)) ** AVERAGING_INTERVAL
            average = [decay * old + (1 - decay) * new for old, new in zip(average, expected, strict=True)]
    with run.optimizer.averaged_weights():
        assert_close(run.values, average)
    assert_close(run.values, history[-1])


def test_before_there_is_an_average_the_weights_themselves_are_looked_at() -> None:
    """A run of a few updates must not end with the weights it began with."""
    run = Run(averaging=0.999)
    for _ in range(AVERAGING_INTERVAL - 1):
        run.step(run.gradients(), 0.1)
    trained = run.values
    with run.optimizer.averaged_weights():
        assert_close(run.values, trained)


@pytest.mark.parametrize("averaging", [0.0, 0.9])
def test_the_weights_come_back_also_after_an_error(averaging: float) -> None:
    run = Run(averaging=averaging)
    for _ in range(AVERAGING_INTERVAL):
        run.step(run.gradients(), 0.1)
    trained = run.values
    inside: list[Arrays] = []

    def evaluate() -> None:
        with run.optimizer.averaged_weights():
            inside.append(run.values)
            raise RuntimeError("no room on the disk")

    with pytest.raises(RuntimeError, match="no room"):
        evaluate()
    assert np.array_equal(inside[0][0], trained[0]) == (averaging == 0)
    assert all(np.array_equal(one, other) for one, other in zip(run.values, trained, strict=True))


# Tables, updated by row


def test_a_row_is_moved_at_once_as_far_as_momentum_would_move_it_in_time() -> None:
    """After one gradient and long enough without another, the whole table is where AdamW's is."""
    wait = 60
    run = Run(by_row=True)
    gradient = np.array([[0.5, -2.0]])
    run.apply([tf.zeros(shape) for shape in list(SHAPES.values())], tf.constant(0.0))
    for _ in range(500):  # far from the start, where bias correction would blur the comparison
        run.step_rows([0], np.zeros((1, 2)), 0.0)
    run.step_rows([3], gradient, 0.01)
    dense = np.zeros((6, 2))
    dense[3] = gradient
    nothing = [np.zeros(shape) for shape in SHAPES.values()]
    steps = [nothing] * 501 + [[*nothing[:-1], dense]] + [nothing] * wait
    rates = [0.0] * 501 + [0.01] * (wait + 1)
    expected = adamw(run.start, steps, rates, 0.0)[-1][-1]
    np.testing.assert_allclose(run.table - run.start[-1], expected - run.start[-1], rtol=0.05, atol=1e-6)


def test_second_moments_and_decay_of_rows_are_those_of_the_whole_table() -> None:
    run = Run(weight_decay=0.1, by_row=True)
    rates = [0.1, 0.2, 0.05, 0.3, 0.15]
    visits: list[tuple[list[int], NDArray[np.float64]]] = [
        (rows, run.random.normal(size=(len(rows), 2))) for rows in ([1, 4], [4], [0, 5], [1], [4, 4, 2])
    ]
    weights, second = run.start[-1].copy(), np.zeros((6, 2))
    for t, ((rows, values), rate) in enumerate(zip(visits, rates, strict=True), start=1):
        gradient = np.zeros((6, 2))
        np.add.at(gradient, rows, values)
        second = 0.999 * second + 0.001 * gradient**2
        change = gradient / (np.sqrt(second / (1 - 0.999**t)) + 1e-8)
        weights = np.exp(-rate * 0.1) * weights - rate * change
        run.step_rows(rows, values, rate)
        np.testing.assert_allclose(run.table, weights, rtol=1e-4, atol=1e-5)


def test_gradients_of_rows_and_of_the_whole_table_give_the_same_update() -> None:
    one, other = Run(weight_decay=0.1, clip=0.5, by_row=True), Run(weight_decay=0.1, clip=0.5, by_row=True)
    for rows in ([2, 0], [5], [2, 3]):
        values = one.random.normal(size=(len(rows), 2))
        one.step_rows(rows, values, 0.1)
        dense = [np.zeros(shape) for shape in SHAPES.values()]
        dense[-1][rows] = values
        other.step(dense, 0.1)
    np.testing.assert_allclose(one.table, other.table, rtol=1e-5, atol=1e-7)


def test_rows_count_in_the_global_norm() -> None:
    run = Run(clip=0.5, by_row=True)
    gradients = run.gradients()
    norm = np.sqrt(sum((gradient**2).sum() for gradient in gradients))
    assert run.step(gradients, 0.1) == pytest.approx(norm, rel=1e-5)


def test_the_rate_rises_to_its_peak_and_falls_towards_zero() -> None:
    rates = [learning_rate_at(step, 10, 1.0, 0.2) for step in range(11)]
    np.testing.assert_allclose(rates, [1 / 3, 2 / 3, 1, 7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8, 0])


@given(total=st.integers(1, 500), warmup=st.floats(0, 0.99))
def test_every_update_has_a_rate_and_one_has_the_peak(total: int, warmup: float) -> None:
    rates = [learning_rate_at(step, total, 3.0, warmup) for step in range(total)]
    assert all(0 < rate <= 3.0 for rate in rates)
    top = rates.index(max(rates))
    assert rates[:top] == sorted(rates[:top])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert round(warmup * total) >= total or rates[top] == 3.0


def test_without_warm_up_the_first_update_has_the_peak() -> None:
    assert learning_rate_at(0, 1, 2.0, 0.0) == 2.0
    assert learning_rate_at(0, 100, 2.0, 0.0) == 2.0
