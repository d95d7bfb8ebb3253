"""Kills and full disks at every single file operation, in the process of the tests."""

from __future__ import annotations

import errno
import os
import resource
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn
from unittest import mock

_PATHS: Mapping[str, Sequence[tuple[int, int | None]]] = {
    "open": [(0, None)],
    "os.mkdir": [(0, 2)],
    "os.rename": [(0, 2), (1, 3)],
    "os.remove": [(0, 1)],
    "os.rmdir": [(0, 1)],
    "os.chmod": [(0, 2)],
}
"""For each event that changes files: which arguments are paths, and which are the folders these are relative to."""

_NEED_ROOM = ("open", "os.mkdir", "os.rename", "fsync")
"""What fails on a full disk, besides writing."""


class Killed(BaseException):
    """What comes instead of the signal."""


class Moment:
    """Something that happens at one file operation of the code in `with moment:`.

    Args:
        folder: Operations on this folder and on what is in it count.
        number: Which operation it is, counted from 1.

    Attributes:
        operation: The operation; empty where the code did not come so far.
    """

    def __init__(self, folder: Path, number: int) -> None:
        self.operation = ""
        self._folder, self._number = os.path.realpath(folder) + os.sep, number
        self._count = 0
        self._thread: int | None = None
        self._fsync = os.fsync
        self._patch = mock.patch.object(os, "fsync", self._flush)

    def __enter__(self) -> Moment:
        if not _hooked:
            sys.addaudithook(_hook)
            _hooked.append(True)
        self._patch.start()
        self._thread = threading.get_ident()
        _moments.append(self)
        return self

    def __exit__(self, *_: object) -> bool | None:
        _moments.remove(self)
        self._patch.stop()
        return None

    def __str__(self) -> str:
        return f"operation {self._number}: {self.operation}"

    def counts(self, operation: str) -> bool:
        """Whether it could happen at this operation."""
        return True

    def happen(self) -> NoReturn:
        """Let the operation fail; called for all further ones, too."""
        raise NotImplementedError

    def see(self, event: str, arguments: Sequence[Any]) -> None:
        if self._thread != threading.get_ident() or not any(
            self._concerns(arguments[path], -1 if base is None else arguments[base]) for path, base in _PATHS[event]
        ):
            return
        if event != "open":
            self._before(event)
        elif arguments[2] & (os.O_WRONLY | os.O_RDWR):
            self._before("open")
            try:
                self._before("write")
            except BaseException:
                self._thread = None
                os.close(os.open(arguments[0], arguments[2], 0o666))  # the file is there, and is empty
                self._thread = threading.get_ident()
                raise

    def _flush(self, handle: int) -> None:
        if self._concerns(f"/proc/self/fd/{handle}", -1):
            self._before("fsync")
        self._fsync(handle)

    def _before(self, operation: str) -> None:
        if self.counts(operation):
            self._count += 1
            if self._count >= self._number:
                self.operation = self.operation or operation
                self.happen()

    def _concerns(self, path: Any, base: int) -> bool:
        if isinstance(path, int):
            return False
        name = os.fsdecode(path)
        whole = os.path.realpath(name if base == -1 else f"/proc/self/fd/{base}/{name}")
        return (whole + os.sep).startswith(self._folder)


class Kill(Moment):
    """The process is killed. Nothing that the code does after it changes a file, and its exception is swallowed."""

    def happen(self) -> NoReturn:
        raise Killed

    def __exit__(self, *error: object) -> bool:
        super().__exit__(*error)
        return bool(self.operation)


class FullDisk(Moment):
    """No more files can be made from now on, and none can be flushed: the disk is full."""

    def counts(self, operation: str) -> bool:
        return operation in _NEED_ROOM

    def happen(self) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def each(kind: Callable[[Path, int], Moment], folder: Path) -> Iterator[Moment]:
    """A moment at the first operation, at the second, and so on, up to one that the code does not reach."""
    number, last = 0, False
    while not last:
        number += 1
        moment = kind(folder, number)
        yield moment
        last = not moment.operation


@contextmanager
def small_files(size: int = 100_000) -> Iterator[None]:
    """No file may grow beyond a number of bytes, for the process as it is: writing more fails, in any library."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


_moments: list[Moment] = []
_hooked: list[bool] = []  # a hook cannot be taken away


def _hook(event: str, arguments: Sequence[Any]) -> None:
    if _moments and event in _PATHS:
        for moment in tuple(_moments):
            moment.see(event, arguments)
