"""What a run tells: its steps, its epochs, and whoever wants to hear of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


class Reporter:
    """Told what a run does; as it is, it says nothing. Subclasses say what they want to."""

    def message(self, text: str) -> None:
        """Something worth a line."""

    def step(self, progress: Progress) -> None:
        """A training step is done."""

    def epoch(self, epoch: Epoch) -> None:
        """An epoch is done and evaluated."""

    def close(self) -> None:
        """Nothing more will come."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where training stands after a step.

    Attributes:
        epoch: Number of the epoch, from 1.
        step, steps: Step within the epoch, and how many there are.
        loss: Mean loss of the epoch so far.
        learning_rate: Learning rate of the last update.
        units: Real units (padding not counted) of this epoch so far.
        units_per_second: Real units a second in this epoch so far.
        unit: What a unit is: `"word"` or `"subword"`.
        seconds_left: Time until the last epoch is trained and evaluated, as far as can be told by now.
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
        units_per_second: Real units a second.
        unit: What a unit is: `"word"` or `"subword"`.
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
    """The number of the best epoch so far; 0 where no epoch has a score."""
    return max((epoch.number for epoch in history if epoch.best), default=0)
