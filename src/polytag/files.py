"""Writing files and folders whole or not at all, in the place of what is there."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from polytag.errors import PolytagError

_NUMBER = re.compile(r"os error (\d+)")


@contextmanager
def new_folder(folder: Path, what: str) -> Iterator[Path]:
    """A temporary folder that takes the place of `folder`, whatever is there, or goes away when the block fails.

    Args:
        folder: Where it goes; a link stays, and what it points at is replaced.
        what: What is written, for messages: `tagger`.

    Raises:
        PolytagError: The folder cannot be written.
    """
    target = resolve_links(folder)
    temporary = _beside(target)
    try:
        temporary.mkdir(parents=True)
        yield temporary
        _share(temporary)
        _replace(temporary, target)
    except OSError as error:
        raise PolytagError(
            f"The {what} cannot be written to {str(folder)!r}: {error}. Make room, or choose another place."
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def new_file(path: Path) -> Iterator[TextIO]:
    """A text file that appears under its name, in the place of any other, when the block ends, and not when it fails.

    A link stays, and what it points at is replaced. A pipe or a device is written to as it is.

    Raises:
        BrokenPipeError: Whoever reads the pipe is gone.
        PolytagError: The file cannot be written.
    """
    path = expand_home(path)
    try:
        if path.is_dir():
            raise PolytagError(f"The output {str(path)!r} is a folder. Name a file.")
        target = resolve_links(path)
        # What /dev/stdout points at has no path of its own where it is a pipe.
        is_stream = path.exists() and not target.is_file()
        with path.open("w", encoding="utf-8") if is_stream else _replacing(target) as sink:
            yield sink
    except BrokenPipeError:  # the command line ends in peace then
        raise
    except OSError as error:
        raise PolytagError(
            f"The output {str(path)!r} cannot be written: {error.strerror or error}. Make room, or choose another one."
        ) from error


def check_replaceable(folder: Path) -> None:
    """Make sure that another folder can take the place of a folder.

    Raises:
        PolytagError: It is the current one, or a mount point.
    """
    target = resolve_links(folder)
    if target == Path.cwd():
        raise PolytagError("The output folder is the current one, which cannot be replaced. Choose another one.")
    if target.is_mount():
        raise PolytagError(
            f"The output folder {str(folder)!r} is a mount point, which no finished folder can take the place of. "
            f"Choose a folder in it: {str(folder / 'new')!r}."
        )


def resolve_links(path: Path) -> Path:
    """The path without links and `~`; unlike `Path.resolve`, without an error where links go in a circle."""
    return Path(os.path.realpath(expand_home(path)))


def expand_home(path: str | Path) -> Path:
    """The path with `~` written out; as it is where nobody of that name has a home, as shells leave it."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


@contextmanager
def _replacing(path: Path) -> Iterator[TextIO]:
    """A file that takes the place and the rights of another when the block ends."""
    temporary = _beside(path)
    try:
        with temporary.open("x", encoding="utf-8") as sink:
            if path.exists():
                shutil.copymode(path, temporary)  # before there is anything in it to read
            yield sink
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _beside(path: Path) -> Path:
    """A new path in the same folder. What is made there has the rights of new files, unlike what `tempfile` makes."""
    return path.parent / f".{path.name}-{secrets.token_hex(4)}"


def _share(folder: Path) -> None:
    """Give all that is in a new folder the rights of the folder: some libraries write files for the user alone."""
    rights = stat.S_IMODE(folder.stat().st_mode)
    for path in folder.rglob("*"):
        path.chmod(rights if path.is_dir() else rights & 0o666)


def _replace(source: Path, target: Path) -> None:
    """Put a finished folder in the place of another; that one is there again after an error or an interrupt."""
    if not target.is_dir():
        source.replace(target)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent))
    kept = old / target.name
    try:
        target.replace(kept)
        source.replace(target)
    finally:
        if kept.exists() and not target.exists():
            kept.replace(target)
        shutil.rmtree(old, ignore_errors=True)


def path_exists(path: Path) -> bool:
    """Whether a file, a folder, a pipe or a device has this path; none has one that is too long for any.

    What a user wrote may be a path or something else, such as a list of labels, of any length.

    Raises:
        OSError: It cannot be found out, as a folder on the way may not be entered.
    """
    try:
        return path.exists()
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return False
        raise


def save_tensors(tensors: Mapping[str, Any], path: Path, metadata: Mapping[str, str] | None = None) -> None:
    """Write arrays to a file of safetensors.

    Args:
        tensors: Arrays by name.
        path: The file.
        metadata: What the file says about itself.

    Raises:
        OSError: It cannot be written: the disk is full, say. safetensors alone raises errors of its own kind.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    try:
        save_file(dict(tensors), path, metadata=dict(metadata) if metadata else None)
    except SafetensorError as error:
        found = _NUMBER.search(str(error))
        raise OSError(int(found[1]), os.strerror(int(found[1]))) if found else OSError(str(error)) from error
