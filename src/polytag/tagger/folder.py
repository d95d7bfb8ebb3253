"""Write the folder of a tagger atomically, and check beforehand that it can be written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from polytag.errors import PolytagError
from polytag.files import check_replaceable, check_writable, expand_home, new_folder, remove_leftovers
from polytag.tagger.description import FILE


@contextmanager
def replacing_folder(folder: Path, overwrite: bool) -> Iterator[Path]:
    """A temporary folder that replaces `folder` when the block ends, and is removed if the block fails.

    Args:
        folder: The folder to write; for a symbolic link, its target is replaced.
        overwrite: Whether to replace an existing tagger.

    Raises:
        PolytagError: The folder is in use, or cannot be written.
    """
    folder = expand_home(folder)
    check_output(folder, overwrite)
    with new_folder(folder, "tagger") as temporary:
        yield temporary


def check_output(folder: Path, overwrite: bool) -> None:
    """Check that a tagger can be written to a folder, and leave no files in it.

    Raises:
        PolytagError: The folder has content that must not be replaced, or cannot be written.
    """
    remove_leftovers(folder)
    try:
        if folder.is_dir() and any(folder.iterdir()):
            if not (folder / FILE).is_file():
                raise PolytagError(
                    f"The output folder {str(folder)!r} is not empty and has no tagger. Choose another one."
                )
            if not overwrite:
                raise PolytagError(
                    f"The output folder {str(folder)!r} already has a tagger. Choose another one, or replace it with "
                    "--overwrite."
                )
        elif folder.exists() and not folder.is_dir():
            raise PolytagError(f"The output {str(folder)!r} is a file. Choose a folder.")
        check_replaceable(folder)
        check_writable(folder)
    except OSError as error:
        raise PolytagError(
            f"The output folder {str(folder)!r} cannot be written: {error.strerror}. Choose another one."
        ) from error
