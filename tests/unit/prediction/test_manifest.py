"""The record of a lake that was changed or replaced between two runs."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from polytag import PolytagError
from polytag.prediction.lake_files import OutputFolder
from polytag.prediction.manifest import Manifest

DONE = {
    **{"file": "in/a.txt", "version": "9 1.5", "input_rows": 3},
    **{"rows": 3, "quarantined": 0, "size": 20, "sha256": "0" * 64},
}


def read(folder: Path) -> None:
    Manifest(OutputFolder(str(folder)), "0" * 64, {}, []).continue_from_folder()


@pytest.mark.parametrize("key", DONE)
@pytest.mark.parametrize("value", [None, True, -1, 10**30, float("nan"), [], {}])
def test_a_value_that_polytag_does_not_write_is_damage(tmp_path: Path, key: str, value: object) -> None:
    content = {"format": 1, "tagger": "0" * 64, "options": {}, "shards": {"a.jsonl": DONE | {key: value}}}
    (tmp_path / "_polytag.json").write_text(json.dumps(content))
    with pytest.raises(PolytagError, match=r"_polytag\.json in .* is damaged"):
        read(tmp_path)


@pytest.mark.parametrize("shard", [None, "x", [], {}, {"file": "in/a.txt"}])
def test_a_shard_without_values_is_damage(tmp_path: Path, shard: object) -> None:
    content = {"format": 1, "tagger": "0" * 64, "options": {}, "shards": {"a.jsonl": shard}}
    (tmp_path / "_polytag.json").write_text(json.dumps(content))
    with pytest.raises(PolytagError, match=r"_polytag\.json in .* is damaged"):
        read(tmp_path)


def test_a_pipe_or_a_device_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "_polytag.json")
    with pytest.raises(PolytagError, match="is no file"):
        read(tmp_path)
    (tmp_path / "_polytag.json").unlink()
    (tmp_path / "_polytag.json").symlink_to("/dev/zero")
    with pytest.raises(PolytagError, match="is no file"):
        read(tmp_path)
