"""Interrupts from the keyboard during training: the first one lets the step finish, a second one ends the program."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from polytag import terminal

_SHOW_CURSOR = "\x1b[?25h"  # progress bars hide it


@contextmanager
def finishing_the_step(on_interrupt: Callable[[], None] | None = None) -> Iterator[Callable[[], bool]]:
    """Note the first interrupt instead of raising it. A second one ends the command `polytag` at once.

    In other programs, a second one is raised as usual. Outside the main thread, interrupts are not received at all.

    Args:
        on_interrupt: Called at the first interrupt, in another thread: Python runs handlers of signals only between
            operations, and a step of a large network takes seconds.

    Yields:
        A function that says whether there was an interrupt.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    noted: list[int] = []
    usual = signal.getsignal(signal.SIGINT)

    def note(number: int, _: object) -> None:
        noted.append(number)
        signal.signal(signal.SIGINT, usual)

    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    watcher = threading.Thread(target=_watch, args=(ours, on_interrupt), daemon=True)
    before = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGINT, note)
    watcher.start()
    try:
        yield lambda: bool(noted)
    finally:
        signal.signal(signal.SIGINT, usual)
        signal.set_wakeup_fd(before)
        theirs.close()
        watcher.join()
        ours.close()


def _watch(signals: socket.socket, on_interrupt: Callable[[], None] | None) -> None:
    """Receive the numbers of signals as they arrive, until the other end is closed."""
    interrupts = 0
    while received := signals.recv(1):
        interrupts += received[0] == signal.SIGINT
        if received[0] != signal.SIGINT:
            continue
        if interrupts == 1 and on_interrupt:
            on_interrupt()
        if interrupts == 2 and terminal.is_program:
            cursor = _SHOW_CURSOR if sys.stderr.isatty() else ""
            os.write(sys.stderr.fileno(), f"{cursor}polytag: Interrupted.\n".encode())
            os._exit(128 + signal.SIGINT)
