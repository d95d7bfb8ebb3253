"""Writing tensors to files."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_NUMBER = re.compile(r"os error (\d+)")


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
