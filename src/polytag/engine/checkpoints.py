"""Checkpoints of a run, written atomically, so that a complete one exists after a kill at any moment."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from polytag.encoding.json_values import read_json
from polytag.encoding.tensors import fingerprint, save_tensors
from polytag.errors import TrainingError, shorten
from polytag.files import flush
from polytag.plugin.encoder import Tensors

_NAME = re.compile("checkpoint-([0-9]+)")
_TEMPORARY = ".writing"
_TENSORS = "state.safetensors"
_STATE = "state.json"
_CONTENT = (_TENSORS, _STATE)
_CHECKSUMS = "checksums.json"
ADVICE = "The run cannot be resumed: start over with --overwrite."
"""What to do about a damaged run, for messages."""


class CheckpointStore:
    """Numbered checkpoints in a folder; only the newest one is kept.

    Args:
        folder: The folder; created if it does not exist.
        every: Number of updates between two checkpoints within an epoch.
    """

    def __init__(self, folder: Path, every: int) -> None:
        self.folder = folder
        self.every = every
        self._checked: Path | None = None
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
            checksums = {name: fingerprint(temporary / name) for name in _CONTENT}
            (temporary / _CHECKSUMS).write_text(json.dumps(checksums), encoding="utf-8")
            for path in (*temporary.iterdir(), temporary):
                flush(path)
            before = checkpoints(self.folder)
            temporary.replace(self.folder / f"checkpoint-{number}")
            flush(self.folder)
        except OSError as error:
            shutil.rmtree(temporary, ignore_errors=True)
            raise TrainingError(
                f"A checkpoint cannot be written to {str(self.folder)!r}: {error.strerror or error}. The previous one "
                "is kept: make room, or make the folder writable, and continue with --resume."
            ) from error
        for old in before.values():
            shutil.rmtree(old, ignore_errors=True)

    def latest(self) -> tuple[Tensors, dict[str, Any]] | None:
        """The newest checkpoint, or None.

        Raises:
            TrainingError: A file of it is missing, or damaged.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        folder = self.check()
        if folder is None:
            return None
        state = read_json(folder / _STATE, ADVICE, TrainingError, only_finite=False)
        try:
            return load_file(folder / _TENSORS), state
        except OSError as error:
            raise damaged(Path(error.filename or folder), error.strerror or str(error)) from error
        except (SafetensorError, TypeError, KeyError) as error:
            raise damaged(folder / _TENSORS, str(error)) from error

    def check(self) -> Path | None:
        """The folder of the newest checkpoint, whose files are checked to be those that were written; or None.

        Raises:
            TrainingError: A file is missing or has changed.
        """
        found = checkpoints(self.folder)
        if not found:
            return None
        folder = found[max(found)]
        if folder == self._checked:  # a run checks before slow work, and then reads
            return folder
        checksums = read_json(folder / _CHECKSUMS, ADVICE, TrainingError)
        for name in _CONTENT:
            if not (folder / name).is_file():
                raise damaged(folder, f"it has no {name}")
            if fingerprint(folder / name) != checksums.get(name):
                raise damaged(folder, f"{name} has changed since it was written")
        self._checked = folder
        return folder


def checkpoints(folder: Path) -> dict[int, Path]:
    """The folders of complete checkpoints, by number."""
    return {int(found[1]): path for path in folder.iterdir() if (found := _NAME.fullmatch(path.name)) and path.is_dir()}


def damaged(path: Path, why: str) -> TrainingError:
    """The error for a file or folder of a run, without which the run cannot be resumed."""
    return TrainingError(f"{str(path)!r} is damaged: {shorten(' '.join(why.split()), 200)}. {ADVICE}")
