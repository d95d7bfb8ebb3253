"""`polytag.json` has a checksum of the weights: what has changed since is named."""

from __future__ import annotations

import json
import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from polytag import Tagger, TaggerError
from polytag.runner import TrainResult
from support.fuzz import forget_checksum

SENTENCES = [["Anna", "met", "Peter", "in", "Rome", "."]]


@pytest.fixture
def folder(ner_run: TrainResult, tmp_path: Path) -> Path:
    return shutil.copytree(ner_run.output, tmp_path / "tagger")


def flip(path: Path) -> None:
    """Change one bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_saved_tagger_records_its_weights(folder: Path) -> None:
    recorded = json.loads((folder / "polytag.json").read_text(encoding="utf-8"))["weights"]
    assert recorded == sha256((folder / "model.safetensors").read_bytes()).hexdigest()


@pytest.mark.parametrize("runtime", ["numpy", "tensorflow"])
def test_a_flipped_bit_is_named(folder: Path, runtime: str) -> None:
    flip(folder / "model.safetensors")
    with pytest.raises(TaggerError, match=r"model\.safetensors is damaged: it is not the file that was saved"):
        Tagger.load(folder, runtime=runtime)


def test_a_run_does_not_start_from_damaged_weights(command, folder: Path) -> None:
    flip(folder / "model.safetensors")
    done = command(*("train", "--from", folder, "-t", "ner", "-c", "sample", "-o", folder.parent / "new"))
    assert done.status == 2
    assert "model.safetensors is damaged" in done.err


def test_a_tagger_of_an_earlier_version_has_no_checksum_and_loads(folder: Path, ner_run: TrainResult) -> None:
    forget_checksum(folder)
    assert Tagger.load(folder).predict_tags(SENTENCES) == Tagger.load(ner_run.output).predict_tags(SENTENCES)


def test_an_index_of_other_files_is_not_followed_in_a_tagger_with_a_checksum(folder: Path) -> None:
    (folder / "model.safetensors.index.json").write_text('{"weight_map": {"encoder.table": "other.safetensors"}}')
    assert Tagger.load(folder).predict_tags(SENTENCES)
