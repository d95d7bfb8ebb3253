"""The folder of a tagger: whether it may be written, and writing it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from polytag.errors import PolytagError
from polytag.files import check_replaceable, expand_home, new_folder, resolve_links
from polytag.tagger.description import FILE


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
            if not (folder / FILE).is_file():
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
