"""The training loop, for every encoder and any number of tasks."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt, TypeAdapter

from polytag.encoding.batches import BatchBuilder, training_plan
from polytag.engine.checkpoints import CheckpointStore
from polytag.engine.distribution import Distribution
from polytag.engine.interrupts import finishing_the_step
from polytag.engine.model import TaggerModel
from polytag.engine.settings import Settings
from polytag.engine.step import TrainStep
from polytag.errors import InterruptedRunError, TrainingError
from polytag.plugin.encoder import Tensors
from polytag.plugin.reporter import Epoch, Progress

_EPOCH = TypeAdapter(Epoch)


class Evaluated(Protocol):
    """The part of an evaluation that training needs."""

    @property
    def score(self) -> float:
        """The selection score: higher is better."""

    @property
    def headlines(self) -> Mapping[str, float]:
        """Named scores."""


Evaluation = TypeVar("Evaluation", bound=Evaluated)


class FinishedEpoch(NamedTuple, Generic[Evaluation]):
    """An epoch and its evaluation; None for an epoch that was trained before the run was resumed."""

    epoch: Epoch
    evaluation: Evaluation | None


def seed_everything(seed: int) -> None:
    """Make all later computations depend only on the seed, bit for bit: initial weights, dropout, every kernel."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


@contextmanager
def layers_in(precision: str) -> Iterator[None]:
    """Set the dtype of layers created in the block: `float32`, `bfloat16` or `float16`; weights stay in float32."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision if precision == "float32" else f"mixed_{precision}")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def train_epochs(
    model: TaggerModel,
    builder: BatchBuilder,
    lengths: NDArray[np.int64],
    settings: Settings,
    evaluate: Callable[[], Evaluation],
    on_step: Callable[[Progress], None] | None = None,
    checkpoints: CheckpointStore | None = None,
    on_interrupt: Callable[[], None] | None = None,
    distribution: Distribution | None = None,
) -> Generator[FinishedEpoch[Evaluation], None, None]:
    """Train, yield each epoch after its evaluation, and leave the weights of the best epoch in the model.

    When an epoch is yielded, the model has the evaluated weights, except for restored epochs. If a checkpoint exists,
    training resumes from it, and ends with the weights of an uninterrupted run. The first interrupt from the keyboard
    lets the current step finish.

    Args:
        model: The model to train.
        builder: Makes batches of the training split, with labels.
        lengths: int64 (windows,): units in each window.
        settings: Settings of the training.
        evaluate: Scores the current model.
        on_step: Called after every step.
        checkpoints: Reads and writes checkpoints, if wanted.
        on_interrupt: Called at the first interrupt, at once, in another thread.
        distribution: The devices and workers that share each batch; None for one device.

    Raises:
        TrainingError: The loss is no longer finite, or a checkpoint cannot be written.
        InterruptedRunError: The run was interrupted; a checkpoint has been written if `checkpoints` is given.
    """
    loop = TrainStep(model, settings, math.ceil(len(lengths) / settings.batch_size), distribution, builder.taught)
    at = _Position()
    unit = model.encoder.unit
    evaluating = 0.0  # seconds of the last evaluation
    traces = True  # the first update compiles the step
    if checkpoints and (saved := checkpoints.latest()):
        for before in at.restore(loop, *saved):
            yield FinishedEpoch(before, None)
    if distribution:
        loop.restore(distribution.share_arrays([variable.numpy() for variable in loop.state]))  # all begin alike
        at.share(distribution)
    with finishing_the_step(on_interrupt) as interrupted:
        while at.epoch <= settings.epochs and not (settings.patience and at.waited >= settings.patience):
            began = time.perf_counter() - at.seconds
            plan = training_plan(lengths, settings.batch_size, settings.seed, at.epoch)
            done, units, started = at.done, at.units, time.perf_counter()
            for update in loop.updates(at.epoch, plan, builder, at.done):
                at.units += sum(int(lengths[chosen].sum()) for chosen in plan[at.done : update.done])
                at.done, at.seconds = update.done, time.perf_counter() - began
                at.pending.append((update.done, update.loss))
                at.fetch_losses(settings, loop.lag)
                at.learning_rate, at.updates = update.rate, at.updates + 1
                if traces:
                    traces, at.traced = False, (at.done - done, at.units - units, time.perf_counter() - started)
                if on_step:
                    left = at.seconds_left(settings.epochs, len(plan), evaluating)
                    place = (at.epoch, at.done, len(plan), at.mean_loss, update.rate, at.units)
                    on_step(Progress(*place, at.speed, unit, left))
                if checkpoints and (interrupted() or at.updates % checkpoints.every == 0):
                    at.fetch_losses(settings)
                    at.save(loop, checkpoints, between_epochs=False)
                if interrupted():
                    raise InterruptedRunError(_interruption(at.epoch, checkpoints))
            at.check_losses(settings)
            with loop.averaged_weights():
                began = time.perf_counter()
                found = evaluate()
                evaluating = time.perf_counter() - began
                better = at.keep_best(found.score, model)
            finished = at.finished(found, unit, better)
            at.next_epoch(finished)
            if checkpoints:
                at.save(loop, checkpoints, between_epochs=True)
            with loop.averaged_weights():
                yield FinishedEpoch(finished, found)
            if interrupted():
                raise InterruptedRunError(_interruption(finished.number, checkpoints))
    at.use_best(model)


class _Saved(BaseModel):
    """The progress in a checkpoint, other than arrays."""

    model_config = ConfigDict(strict=True)

    epoch: PositiveInt
    done: NonNegativeInt
    updates: NonNegativeInt
    units: NonNegativeInt
    seconds: float
    losses: list[float]
    learning_rate: float
    waited: NonNegativeInt
    best_score: float
    history: list[dict[str, Any]]


@dataclass(slots=True)
class _Position:
    """The progress of a run; together with the variables of the step it is the whole state."""

    epoch: int = 1
    done: int = 0
    updates: int = 0
    units: int = 0
    seconds: float = 0.0
    losses: list[float] = field(default_factory=list)
    learning_rate: float = 0.0
    waited: int = 0
    best_score: float = -math.inf
    best: list[NDArray[Any]] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    pending: list[tuple[int, Callable[[], float]]] = field(default_factory=list)
    """Finished steps and loss of the updates whose loss has not been fetched; not in checkpoints."""
    traced: tuple[int, int, float] = (0, 0, 0.0)
    """Steps, units and seconds of the update that compiled the step, if it was in this epoch; not in checkpoints."""

    def fetch_losses(self, settings: Settings, lag: int = 0) -> None:
        """Fetch the losses of all updates but the last `lag`.

        Raises:
            TrainingError: A loss is not finite.
        """
        while len(self.pending) > lag:
            done, fetch = self.pending.pop(0)
            loss = fetch()
            if not math.isfinite(loss) and not settings.loss_scaling:
                first = (done - 1) // settings.accumulate * settings.accumulate
                raise TrainingError(
                    f"The loss is {loss} in step {first + 1} of epoch {self.epoch}: training has diverged and was "
                    "stopped. Lower --learning-rate (a tenth is a good start), or train in --precision float32."
                )
            self.losses.append(loss)

    def check_losses(self, settings: Settings) -> None:
        """Fetch all losses of the epoch.

        Raises:
            TrainingError: A loss, or every loss of a run that scales its loss, is not finite.
        """
        self.fetch_losses(settings)
        if not any(map(math.isfinite, self.losses)):
            raise TrainingError(
                f"No step of epoch {self.epoch} had a finite loss, however small the loss scale. Train in "
                "--precision bfloat16 or float32."
            )

    @property
    def mean_loss(self) -> float:
        finite = [loss for loss in self.losses if math.isfinite(loss)]
        return float(np.mean(finite)) if finite else math.nan

    def finished(self, found: Evaluated, unit: str, better: bool) -> Epoch:
        scores = dict(found.headlines)
        return Epoch(
            self.epoch, self.mean_loss, self.learning_rate, found.score, scores, self.seconds, self.speed, unit, better
        )

    @property
    def speed(self) -> float:
        """Units per second in this epoch, without the update that compiled the step if there are others."""
        _, units, seconds = self._timed
        return units / max(seconds, 1e-9)

    @property
    def _timed(self) -> tuple[int, int, float]:
        """Steps, units and seconds that tell the speed."""
        steps, units, seconds = self.traced
        if steps == self.done:
            return self.done, self.units, self.seconds
        return self.done - steps, self.units - units, self.seconds - seconds

    def seconds_left(self, epochs: int, steps: int, evaluating: float) -> float:
        """Estimated seconds until the last of `epochs` ends: `steps` each, and `evaluating` seconds of evaluation."""
        left = epochs - self.epoch + 1
        timed, _, seconds = self._timed
        return seconds / timed * (left * steps - self.done) + left * evaluating

    def keep_best(self, score: float, model: TaggerModel) -> bool:
        """Keep the weights of the model if the score is the best so far; return whether it is."""
        better = score > self.best_score
        if better:
            self.best_score, self.waited = score, 0
            self.best = [variable.numpy() for variable in model.trainable_variables]
        else:
            self.waited += 1
        return better

    def use_best(self, model: TaggerModel) -> None:
        """Give the model and its copies the best weights, if there are any."""
        for copy in (model, *model.copies) if self.best else ():
            for variable, value in zip(copy.trainable_variables, self.best, strict=True):
                variable.assign(value)

    def next_epoch(self, finished: Epoch) -> None:
        self.history.append({slot: getattr(finished, slot) for slot in finished.__slots__ if slot != "restored"})
        self.epoch += 1
        self.done, self.units, self.seconds, self.losses, self.traced = 0, 0, 0.0, [], (0, 0, 0.0)

    def save(self, loop: TrainStep, checkpoints: CheckpointStore, between_epochs: bool) -> None:
        tensors = {f"state.{i}": np.asarray(variable) for i, variable in enumerate(loop.state)}
        tensors |= {f"best.{i}": value for i, value in enumerate(self.best)}
        checkpoints.save(2 * self.updates + between_epochs, tensors, self._plain())

    def share(self, distribution: Distribution) -> None:
        """Give all workers the position of the chief; the best weights stay with the chief."""
        told = distribution.share(json.dumps(self._plain()).encode() if distribution.is_chief else None)
        for name, value in _Saved.model_validate(json.loads(told)):
            setattr(self, name, value)

    def _plain(self) -> dict[str, Any]:
        return {slot: getattr(self, slot) for slot in self.__slots__ if slot not in ("best", "traced", "pending")}

    def restore(self, loop: TrainStep, tensors: Tensors, plain: Mapping[str, Any]) -> list[Epoch]:
        """Take the state from a checkpoint, and return the epochs before it."""
        try:
            loop.restore([tensors[f"state.{i}"] for i in range(len(loop.state))])
            self.best = [tensors[f"best.{i}"] for i in range(sum(name.startswith("best.") for name in tensors))]
            for name, value in _Saved.model_validate(plain):
                setattr(self, name, value)
            return [_EPOCH.validate_python({**before, "restored": True}) for before in self.history]
        except (KeyError, ValueError, TypeError) as error:
            raise TrainingError(
                "The checkpoint does not fit this run: it was edited, or another version of polytag wrote it. Start "
                "over with --overwrite."
            ) from error


def _interruption(epoch: int, checkpoints: CheckpointStore | None) -> str:
    if checkpoints is None:
        return f"Interrupted in epoch {epoch}."
    return f"Interrupted in epoch {epoch}; a checkpoint is in {str(checkpoints.folder)!r}. Continue with --resume."
