"""The folder of a tagger: what is in it, whether it may be written, and writing it whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from polytag.errors import PolytagError, TaggerError
from polytag.token_classifiers import Names, describe

FORMAT = 1
"""Version of the folder a tagger is saved in."""


def read_description(folder: Path, task: str | None = None, labels: Names | None = None) -> dict[str, Any]:
    """What `polytag.json` says, without its format version; for a token classifier of transformers, what it would say.

    Args:
        folder: The folder.
        task: Name of a token classifier's task, where its labels do not tell.
        labels: Names of a token classifier's labels, where it has none or others.

    Raises:
        PolytagError: The folder is neither, is damaged, or was written by a newer version; or a task or labels are
            given for a tagger that knows its own.
    """
    path = folder / "polytag.json"
    if not path.is_file():
        if (folder / "config.json").is_file():
            return describe(folder, task, labels)
        found = "is not there" if not folder.exists() else "has no polytag.json"
        raise TaggerError(
            f"{str(folder)!r} is not a tagger: it {found}. Name a folder that `polytag train --output` wrote, or a "
            "token classifier of transformers."
        )
    if task is not None or labels is not None:
        raise PolytagError(
            f"The tagger {str(folder)!r} knows its tasks and their labels. Leave out --task and --labels: they are for "
            "token classifiers that polytag did not write."
        )
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
        version = int(description.pop("format"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise damaged(path, error) from error
    if version > FORMAT:
        raise TaggerError(
            f"The tagger {str(folder)!r} has format {version}, and this polytag reads formats up to {FORMAT}. Upgrade: "
            "pip install --upgrade polytag"
        )
    return dict(description)


def damaged(path: Path, error: Exception) -> TaggerError:
    """The error for a `polytag.json` that cannot be read, or lacks something."""
    problem = f"it has no {error}" if isinstance(error, KeyError) else str(error).rstrip(".")
    return TaggerError(f"{path} is damaged: {problem}. Train the tagger again, or restore it from a copy.")


@contextmanager
def written(folder: Path, overwrite: bool) -> Iterator[Path]:
    """A temporary folder that takes the place of `folder` when the block ends, and goes away when it fails.

    Raises:
        PolytagError: The folder is in use, or cannot be written.
    """
    check_output(folder, overwrite)
    with new_folder(folder, "tagger") as temporary:
        yield temporary


@contextmanager
def new_folder(folder: Path, what: str) -> Iterator[Path]:
    """A temporary folder that takes the place of `folder`, whatever is there, or goes away when the block fails.

    Args:
        folder: Where it goes.
        what: What is written, for messages: `tagger`.

    Raises:
        PolytagError: The folder cannot be written.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise PolytagError(f"{str(folder.parent)!r} cannot be written: {error.strerror}.") from error
    try:
        yield temporary
        _share(temporary)
        _replace(temporary, folder)
    except OSError as error:
        raise PolytagError(f"The {what} cannot be written to {str(folder)!r}: {error}.") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def new_file(path: Path) -> Iterator[TextIO]:
    """A text file that appears under its name, in the place of any other, when the block ends, and not when it fails.

    Raises:
        PolytagError: The file cannot be written.
    """
    if path.is_dir():
        raise PolytagError(f"The output {str(path)!r} is a folder. Name a file.")
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    except OSError as error:
        raise PolytagError(f"The output {str(path)!r} cannot be written: {error.strerror}.") from error
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as sink:
            yield sink
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def check_output(folder: Path, overwrite: bool) -> None:
    """Make sure that a tagger can be written to a folder, without leaving anything there.

    Raises:
        PolytagError: Something is there already that is not to be replaced, or the place cannot be written.
    """
    try:
        if folder.is_dir() and any(folder.iterdir()):
            if not (folder / "polytag.json").is_file():
                raise PolytagError(
                    f"The output folder {str(folder)!r} is not empty, and holds no tagger. Choose another one."
                )
            if not overwrite:
                raise PolytagError(
                    f"The output folder {str(folder)!r} already holds a tagger. Choose another one, or replace it with "
                    "--overwrite."
                )
        elif folder.exists() and not folder.is_dir():
            raise PolytagError(f"The output {str(folder)!r} is a file. Choose a folder.")
        check_replaceable(folder)
        above = next(parent for parent in folder.absolute().parents if parent.exists())
        with tempfile.TemporaryDirectory(prefix=".polytag-", dir=above):
            pass
    except OSError as error:
        raise PolytagError(
            f"The output folder {str(folder)!r} cannot be written: {error.strerror}. Choose another one."
        ) from error


def check_replaceable(folder: Path) -> None:
    """Make sure that another folder can take the place of a folder.

    Raises:
        PolytagError: It is the current one, or a mount point.
    """
    if folder.resolve() == Path.cwd():
        raise PolytagError("The output folder is the current one, which cannot be replaced. Choose another one.")
    if folder.resolve().is_mount():
        raise PolytagError(
            f"The output folder {str(folder)!r} is a mount point, which no finished folder can take the place of. "
            f"Choose a folder in it: {str(folder / 'new')!r}."
        )


def _share(folder: Path) -> None:
    """Give a private temporary folder and its files the rights that new ones usually have."""
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _replace(source: Path, target: Path) -> None:
    """Put a finished folder in the place of another."""
    if target.is_dir():
        old = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent))
        kept = old / target.name
        try:
            target.replace(kept)
            source.replace(target)
        except OSError:
            if kept.exists():
                kept.replace(target)
            old.rmdir()
            raise
        shutil.rmtree(old, ignore_errors=True)
    else:
        source.replace(target)
