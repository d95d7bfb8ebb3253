"""The one training loop, for every encoder and any number of tasks."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from polytag.alignment import IGNORE
from polytag.encoding.batches import Batch, BatchBuilder, training_plan
from polytag.engine.model import TaggerModel
from polytag.engine.optimizer import AdamW, learning_rate_at
from polytag.errors import TrainingError

INITIAL_LOSS_SCALE = 2.0**15
LOSS_SCALE_GROWTH_INTERVAL = 2000


@dataclass(frozen=True, slots=True)
class Settings:
    """How to train.

    Attributes:
        epochs: Passes over the training split, at most.
        batch_size: Windows a step.
        accumulate: Steps whose gradients make one update.
        learning_rate: Peak learning rate.
        warmup: Share of all updates in which the learning rate rises, 0..1.
        weight_decay: Decoupled decay of weights other than biases and normalisation.
        clip: Largest global norm of the gradients.
        averaging: Decay of the moving average of the weights; 0 for none.
        patience: Epochs without a better score after which training stops; 0 for never.
        seed: Seed of the batch plan, the dropout and the initial weights.
        loss_scaling: Whether to scale the loss, as float16 needs.
        task_weights: Weight of each task in the loss; 1 where not given.
    """

    epochs: int
    batch_size: int
    accumulate: int
    learning_rate: float
    warmup: float
    weight_decay: float
    clip: float
    averaging: float
    patience: int
    seed: int
    loss_scaling: bool = False
    task_weights: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where training stands after a step.

    Attributes:
        epoch: Number of the epoch, from 1.
        step, steps: Step within the epoch, and how many there are.
        loss: Mean loss of the epoch so far.
        learning_rate: Learning rate of the last update.
        units_per_second: Real units (padding not counted) a second in this epoch so far.
    """

    epoch: int
    step: int
    steps: int
    loss: float
    learning_rate: float
    units_per_second: float


@dataclass(frozen=True, slots=True)
class Epoch:
    """An epoch that has been evaluated.

    Attributes:
        number: From 1.
        loss: Mean training loss.
        score: The selection score: higher is better.
        scores: Named scores on the validation split.
        seconds: Time of its training steps.
        units_per_second: Real units a second.
        best: Whether the score is the best so far.
    """

    number: int
    loss: float
    score: float
    scores: Mapping[str, float]
    seconds: float
    units_per_second: float
    best: bool


def seed_everything(seed: int) -> None:
    """Make what follows a function of the seed alone, bit for bit: initial weights, dropout, and every kernel."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def set_precision(precision: str) -> None:
    """Choose the dtype of layers made from now on: `float32`, `bfloat16` or `float16`; weights stay in float32."""
    keras.config.set_dtype_policy(precision if precision == "float32" else f"mixed_{precision}")


def fit(
    model: TaggerModel,
    builder: BatchBuilder,
    lengths: NDArray[np.int64],
    settings: Settings,
    evaluate: Callable[[], tuple[float, Mapping[str, float]]],
    on_step: Callable[[Progress], None] | None = None,
) -> Iterator[Epoch]:
    """Train; yields every epoch once it is evaluated, and leaves the weights of the best one in the model.

    Args:
        model: What to train.
        builder: Makes batches of the training split, with labels.
        lengths: int64 (windows,): units in each window.
        settings: How to train.
        evaluate: Scores the model as it is: the selection score, and named scores.
        on_step: Called after every step.

    Raises:
        TrainingError: The loss is not a finite number any more.
    """
    loop = _Loop(model, settings, steps_an_epoch=math.ceil(len(lengths) / settings.batch_size))
    best_score, best_weights, waited = -math.inf, None, 0
    for epoch in range(1, settings.epochs + 1):
        began = time.perf_counter()
        plan = training_plan(lengths, settings.batch_size, settings.seed, epoch)
        loss = loop.epoch(epoch, plan, builder, lengths, on_step)
        seconds = time.perf_counter() - began
        with loop.optimizer.averaged_weights():
            score, scores = evaluate()
            better = score > best_score
            if better:
                best_score, waited = score, 0
                best_weights = [variable.numpy() for variable in model.trainable_variables]
            else:
                waited += 1
        yield Epoch(epoch, loss, score, scores, seconds, float(lengths.sum()) / seconds, better)
        if settings.patience and waited >= settings.patience:
            break
    if best_weights is not None:
        for variable, value in zip(model.trainable_variables, best_weights, strict=True):
            variable.assign(value)


class _Loop:
    """The compiled step and what it changes."""

    def __init__(self, model: TaggerModel, settings: Settings, steps_an_epoch: int) -> None:
        self._model = model
        self._settings = settings
        self._variables = list(model.trainable_variables)
        self._updates_an_epoch = math.ceil(steps_an_epoch / settings.accumulate)
        self.optimizer = AdamW(self._variables, settings.weight_decay, settings.clip, settings.averaging)
        self._scale = tf.Variable(INITIAL_LOSS_SCALE if settings.loss_scaling else 1.0, trainable=False)
        self._good_updates = tf.Variable(0, trainable=False)
        self._sums = (
            [tf.Variable(tf.zeros_like(variable.value), trainable=False) for variable in self._variables]
            if settings.accumulate > 1
            else []
        )
        features = model.encoder.n_features
        integers = tf.TensorSpec((None, None), tf.int32)
        self._step = tf.function(
            self._train_step,
            input_signature=[
                tf.TensorSpec((None, None, features), tf.int32),
                tf.TensorSpec((None, None), tf.bool),
                dict.fromkeys(model.heads, integers),
                {task: tf.TensorSpec((), tf.float32) for task in model.heads},
                tf.TensorSpec((), tf.float32),
                tf.TensorSpec((), tf.bool),
            ],
        )

    def epoch(
        self,
        number: int,
        plan: Sequence[NDArray[np.int64]],
        builder: BatchBuilder,
        lengths: NDArray[np.int64],
        on_step: Callable[[Progress], None] | None,
    ) -> float:
        """Train for one epoch; returns the mean loss of its updates."""
        settings = self._settings
        began, units, losses = time.perf_counter(), 0, []
        total = settings.epochs * self._updates_an_epoch
        for start in range(0, len(plan), settings.accumulate):
            update = (number - 1) * self._updates_an_epoch + start // settings.accumulate
            rate = learning_rate_at(update, total, settings.learning_rate, settings.warmup)
            group = [builder.build(chosen) for chosen in plan[start : start + settings.accumulate]]
            counts = self._label_counts(group)
            loss = 0.0
            for index, batch in enumerate(group):
                loss += float(
                    self._step(batch.ids, batch.mask, batch.labels, counts, np.float32(rate), index == len(group) - 1)
                )
                units += int(lengths[plan[start + index]].sum())
            if not math.isfinite(loss) and not settings.loss_scaling:
                raise TrainingError(
                    f"The loss is {loss} in step {start + 1} of epoch {number}: training has diverged and was stopped. "
                    "Lower --learning-rate (a tenth is a good start), or train in --precision float32."
                )
            losses.append(loss)
            if on_step:
                elapsed = max(time.perf_counter() - began, 1e-9)
                done = start + len(group)
                on_step(Progress(number, done, len(plan), float(np.nanmean(losses)), rate, units / elapsed))
        finite = [loss for loss in losses if math.isfinite(loss)]
        if not finite:
            raise TrainingError(
                f"No step of epoch {number} had a finite loss, however small the loss scale. Train in --precision "
                "bfloat16 or float32."
            )
        return float(np.mean(finite))

    def _label_counts(self, group: Sequence[Batch]) -> dict[str, Any]:
        counts = {}
        for task in self._model.heads:
            labelled = sum(int(np.count_nonzero(batch.labels[task] != IGNORE)) for batch in group)
            counts[task] = np.float32(max(labelled, 1))
        return counts

    def _train_step(self, ids: Any, mask: Any, labels: Any, counts: Any, rate: Any, last: Any) -> Any:
        with tf.GradientTape() as tape:
            logits = self._model(ids, mask, training=True)
            loss = tf.constant(0.0)
            for task, task_logits in logits.items():
                # Ignored positions are masked before the loss: inside it, -100 is NaN on a GPU and an error on a CPU.
                labelled = labels[task] != IGNORE
                entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(
                    labels=tf.where(labelled, labels[task], 0), logits=task_logits
                )
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
