"""Lines that come while they are awaited: a pipe that stays open, a terminal."""

from __future__ import annotations

import os
import select
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO, TypeVar

from polytag.tagger.arguments import LOOK_AHEAD

_BLOCK = 1 << 16
_GRACE = 0.02
"""Seconds in which a program that writes without a pause writes again."""
_PATIENCE = 0.1
"""Seconds that one answer may be delayed in all."""
_PROMPT = "> "

T = TypeVar("T")
Waits = Callable[[], bool]


class IncomingLines:
    """The lines of a pipe or a terminal, as bytes with their ends. A terminal shows a prompt before each.

    Args:
        descriptor: Number of the open file.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lines: deque[bytes] = deque()
        self._begun: list[bytes] = []
        self._ended = False
        self._waited = 0.0
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)
        self._prompts = os.isatty(descriptor) and sys.stderr.isatty()

    def __iter__(self) -> Iterator[bytes]:
        if self._prompts:
            print("Ctrl-D ends the input.", file=sys.stderr)
        while self._filled():
            yield self._lines.popleft()

    def waits(self, grace: float | None = None) -> bool:
        """Whether the next line has yet to arrive; False at the end of the input.

        Args:
            grace: Seconds in which it may still come; by default a moment, which a fast program needs to write again.
        """
        began = time.monotonic()
        allowed = _GRACE if grace is None else grace
        while not self._lines and not self._ended:
            left = allowed - (time.monotonic() - began)
            if grace is None and self._waited > _PATIENCE:
                left = 0
            if not self._poll.poll(max(0, left) * 1000):
                self._waited = 0.0
                return True
            self._read()
        self._waited += time.monotonic() - began
        return False

    def _filled(self) -> bool:
        while not self._lines and not self._ended:
            if self._prompts and not self._begun and not self._poll.poll(0):
                print(_PROMPT, end="", file=sys.stderr, flush=True)
            self._read()
        return bool(self._lines)

    def _read(self) -> None:
        block = os.read(self._descriptor, _BLOCK)
        *whole, rest = block.split(b"\n")
        if whole:
            self._lines.append(b"".join((*self._begun, whole[0], b"\n")))
            self._lines.extend(line + b"\n" for line in whole[1:])
            self._begun = []
        if rest:
            self._begun.append(rest)
        if not block:
            self._ended = True
            if self._begun:
                self._lines.append(b"".join(self._begun))


def incoming(source: IO[bytes]) -> IncomingLines | None:
    """The lines of a stream when they arrive; None for one that is not a file of the operating system."""
    try:
        return IncomingLines(source.fileno())
    except (AttributeError, OSError):  # such as `io.BytesIO`; on Windows, which has no `poll`, any
        return None


def never() -> bool:
    """Whether a file on disk has to be waited for."""
    return False


def bursts(
    items: Iterable[T], waits: Waits = never, document: Callable[[T], object] | None = None, size: int = LOOK_AHEAD
) -> Iterator[Sequence[T]]:
    """The items that have arrived, at most `size`, at a time, so that none waits for the next one.

    Args:
        items: The items, which are read one at a time.
        waits: Whether the next one has yet to arrive.
        document: The document of an item. A document whose end is not known is kept back, unless it has `size` items.
        size: Number of items that are enough.
    """
    ready: list[T] = []
    for item in items:
        ready.append(item)
        if len(ready) == size or waits():
            kept = len(ready)
            if document:
                last = document(ready[-1])
                kept = next((at for at in range(len(ready), 0, -1) if document(ready[at - 1]) != last), 0)
                kept = len(ready) if kept == 0 and len(ready) == size else kept
            if kept:
                yield ready[:kept]
                ready = ready[kept:]
    if ready:
        yield ready
