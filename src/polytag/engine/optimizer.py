"""AdamW with a learning-rate schedule, clipping by global norm, weight averaging, and one compiled update."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8

AVERAGING_INTERVAL = 8
"""Updates between two steps of the moving average; its decay is raised to this power."""


def learning_rate_at(step: int, total: int, peak: float, warmup: float) -> float:
    """Linear warm-up over the share `warmup` of `total` updates, then linear decay to zero.

    Args:
        step: Updates done so far, from 0.
        total: Updates of the whole run.
        peak: The highest learning rate.
        warmup: Fraction of the run that warms up, 0..1.
    """
    warm = round(warmup * total)
    if step < warm:
        return peak * (step + 1) / (warm + 1)
    return peak * max(total - step, 0) / max(total - warm, 1)


class AdamW:
    """AdamW (Loshchilov and Hutter 2019): decoupled decay, none on biases and normalisation weights.

    The update of all variables is one XLA program. It compiles once, since its shapes never change, and takes half the
    time of the op-by-op update on a CPU.

    A batch reads a few hundred rows of an embedding table, and only these rows are updated. When a row is read again,
    its second moment and its decay catch up with the missed updates, so that both are as after a dense update. The
    first moment is left out: momentum would spread a gradient over the following updates; here the row moves the whole
    distance at once.

    Args:
        variables: The Keras variables to train.
        weight_decay: Decay per update, times the learning rate.
        clip: Largest global norm of the gradients.
        averaging: Decay per update of the exponential moving average of the weights; 0 for none.
        tables: The variables that are read by row, of shape (rows, width).
        undecayed: Variables without decay, in addition to biases and normalisation weights.
    """

    def __init__(
        self,
        variables: Sequence[Any],
        weight_decay: float,
        clip: float,
        averaging: float,
        tables: Sequence[Any] = (),
        undecayed: Sequence[Any] = (),
    ) -> None:
        by_row = {id(table) for table in tables}
        self._by_row = [id(variable) in by_row for variable in variables]
        dense = [variable for variable in variables if id(variable) not in by_row]
        self._dense = [variable.value for variable in dense]
        kept = {id(variable) for variable in undecayed}
        self._decays = [
            weight_decay if _is_decayed(variable.path) and id(variable) not in kept else 0.0 for variable in dense
        ]
        self._tables = [_Table(variable.value) for variable in variables if id(variable) in by_row]
        self._variables = [variable.value for variable in variables]
        self._weight_decay = weight_decay
        self._clip = clip
        self._averaging = averaging
        self.first = [tf.Variable(tf.zeros_like(value), trainable=False) for value in self._dense]
        self.second = [tf.Variable(tf.zeros_like(value), trainable=False) for value in self._dense]
        self.average = [tf.Variable(value, trainable=False) for value in self._variables] if averaging else []
        self.updates = tf.Variable(0, dtype=tf.int64, trainable=False)
        self._decayed = tf.Variable(0.0, trainable=False)
        self._compiled = tf.function(self._update, jit_compile=True, reduce_retracing=True, autograph=False)
        self._settle_compiled = tf.function(self._settle_step, jit_compile=True, autograph=False)
        self._average_compiled = tf.function(self._average_step, jit_compile=True, autograph=False)

    @property
    def state(self) -> list[tf.Variable]:
        """All state, other than the weights, that resuming needs."""
        rows = [variable for table in self._tables for variable in (table.second, table.updated, table.decayed)]
        return [self.updates, self._decayed, *self.first, *self.second, *rows, *self.average]

    def apply(self, gradients: Sequence[Any], learning_rate: Any) -> Any:
        """Do one update; return the global norm of the gradients, float32 ().

        Call it inside a `tf.function`.
        """
        pairs = list(zip(gradients, self._by_row, strict=True))
        dense = [tf.convert_to_tensor(gradient) for gradient, by_row in pairs if not by_row]
        rows = [distinct_rows(gradient) for gradient, by_row in pairs if by_row]
        step = tf.cast(self.updates + 1, tf.float32)
        # Not in the compiled program: XLA sums one number at a time.
        norm = tf.linalg.global_norm([*dense, *(values for _, values in rows)])
        scale = self._clip / tf.maximum(norm, self._clip)
        self._compiled(dense, scale, learning_rate, step)
        self._decayed.assign_add(self._weight_decay * learning_rate)
        for table, (indices, values) in zip(self._tables, rows, strict=True):
            table.update(indices, values * scale, learning_rate, step, self._decayed)
        self.updates.assign_add(1)
        if self._averaging:
            tf.cond(self.updates % AVERAGING_INTERVAL == 0, self._take_average, lambda: tf.constant(0.0))
        return norm

    @contextmanager
    def averaged_weights(self) -> Iterator[None]:
        """The model has the averaged weights in the block."""
        self._settle_compiled()
        if not self._averaging or self.updates < AVERAGING_INTERVAL:  # until then the average is the initial weights
            yield
            return
        kept = [variable.numpy() for variable in self._variables]
        for variable, average in zip(self._variables, self.average, strict=True):
            variable.assign(average)
        try:
            yield
        finally:
            for variable, value in zip(self._variables, kept, strict=True):
                variable.assign(value)

    def _update(self, gradients: Sequence[Any], scale: Any, learning_rate: Any, step: Any) -> Any:
        rate = learning_rate * tf.sqrt(1 - BETA_2**step) / (1 - BETA_1**step)
        for variable, gradient, first, second, decay in zip(
            self._dense, gradients, self.first, self.second, self._decays, strict=True
        ):
            gradient = gradient * scale
            first.assign(BETA_1 * first + (1 - BETA_1) * gradient)
            second.assign(BETA_2 * second + (1 - BETA_2) * tf.square(gradient))
            change = rate * first / (tf.sqrt(second) + EPSILON * tf.sqrt(1 - BETA_2**step))
            variable.assign(variable - change - learning_rate * decay * variable)
        return tf.constant(0.0)

    def _take_average(self) -> Any:
        self._settle_compiled()
        return self._average_compiled(tf.cast(self.updates, tf.float32))

    def _settle_step(self) -> Any:
        for table in self._tables:
            table.settle(self._decayed)
        return tf.constant(0.0)

    def _average_step(self, step: Any) -> Any:
        # Early weights decay faster, so that the average does not start from the initial weights.
        decay = tf.minimum(self._averaging, (1 + step) / (10 + step)) ** AVERAGING_INTERVAL
        for average, variable in zip(self.average, self._variables, strict=True):
            average.assign(decay * average + (1 - decay) * variable)
        return tf.constant(0.0)


class _Table:
    """A table of embeddings with the optimizer state of each row.

    Attributes:
        second: float32 (rows, width), the second moment as of the row's last update.
        updated: float32 (rows,), the number of the row's last update.
        decayed: float32 (rows,), the cumulative decay up to the row's last update.
    """

    def __init__(self, weights: Any) -> None:
        self.weights = weights
        self.second = tf.Variable(tf.zeros_like(weights), trainable=False)
        self.updated = tf.Variable(tf.zeros(weights.shape[0]), trainable=False)
        self.decayed = tf.Variable(tf.zeros(weights.shape[0]), trainable=False)

    def update(self, indices: Any, gradient: Any, learning_rate: Any, step: Any, decayed: Any) -> None:
        """Update rows.

        Args:
            indices: int (n,), distinct rows.
            gradient: float32 (n, width).
            learning_rate: The learning rate of this update.
            step: Number of this update, from 1.
            decayed: Cumulative decay, this update included.
        """
        missed = step - tf.gather(self.updated, indices)
        second = tf.gather(self.second, indices) * (BETA_2**missed)[:, None]
        second += (1 - BETA_2) * tf.square(gradient)
        weights = tf.gather(self.weights, indices) * tf.exp(tf.gather(self.decayed, indices) - decayed)[:, None]
        weights -= learning_rate * gradient / (tf.sqrt(second / (1 - BETA_2**step)) + EPSILON)
        everywhere = tf.shape(indices)
        for variable, values in (
            (self.weights, weights),
            (self.second, second),
            (self.updated, tf.fill(everywhere, step)),
            (self.decayed, tf.fill(everywhere, tf.convert_to_tensor(decayed))),
        ):
            variable.scatter_update(tf.IndexedSlices(values, indices))

    def settle(self, decayed: Any) -> None:
        """Apply the pending decay to all rows."""
        self.weights.assign(self.weights * tf.exp(self.decayed - decayed)[:, None])
        self.decayed.assign(tf.fill(tf.shape(self.decayed), tf.convert_to_tensor(decayed)))


def distinct_rows(gradient: Any) -> tuple[Any, Any]:
    """The distinct rows of a gradient, and their gradients."""
    if not isinstance(gradient, tf.IndexedSlices):
        return tf.range(tf.shape(gradient)[0]), gradient
    indices, position = tf.unique(tf.reshape(gradient.indices, (-1,)))
    values = tf.reshape(gradient.values, (-1, gradient.values.shape[-1]))
    return indices, tf.math.unsorted_segment_sum(values, position, tf.size(indices))


def _is_decayed(path: str) -> bool:
    name = path.rsplit("/", 1)[-1]
    return name not in ("bias", "gamma", "beta")
