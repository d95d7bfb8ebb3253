"""Write scalars and a trace of a run for TensorBoard."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import tensorflow as tf

from polytag.errors import PolytagError
from polytag.plugin.reporter import Epoch, Progress, Reporter

SCALAR_INTERVAL = 10
"""Steps between two points of a curve."""
TRACE_FROM, TRACE_STEPS = 20, 20
"""Steps before a trace, for compilation and warm-up, and steps in it: a trace of a whole run would be too large."""


def reporters(tensorboard: Path | None, profile: Path | None) -> list[Reporter]:
    """The reporters that write to these folders, which are created.

    Raises:
        PolytagError: A folder cannot be created.
    """
    found: list[Reporter] = []
    for folder, option, kind in ((tensorboard, "--tensorboard", Scalars), (profile, "--profile", Trace)):
        if folder is None:
            continue
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            raise PolytagError(
                f"The folder {str(folder)!r} of {option} cannot be created or written: {error.strerror}. Choose "
                "another one."
            ) from error
        found.append(kind(folder))
    return found


def _scalar(name: str) -> Any:
    """Metadata of a point of a curve; `tf.summary.scalar` also adds it, but needs TensorBoard."""
    metadata = tf.compat.v1.SummaryMetadata(display_name=name, data_class="DATA_CLASS_SCALAR")
    metadata.plugin_data.plugin_name = "scalars"
    return metadata


class Scalars(Reporter):
    """Loss, learning rate and speed of every tenth step, and the validation scores of every epoch, as curves.

    Args:
        folder: TensorBoard's log directory.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # Created at the first point: TensorFlow must not run before the run has configured it.
        self._writer: Any = None
        self._step = 0

    def step(self, progress: Progress) -> None:
        """Write a point of each training curve at every tenth step."""
        self._step = (progress.epoch - 1) * progress.steps + progress.step
        if progress.step % SCALAR_INTERVAL == 0 or progress.step == progress.steps:
            self._write(
                {
                    "training/loss": progress.loss,
                    "training/learning rate": progress.learning_rate,
                    f"training/{progress.unit}s per second": progress.units_per_second,
                }
            )

    def epoch(self, epoch: Epoch) -> None:
        """Write the scores of an epoch, unless they were written before the run was resumed."""
        if not epoch.restored:
            self._write({f"validation/{name}": value for name, value in epoch.scores.items()})

    def close(self) -> None:
        """Flush to disk."""
        if self._writer:
            self._writer.close()

    def _write(self, values: dict[str, float]) -> None:
        self._writer = self._writer or tf.summary.create_file_writer(str(self._folder))
        with self._writer.as_default(step=self._step):
            for name, value in values.items():
                tf.summary.write(name, tf.constant(value, tf.float32), metadata=_scalar(name))


class Trace(Reporter):
    """A trace of some steps: 20 of the first epoch, after 20 steps; or the second half of a shorter epoch.

    Args:
        folder: TensorBoard's log directory.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen = 0
        self._last: int | None = None
        self._running = False

    def step(self, progress: Progress) -> None:
        """Start or stop the trace after a step."""
        self._seen += 1
        if self._running and (self._seen == self._last or progress.step == progress.steps):
            self.close()
        elif self._last is None and self._seen >= min(TRACE_FROM, max(progress.steps // 2, 1)):
            tf.profiler.experimental.start(str(self._folder))
            self._running, self._last = True, self._seen + TRACE_STEPS

    def close(self) -> None:
        """Write the trace, if it is running."""
        if self._running:
            self._running = False
            tf.profiler.experimental.stop()
