"""Training that goes on for a number of steps, or for an epoch, and then waits for its turn."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from turns import pause


class Pace:
    """Takes the time of steps, and pauses when a stretch is done. Only time within steps counts.

    Args:
        steps: Steps of a stretch; None to pause after epochs alone.
    """

    def __init__(self, steps: int | None) -> None:
        self._steps = steps
        self._done, self._units, self._seconds = 0, 0, 0.0
        self._last = time.perf_counter()

    def begin(self) -> None:
        """A step begins now."""
        self._last = time.perf_counter()

    def step(self, units: int) -> None:
        """A step is done; the next one begins now."""
        now = time.perf_counter()
        self._done, self._units, self._seconds = self._done + 1, self._units + units, self._seconds + now - self._last
        if self._done == self._steps:
            self._pause({})
        self.begin()

    def epoch(self, figures: Callable[[], dict[str, Any]]) -> None:
        """An epoch is done; `figures` evaluates it, outside of what is timed."""
        if self._steps is None:
            self._pause(figures())
        self.begin()

    def _pause(self, figures: dict[str, Any]) -> None:
        command = pause(**{"steps": self._done, "subwords": self._units, "seconds": self._seconds} | figures)
        self._steps = command.get("steps")
        self._done, self._units, self._seconds = 0, 0, 0.0
