"""The configuration of a Hugging Face checkpoint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from polytag.errors import PolytagError


def read_config(folder: Path) -> dict[str, Any]:
    """What a checkpoint's `config.json` says.

    Raises:
        PolytagError: There is none, or it cannot be read, or is damaged.
    """
    path = folder / "config.json"
    try:
        if not path.is_file():
            raise PolytagError(
                f"The folder {str(folder)!r} holds no checkpoint: it has no config.json. Name a folder that "
                "`save_pretrained` wrote, a model on the hub, or `compact`."
            )
        config = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PolytagError(f"{path} cannot be read: {error.strerror}. Check its rights.") from error
    except ValueError as error:
        raise PolytagError(f"{path} is not JSON: {error}. Download the checkpoint again.") from error
    if not isinstance(config, dict):
        raise PolytagError(f"{path} is not a JSON object. Download the checkpoint again.")
    return config
