"""Write scalars and a trace of a run for TensorBoard."""

from __future__ import annotations

import re
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tensorflow as tf

from polytag.errors import PolytagError, in_brief
from polytag.plugin.reporter import Epoch, Progress, Reporter

SCALAR_INTERVAL = 10
"""Steps between two points of a curve."""
TRACE_FROM, TRACE_STEPS = 20, 20
"""Steps before a trace, for compilation and warm-up, and steps in it: a trace of a whole run would be too large."""


def reporters(tensorboard: Path | None, profile: Path | None, listener: Reporter) -> list[Reporter]:
    """The reporters that write to these folders, which are created.

    Args:
        tensorboard, profile: The folders; None for one that is not wanted.
        listener: Is told if a folder can later no longer be written.

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
        found.append(kind(folder, listener))
    return found


_OF_TENSORFLOW = re.compile(r"^\{\{.*?\}\} ?|\n.*| \[Op:.*", re.DOTALL)
"""What TensorFlow puts around the text of an error of the system."""


def _scalar(name: str) -> Any:
    """Metadata of a point of a curve; `tf.summary.scalar` also adds it, but needs TensorBoard."""
    metadata = tf.compat.v1.SummaryMetadata(display_name=name, data_class="DATA_CLASS_SCALAR")
    metadata.plugin_data.plugin_name = "scalars"
    return metadata


class _Writing(Reporter, ABC):
    """Writes to a folder, until that fails: a full disk ends the curves, and not the training.

    Args:
        folder: TensorBoard's log directory.
        listener: Is told if the folder can no longer be written.
    """

    def __init__(self, folder: Path, listener: Reporter) -> None:
        self._folder = folder
        self._listener = listener
        self._failed = False

    def close(self) -> None:
        """Write what is left."""
        with self._writing():
            self._finish()

    @abstractmethod
    def _finish(self) -> None:
        """Write what is left."""

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """The block writes to the folder; the first time that it cannot, this is said."""
        try:
            yield
        except (tf.errors.OpError, OSError) as error:
            if not self._failed:
                self._listener.message(
                    f"Nothing more is written to {str(self._folder)!r} for TensorBoard: "
                    f"{in_brief(_OF_TENSORFLOW.sub('', str(error)))}. The training is not affected."
                )
            self._failed = True


class Scalars(_Writing):
    """Loss, learning rate and speed of every tenth step, and the validation scores of every epoch, as curves.

    Args:
        folder: TensorBoard's log directory.
        listener: Is told if the folder can no longer be written.
    """

    def __init__(self, folder: Path, listener: Reporter) -> None:
        super().__init__(folder, listener)
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

    def _finish(self) -> None:
        if self._writer:
            self._writer.close()

    def _write(self, values: dict[str, float]) -> None:
        if self._failed:
            return
        with self._writing():
            self._writer = self._writer or tf.summary.create_file_writer(str(self._folder))
            self._add(values)

    def _add(self, values: dict[str, float]) -> None:
        with self._writer.as_default(step=self._step):
            for name, value in values.items():
                tf.summary.write(name, tf.constant(value, tf.float32), metadata=_scalar(name))


class Trace(_Writing):
    """A trace of some steps: 20 of the first epoch, after 20 steps; or the second half of a shorter epoch.

    Args:
        folder: TensorBoard's log directory.
        listener: Is told if the folder can no longer be written.
    """

    def __init__(self, folder: Path, listener: Reporter) -> None:
        super().__init__(folder, listener)
        self._seen = 0
        self._last: int | None = None
        self._running = False

    def step(self, progress: Progress) -> None:
        """Start or stop the trace after a step."""
        self._seen += 1
        if self._running and (self._seen == self._last or progress.step == progress.steps):
            self.close()
        elif self._last is None and self._seen >= min(TRACE_FROM, max(progress.steps // 2, 1)):
            self._last = self._seen + TRACE_STEPS
            with self._writing():
                tf.profiler.experimental.start(str(self._folder))
                self._running = True

    def _finish(self) -> None:
        if self._running:
            self._running = False
            tf.profiler.experimental.stop()
