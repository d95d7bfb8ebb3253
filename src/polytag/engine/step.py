"""The compiled training step."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from polytag.encoding.batches import Batch, BatchBuilder
from polytag.engine.model import TaggerModel
from polytag.engine.optimizer import AdamW, learning_rate_at
from polytag.engine.settings import Settings
from polytag.errors import TrainingError
from polytag.plugin.alignment import IGNORE
from polytag.plugin.encoder import WithTables

INITIAL_LOSS_SCALE = 2.0**15
LOSS_SCALE_GROWTH_INTERVAL = 2000


class Update(NamedTuple):
    """The state after an update: finished steps of the epoch, the loss, the learning rate."""

    done: int
    loss: float
    rate: float


class TrainStep:
    """The compiled step and all variables that it changes.

    Args:
        model: The model to train.
        settings: The settings.
        steps_an_epoch: Batches of an epoch.
    """

    def __init__(self, model: TaggerModel, settings: Settings, steps_an_epoch: int) -> None:
        self._model = model
        self._settings = settings
        self._variables = list(model.trainable_variables)
        self._updates_an_epoch = math.ceil(steps_an_epoch / settings.accumulate)
        tables = model.network.tables if isinstance(model.network, WithTables) else ()
        self.optimizer = AdamW(self._variables, settings.weight_decay, settings.clip, settings.averaging, tables)
        self._scale = tf.Variable(INITIAL_LOSS_SCALE if settings.loss_scaling else 1.0, trainable=False)
        self._good_updates = tf.Variable(0, trainable=False)
        self._sums = (
            [tf.Variable(tf.zeros_like(variable.value), trainable=False) for variable in self._variables]
            if settings.accumulate > 1
            else []
        )
        features = model.encoder.n_features
        integers = tf.TensorSpec((None, None), tf.int32)
        # The step has no control flow on tensors but `tf.cond`; converting it by autograph would take seconds.
        self._step = tf.function(
            self._train_step,
            autograph=False,
            input_signature=[
                tf.TensorSpec((None, None, features), tf.int32),
                tf.TensorSpec((None, None), tf.bool),
                dict.fromkeys(model.heads, integers),
                {task: tf.TensorSpec((), tf.float32) for task in model.heads},
                tf.TensorSpec((), tf.float32),
                tf.TensorSpec((), tf.bool),
            ],
        )

    @property
    def state(self) -> list[tf.Variable]:
        """Every variable that training changes, in a fixed order; the content of a checkpoint."""
        trained = {id(variable) for variable in self._variables}
        # In addition to the weights, the states of dropout's random seeds.
        others = [variable.value for variable in self._model.variables if id(variable) not in trained]
        weights = [variable.value for variable in self._variables]
        return [*weights, *others, *self.optimizer.state, self._scale, self._good_updates]

    def updates(
        self,
        number: int,
        plan: Sequence[NDArray[np.int64]],
        builder: BatchBuilder,
        done: int,
    ) -> Iterator[Update]:
        """Train the remaining steps of an epoch; yield after every update.

        Args:
            number: Number of the epoch, from 1.
            plan: Its batches.
            builder: Makes the arrays of a batch.
            done: Number of finished steps of the epoch.

        Raises:
            TrainingError: The loss is no longer finite.
        """
        settings = self._settings
        total = settings.epochs * self._updates_an_epoch
        for start in range(done, len(plan), settings.accumulate):
            update = (number - 1) * self._updates_an_epoch + start // settings.accumulate
            rate = learning_rate_at(update, total, settings.learning_rate, settings.warmup)
            group = [builder.build(chosen) for chosen in plan[start : start + settings.accumulate]]
            counts = self._label_counts(group)
            loss = 0.0
            for index, batch in enumerate(group):
                last = index == len(group) - 1
                loss += float(self._step(batch.ids, batch.mask, batch.labels, counts, np.float32(rate), last))
            if not math.isfinite(loss) and not settings.loss_scaling:
                raise TrainingError(
                    f"The loss is {loss} in step {start + 1} of epoch {number}: training has diverged and was stopped. "
                    "Lower --learning-rate (a tenth is a good start), or train in --precision float32."
                )
            yield Update(start + len(group), loss, rate)

    def _label_counts(self, group: Sequence[Batch]) -> dict[str, Any]:
        counts = {}
        for task in self._model.heads:
            weights = self._settings.label_weights.get(task)
            total = 0.0
            for batch in group:
                labels = batch.labels[task][batch.labels[task] != IGNORE]
                total += float(np.take(weights, labels).sum()) if weights else len(labels)
            counts[task] = np.float32(total or 1)
        return counts

    def _train_step(self, ids: Any, mask: Any, labels: Any, counts: Any, rate: Any, last: Any) -> Any:
        with tf.GradientTape() as tape:
            flat = {task: tf.reshape(values, (-1,)) for task, values in labels.items()}
            # Positions without a label for any task are left out if that saves work.
            wanted = tf.where(tf.reduce_any([values != IGNORE for values in flat.values()], axis=0))[:, 0]
            logits = self._model.at(ids, mask, tf.cast(wanted, tf.int32), training=True)
            loss = tf.constant(0.0)
            for task, task_logits in logits.items():
                # Ignored positions are masked before the loss: inside it, -100 is NaN on a GPU and an error on a CPU.
                found = tf.gather(flat[task], wanted)
                labelled = found != IGNORE
                gold = tf.where(labelled, found, 0)
                entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=gold, logits=task_logits)
                if task in self._settings.label_weights:
                    by_label = tf.constant(self._settings.label_weights[task], tf.float32)
                    entropy *= tf.gather(by_label, gold)
                weight = self._settings.task_weights.get(task, 1.0)
                loss += weight * tf.reduce_sum(tf.where(labelled, entropy, 0.0)) / counts[task]
            scaled = loss * self._scale
        gradients = tape.gradient(scaled, [variable.value for variable in self._variables])
        if not self._sums:
            self._apply(gradients, rate)
            return loss
        for total, gradient in zip(self._sums, gradients, strict=True):
            total.assign_add(tf.convert_to_tensor(gradient))
        tf.cond(last, lambda: self._apply_sums(rate), lambda: tf.constant(True))
        return loss

    def _apply_sums(self, rate: Any) -> Any:
        self._apply([total.value() for total in self._sums], rate)
        for total in self._sums:
            total.assign(tf.zeros_like(total))
        return tf.constant(True)

    def _apply(self, gradients: Sequence[Any], rate: Any) -> None:
        if not self._settings.loss_scaling:
            self.optimizer.apply(gradients, rate)
            return
        gradients = [tf.convert_to_tensor(gradient) / self._scale for gradient in gradients]
        finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(gradient)) for gradient in gradients])
        tf.cond(finite, lambda: self._apply_finite(gradients, rate), self._shrink_scale)

    def _apply_finite(self, gradients: Sequence[Any], rate: Any) -> Any:
        self.optimizer.apply(gradients, rate)
        self._good_updates.assign_add(1)
        grow = self._good_updates % LOSS_SCALE_GROWTH_INTERVAL == 0
        self._scale.assign(tf.where(grow, self._scale * 2.0, self._scale))
        return tf.constant(True)

    def _shrink_scale(self) -> Any:
        self._scale.assign(self._scale / 2.0)
        return tf.constant(False)
