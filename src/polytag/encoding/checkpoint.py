"""A Hugging Face checkpoint: its folder and its configuration."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from polytag import hub
from polytag.errors import PolytagError
from polytag.files import expand_home, path_exists


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


def read_config(folder: Path) -> dict[str, Any]:
    """Read a checkpoint's `config.json`.

    Raises:
        PolytagError: It does not exist, cannot be read, or is damaged.
    """
    path = folder / "config.json"
    try:
        if not path.is_file():
            raise PolytagError(
                f"The folder {str(folder)!r} is not a checkpoint: it has no config.json. Name a folder that "
                "`save_pretrained` wrote, a model on the hub, or `compact`."
            )
        config = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PolytagError(f"{path} cannot be read: {error.strerror}. Check its permissions.") from error
    except ValueError as error:
        raise PolytagError(f"{path} is not JSON: {error}. Download the checkpoint again.") from error
    if not isinstance(config, dict):
        raise PolytagError(f"{path} is not a JSON object. Download the checkpoint again.")
    return config
