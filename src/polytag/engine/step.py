"""The compiled training step."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from polytag.encoding.batches import Batch, BatchBuilder
from polytag.engine.distribution import Distribution
from polytag.engine.losses import (
    PARTS,
    attributed,
    check_gradients,
    divergence,
    head_loss,
    sentence_words,
    trained_positions,
)
from polytag.engine.model import TaggerModel
from polytag.engine.optimizer import AdamW, learning_rate_at
from polytag.engine.settings import Settings
from polytag.plugin.alignment import IGNORE
from polytag.plugin.networks import WithTables
from polytag.plugin.registry import registry

INITIAL_LOSS_SCALE = 2.0**15
LOSS_SCALE_GROWTH_INTERVAL = 2000
AHEAD = 4
"""Number of updates whose arrays are prepared ahead for GPUs."""

SEED = "seed_generator_state"
"""The name that Keras gives to the state of a layer's random numbers: int64 (2,), a seed and a counter."""
SEED_STEP = 1_000_003
"""Difference between the seeds of neighbouring replicas."""


class Update(NamedTuple):
    """The state after an update: finished steps of the epoch, the loss once it is computed, the learning rate."""

    done: int
    loss: Callable[[], float]
    rate: float


class TrainStep:
    """The compiled step and all variables that it changes.

    Args:
        model: The model to train; its copies on other devices are trained with it.
        settings: The settings.
        steps_an_epoch: Batches of an epoch.
        distribution: The devices and workers that share each batch; None for one device.
        taught: The tasks that have a teacher.
    """

    def __init__(
        self,
        model: TaggerModel,
        settings: Settings,
        steps_an_epoch: int,
        distribution: Distribution | None = None,
        taught: Sequence[str] = (),
    ) -> None:
        self._model = model
        self._settings = settings
        self._distribution = distribution
        self._updates_an_epoch = math.ceil(steps_an_epoch / settings.accumulate)
        if distribution is None:
            self._replicas = [_Replica(model, settings)]
        else:
            models = (model, *model.copies)
            self._replicas = distribution.on_each_device(
                [partial(_Replica, one, settings, distribution) for one in models]
            )
        integers = tf.TensorSpec((None, None), tf.int32)
        shard = (
            tf.TensorSpec((None, None, model.encoder.n_features), tf.int32),
            tf.TensorSpec((None, None), tf.bool),
            dict.fromkeys(model.heads, integers),
            dict.fromkeys(model.heads, PARTS) if registry().heads[settings.head].by_sentence else {},
            {task: tf.TensorSpec((None, None, model.heads[task].units), tf.float32) for task in taught},
        )
        # The step has no control flow on tensors but `tf.cond`; converting it by autograph would take seconds.
        self._step = tf.function(
            self._train_step,
            autograph=False,
            input_signature=[
                [shard] * len(self._replicas),
                {task: tf.TensorSpec((), tf.float32) for task in model.heads},
                tf.TensorSpec((), tf.float32),
                tf.TensorSpec((), tf.bool),
            ],
        )

    @property
    def state(self) -> list[tf.Variable]:
        """Every variable that training changes, in a fixed order; the content of a checkpoint."""
        return self._replicas[0].state

    def restore(self, values: Sequence[Any]) -> None:
        """Set the state of all replicas; the inverse of `state`.

        Raises:
            ValueError: The values do not fit the variables.
        """
        for replica in self._replicas:
            for variable, value in zip(replica.state, values, strict=True):
                variable.assign(value)
        self._part_random_numbers()

    @contextmanager
    def averaged_weights(self) -> Iterator[None]:
        """The model and its copies have the averaged weights in the block."""
        enter = [replica.optimizer.averaged_weights for replica in self._replicas]
        with ExitStack() as stack:
            if self._distribution is None:
                stack.enter_context(enter[0]())
            else:
                self._distribution.on_each_device([partial(_entered, stack, one) for one in enter])
            yield

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
        """
        settings = self._settings
        total = settings.epochs * self._updates_an_epoch
        starts = range(done, len(plan), settings.accumulate)
        groups = self._groups(builder, [plan[start : start + settings.accumulate] for start in starts])
        for start, (group, counts) in zip(starts, groups, strict=True):
            update = (number - 1) * self._updates_an_epoch + start // settings.accumulate
            rate = learning_rate_at(update, total, settings.learning_rate, settings.warmup)
            mine = self._distribution.mine if self._distribution else slice(None)
            losses = []
            for index, shards in enumerate(group):
                last = index == len(group) - 1
                arrays = [batch.arrays for batch in shards[mine]]
                with self._watched():
                    losses.append(self._step(arrays, counts, np.float32(rate), last))
            yield Update(start + len(group), partial(self._total, losses), rate)

    @property
    def lag(self) -> int:
        """Number of updates whose loss is not waited for: one on GPUs, which compute while the next is prepared."""
        return int(bool(tf.config.get_visible_devices("GPU")))

    def _group(self, builder: BatchBuilder, chosen: Sequence[NDArray[np.int64]]) -> tuple[list[list[Batch]], Any]:
        """The parts of the batches of an update, and the number of its labels per task."""
        group = [self._shards(builder, one) for one in chosen]
        return group, self._label_counts([batch for shards in group for batch in shards])

    def _groups(self, builder: BatchBuilder, plan: Sequence[Sequence[NDArray[np.int64]]]) -> Iterator[Any]:
        """The groups of a plan; on GPUs, the next one is prepared in another thread."""
        if not self.lag:
            yield from (self._group(builder, chosen) for chosen in plan)
            return
        with ThreadPoolExecutor(1) as pool:
            ahead = [pool.submit(self._group, builder, chosen) for chosen in plan[:AHEAD]]
            for chosen in [*plan[AHEAD:], *[None] * len(ahead)]:
                yield ahead.pop(0).result()
                if chosen is not None:
                    ahead.append(pool.submit(self._group, builder, chosen))

    def _total(self, losses: Sequence[Any]) -> float:
        with self._watched():
            return sum(map(float, losses), 0.0)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        lost = self._distribution.watched() if self._distribution else nullcontext()
        with attributed(self._replicas[0].head), lost:
            yield

    def _label_counts(self, group: Sequence[Batch]) -> dict[str, Any]:
        counts = {}
        for task in self._model.heads:
            weights = self._settings.label_weights.get(task)
            total = 0.0
            for batch in group:
                if task in batch.taught:
                    total += float(np.count_nonzero((batch.labels[task] != IGNORE) | batch.taught[task].any(axis=-1)))
                    continue
                labels = batch.labels[task][batch.labels[task] != IGNORE]
                total += float(np.take([*weights, 1.0], labels).sum()) if weights else len(labels)
            counts[task] = np.float32(total or 1)
        return counts

    def _shards(self, builder: BatchBuilder, chosen: NDArray[np.int64]) -> list[Batch]:
        """The arrays of a batch, one part for each replica of the run.

        A replica for which no window is left gets one without labels: not every network computes an empty batch.
        """
        if self._distribution is None:
            return [builder.build(chosen)]
        parts = [chosen[index :: self._distribution.replicas] for index in range(self._distribution.replicas)]
        return [builder.build(part) if len(part) else builder.build(chosen[:1]).unlabelled() for part in parts]

    def _train_step(self, shards: Any, counts: Any, rate: Any, last: Any) -> Any:
        if self._distribution is None:
            return self._replicas[0].step(shards[0], counts, rate, last)
        return self._distribution.run(lambda index: self._replicas[index].step(shards[index], counts, rate, last))

    def _part_random_numbers(self) -> None:
        """Give each replica dropout of its own, which follows from the state of the first replica."""
        if self._distribution:
            for index, replica in enumerate(self._replicas, self._distribution.mine.start):
                replica.shift_seeds(index)


class _Replica:
    """A model on one device, the computation of a step on it, and all variables that it changes.

    Args:
        model: The model.
        settings: The settings.
        distribution: Sums the gradients over all replicas; None if this is the only one.
    """

    def __init__(self, model: TaggerModel, settings: Settings, distribution: Distribution | None = None) -> None:
        self._model = model
        self._settings = settings
        self._sum_over_replicas = distribution.sum if distribution else list
        self.head = registry().heads[settings.head]
        self._variables = list(model.trainable_variables)
        tables = model.network.tables if isinstance(model.network, WithTables) else ()
        undecayed = [variable for own in model.parameters.values() for variable in own.values()]
        self.optimizer = AdamW(
            self._variables, settings.weight_decay, settings.clip, settings.averaging, tables, undecayed
        )
        self._scale = tf.Variable(INITIAL_LOSS_SCALE if settings.loss_scaling else 1.0, trainable=False)
        self._good_updates = tf.Variable(0, trainable=False)
        self._sums = (
            [tf.Variable(tf.zeros_like(variable.value), trainable=False) for variable in self._variables]
            if settings.accumulate > 1
            else []
        )

    @property
    def state(self) -> list[tf.Variable]:
        """Every variable that training changes, in a fixed order."""
        trained = {id(variable) for variable in self._variables}
        # In addition to the weights, the states of dropout's random seeds.
        others = [variable.value for variable in self._model.variables if id(variable) not in trained]
        weights = [variable.value for variable in self._variables]
        return [*weights, *others, *self.optimizer.state, self._scale, self._good_updates]

    def shift_seeds(self, index: int) -> None:
        """Turn the random seeds of the first replica into the seeds of another one."""
        for variable in self._model.variables:
            if variable.name == SEED:
                variable.assign_add(np.array([index * SEED_STEP, 0]))

    def step(self, shard: Any, counts: Any, rate: Any, last: Any) -> Any:
        """Train on a part of a batch; return the loss, summed over all replicas.

        `shard`: its ids, mask and labels; the words of its sentences for tasks that are trained on sentences; what
        teachers say for tasks that have one.
        """
        ids, mask, labels, parts, taught = shard
        with tf.GradientTape() as tape:
            flat = {task: tf.reshape(values, (-1,)) for task, values in labels.items()}
            targets = {task: tf.reshape(values, (-1, values.shape[-1])) for task, values in taught.items()}
            # Positions without a label for any task are left out if that saves work.
            wanted = trained_positions(flat, parts, targets)
            logits = self._model.at(ids, mask, tf.cast(wanted, tf.int32), training=True)
            loss = tf.constant(0.0)
            for task, task_logits in logits.items():
                sentences = sentence_words(parts[task], wanted, tf.size(flat[task])) if task in parts else None
                parameters = {name: variable.value for name, variable in self._model.parameters.get(task, {}).items()}
                by_label = self._settings.label_weights.get(task)
                found = tf.gather(flat[task], wanted)
                own = head_loss(
                    self.head,
                    parameters,
                    task_logits,
                    found,
                    sentences,
                    by_label,
                    self._settings.open_labels.get(task),
                )
                if task in targets:
                    share = self._settings.teacher_weight
                    told = divergence(tf.gather(targets[task], wanted), task_logits, self._settings.teacher_temperature)
                    own = (1.0 - share) * own + share * tf.reduce_sum(told)
                loss += self._settings.task_weights.get(task, 1.0) * own / counts[task]
            scaled = loss * self._scale
        gradients = tape.gradient(scaled, [variable.value for variable in self._variables])
        check_gradients(self.head, gradients)
        loss, *gradients = self._sum_over_replicas([loss, *gradients])
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


def _entered(stack: ExitStack, make: Callable[[], AbstractContextManager[None]]) -> None:
    stack.enter_context(make())
