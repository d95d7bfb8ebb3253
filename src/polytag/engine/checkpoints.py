"""Checkpoints of a run, written atomically, so that a complete one exists after a kill at any moment."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from polytag.errors import TrainingError
from polytag.files import save_tensors
from polytag.plugin.encoder import Tensors

_PREFIX = "checkpoint-"
_TEMPORARY = ".writing"
_TENSORS = "state.safetensors"
_STATE = "state.json"


class CheckpointStore:
    """Numbered checkpoints in a folder; only the newest one is kept.

    Args:
        folder: The folder; created if it does not exist.
        every: Number of updates between two checkpoints within an epoch.
    """

    def __init__(self, folder: Path, every: int) -> None:
        self.folder = folder
        self.every = every
        folder.mkdir(parents=True, exist_ok=True)

    def save(self, number: int, tensors: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        """Write a checkpoint and remove the previous ones.

        Everything is written to a temporary folder and flushed to disk before the folder gets its final name, so that
        a checkpoint with its final name is complete.

        Args:
            number: Number of the checkpoint, higher than all previous ones.
            tensors: Arrays by name.
            state: All other state, as plain data for JSON.

        Raises:
            TrainingError: It cannot be written: the disk is full, or the folder is not writable.
        """
        temporary = self.folder / _TEMPORARY
        try:
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir()
            save_tensors(tensors, temporary / _TENSORS)
            (temporary / _STATE).write_text(json.dumps(state), encoding="utf-8")
            for path in (temporary / _TENSORS, temporary / _STATE, temporary):
                _flush(path)
            before = self._numbers()
            temporary.replace(self.folder / f"{_PREFIX}{number}")
            _flush(self.folder)
        except OSError as error:
            shutil.rmtree(temporary, ignore_errors=True)
            raise TrainingError(
                f"A checkpoint cannot be written to {str(self.folder)!r}: {error.strerror or error}. The previous one "
                "is kept: make room, or make the folder writable, and continue with --resume."
            ) from error
        for old in before:
            shutil.rmtree(self.folder / f"{_PREFIX}{old}", ignore_errors=True)

    def latest(self) -> tuple[Tensors, dict[str, Any]] | None:
        """The newest checkpoint, or None."""
        from safetensors.numpy import load_file

        numbers = self._numbers()
        if not numbers:
            return None
        folder = self.folder / f"{_PREFIX}{max(numbers)}"
        return load_file(folder / _TENSORS), json.loads((folder / _STATE).read_text(encoding="utf-8"))

    def _numbers(self) -> list[int]:
        return [int(path.name.removeprefix(_PREFIX)) for path in self.folder.glob(f"{_PREFIX}*")]


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
