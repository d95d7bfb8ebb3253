"""Checkpoints of a run: written whole or not at all, found again after a kill at any moment."""

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
    """Numbered checkpoints in a folder; the newest one counts, older ones are removed.

    Args:
        folder: Where they are; made when it is missing.
        every: Updates between two checkpoints within an epoch.
    """

    def __init__(self, folder: Path, every: int) -> None:
        self.folder = folder
        self.every = every
        folder.mkdir(parents=True, exist_ok=True)

    def save(self, number: int, tensors: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        """Write a checkpoint and remove the ones before it.

        Everything goes to a temporary folder first and reaches the disk before the folder gets its name, so that a
        named checkpoint is a whole one.

        Args:
            number: Higher than that of any checkpoint so far.
            tensors: Arrays by name.
            state: What else there is, as plain data for JSON.

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
                f"A checkpoint cannot be written to {str(self.folder)!r}: {error.strerror or error}. The last good one "
                "is still there: make room, or make the folder writable, and continue with --resume."
            ) from error
        for old in before:
            shutil.rmtree(self.folder / f"{_PREFIX}{old}", ignore_errors=True)

    def latest(self) -> tuple[Tensors, dict[str, Any]] | None:
        """The newest checkpoint, or None when there is none yet."""
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
