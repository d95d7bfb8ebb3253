"""Show the progress of a run: a progress bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, TextIO

from polytag.plugin.reporter import Epoch, Progress, Reporter
from polytag.terminal import console, visible, wrapped

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

_PLAIN_INTERVAL = 30.0  # seconds between lines without a terminal


class ReporterGroup(Reporter):
    """Passes every call to several reporters.

    Args:
        reporters: The reporters.
    """

    def __init__(self, reporters: Sequence[Reporter]) -> None:
        self._reporters = reporters

    def message(self, text: str) -> None:
        """Pass it to all reporters."""
        for reporter in self._reporters:
            reporter.message(text)

    def status(self, text: str) -> None:
        """Pass it to all reporters."""
        for reporter in self._reporters:
            reporter.status(text)

    def step(self, progress: Progress) -> None:
        """Pass it to all reporters."""
        for reporter in self._reporters:
            reporter.step(progress)

    def epoch(self, epoch: Epoch) -> None:
        """Pass it to all reporters."""
        for reporter in self._reporters:
            reporter.epoch(epoch)

    def close(self) -> None:
        """Close all reporters, even if one of them raises."""
        with ExitStack() as stack:
            for reporter in reversed(self._reporters):
                stack.callback(reporter.close)


class ConsoleReporter(Reporter):
    """Writes to stderr; stdout is for results."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
        from rich.progress import Progress as Bar

        # TensorFlow's own lines are kept from stderr while it is imported: the status needs another way there.
        self._own: TextIO | None = os.fdopen(os.dup(2), "w") if _stderr_is_terminal() else None
        self._console: Console = console(self._own or sys.stderr, soft_wrap=True)
        self._bar = Bar(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[state]}"),
            console=self._console,
            transient=True,
        )
        self._status: Status | None = None
        self._announced: set[str] = set()
        self._current = 0
        self._spoken = time.monotonic()

    def message(self, text: str) -> None:
        """Print a line."""
        self._end_status()
        line = visible(text)
        self._console.print(wrapped(line, self._console.width) if self._console.is_terminal else line, markup=False)

    def status(self, text: str) -> None:
        """Show it on a terminal until there is something else to show; elsewhere, print it the first time."""
        from rich.text import Text

        self._end_status()
        if not text:
            return
        if self._console.is_terminal:
            self._status = self._console.status(Text(f"{visible(text)} …"))
            self._status.start()
        elif text not in self._announced:
            self._announced.add(text)
            self.message(f"{text} …")

    def step(self, progress: Progress) -> None:
        """Advance the bar, or print a line every 30 seconds."""
        if not self._console.is_terminal:
            if time.monotonic() - self._spoken > _PLAIN_INTERVAL:
                self._spoken = time.monotonic()
                place = f"epoch {progress.epoch}  step {progress.step}/{progress.steps}"
                self.message(f"{place}  {progress_text(progress)}")
            return
        self._end_status()
        if progress.epoch != self._current:
            self._clear()
            self._current = progress.epoch
            self._bar.start()
            self._bar.add_task("", total=progress.steps, epoch=progress.epoch, state="")
        self._bar.update(self._bar.task_ids[0], completed=progress.step, state=progress_text(progress))

    def epoch(self, epoch: Epoch) -> None:
        """Print the scores of an epoch."""
        self._end_status()
        self._clear()
        self._spoken = time.monotonic()
        scores = "  ".join(f"{name} {value:.4f}" for name, value in epoch.scores.items())
        self.message(
            f"epoch {epoch.number}  loss {epoch.loss:.4f}  {scores}  {epoch.seconds:.1f} s  "
            f"{epoch.units_per_second:,.0f} {epoch.unit}s/s{'  best so far' if epoch.best else ''}"
        )

    def close(self) -> None:
        """Remove the status and the bar."""
        self._end_status()
        self._clear()
        if self._own:
            self._own.close()

    def _end_status(self) -> None:
        if self._status:
            self._status.stop()
            self._status = None

    def _clear(self) -> None:
        if not self._bar.live.is_started:  # stopping prints an empty line without a terminal
            return
        self._bar.stop()
        for task in list(self._bar.task_ids):
            self._bar.remove_task(task)


def _stderr_is_terminal() -> bool:
    try:
        return sys.stderr.isatty() and sys.stderr.fileno() == 2
    except OSError:  # a stream that is no file
        return False


def progress_text(progress: Progress) -> str:
    """The loss, the learning rate, the speed, and the time left."""
    left = timedelta(seconds=round(progress.seconds_left))
    return (
        f"loss {progress.loss:.4f}  lr {progress.learning_rate:.1e}  "
        f"{progress.units_per_second:,.0f} {progress.unit}s/s  {left} left"
    )


def default_reporter() -> Reporter:
    """The reporter of a run for which none is given: in a notebook, or on stderr."""
    if console().is_jupyter:
        from polytag.training.notebook import NotebookReporter

        return NotebookReporter()
    return ConsoleReporter()
