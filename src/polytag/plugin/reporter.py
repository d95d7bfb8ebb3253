"""Reports of a run: steps, epochs, and the base class of reporters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


class Reporter:
    """Base class for observers of a run; its methods do nothing. Override the ones that you need."""

    def message(self, text: str) -> None:
        """Called with a message of one line."""

    def status(self, text: str) -> None:
        """Called when work without steps begins that takes seconds, `Starting TensorFlow`; with "" when it is over."""

    def step(self, progress: Progress) -> None:
        """Called after a training step."""

    def epoch(self, epoch: Epoch) -> None:
        """Called after an epoch is evaluated."""

    def close(self) -> None:
        """Called once at the end."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of training after a step.

    Attributes:
        epoch: Number of the epoch, from 1.
        step, steps: Step within the epoch, and the number of steps.
        loss: Mean loss of the epoch so far.
        learning_rate: Learning rate of the last update.
        units: Units (without padding) of this epoch so far.
        units_per_second: Units (without padding) per second in this epoch so far.
        unit: The kind of unit: `"word"` or `"subword"`.
        seconds_left: Estimated time until the last epoch is trained and evaluated.
    """

    epoch: int
    step: int
    steps: int
    loss: float
    learning_rate: float
    units: int
    units_per_second: float
    unit: str
    seconds_left: float


@dataclass(frozen=True, slots=True)
class Epoch:
    """An epoch that has been evaluated.

    Attributes:
        number: From 1.
        loss: Mean training loss.
        learning_rate: Learning rate of its last update.
        score: The selection score: higher is better.
        scores: Named scores on the validation split.
        seconds: Time of its training steps.
        units_per_second: Units (without padding) per second.
        unit: The kind of unit: `"word"` or `"subword"`.
        best: Whether the score is the best so far.
        restored: Whether it was trained before the run was resumed.
    """

    number: int
    loss: float
    learning_rate: float
    score: float
    scores: Mapping[str, float]
    seconds: float
    units_per_second: float
    unit: str
    best: bool
    restored: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The epoch as plain data, for JSON."""
        return {
            "number": self.number,
            "loss": self.loss,
            "learning_rate": self.learning_rate,
            "score": self.score,
            "scores": dict(self.scores),
            "seconds": self.seconds,
            "best": self.best,
        }


def best_epoch(history: Iterable[Epoch]) -> int:
    """The number of the best epoch so far; 0 if no epoch has a score."""
    return max((epoch.number for epoch in history if epoch.best), default=0)
