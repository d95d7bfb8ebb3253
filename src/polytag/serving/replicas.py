"""Several processes behind one socket: started, watched, replaced when they die, and stopped together."""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from socket import socket
from threading import Thread
from typing import Any

from prometheus_client.multiprocess import mark_process_dead

from polytag import terminal
from polytag.errors import InterruptedRunError, PolytagError, message_of
from polytag.serving.log import LOG, configure_log
from polytag.serving.metrics import SHARED

_STOPPING = (signal.SIGTERM, signal.SIGINT)
_SIGNALS = (*_STOPPING, signal.SIGHUP)
_LOADED = ""
"""What a replica tells when it has its taggers; anything else is why it has not."""

_PAUSES = (1.0, 2.0, 5.0, 15.0, 30.0)
"""Seconds before a replica is replaced that could not load its taggers; the last one for all further failures."""

_MARGIN = 0.5
"""Seconds after the grace time in which replicas end by themselves."""


@dataclass(frozen=True)
class Plan:
    """The taggers and options of a replica.

    Attributes:
        taggers: As in `serve`.
        grace: Seconds after SIGTERM in which accepted requests are finished.
        options: As in `create_app`.
    """

    taggers: tuple[str, ...]
    grace: float
    options: Mapping[str, Any]


@dataclass
class _Replica:
    process: SpawnProcess
    messages: Connection
    is_loaded: bool = False
    problem: str = ""


def run_replicas(plan: Plan, listening: socket, number: int) -> None:
    """Run replicas until the process is told to stop.

    A replica that dies is replaced. One that cannot load its taggers is replaced as long as others serve or start:
    their folder may be damaged since they were loaded. So is one that is killed while it loads, if any has served.

    Args:
        plan: What each replica serves.
        listening: The socket that they share.
        number: Number of replicas.

    Raises:
        PolytagError: No replica can load its taggers, or not all ended in time.
        InterruptedRunError: The process was stopped from the keyboard.
    """
    with _shared_figures(), _noted_signals() as (signals, woken):
        supervisor = _Supervisor(plan, listening)
        try:
            for _ in range(number):
                supervisor.start(at_once=True)
            while not any(sig in _STOPPING for sig in signals):
                supervisor.watch(woken, signals)
        except BaseException:
            supervisor.kill()
            raise
        interrupted = signal.SIGINT in signals
        signals.clear()
        in_time = supervisor.stop(woken, signals)
    if not in_time and not signals:
        raise PolytagError(f"Replicas did not end within the {plan.grace:g} seconds of --grace, and were killed.")
    if interrupted:
        raise InterruptedRunError("Interrupted.")


@dataclass
class _Supervisor:
    plan: Plan
    listening: socket
    replicas: list[_Replica] = field(default_factory=list)
    missing: list[float] = field(default_factory=list)
    """Times at which replicas must be started."""
    failures: int = 0
    has_served: bool = False

    def start(self, at_once: bool) -> None:
        """Start a replica; `at_once`: it listens before it has its taggers."""
        ours, theirs = multiprocessing.Pipe(duplex=False)
        context = multiprocessing.get_context("spawn")
        process = context.Process(
            target=_serve, args=(self.plan, self.listening, theirs, at_once), name="polytag-replica"
        )
        # The replica starts with these signals blocked, so that none can end it before it has its handlers.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()
        self.replicas.append(_Replica(process, ours))

    def watch(self, woken: int, signals: list[int]) -> None:
        """Wait until something happens, and do what it takes.

        Raises:
            PolytagError: No replica can load its taggers.
        """
        soonest = min(self.missing, default=None)
        timeout = None if soonest is None else max(0.0, soonest - time.monotonic())
        open_ends = [replica.messages for replica in self.replicas if not replica.messages.closed]
        happened = wait([woken, *open_ends, *(replica.process.sentinel for replica in self.replicas)], timeout)
        if woken in happened:
            _read(woken)
        while signal.SIGHUP in signals:
            signals.remove(signal.SIGHUP)
            self._send(signal.SIGHUP)
        for replica in self.replicas:
            if replica.messages in happened:
                self._listen(replica)
        for replica in [replica for replica in self.replicas if replica.process.sentinel in happened]:
            self._bury(replica)
        due = [when for when in self.missing if when <= time.monotonic()]
        for when in due:
            self.missing.remove(when)
            self.start(at_once=False)

    def stop(self, woken: int, signals: list[int]) -> bool:
        """Let the replicas finish what they accepted; at a further signal, or when the time is over, kill them.

        Returns:
            Whether all ended by themselves.
        """
        self.listening.close()  # once the replicas take no more connections, nobody does
        self._send(signal.SIGTERM)
        until = time.monotonic() + self.plan.grace + _MARGIN
        running = [replica.process for replica in self.replicas]
        while running and not any(sig in _STOPPING for sig in signals) and (left := until - time.monotonic()) > 0:
            if woken in wait([woken, *(process.sentinel for process in running)], left):
                _read(woken)
            running = [process for process in running if process.exitcode is None]
        self.kill()
        # A replica that was still loading its taggers ended at the signal.
        return all(replica.process.exitcode in (0, -signal.SIGTERM) for replica in self.replicas)

    def kill(self) -> None:
        """End all replicas now."""
        for replica in self.replicas:
            replica.process.kill()
        for replica in self.replicas:
            replica.process.join()

    def _send(self, sig: signal.Signals) -> None:
        for replica in self.replicas:
            with suppress(ProcessLookupError):
                os.kill(replica.process.pid or 0, sig)

    def _listen(self, replica: _Replica) -> None:
        try:
            replica.problem = replica.messages.recv()
        except EOFError:
            replica.messages.close()
            return
        replica.is_loaded = replica.problem == _LOADED
        if replica.is_loaded:
            self.failures, self.has_served = 0, True

    def _bury(self, replica: _Replica) -> None:
        while not replica.messages.closed:
            self._listen(replica)
        replica.process.join()
        self.replicas.remove(replica)
        mark_process_dead(replica.process.pid)  # type: ignore[no-untyped-call]
        status = replica.process.exitcode
        if replica.is_loaded:
            LOG.error("a replica ended with status %s and is replaced", status)
            self.missing.append(time.monotonic())
            return
        problem = replica.problem or (
            f"A replica ended with status {status} before its taggers were loaded. Check that the memory is "
            "enough for all of them."
        )
        if not self.has_served or (replica.problem and not self._has_others()):
            raise PolytagError(problem)
        pause = _PAUSES[min(self.failures, len(_PAUSES) - 1)]
        self.failures += 1
        LOG.error("a replica cannot start, and is tried again in %g seconds: %s", pause, problem)
        self.missing.append(time.monotonic() + pause)

    def _has_others(self) -> bool:
        """Whether a replica runs, or takes the place of one that served."""
        return bool(self.replicas) or any(when <= time.monotonic() for when in self.missing)


def _serve(plan: Plan, listening: socket, messages: Connection, at_once: bool) -> None:
    """The program of a replica."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)  # SIGHUP waits until the server listens to it
    Thread(target=_end_with_parent, daemon=True).start()
    terminal.is_program = True
    configure_log(messages=bool(plan.options.get("log_texts")))
    from polytag.serving.app import create_app
    from polytag.serving.server import run_app

    try:
        app = create_app(list(plan.taggers), **plan.options)
        app.state.on_ready = lambda: messages.send(_LOADED)
        if not at_once:  # others serve meanwhile
            for model in app.state.models.served.values():
                model.load()
        run_app(app, listening, plan.grace, supervised=True)
    except PolytagError as error:
        messages.send(message_of(error))
        raise SystemExit(2) from None


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def _shared_figures() -> Iterator[None]:
    """A folder in which replicas add up their figures."""
    before = os.environ.get(SHARED)
    with tempfile.TemporaryDirectory(prefix="polytag-metrics-") as folder:
        os.environ[SHARED] = folder
        try:
            yield
        finally:
            if before is None:
                del os.environ[SHARED]
            else:
                os.environ[SHARED] = before


@contextmanager
def _noted_signals() -> Iterator[tuple[list[int], int]]:
    """The signals that arrive in the block, and a file that can be read when one does."""
    noted: list[int] = []
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    usual = {sig: signal.signal(sig, lambda number, _: noted.append(number)) for sig in _SIGNALS}
    woken_before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    try:
        yield noted, reading
    finally:
        signal.set_wakeup_fd(woken_before)
        for sig, handler in usual.items():
            signal.signal(sig, handler)
        os.close(reading)
        os.close(writing)


def _read(woken: int) -> None:
    with suppress(BlockingIOError):
        os.read(woken, 512)
