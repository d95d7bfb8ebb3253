"""Run the shards of a data lake: in this process, or in several that replace each other when one is killed."""

from __future__ import annotations

import os
import signal
import traceback
import warnings
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Any, Protocol

from polytag import terminal
from polytag.errors import PolytagError, RuntimeHint
from polytag.prediction.shard_work import LakeJob, ShardDone, tag_shard
from polytag.prediction.shards import Shard

MOST_DEATHS = 10
"""Deaths of workers in a row, with no shard done in between: then a shard needs more memory than there is."""

_END = 5.0
"""Seconds in which a process must end that has nothing more to say."""

_ROWS, _DONE, _WRONG, _DEFECT = "rows", "done", "wrong", "defect"


class Listener(Protocol):
    """Hears how far the shards are."""

    def on_rows(self, rows: int) -> None:
        """Called with a number of rows that are done; negative if their worker died and they are done again."""

    def on_done(self, done: ShardDone) -> None:
        """Called when a shard is done."""


Run = Callable[[LakeJob, Sequence[Shard], Listener], None]
"""Tags all shards.

Raises:
    PolytagError: A shard cannot be tagged; others may be done.
"""


def run_here(job: LakeJob, shards: Sequence[Shard], listener: Listener) -> None:
    """Tag the shards in this process."""
    tagger = job.load()
    for shard in shards:
        listener.on_done(tag_shard(tagger, shard, job, listener.on_rows))


def run_processes(job: LakeJob, shards: Sequence[Shard], listener: Listener, workers: int) -> None:
    """Tag the shards in spawned processes.

    Args:
        job: What to do.
        shards: The shards.
        listener: Hears how far they are.
        workers: Number of processes. The cores are divided among them.
    """
    pool = _Pool(job, shards, listener, min(workers, len(shards)))
    try:
        for number in range(pool.size):
            pool.start(number)
        while pool.workers:
            pool.hear()
    finally:
        for worker in pool.workers:
            worker.process.kill()
        for worker in pool.workers:
            worker.process.join()


class _Worker:
    """A process, the shard that it tags, and the rows of it that are done."""

    def __init__(self, job: LakeJob, number: int, cores: Sequence[int]) -> None:
        self.number = number
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(theirs, job, cores), daemon=True)
        self.process.start()
        theirs.close()  # so that its end is noticed
        self.shard: Shard | None = None
        self.rows = 0


class _Pool:
    def __init__(self, job: LakeJob, shards: Sequence[Shard], listener: Listener, size: int) -> None:
        self._job, self._listener, self.size = job, listener, size
        self._left = deque(shards)
        self._deaths = 0
        self.workers: list[_Worker] = []
        self._cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []

    def start(self, number: int) -> None:
        # Each library takes a thread per core that it may use.
        cores = self._cores[number % len(self._cores) :: self.size] if self._cores else ()
        self.workers.append(_Worker(self._job, number, cores))
        self._give(self.workers[-1])

    def _give(self, worker: _Worker) -> None:
        worker.shard, worker.rows = (self._left.popleft() if self._left else None), 0
        with suppress(OSError):  # it has died, which is noticed when it is heard
            worker.connection.send(worker.shard)

    def hear(self) -> None:
        """Wait for any worker, and do what follows from what it says."""
        of = {worker.connection: worker for worker in self.workers}
        for connection in wait(list(of)):
            assert isinstance(connection, Connection)
            worker = of[connection]
            try:
                kind, value = connection.recv()
            except (EOFError, OSError):
                self._bury(worker)
                continue
            if kind == _ROWS:
                worker.rows += value
                self._listener.on_rows(value)
            elif kind == _DONE:
                self._deaths = 0
                self._listener.on_done(value)
                self._give(worker)
            elif kind == _WRONG:
                raise value
            else:
                raise RuntimeError(f"A worker failed:\n{value}")

    def _bury(self, worker: _Worker) -> None:
        """Replace a worker that has died, unless it was told to end."""
        worker.process.join(_END)
        worker.process.kill()  # one that hangs at its end
        worker.process.join()
        worker.connection.close()
        self.workers.remove(worker)
        if worker.shard is None:
            return
        self._listener.on_rows(-worker.rows)
        self._deaths += 1
        if self._deaths >= MOST_DEATHS:
            raise PolytagError(
                f"{MOST_DEATHS} workers died in a row, the last one (exit status {worker.process.exitcode}) while it "
                f"tagged {worker.shard.file!r}. The machine may have too little memory: give fewer --workers. What is "
                "done stays, and the same command continues."
            )
        self._left.appendleft(worker.shard)
        self.start(worker.number)


def _work(connection: Connection, job: LakeJob, cores: Sequence[int]) -> None:
    """The program of a worker: tag shards until there are no more, or the parent has died."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends the workers
    terminal.is_program = True
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)
    warnings.simplefilter("ignore", RuntimeHint)

    def on_rows(rows: int) -> None:
        connection.send((_ROWS, rows))

    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        tagger: Any = None
        while (shard := connection.recv()) is not None:
            try:
                tagger = tagger or job.load()
                answer: tuple[str, Any] = (_DONE, tag_shard(tagger, shard, job, on_rows))
            except (BrokenPipeError, ConnectionResetError):
                return
            except PolytagError as error:
                answer = (_WRONG, error)
            except BaseException:
                answer = (_DEFECT, traceback.format_exc())
            connection.send(answer)
