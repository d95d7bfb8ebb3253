"""The events of a search, and how they are shown."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from polytag.searching.results import shown

Listener = Callable[[Mapping[str, Any]], None]
"""Called with each event of a search.

An event is plain data, and its `event` is `begin` (of a trial), `epoch`, `end` (of a trial), `repeat`, `interrupt` or
`search` (the result).
"""


@contextmanager
def default_listener(listener: Listener | None, quiet: bool) -> Iterator[Listener]:
    """The listener of a search: the user's own, lines on stderr, or both."""
    if quiet:
        yield listener or (lambda event: None)
        return
    from polytag.training.progress import ConsoleReporter

    reporter = ConsoleReporter()
    is_terminal = sys.stderr.isatty()

    def listen(event: Mapping[str, Any]) -> None:
        if listener:
            listener(event)
        if line := line_of(event):
            reporter.message(line)
        if is_terminal and (now := _status(event)):
            reporter.status(now)

    try:
        yield listen
    finally:
        reporter.close()


def line_of(event: Mapping[str, Any]) -> str:
    """The line about an event; empty if it has none."""
    match event["event"]:
        case "end":
            options = "  ".join(f"{name} {shown(value)}" for name, value in event["options"].items())
            return f"trial {event['number']}  {options}  {_outcome(event)}"
        case "repeat":
            return f"trial {event['trial']}  seed {event['seed']}  score {event['score']:.4f}"
        case "interrupt":
            return (
                "Interrupted: running trials finish their step and save a checkpoint, with which they can be resumed. "
                "Press Ctrl-C again to stop at once."
            )
    return ""


def _outcome(event: Mapping[str, Any]) -> str:
    if event["state"] == "failed":
        return f"failed: {event['error']}"
    best = "  best so far" if event["best"] == event["number"] else ""
    if event["state"] == "pruned":
        return f"stopped early after epoch {max(map(int, event['epochs']), default=0)}  {event['seconds']:.1f} s"
    return f"score {event['score']:.4f}  {event['seconds']:.1f} s{best}"


def _status(event: Mapping[str, Any]) -> str:
    match event["event"]:
        case "begin":
            return f"Trial {event['trial']}"
        case "epoch":
            return f"Trial {event['trial']}: epoch {event['epoch']}, score {event['score']:.4f}"
    return ""
