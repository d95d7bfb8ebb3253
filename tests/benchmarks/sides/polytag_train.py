"""polytag trains a tagger, stretch by stretch."""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path
from typing import Any

from pace import Pace
from turns import pause, settings, versions

import polytag


class Paced(polytag.Reporter):
    """A reporter that stops training when a stretch is done."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._before = 0

    def step(self, progress: Any) -> None:
        self._before = 0 if progress.step == 1 else self._before
        self._pace.step(progress.units - self._before)
        self._before = progress.units

    def epoch(self, epoch: Any) -> None:
        self._pace.epoch(lambda: {"score": epoch.score, "seconds": epoch.seconds})


def main() -> None:
    command = pause(versions=versions("polytag", "tensorflow", "keras"))
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        options = {"output": str(Path(folder) / "tagger")} | settings["options"]
        polytag.train(reporter=Paced(Pace(command.get("steps"))), **options)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    pause(seconds=time.perf_counter() - began, peak_mb=peak)


main()
