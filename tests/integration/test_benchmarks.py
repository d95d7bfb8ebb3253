"""The benchmarks run from end to end, in their smallest form and without peers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import polytag
from polytag.runner import TrainResult
from support.checkpoints import make_checkpoint

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def run(name: str, folder: Path, *arguments: object) -> dict[str, Any]:
    """The figures a benchmark writes."""
    figures = folder / f"{name}.json"
    command = [sys.executable, BENCHMARKS / f"{name}.py", *arguments, "--json", figures]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(figures.read_text(encoding="utf-8"))
    assert found["benchmark"] == name
    assert found["machine"]["cores"] >= 1
    assert found["versions"]["polytag"]
    assert "settings: " in done.stdout
    return found


def test_startup(tmp_path: Path) -> None:
    found = run("startup", tmp_path, "--rounds", 1)["results"]
    assert found["over_import_of_typer"]['python -c "import typer"'] == 1
    assert found["over_import_of_typer"]["python -c pass"] < 1
    assert len(found["seconds"]["polytag --help"]) == 1


@pytest.mark.slow
def test_predict(tiny_corpus: Path, ner_run: TrainResult, tmp_path: Path) -> None:
    small = ("--rounds", 1, "--single", 5, "--without-peers")
    found = run("predict", tmp_path, "--corpus", tiny_corpus, "--compact", ner_run.output, *small)
    assert found["data"]["test"]["sentences"] == 16
    (row,) = found["results"]["summary"]
    assert row["words, words/s"] > 0
    assert 0 < row["p50 ms"] <= row["p99 ms"]


@pytest.mark.slow
def test_agreement(tiny_corpus: Path, tmp_path: Path) -> None:
    checkpoint = make_checkpoint(tmp_path / "checkpoint", "bert")
    options = {"corpus": str(tiny_corpus), "encoder": str(checkpoint), "epochs": 1, "quiet": True}
    tagger = polytag.train(task="ner", output=tmp_path / "tagger", **options).output
    found = run("agreement", tmp_path, "--corpus", tiny_corpus, "--tagger", tagger, "--without-peers")
    assert found["data"]["validation"]["sentences"] == 16
    assert found["results"]["agreement"] == {"polytag": 1}


@pytest.mark.slow
def test_limit(tiny_corpus: Path, tmp_path: Path) -> None:
    checkpoint = make_checkpoint(tmp_path / "checkpoint", "bert")
    small = ("--steps", 1, "--rounds", 1, "--seconds", 0.01, "--square", 64)
    found = run("limit", tmp_path, "--corpus", tiny_corpus, "--encoder", checkpoint, *small)
    for shares in found["results"]["shares"].values():
        assert 0 < shares["machine"] < shares["shapes"] < 1


@pytest.mark.slow
def test_training_stretches(tiny_corpus: Path, tmp_path: Path) -> None:
    checkpoint = make_checkpoint(tmp_path / "checkpoint", "bert")
    small = ("--steps", 2, "--rounds", 2, "--batch-size", 2, "--without-peers")
    found = run("train", tmp_path, "--corpus", tiny_corpus, "--encoder", checkpoint, *small)
    (stretches,) = (run["polytag"] for run in found["results"]["runs"])
    assert [stretch["steps"] for stretch in stretches] == [2, 2]
    assert all(stretch["subwords"] > 0 and stretch["seconds"] > 0 for stretch in stretches)
