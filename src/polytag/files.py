"""Write files and folders atomically, and replace existing ones."""

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
    """A temporary folder that replaces `folder` when the block ends, or is removed if the block fails.

    Args:
        folder: The final path; a link is kept, and its target is replaced.
        what: Kind of the content, for messages: `tagger`.

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
        # If /dev/stdout is a pipe, its target has no path of its own.
        is_stream = path.exists() and not target.is_file()
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
    """The path without links and `~`; unlike `Path.resolve`, without an error for circular links."""
    return Path(os.path.realpath(expand_home(path)))


def expand_home(path: str | Path) -> Path:
    """The path with `~` expanded; unchanged if that user does not exist, as in shells."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


@contextmanager
def _replacing(path: Path) -> Iterator[TextIO]:
    """A file that replaces another one when the block ends, with the same permissions."""
    temporary = _beside(path)
    try:
        with temporary.open("x", encoding="utf-8") as sink:
            if path.exists():
                shutil.copymode(path, temporary)  # before it has any content to read
            yield sink
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _beside(path: Path) -> Path:
    """A new path in the same folder. Its files have the default permissions, unlike with `tempfile`."""
    return path.parent / f".{path.name}-{secrets.token_hex(4)}"


def _share(folder: Path) -> None:
    """Give everything in a new folder the folder's permissions: some libraries write files for the user only."""
    rights = stat.S_IMODE(folder.stat().st_mode)
    for path in folder.rglob("*"):
        path.chmod(rights if path.is_dir() else rights & 0o666)


def _replace(source: Path, target: Path) -> None:
    """Replace a folder by a finished one; restore it after an error or an interrupt."""
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


def save_tensors(tensors: Mapping[str, Any], path: Path, metadata: Mapping[str, str] | None = None) -> None:
    """Write arrays to a file of safetensors.

    Args:
        tensors: Arrays by name.
        path: The file.
        metadata: Metadata of the file.

    Raises:
        OSError: It cannot be written, for example because the disk is full. (safetensors itself raises other errors.)
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    try:
        save_file(dict(tensors), path, metadata=dict(metadata) if metadata else None)
    except SafetensorError as error:
        found = _NUMBER.search(str(error))
        raise OSError(int(found[1]), os.strerror(int(found[1]))) if found else OSError(str(error)) from error
