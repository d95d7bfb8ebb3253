"""The folder of a tagger: what is in it, whether it may be written, and writing it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from polytag.errors import PolytagError, TaggerError
from polytag.files import check_replaceable, expand_home, new_folder, resolve_links
from polytag.tagger.token_classifiers import LabelNames, describe

FORMAT = 1
"""Version of the folder a tagger is saved in."""


def read_description(folder: Path, task: str | None = None, labels: LabelNames | None = None) -> dict[str, Any]:
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
    except OSError as error:
        raise TaggerError(f"{path} cannot be read: {error.strerror}. Check its rights.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
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
def replacing_folder(folder: Path, overwrite: bool) -> Iterator[Path]:
    """A temporary folder that takes the place of `folder` when the block ends, and goes away when it fails.

    Args:
        folder: Where it goes; a link stays, and what it points at is replaced.
        overwrite: Whether to replace a tagger that is there.

    Raises:
        PolytagError: The folder is in use, or cannot be written.
    """
    folder = expand_home(folder)
    check_output(folder, overwrite)
    with new_folder(folder, "tagger") as temporary:
        yield temporary


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
        above = next(parent for parent in resolve_links(folder).parents if parent.exists())
        with tempfile.TemporaryDirectory(prefix=".polytag-", dir=above):
            pass
    except OSError as error:
        raise PolytagError(
            f"The output folder {str(folder)!r} cannot be written: {error.strerror}. Choose another one."
        ) from error
