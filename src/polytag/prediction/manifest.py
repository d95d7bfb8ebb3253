"""`_polytag.json`, which says what of a data lake is done, by which tagger and how."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from polytag.encoding.json_values import parse_json
from polytag.errors import PolytagError, shorten
from polytag.prediction.lake_files import OutputFolder
from polytag.prediction.shard_work import ShardDone, quarantine_of
from polytag.prediction.shards import Shard
from polytag.terminal import stage

MANIFEST = "_polytag.json"
LOCK = "_polytag.lock"
_FORMAT = 1
_MOST = 2**63
_AT_ONCE = 16
"""Files that are read at the same time: an object store takes a while to answer."""
_OF_THE_TAGGER = ("*.json", "*.safetensors", "*.h5", "*.txt", "*.model", "*.onnx")
_NOT_OF_THE_TAGGER = ("scores.json",)


def fingerprint_of(folder: Path) -> str:
    """The SHA-256 of what a tagger computes with: its description, weights and tokenizer, by name and content."""
    found = hashlib.sha256()
    for path in sorted({path for pattern in _OF_THE_TAGGER for path in folder.rglob(pattern)}):
        if path.name not in _NOT_OF_THE_TAGGER:
            with path.open("rb") as file:
                found.update(f"{path.relative_to(folder).as_posix()}\n".encode())
                found.update(hashlib.file_digest(file, "sha256").digest())
    return found.hexdigest()


class Manifest:
    """The record of the shards of a lake that are done.

    Args:
        folder: The output folder.
        tagger: Fingerprint of the tagger.
        options: What decides the bytes of the outputs.
        shards: All shards.
    """

    def __init__(self, folder: OutputFolder, tagger: str, options: Mapping[str, Any], shards: Sequence[Shard]) -> None:
        self._folder = folder
        self._head = {"format": _FORMAT, "tagger": tagger, "options": json.loads(json.dumps(options, default=str))}
        self._shards = {shard.output: shard for shard in shards}
        self.done: dict[str, ShardDone] = {}
        self.changed: tuple[str, ...] = ()
        """Outputs that were changed or removed after they had been finished."""

    def continue_from_folder(self) -> None:
        """Find what is done already.

        Raises:
            PolytagError: The folder has other content, or was begun with another tagger, other options or other inputs.
        """
        self._folder.remove_leftovers(MANIFEST)
        names = self._folder.names()
        if MANIFEST not in names:
            if foreign := sorted(name for name in names if name != LOCK and ".polytag-" not in name):
                raise PolytagError(
                    f"The output folder {self._folder.path!r} is not empty, and has no {MANIFEST}: it has "
                    f"{foreign[0]!r}. Choose an empty or a new one."
                )
            return
        try:
            found = parse_json(self._folder.read(MANIFEST))
            self._check_head(found)
            entries = {name: _entry(name, values) for name, values in found["shards"].items()}
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise PolytagError(
                f"{MANIFEST} in {self._folder.path!r} is damaged. Choose another folder, or remove this one."
            ) from error
        self._check_inputs(found["shards"])
        self._find_done([done for done in entries.values() if done])

    def _find_done(self, finished: Sequence[ShardDone]) -> None:
        """Find the outputs that are as they were when they were finished. The others are done again."""
        if finished:
            stage(f"Checking {len(finished):,} finished files", often_brief=True)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for done, is_unchanged in zip(finished, pool.map(self._is_unchanged, finished), strict=True):
                if is_unchanged:
                    self.done[done.output] = done
        self.changed = tuple(done.output for done in finished if done.output not in self.done)

    def _is_unchanged(self, done: ShardDone) -> bool:
        if done.quarantined and self._folder.size(quarantine_of(done.output)) is None:
            return False
        if self._folder.size(done.output) != done.size:  # cheaper than its checksum
            return False
        return self._folder.measure(done.output) == (done.size, done.sha256)

    def _check_head(self, found: Mapping[str, Any]) -> None:
        if found["format"] != _FORMAT:
            raise PolytagError(
                f"The output folder {self._folder.path!r} was begun by another version of polytag. Choose another one."
            )
        if found["tagger"] != self._head["tagger"]:
            raise PolytagError(
                f"The output folder {self._folder.path!r} was begun with another tagger. Choose another folder, or "
                "continue with that tagger."
            )
        before, now = found["options"], self._head["options"]
        if changed := next((name for name in before | now if before.get(name) != now.get(name)), None):
            raise PolytagError(
                f"The output folder {self._folder.path!r} was begun with other options: {changed} was "
                f"{_said(before.get(changed))}, and is {_said(now.get(changed))}. Choose another folder, or give the "
                "same options."
            )

    def _check_inputs(self, found: Mapping[str, Mapping[str, Any]]) -> None:
        for name, values in found.items():
            shard = self._shards.get(name)
            if shard is None:
                raise PolytagError(
                    f"The output folder {self._folder.path!r} has the shard {name!r} of {values['file']!r}, which is "
                    "not among the inputs now. Give the same inputs, or more of them, or choose another folder."
                )
            if (shard.version, shard.rows) != (values["version"], values["input_rows"]):
                raise PolytagError(
                    f"The file {shard.file!r} has changed since the output folder {self._folder.path!r} was begun. "
                    "Choose another folder."
                )

    def add(self, done: ShardDone) -> None:
        """Note that a shard is done."""
        self.done[done.output] = done

    def write(self) -> None:
        """Write the file."""
        shards = {name: _described(shard, self.done.get(name)) for name, shard in sorted(self._shards.items())}
        with self._folder.new(MANIFEST) as sink:
            json.dump({**self._head, "shards": shards}, sink, indent=1, ensure_ascii=False)
            sink.write("\n")

    def close(self) -> None:
        """Write the file; without any output, remove it, so that the folder can be begun with other options."""
        others = set(self._folder.names()) - {MANIFEST, LOCK}
        if self.done or others:
            self.write()
        else:
            self._folder.remove(MANIFEST)

    @property
    def left(self) -> list[Shard]:
        """The shards that have to be done."""
        return [shard for name, shard in self._shards.items() if name not in self.done]

    def rows(self, shards: Iterable[Shard] | None = None) -> int:
        """Rows of some shards; of all by default."""
        return sum(shard.rows for shard in (self._shards.values() if shards is None else shards))


def _described(shard: Shard, done: ShardDone | None) -> dict[str, Any]:
    about: dict[str, Any] = {"file": shard.file, "version": shard.version, "input_rows": shard.rows}
    if shard.part:
        about["part"] = list(shard.part)
    if done:
        about |= {name: value for name, value in asdict(done).items() if name != "output"}
    return about


def _entry(name: str, values: Mapping[str, Any]) -> ShardDone | None:
    """The record of a shard; None if it is not done.

    Raises:
        ValueError, KeyError or TypeError: A value is missing, or is another one than `_described` writes.
    """
    texts, counts = ["file", "version"], ["input_rows"]
    if "sha256" in values:
        texts, counts = [*texts, "sha256"], [*counts, "rows", "quarantined", "size"]
    if not all(isinstance(values[key], str) for key in texts) or not all(_is_count(values[key]) for key in counts):
        raise ValueError(name)
    if "sha256" not in values:
        return None
    return ShardDone(name, values["rows"], values["quarantined"], values["size"], values["sha256"])


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < _MOST


def _said(value: object) -> str:
    return "not given" if value is None else shorten(json.dumps(value, ensure_ascii=False))
