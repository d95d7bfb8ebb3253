"""Files of a data lake, on disk or in any file system of fsspec: find, read and write them."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple, TextIO

from polytag.errors import PolytagError, in_brief, shorten
from polytag.files import expand_home, new_file, remove_empty, remove_leftovers

_MAGIC = re.compile(r"[*?[]")
_LEFTOVER = re.compile(r"\.(.+)\.polytag-[0-9a-f]{8}")
"""The name of a file that is being written, or of what is left of it after a kill."""
_VERSIONS = ("ETag", "etag", "mtime", "LastModified", "updated", "created")
"""What file systems call the version of a file, or the time of its last change."""


class InputFile(NamedTuple):
    """A file of a lake.

    Attributes:
        path: Path or URL, as the user would name it.
        name: The path below the folder that the user named; the name of the output follows from it.
        version: Differs when the file has changed.
        named: Whether the user named this file itself, not its folder or a pattern.
    """

    path: str
    name: str
    version: str
    named: bool


def is_url(path: str) -> bool:
    """Whether this names a file in a file system of fsspec, such as `s3://bucket/file`."""
    return "://" in path


def is_glob(path: str) -> bool:
    """Whether this is a pattern of paths, and no file has it as its name."""
    return bool(_MAGIC.search(path)) and (is_url(path) or not os.path.lexists(expand_home(path)))


def is_folder(path: str) -> bool:
    """Whether this is a folder.

    Raises:
        PolytagError: The file system does not exist or fails.
    """
    if not is_url(path):  # without fsspec, which takes a moment to import
        return os.path.isdir(expand_home(path))  # noqa: PTH112  # False for a path that is too long
    with explained(path):
        system, inner = opened_system(path)
        return bool(system.isdir(inner))


@contextmanager
def explained(path: str, verb: str = "read") -> Iterator[None]:
    """Turn errors of a file system in the block into paragraphs.

    Raises:
        PolytagError: The file system failed.
    """
    try:
        yield
    except (PolytagError, MemoryError):
        raise
    except ImportError as error:
        raise PolytagError(f"{path!r} needs another package: {in_brief(error)}.") from error
    except FileNotFoundError as error:
        raise PolytagError(f"{path!r} does not exist. Check the path.") from error
    except Exception as error:  # each file system has errors of its own
        why = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
        raise PolytagError(
            f"{path!r} cannot be {verb}: {in_brief(why)}. Check the path and its permissions."
        ) from error


@contextmanager
def explained_parquet(path: str) -> Iterator[None]:
    """Turn errors about the content of a Parquet file in the block into paragraphs.

    Raises:
        PolytagError: The file is damaged.
    """
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowInvalid, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # of the file system
            raise
        raise PolytagError(
            f"{path!r} is damaged, or is no Parquet file: {in_brief(error)}. Restore it, or leave it out."
        ) from error


def opened_system(path: str) -> tuple[Any, str]:
    """The file system of a path or URL, and the path in it."""
    import fsspec

    return fsspec.core.url_to_fs(path if is_url(path) else str(expand_home(path)))  # type: ignore[no-any-return]


def find_files(inputs: Iterable[str]) -> list[InputFile]:
    """The files that paths, folders, patterns and URLs name, in order.

    Files in folders whose name or folder begins with `_` or `.` are skipped, as other engines do. Links to files are
    followed, and links to folders are not: they may lead in circles.

    Raises:
        PolytagError: An input does not exist, or has no files.
    """
    found: dict[str, InputFile] = {}
    for given in inputs:
        if given == "-":
            raise PolytagError(
                "Standard input has no name for its output. Name files, or give - alone, with no folder."
            )
        with explained(given):
            files = list(_files_of(given))
        if not files:
            what = "pattern matches no file" if is_glob(given) else "folder has no files"
            raise PolytagError(f"{shorten(given)!r}: this {what}. Check the path.")
        for file in files:
            found.setdefault(file.path, file)
    return list(found.values())


def _files_of(given: str) -> Iterator[InputFile]:
    system, inner = opened_system(given)
    if is_glob(given):
        above = given[: given.rfind("/", 0, _MAGIC.search(given).start()) + 1]  # type: ignore[union-attr]
        root = opened_system(above or ".")[1]
        listed = system.glob(inner, detail=True)
    elif system.isdir(inner):
        above, root = given.rstrip("/") + "/", inner
        listed = system.find(inner, detail=True)
    else:
        information = system.info(inner)
        yield InputFile(given, PurePosixPath(inner).name, _version(information), named=True)
        return
    for path, information in sorted(listed.items()):
        name = path.removeprefix(root.rstrip("/")).lstrip("/")
        if information.get("islink"):  # listed as what it is itself; named, as what it points to
            with suppress(OSError):
                information = system.info(path)
        if information["type"] == "file" and not any(part[0] in "_." for part in PurePosixPath(name).parts):
            yield InputFile(above + name, name, _version(information), named=False)


def _version(information: Mapping[str, Any]) -> str:
    when = next((str(information[key]) for key in _VERSIONS if information.get(key)), "")
    return f"{information.get('size')} {when}"


def open_bytes_of(path: str) -> IO[bytes]:
    """The content of a file or URL, which can be read from any place."""
    system, inner = opened_system(path)
    return system.open(inner, "rb")  # type: ignore[no-any-return]


@contextmanager
def on_disk(path: str) -> Iterator[Path]:
    """A file on disk with the content of a path or URL: itself, or a copy for the block."""
    if not is_url(path):
        yield expand_home(path)
        return
    system, inner = opened_system(path)
    with tempfile.TemporaryDirectory(prefix="polytag-") as folder:
        copy = Path(folder) / PurePosixPath(inner).name
        system.get_file(inner, str(copy))
        yield copy


class OutputFolder:
    """The folder that a lake is written to, on disk or elsewhere. Each file appears under its name when it is complete.

    Args:
        path: Path or URL.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._local = None if is_url(path) else expand_home(path)

    @property
    def local(self) -> Path | None:
        """Its path on disk."""
        return self._local

    def names(self) -> list[str]:
        """The names of the files and folders in it; nothing if it does not exist."""
        with explained(self.path):
            system, inner = opened_system(self.path)
            if system.isfile(inner):
                raise PolytagError(f"The output {self.path!r} is a file. Several inputs need a folder.")
            return (
                [PurePosixPath(entry).name for entry in system.ls(inner, detail=False)] if system.exists(inner) else []
            )

    def size(self, name: str) -> int | None:
        """Bytes of a file; None if it does not exist."""
        with explained(self.path):
            system, inner = opened_system(self._of(name))
            return int(system.size(inner)) if system.exists(inner) else None

    def measure(self, name: str) -> tuple[int, str]:
        """Bytes of a file, and its SHA-256."""
        path = self._of(name)
        with explained(path), open_bytes_of(path) as whole:
            checksum = hashlib.file_digest(whole, "sha256").hexdigest()  # type: ignore[arg-type]  # it reads bytes
            return whole.seek(0, os.SEEK_END), checksum

    def read(self, name: str) -> bytes:
        """The content of a file."""
        with explained(self._of(name)):
            system, inner = opened_system(self._of(name))
            if system.exists(inner) and not system.isfile(inner):  # a pipe or a device would never end
                raise PolytagError(f"{self._of(name)!r} is no file. Choose another folder.")
            return bytes(system.cat_file(inner))

    @contextmanager
    def new(self, name: str) -> Iterator[TextIO]:
        """A file that replaces another one when the block ends; what is binary is written to its `buffer`.

        Raises:
            PolytagError: It cannot be written.
        """
        if self._local is not None:
            path = self._local / name
            with explained(str(path.parent), "written"):
                path.parent.mkdir(parents=True, exist_ok=True)
            with new_file(path) as sink:
                yield sink
            return
        with tempfile.TemporaryDirectory(prefix="polytag-") as folder:
            copy = Path(folder) / PurePosixPath(name).name
            with new_file(copy) as sink:
                yield sink
            with explained(self.path, "written"):
                system, inner = opened_system(self._of(name))
                system.makedirs(system._parent(inner), exist_ok=True)
                system.put_file(str(copy), inner)

    def remove_leftovers(self, name: str) -> None:
        """Remove what a killed process left while it wrote a file."""
        if self._local is not None:
            remove_leftovers(self._local / name)

    def tidy(self) -> None:
        """Remove what killed processes left while they wrote files, and empty folders in this one; on disk only."""
        if self._local is None:
            return
        for folder, _, files in os.walk(self._local, topdown=False):
            for name in files:
                if found := _LEFTOVER.fullmatch(name):
                    remove_leftovers(Path(folder, found[1]))
            if Path(folder) != self._local:
                remove_empty([Path(folder)])

    def remove(self, name: str) -> None:
        """Remove a file, if it exists."""
        if self.size(name) is not None:
            with explained(self.path, "written"):
                system, inner = opened_system(self._of(name))
                system.rm_file(inner)

    def _of(self, name: str) -> str:
        return f"{self.path.rstrip('/')}/{name}"
