"""Interrupts from the keyboard during a search: they are counted, and raised nowhere."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterable
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from types import FrameType
from typing import Any


class Interrupts:
    """Counts interrupts in its block, and waits for them. Outside the main thread, there are none.

    Attributes:
        count: Their number.
        told: Whether the first one was passed on.
    """

    def __init__(self) -> None:
        self.count = 0
        self.told = False
        self._reader, self._writer = Pipe(duplex=False)
        self._usual: Any = None

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            self._usual = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        if self._usual is not None:
            signal.signal(signal.SIGINT, self._usual)
        self._reader.close()
        self._writer.close()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        self._writer.send(None)

    def wait(self, connections: Iterable[Connection[Any, Any]]) -> list[Any]:
        """The connections that have something to read, which is none after an interrupt."""
        ready = wait([*connections, self._reader])
        if self._reader in ready:
            self._reader.recv()
        return ready
