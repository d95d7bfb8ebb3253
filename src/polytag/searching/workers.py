"""The processes of a search: each does one run, reports its epochs, and ends with the process that started it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal, NamedTuple

from polytag import terminal
from polytag.errors import InterruptedRunError, PolytagError, message_of
from polytag.training.config import RunConfig

Report = Callable[[int, float, float], None]
"""Called with the number of an epoch, its score, and its seconds; raises `PrunedError` to stop the run."""

Job = Callable[[RunConfig, Report], Any]
"""What a process does: a function of a module, from the configuration of a run to its result."""

_END = 5.0
"""Seconds in which a process must end that has nothing more to say."""


class PrunedError(Exception):
    """The run has to stop: it is worse than others."""


class DefectError(Exception):
    """A run ended with an error that is no input error; the message says which."""


class Message(NamedTuple):
    """A message of a process: `value` is an epoch's number, score and seconds; the result; or the error."""

    kind: Literal["epoch", "result", "pruned", "error", "interrupted", "died"]
    value: Any = None


class Worker:
    """A process that does a job.

    Args:
        job: The job.
        config: The configuration of the run.
    """

    def __init__(self, job: Job, config: RunConfig) -> None:
        context = get_context("spawn")  # TensorFlow hangs in forked processes
        self.connection, theirs = context.Pipe()
        control, self._control = context.Pipe(duplex=False)
        self._process = context.Process(target=_work, args=(theirs, control, Path.cwd(), job, config))
        with _ignoring_interrupts():  # inherited: an interrupt before `_work` would print a traceback
            self._process.start()
        theirs.close()
        control.close()

    def receive(self) -> Message:
        """The next message."""
        try:
            message: Message = self.connection.recv()
        except (EOFError, OSError):
            self._process.join(_END)
            self._process.kill()  # one that hangs at its end
            self._process.join()
            return Message("died", self._process.exitcode)
        return message

    def answer(self, stop: bool) -> None:
        """Tell the run, which waits for it after each epoch, whether to stop."""
        with suppress(OSError):  # it was killed
            self.connection.send(stop)

    def interrupt(self) -> None:
        """Interrupt the run as from the keyboard: it finishes its step and writes a checkpoint."""
        with suppress(OSError):
            self._control.send(None)

    def close(self) -> None:
        """End the process, which has nothing more to say."""
        self._process.join(_END)
        self.kill()

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.join()
        self.connection.close()
        self._control.close()


@contextmanager
def _ignoring_interrupts() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    usual = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)


def _work(
    connection: Connection[Any, Any], control: Connection[Any, Any], folder: Path, job: Job, config: RunConfig
) -> None:
    """The program of a process."""
    os.chdir(folder)  # it starts where its parent started, which may have changed to another folder since
    terminal.is_program = True
    os.setpgrp()  # Ctrl-C reaches the parent alone, which passes it on
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=_obey, args=(control,), daemon=True).start()
    with suppress(KeyboardInterrupt):  # one that comes while the result is sent
        do_job(connection, job, config)


def do_job(connection: Connection[Any, Any], job: Job, config: RunConfig) -> None:
    """Do a job, and say what comes of it.

    Args:
        connection: The other end of a worker's connection.
        job: The job.
        config: The configuration of the run.
    """
    from filelock import FileLock

    def report(number: int, score: float, seconds: float) -> None:
        connection.send(Message("epoch", (number, score, seconds)))
        if connection.recv():
            raise PrunedError

    try:
        config.output.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(config.output.with_name(f".{config.output.name}.lock"))
        with lock:  # the process of a killed search may not have ended yet
            try:
                message = Message("result", job(config, report))
            finally:
                with suppress(OSError):
                    Path(lock.lock_file).unlink()
    except PrunedError:
        message = Message("pruned")
    except (KeyboardInterrupt, InterruptedRunError):
        message = Message("interrupted")
    except PolytagError as error:
        message = Message("error", error)
    except Exception as error:
        message = Message("error", DefectError(f"{type(error).__name__}: {message_of(error)}"))
    with suppress(OSError):
        connection.send(message)


def _obey(control: Connection[Any, Any]) -> None:
    """Raise an interrupt when the parent asks for it; end the process when the parent has ended."""
    with suppress(EOFError, OSError):
        while True:
            control.recv()
            os.kill(os.getpid(), signal.SIGINT)
    os._exit(1)
