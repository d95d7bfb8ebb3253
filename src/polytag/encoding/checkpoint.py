"""A Hugging Face checkpoint: its folder and its configuration."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from polytag import hub
from polytag.encoding.json_values import read_json, read_limited
from polytag.errors import PolytagError
from polytag.files import expand_home, path_exists

_LARGEST = 256 * 2**20
"""Maximum bytes of a file of a tokenizer; the largest known ones have 35 MB."""


def find_checkpoint(reference: str, noun: str = "encoder", files: Sequence[str] = hub.FILES) -> Path:
    """The folder of a checkpoint; one on the hub is downloaded, or taken from the cache.

    Args:
        reference: A folder, or a name on the hub, with or without `@revision`.
        noun: What messages call it.
        files: Patterns of the files that are downloaded.

    Raises:
        PolytagError: Neither a folder nor a model that can be reached.
    """
    path = expand_home(reference)
    if path_exists(path) and path.is_dir():
        return path
    return hub.snapshot(reference, noun, files)


def is_local(reference: str) -> bool:
    """Whether a reference names a folder of this machine, and not a model on the hub."""
    return path_exists(expand_home(reference)) or not hub.is_model_name(reference)


def hub_model(reference: str, folder: Path) -> tuple[str, str | None]:
    """The name of a model on the hub, and its commit, if the cache tells it.

    Args:
        reference: Its name, with or without `@revision`.
        folder: Where `find_checkpoint` found it.
    """
    name, _, revision = reference.partition("@")
    return name, folder.name if cached_name(folder) else revision or None


def cached_name(folder: Path) -> str | None:
    """The name of a model on the hub, given its folder in the cache; None for another folder."""
    model = folder.parent.parent.name
    is_cached = folder.parent.name == "snapshots" and model.startswith("models--")
    return model.removeprefix("models--").replace("--", "/", 1) if is_cached else None


def read_config(folder: Path) -> dict[str, Any]:
    """Read a checkpoint's `config.json`.

    Raises:
        PolytagError: It does not exist, cannot be read, or is damaged.
    """
    path = folder / "config.json"
    if not is_file(path):
        raise PolytagError(
            f"The folder {str(folder)!r} is not a checkpoint: it has no config.json. Name a folder that "
            "`save_pretrained` wrote, a model on the hub, or `compact`."
        )
    return read_object(path)


def read_object(path: Path) -> dict[str, Any]:
    """Read a JSON file of a checkpoint.

    Raises:
        PolytagError: It cannot be read, is damaged, or is not a JSON object.
    """
    return read_json(path, "Download the checkpoint again.")


def read_file(path: Path) -> bytes:
    """Read a file of a checkpoint.

    Raises:
        PolytagError: It cannot be read, or is larger than any tokenizer.
    """
    try:
        return read_limited(path, _LARGEST)
    except OSError as error:
        raise _unreadable(path, error) from error


def is_file(path: Path) -> bool:
    """Whether a checkpoint has a file.

    Raises:
        PolytagError: Its folder may not be entered.
    """
    try:
        return path.is_file()
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> PolytagError:
    return PolytagError(f"{path} cannot be read: {error.strerror}. Check its permissions.")
