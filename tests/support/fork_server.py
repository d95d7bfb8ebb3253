"""Processes that need not import TensorFlow: a server imports it, and each process is forked from there.

This file is also the server's program. It runs in any Python environment, and so needs the standard library alone.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, NoReturn

SLOW = (
    "polytag.cli.app",
    "polytag.runner",
    "polytag.engine.encoders.compact",
    "polytag.engine.encoders.pretrained",
    "polytag.engine.loop",
    "datasets",
)
"""What training a tagger imports; forked processes find it there."""

_LONGEST = 1 << 16
_LONGEST_RUN = 600.0
"""Seconds."""


class Process:
    """A process that the server has forked."""

    def __init__(self, status: IO[bytes]) -> None:
        self._status = status
        self._returncode: int | None = None
        self.pid = int(status.readline())

    def wait(self) -> int:
        """The exit status; the negative number of the signal that ended it.

        Raises:
            TimeoutError: It does not end; it is killed.
        """
        if self._returncode is None:
            if not select.select([self._status], [], [], _LONGEST_RUN)[0]:
                self.kill()
                raise TimeoutError
            self._returncode = int(self._status.readline())
            self._status.close()
        return self._returncode

    def send_signal(self, number: int) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """End it, if it has not ended; its number may be that of another process by then."""
        if self._returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)


class ForkServer:
    """Runs Python code in processes forked from one that has imported slow modules, and done nothing with them.

    Args:
        python: The Python that runs the code.
        modules: What is imported before.
        environment: Its environment variables.
    """

    def __init__(
        self,
        python: Path | str = sys.executable,
        modules: Sequence[str] = SLOW,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [str(python), __file__, str(theirs.fileno()), *modules]
        self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], env=environment)
        theirs.close()

    def close(self) -> None:
        """End the server."""
        self._channel.close()
        self._process.kill()
        self._process.wait()

    def start(
        self,
        code: str,
        *arguments: object,
        streams: Sequence[IO[str] | IO[bytes]],
        folder: Path | None = None,
        path: Sequence[Path] = (),
        environment: Mapping[str, str] | None = None,
    ) -> Process:
        """Run code in a process of its own.

        Args:
            code: The program.
            *arguments: What `sys.argv` holds, the name of the program first.
            streams: Its standard input, output and error.
            folder: Its current folder.
            path: What is put in front of `sys.path`.
            environment: Its environment variables; those of the server when not given.
        """
        job = {"code": code, "arguments": list(map(str, arguments)), "folder": str(folder or Path.cwd())}
        variables = None if environment is None else dict(environment)
        message = json.dumps({**job, "path": list(map(str, path)), "environment": variables}).encode()
        assert len(message) < _LONGEST
        ours, theirs = os.pipe()
        socket.send_fds(self._channel, [message], [theirs, *(stream.fileno() for stream in streams)])
        os.close(theirs)
        return Process(os.fdopen(ours, "rb", buffering=0))  # unbuffered, for `select`

    def run(
        self,
        code: str,
        *arguments: object,
        stdin: str = "",
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run code to its end; what it printed, and its exit status."""
        with ExitStack() as files:
            streams = [files.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8")) for _ in range(3)]
            streams[0].write(stdin)
            streams[0].seek(0)
            status = self.start(code, *arguments, streams=streams, folder=folder, environment=environment).wait()
            for stream in streams:
                stream.seek(0)
            return subprocess.CompletedProcess(arguments, status, streams[1].read(), streams[2].read())


def _serve(channel: socket.socket) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for a child of the server
    while True:
        message, handles, _, _ = socket.recv_fds(channel, _LONGEST, 4)
        if not message:
            return
        if not os.fork():
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            channel.close()
            _supervise(json.loads(message), *handles)
        for handle in handles:
            os.close(handle)


def _supervise(job: Mapping[str, object], status: int, *streams: int) -> NoReturn:
    """Run a job in a child; tell its number and, when it has ended, its exit status."""
    child = os.fork()
    if not child:
        os.close(status)
        for number, handle in enumerate(streams):
            os.dup2(handle, number)
            os.close(handle)
        _run(**job)  # type: ignore[arg-type]
    for handle in streams:
        os.close(handle)
    os.write(status, f"{child}\n".encode())
    _, code = os.waitpid(child, 0)
    os.write(status, f"{os.waitstatus_to_exitcode(code)}\n".encode())
    os._exit(0)


def _run(code: str, arguments: list[str], folder: str, path: list[str], environment: dict[str, str] | None) -> NoReturn:
    status: object = 0
    try:
        os.chdir(folder)
        if environment is not None:
            os.environ.clear()
            os.environ.update(environment)
        sys.argv[:] = arguments
        sys.path[:0] = path
        exec(compile(code, "<forked>", "exec"), {"__name__": "__main__"})
    except SystemExit as exited:
        status = exited.code or 0
        if not isinstance(status, int):
            print(status, file=sys.stderr)
            status = 1
    except BaseException:
        traceback.print_exc()
        status = 1
    threading._shutdown()  # type: ignore[attr-defined]  # as Python does at its end: waits for threads
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status)  # type: ignore[arg-type]


if __name__ == "__main__":
    del sys.path[0]  # where this file is
    importlib.import_module("polytag.terminal").is_program = True  # as in the command, for a faster start
    for name in sys.argv[2:]:
        importlib.import_module(name)
    _serve(socket.socket(fileno=int(sys.argv[1])))
