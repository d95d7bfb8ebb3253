"""The workers of a run: told by TF_CONFIG, or started on this machine, and waited for before TensorFlow starts."""

from __future__ import annotations

import errno
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polytag.errors import PolytagError, shorten

VARIABLE = "TF_CONFIG"
WAIT = 600.0
"""Seconds in which all workers must have started."""
_SHARING = "POLYTAG_WORKERS_SHARING_THE_GPUS"
"""The variable that tells a worker how many workers share the GPUs of its machine."""
_ADDRESS = re.compile(r"(\[[0-9a-fA-F:]+\]|[^:\s]+):([0-9]{1,5})")
_EXAMPLE = (
    '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": {"type": "worker", "index": 0}}, with another index '
    "for each worker"
)


@dataclass(frozen=True, slots=True)
class Cluster:
    """The workers of a run.

    Attributes:
        addresses: `host:port` of each worker, the chief first.
        worker: The number of this process among them.
        sharing: Number of workers that share the GPUs of this machine.
    """

    addresses: tuple[str, ...]
    worker: int
    sharing: int = 1

    @property
    def is_chief(self) -> bool:
        """Whether this process evaluates and writes."""
        return self.worker == 0

    def check_number(self, workers: int) -> None:
        """Check the number of workers that a run asks for, 1 for none.

        Raises:
            PolytagError: The cluster has another number.
        """
        if workers not in (1, len(self.addresses)):
            raise PolytagError(
                f"--workers is {workers}, and the cluster in {VARIABLE} has {len(self.addresses)} workers. Leave out "
                f"--workers, or unset {VARIABLE} to start them on this machine."
            )

    def config_of(self, worker: int) -> str:
        """The value of TF_CONFIG for a worker."""
        return json.dumps({"cluster": {"worker": list(self.addresses)}, "task": {"type": "worker", "index": worker}})


def cluster_of_environment(environment: Mapping[str, str] = os.environ) -> Cluster | None:
    """The cluster in TF_CONFIG; None without one, or if it has a single worker.

    Raises:
        PolytagError: TF_CONFIG is invalid.
    """
    text = environment.get(VARIABLE, "").strip()
    if not text:
        return None
    try:
        given = json.loads(text)
    except ValueError as error:
        raise _invalid(f"is not JSON ({error})") from error
    jobs = given.get("cluster") if isinstance(given, dict) else None
    if not isinstance(jobs, dict) or not jobs:
        raise _invalid("has no 'cluster'")
    if unknown := sorted(set(jobs) - {"chief", "worker"}):
        raise _invalid(f"has the job {shorten(repr(unknown[0]))}, and a run has only a chief and workers")
    places = [(job, index) for job in ("chief", "worker") for index in range(_size(jobs.get(job, []), job))]
    addresses = tuple(jobs[job][index] for job, index in places)
    if len(set(addresses)) < len(addresses):
        raise _invalid("has the same address twice")
    task = given.get("task")
    own = (task.get("type"), task.get("index")) if isinstance(task, dict) else (None, None)
    if own not in places or isinstance(own[1], bool):
        raise _invalid(f"has the task {shorten(repr(task))}, which is none of its cluster's")
    sharing = int(environment.get(_SHARING, "1"))
    return Cluster(addresses, places.index(own), sharing) if len(addresses) > 1 else None


def _size(addresses: Any, job: str) -> int:
    if not isinstance(addresses, list):
        raise _invalid(f"has no list of addresses for the job {job!r}")
    for address in addresses:
        found = _ADDRESS.fullmatch(address) if isinstance(address, str) else None
        if not found or not 0 < int(found[2]) < 65536:
            raise _invalid(f"has the address {shorten(repr(address))}, which is not of the form host:port")
    return len(addresses)


def _invalid(why: str) -> PolytagError:
    return PolytagError(f"The variable {VARIABLE} {why}. It must be of the form {_EXAMPLE}. To train alone, unset it.")


def wait_for_workers(cluster: Cluster, failed: Callable[[], str] = lambda: "", wait: float | None = None) -> None:
    """Wait until all workers have started.

    A worker listens at its address until the chief has seen it, and the chief's TensorFlow answers; TensorFlow itself
    would wait for an hour, and not say for whom.

    Args:
        cluster: The workers.
        failed: Says which worker has ended with an error, as far as it is known.
        wait: Seconds to wait.

    Raises:
        PolytagError: The port of this worker is in use, or another worker does not answer in time.
    """
    wait = WAIT if wait is None else wait
    deadline = time.monotonic() + wait
    with closing(_listening(cluster.addresses[cluster.worker])) as own:
        if cluster.is_chief:
            own.close()  # so that its port answers only when TensorFlow has started
        waited_for = cluster.addresses[1:] if cluster.is_chief else cluster.addresses[:1]
        for address in waited_for:
            while not _answers(address):
                if why := failed():
                    raise PolytagError(why)
                if time.monotonic() > deadline:
                    who = "The worker" if cluster.is_chief else "The chief"
                    raise PolytagError(
                        f"{who} at {address} has not answered for {wait:.0f} seconds. Check that it is running, that "
                        f"its {VARIABLE} has the same cluster, and that the network lets this machine reach its port."
                    )
                time.sleep(0.1)


def _listening(address: str) -> socket.socket:
    port = int(address.rpartition(":")[2])
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("", port))
        listener.listen(64)
    except OSError as error:
        listener.close()
        why = "is in use by another program" if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
        raise PolytagError(
            f"The port {port} of this worker ({address}) {why}. End what uses it, or choose another port in {VARIABLE}."
        ) from error
    return listener


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=2).close()
    except OSError:
        return False
    return True


@contextmanager
def local_workers(number: int, config: str) -> Iterator[tuple[Cluster, Callable[[], str]]]:
    """Start all workers but the chief, which is this process, on this machine, and end them with the block.

    Args:
        number: Number of workers, the chief included.
        config: The configuration of the run, as JSON.

    Yields:
        The cluster, and a function that says which worker has ended, and why.
    """
    cluster = Cluster(tuple(f"127.0.0.1:{port}" for port in free_ports(number)), 0, number)
    started: list[subprocess.Popen[str]] = []
    with tempfile.TemporaryDirectory() as logs:
        try:
            for worker in range(1, number):
                surroundings = {**os.environ, VARIABLE: cluster.config_of(worker), _SHARING: str(number)}
                surroundings["PYTHONPATH"] = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
                with Path(logs, str(worker)).open("w", encoding="utf-8") as log:
                    process = subprocess.Popen(
                        [sys.executable, "-m", "polytag.runner"],
                        env=surroundings,
                        stdin=subprocess.PIPE,
                        stdout=log,
                        stderr=log,
                        text=True,
                        start_new_session=True,  # Ctrl-C is for the chief
                    )
                started.append(process)
                assert process.stdin
                with suppress(BrokenPipeError):  # it has ended, which is noticed when it is waited for
                    process.stdin.write(f"{config}\n")
                    process.stdin.flush()  # and stays open: its end tells the worker that the chief has died
            yield cluster, lambda: _failure(started, logs)
        finally:
            for process in started:
                process.kill()  # at its end, TensorFlow would wait for the end of the chief; a SIGTERM it only notes
                process.wait()
                assert process.stdin
                with suppress(BrokenPipeError):
                    process.stdin.close()


def config_from_chief() -> str:
    """The configuration that a worker of `local_workers` gets on standard input; the worker ends when its chief does.

    A chief that is killed cannot end its workers. TensorFlow would let them wait for it, for minutes.
    """
    stdin = sys.stdin.buffer
    config = stdin.readline().decode("utf-8")

    def watch() -> None:
        stdin.read()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    return config


def _failure(started: Sequence[subprocess.Popen[str]], logs: str) -> str:
    """Which worker has ended with an error; empty if there is none."""
    for worker, process in enumerate(started, 1):
        status = process.poll()
        if status is not None and status < 0:
            return f"Worker {worker} was killed by signal {-status}."
        if status:
            said = Path(logs, str(worker)).read_text(encoding="utf-8", errors="replace").split("\n")
            last = [line for line in said if line.strip()][-1:]
            return f"Worker {worker} ended with status {status}: {shorten(''.join(last), 300)}"
    return ""


def free_ports(number: int) -> list[int]:
    """Ports of this machine that no program uses.

    Raises:
        PolytagError: There are not so many.
    """
    sockets: list[socket.socket] = []
    try:
        for _ in range(number):
            sockets.append(socket.socket())
            sockets[-1].bind(("127.0.0.1", 0))
    except OSError as error:
        for one in sockets:
            one.close()
        raise PolytagError(
            f"This machine has no ports for {number:,} workers: {error.strerror}. Lower --workers."
        ) from error
    try:
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
