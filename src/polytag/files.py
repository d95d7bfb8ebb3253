"""Write files and folders atomically, and replace existing ones.

Everything is written to a temporary sibling, flushed to disk, and put into place in one step: after a kill at any
moment, the old or the new content is complete. The sibling is locked by its process, so that the next process that
writes to the same path can tell what a killed one left, and removes it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import secrets
import shutil
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from polytag.errors import PolytagError

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2
_EFFECTIVE = os.access in os.supports_effective_ids


@contextmanager
def new_folder(folder: Path, what: str) -> Iterator[Path]:
    """A temporary folder that replaces `folder` when the block ends, or is removed if the block fails.

    Args:
        folder: The final path; a link is kept, and its target is replaced.
        what: Kind of the content, for messages: `tagger`.

    Raises:
        PolytagError: The folder cannot be written.
    """
    target = resolve_links(folder)
    missing = [parent for parent in target.parents if not parent.exists()]
    try:
        remove_leftovers(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        with _temporary_folder(target) as temporary:
            yield temporary
            _share(temporary)
            _flush_all(temporary)
            _replace(temporary, target)
    except OSError as error:
        raise PolytagError(
            f"The {what} cannot be written to {str(folder)!r}: {error.strerror or error}. Make room, or choose another "
            "place."
        ) from error
    finally:
        remove_empty(missing)


@contextmanager
def new_file(path: Path) -> Iterator[TextIO]:
    """A text file that replaces `path` when the block ends, or is removed if the block fails.

    A link is kept, and its target is replaced. A pipe or a device is written directly.

    Raises:
        BrokenPipeError: The reader of the pipe has exited.
        PolytagError: The file cannot be written.
    """
    path = expand_home(path)
    try:
        if path.is_dir():
            raise PolytagError(f"The output {str(path)!r} is a folder. Name a file.")
        target = resolve_links(path)
        is_stream = path.exists() and not target.is_file()  # the target of /dev/stdout can have no path of its own
        with path.open("w", encoding="utf-8") if is_stream else _replacing(target) as sink:
            yield sink
    except BrokenPipeError:  # the command line then exits quietly
        raise
    except OSError as error:
        raise PolytagError(
            f"The output {str(path)!r} cannot be written: {error.strerror or error}. Make room, or choose another one."
        ) from error


def check_replaceable(folder: Path) -> None:
    """Check that a folder can be replaced.

    Raises:
        PolytagError: It is the current folder, or a mount point.
    """
    target = resolve_links(folder)
    if target == Path.cwd():
        raise PolytagError("The output folder is the current one, which cannot be replaced. Choose another one.")
    if target.is_mount():
        raise PolytagError(
            f"The output folder {str(folder)!r} is a mount point, which cannot be replaced. "
            f"Choose a folder in it: {str(folder / 'new')!r}."
        )


def resolve_links(path: Path) -> Path:
    """The path without links and `~`; unlike `Path.resolve`, without an error for circular links.

    Raises:
        PolytagError: No file can have this path.
    """
    try:
        return Path(os.path.realpath(expand_home(path)))
    except (OSError, ValueError) as error:
        why = "the current folder does not exist" if isinstance(error, OSError) else error
        raise PolytagError(f"The path {str(path)!r} cannot be used: {why}. Choose another one.") from error


def expand_home(path: str | Path) -> Path:
    """The path with `~` expanded; unchanged if that user does not exist, as in shells.

    Raises:
        PolytagError: The argument is not a path.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)
    except TypeError as error:
        raise PolytagError(f"{path!r:.60} is not a path: give a string, or a pathlib.Path.") from error


def check_writable(path: Path) -> None:
    """Check that a file or a folder, and the folders above it, can be created; else there is an OSError."""
    target = resolve_links(path)
    above = next(parent for parent in target.parents if parent.exists())
    remove_leftovers(above / target.name)
    with _temporary_folder(above / target.name):
        pass


def remove_leftovers(path: Path) -> None:
    """Remove what killed processes left next to a path; restore its folder if the kill came while it was replaced.

    What belongs to a running process is locked, and stays. Where locks do not exist, nothing is removed.
    """
    target = resolve_links(path)
    own = re.compile(re.escape(f".{target.name}.polytag-") + r"[0-9a-f]{8}(\.old)?")
    with suppress(OSError):  # the folder does not exist, or cannot be read: writing to it explains why
        for found in [entry for entry in os.scandir(target.parent) if own.fullmatch(entry.name)]:
            with suppress(OSError), _opened(found, os.O_NOFOLLOW | os.O_NONBLOCK) as handle:
                locked = _lock(handle, wait=False)
                if found.name.endswith(".old") and not target.exists():
                    Path(found).replace(target)
                elif locked and found.is_file():
                    Path(found).unlink()
                elif locked:
                    shutil.rmtree(found)


def remove_folder(folder: Path) -> None:
    """Remove a folder in one step, ignoring errors: after a kill it exists completely, or only as a leftover."""
    doomed = _beside(folder)
    try:
        folder.replace(doomed)
    except OSError:  # even a new name needs room
        doomed = folder
    shutil.rmtree(doomed, ignore_errors=True)


def remove_empty(folders: Iterable[Path]) -> None:
    """Remove folders in this order, except the ones that have any content, or do not exist."""
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


def flush(path: Path) -> None:
    """Write a file, or the list of files in a folder, through to the disk.

    Raises:
        OSError: The disk is full, or fails.
    """
    with _opened(path) as handle:
        _flush(handle)


def _flush(handle: int) -> None:
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some file systems cannot flush a folder
            raise


def _flush_name(path: Path) -> None:
    with suppress(OSError):  # it is complete, and in its place
        flush(path.parent)


def _flush_all(folder: Path) -> None:
    for path in (*folder.rglob("*"), folder):
        if path.is_dir() or path.is_file():
            flush(path)


@contextmanager
def _replacing(path: Path) -> Iterator[TextIO]:
    """A file that replaces another one when the block ends, with the same permissions."""
    remove_leftovers(path)
    temporary, handle = _temporary(path, is_folder=False)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", closefd=False) as sink:
            if path.exists():
                shutil.copymode(path, temporary)  # before it has any content to read
            yield sink
        _flush(handle)
        temporary.replace(path)
        _flush_name(path)
    finally:
        try:
            temporary.unlink(missing_ok=True)
        finally:
            os.close(handle)


@contextmanager
def _temporary_folder(target: Path) -> Iterator[Path]:
    """A new folder next to a path, locked, and removed when the block ends."""
    for path in (target, *target.rglob("*")):  # a folder to be replaced, whose content could not be removed afterwards
        if path.is_dir() and not path.is_symlink() and not os.access(path, os.W_OK, effective_ids=_EFFECTIVE):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    temporary, handle = _temporary(target, is_folder=True)
    try:
        yield temporary
    finally:
        try:
            shutil.rmtree(temporary, ignore_errors=True)
        finally:
            os.close(handle)


def _temporary(target: Path, is_folder: bool) -> tuple[Path, int]:
    """A new file or folder next to a path, locked until its handle is closed, and the handle."""
    while True:
        path = _beside(target)
        if is_folder:
            path.mkdir()
        try:
            # Not with `tempfile`, whose files are readable for the user only.
            handle = os.open(path, os.O_RDONLY if is_folder else os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        except FileNotFoundError:
            if is_folder:
                continue  # another process has removed it as a leftover, before it was locked
            raise
        _lock(handle, wait=True)
        if path.exists():
            return path, handle
        os.close(handle)


def _beside(path: Path) -> Path:
    """A new path in the same folder, which `remove_leftovers` recognises."""
    return path.parent / f".{path.name}.polytag-{secrets.token_hex(4)}"


@contextmanager
def _opened(path: os.PathLike[str], flags: int = 0) -> Iterator[int]:
    """The handle of a file or a folder, which is closed when the block ends, and with it any lock."""
    handle = os.open(path, flags, 0o666)
    try:
        yield handle
    finally:
        os.close(handle)


def _lock(handle: int, wait: bool) -> bool:
    """Lock a file or a folder until its handle is closed or its process ends, in whatever way.

    Returns:
        Whether it is locked now; False if the file system has no locks, as NFS has none for folders.

    Raises:
        BlockingIOError: Another process has locked it.
    """
    import fcntl  # Windows, where nothing but reading works, does not have it

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        raise
    except OSError:
        return False
    return True


def _share(folder: Path) -> None:
    """Give everything in a new folder the folder's permissions: some libraries write files for the user only."""
    rights = stat.S_IMODE(folder.stat().st_mode)
    for path in folder.rglob("*"):
        path.chmod(rights if path.is_dir() else rights & 0o666)


def _replace(source: Path, target: Path) -> None:
    """Replace a folder by a finished one. The old one is removed, or has the source's name."""
    if not target.is_dir():
        source.replace(target)
    elif not _exchange(source, target):
        _replace_in_two_steps(source, target)
    _flush_name(target)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; False if the system or the file system cannot."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None) if sys.platform == "linux" else None
    if rename is None:
        return False
    sys.audit("os.rename", one, other, -1, -1)  # as `os.rename` does
    if rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return True
    if (number := ctypes.get_errno()) in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        return False
    raise OSError(number, os.strerror(number), str(other))


def _replace_in_two_steps(source: Path, target: Path) -> None:
    """Replace a folder where the system cannot exchange two; `remove_leftovers` restores it after a kill in between."""
    old = source.with_name(f"{source.name}.old")
    with _opened(target) as handle:
        with suppress(BlockingIOError):
            _lock(handle, wait=False)
        try:
            target.replace(old)
            source.replace(target)
            _flush_name(target)
        finally:
            if old.exists() and not target.exists():
                old.replace(target)
            shutil.rmtree(old, ignore_errors=True)


def path_exists(path: Path) -> bool:
    """Whether a file, a folder, a pipe or a device has this path; False for a path that is too long.

    The argument of a user may be a path or something else of any length, such as a list of labels.

    Raises:
        OSError: A parent folder may not be entered.
    """
    try:
        return path.exists()
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return False
        raise
