"""Show the progress of a run in a notebook: messages, a table of epochs, and a progress bar, in one output."""

from __future__ import annotations

import time
from typing import Any

from polytag.plugin.reporter import Epoch, Progress, Reporter
from polytag.terminal import html_text
from polytag.training.history import epochs_html
from polytag.training.progress import progress_text

_INTERVAL = 0.2
"""Seconds between two updates; each one is a message to the browser."""


class NotebookReporter(Reporter):
    """Writes one output of a cell, and updates it."""

    def __init__(self) -> None:
        self._messages: list[str] = []
        self._epochs: list[Epoch] = []
        self._bar = ""
        self._handle: Any = None
        self._shown = 0.0

    def message(self, text: str) -> None:
        """Add a line."""
        self._messages.append(text)
        self._update()

    def status(self, text: str) -> None:
        """Show it in the place of the bar."""
        self._bar = html_text(f"{text} …" if text else "")
        self._update()

    def step(self, progress: Progress) -> None:
        """Advance the bar."""
        bar = f'<progress value="{progress.step}" max="{progress.steps}"></progress>'
        line = f"epoch {progress.epoch}  {progress.step}/{progress.steps}  {progress_text(progress)}"
        self._bar = bar + html_text(line)
        if time.monotonic() - self._shown > _INTERVAL:
            self._update()

    def epoch(self, epoch: Epoch) -> None:
        """Add a row to the table."""
        self._epochs.append(epoch)
        self._bar = ""
        self._update()

    def close(self) -> None:
        """Remove the bar."""
        self._bar = ""
        self._update()

    def _update(self) -> None:
        from IPython.display import HTML, display

        self._shown = time.monotonic()
        table = epochs_html(self._epochs) if self._epochs else ""
        content = HTML("".join(map(html_text, self._messages)) + table + self._bar)
        if self._handle is None:
            self._handle = display(content, display_id=True)
        else:
            self._handle.update(content)
