"""The benchmarks run from end to end, in their smallest form and without peers."""

from __future__ import annotations

import json
import os
import runpy
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

import pytest

import polytag
from polytag.runner import TrainResult
from support.checkpoints import make_checkpoint
from support.fork_server import ForkServer

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"

Benchmark = Callable[..., dict[str, Any]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Benchmark:
    """Run a benchmark in this process; the figures it writes."""
    monkeypatch.syspath_prepend(BENCHMARKS)

    def run(name: str, *arguments: object) -> dict[str, Any]:
        script, figures = str(BENCHMARKS / f"{name}.py"), tmp_path / f"{name}.json"
        monkeypatch.setattr(sys, "argv", [script, *map(str, arguments), "--json", str(figures)])
        runpy.run_path(script, run_name="__main__")
        found: dict[str, Any] = json.loads(figures.read_text(encoding="utf-8"))
        assert found["benchmark"] == name
        assert found["machine"]["cores"] >= 1
        assert found["versions"]["polytag"]
        assert "settings: " in capsys.readouterr().out
        return found

    return run


@pytest.fixture
def forked_sides(fork_server: ForkServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is compared is forked where TensorFlow is imported, instead of started."""
    import harness

    class Side:
        def __init__(self, command: list[str], stderr: IO[bytes], **_: object) -> None:
            _, script, settings = command
            theirs, self.stdin = (os.fdopen(end, mode) for end, mode in zip(os.pipe(), "rw", strict=True))
            self.stdout, ours = (os.fdopen(end, mode) for end, mode in zip(os.pipe(), "rw", strict=True))
            code = "import runpy, sys; runpy.run_path(sys.argv[0], run_name='__main__')"
            path = [Path(script).parent]
            process = fork_server.start(code, script, settings, streams=(theirs, ours, stderr), path=path)
            theirs.close()
            ours.close()
            self.kill, self.wait = process.kill, process.wait

    monkeypatch.setattr(harness, "subprocess", SimpleNamespace(Popen=Side, PIPE=None))


def test_startup(run: Benchmark) -> None:
    found = run("startup", "--rounds", 1)["results"]
    assert found["over_import_of_typer"]['python -c "import typer"'] == 1
    assert found["over_import_of_typer"]["python -c pass"] < 1
    assert len(found["seconds"]["polytag --help"]) == 1


@pytest.mark.slow
def test_check_speed(run: Benchmark) -> None:
    found = run("check_speed", "--words", 500, "--labels", 50, "--rounds", 1)["results"]
    assert list(found["seconds"]) == ["spans", "labels", "span labels", "odd labels"]


@pytest.mark.slow
def test_predict(run: Benchmark, tiny_corpus: Path, ner_run: TrainResult) -> None:
    small = ("--rounds", 1, "--single", 5, "--without-peers")
    found = run("predict", "--corpus", tiny_corpus, "--compact", ner_run.output, *small)
    assert found["data"]["test"]["sentences"] == 16
    (row,) = found["results"]["summary"]
    assert row["words, words/s"] > 0
    assert 0 < row["p50 ms"] <= row["p99 ms"]


@pytest.mark.slow
def test_agreement(run: Benchmark, tiny_corpus: Path, tmp_path: Path, uncompiled: None) -> None:
    checkpoint = make_checkpoint(tmp_path / "checkpoint", "bert")
    options = {"corpus": str(tiny_corpus), "encoder": str(checkpoint), "epochs": 1, "quiet": True}
    tagger = polytag.train(task="ner", output=tmp_path / "tagger", **options).output
    found = run("agreement", "--corpus", tiny_corpus, "--tagger", tagger, "--without-peers")
    assert found["data"]["validation"]["sentences"] == 16
    assert found["results"]["agreement"] == {"polytag": 1}


@pytest.mark.slow
def test_onnx_layout(run: Benchmark) -> None:
    found = run("onnx_layout", "--families", "distilbert", "--sentences", 2, "--without-peers")
    models = ["random-distilbert model.onnx", "random-distilbert model_quantized.onnx"]
    assert found["results"] == {"models": models, "sentences": 2, "rows": []}


def test_limit(run: Benchmark, tiny_corpus: Path, tmp_path: Path, uncompiled: None, forked_sides: None) -> None:
    checkpoint = make_checkpoint(tmp_path / "checkpoint", "bert")
    small = ("--steps", 1, "--rounds", 1, "--seconds", 0.01, "--square", 64)
    found = run("limit", "--corpus", tiny_corpus, "--encoder", checkpoint, *small)
    for shares in found["results"]["shares"].values():
        assert 0 < shares["machine"] < shares["shapes"] < 1


@pytest.mark.slow
def test_training_stretches(run: Benchmark, tiny_corpus: Path, tmp_path: Path, forked_sides: None) -> None:
    checkpoint = make_checkpoint(tmp_path / "checkpoint", "bert")
    small = ("--steps", 2, "--rounds", 2, "--batch-size", 2, "--without-peers")
    found = run("train", "--corpus", tiny_corpus, "--encoder", checkpoint, *small)
    (stretches,) = (run["polytag"] for run in found["results"]["runs"])
    assert [stretch["steps"] for stretch in stretches] == [2, 2]
    assert all(stretch["subwords"] > 0 and stretch["seconds"] > 0 for stretch in stretches)


@pytest.mark.slow
def test_time_to_score(run: Benchmark, tiny_corpus: Path, tmp_path: Path, uncompiled: None, forked_sides: None) -> None:
    checkpoint = make_checkpoint(tmp_path / "checkpoint", "bert")
    small = ("--score", 0.0, "--learning-rate", 1e-3, "--without-peers")
    found = run("time_to_score", "--corpus", tiny_corpus, "--encoder", checkpoint, *small)["results"]
    assert list(found["scores_of_polytag"]) == ["1 epochs at 0.001"]


@pytest.mark.slow
def test_trained_parts(run: Benchmark, tiny_corpus: Path, tmp_path: Path, uncompiled: None, forked_sides: None) -> None:
    checkpoint = make_checkpoint(tmp_path / "checkpoint", "bert")
    small = ("--freeze", 1, "--lora", 2, "--lora-rates", 1e-3, "--epochs", 9, "--steps", 1, "--rounds", 1)
    found = run("trained_parts", "--corpus", tiny_corpus, "--encoder", checkpoint, *small)["results"]
    assert list(found["scores"]) == ["all weights", "--freeze 1", "--lora 2", "--lora 2 --learning-rate 0.001"]
    assert list(found["steps"]) == ["all weights", "--freeze 1", "--lora 2"]
    assert found["steps"]["all weights"] == 1


@pytest.mark.slow
def test_crf(run: Benchmark, tiny_corpus: Path, uncompiled: None, forked_sides: None) -> None:
    (row,) = run("crf", "--corpus", tiny_corpus, "--epochs", 1, "--rounds", 1)["results"]["rows"]
    assert row["training, crf ÷ viterbi"] > 0
    assert row["words/s, crf ÷ viterbi"] > 0
    (row,) = run("crf", "--corpus", tiny_corpus, "--steps", 1, "--rounds", 1, "--epochs", 40)["results"]["rows"]
    assert row["time of training, crf ÷ viterbi"] > 0


def test_split(run: Benchmark, tiny_corpus: Path) -> None:
    rules = Path(polytag.__file__).parent / "encoding" / "text.py"
    found = run("split", "--corpus", tiny_corpus, "--against", rules, "--rounds", 1)
    assert set(found["results"]["words_a_second"]) == {"standard", "whitespace", "characters", "against"}
    assert min(found["results"]["words_a_second"].values()) > 0
    assert found["data"]["words"] > 100


@pytest.mark.slow
def test_kills(run: Benchmark) -> None:
    found = run("kills", "--kills", 2, "--only", "predict -o")["results"]
    assert found["resumed"] == {}
    counted = found["commands"]["predict -o"]
    assert counted.get("old", 0) + counted.get("new", 0) == 2
    assert not any(counted.get(name) for name in ("broken", "failed", "after next run"))


def test_vectors(run: Benchmark, ner_run: TrainResult, tmp_path: Path) -> None:
    for side in ("without", "with"):
        shutil.copytree(ner_run.output, tmp_path / f"{side}-0")
    found = run("vectors", "--corpus", "sample", "--vectors", "some.vec", "--keep", tmp_path, "--rounds", 1)
    assert 0 < found["data"]["unseen"]["sentences"] < found["data"]["test"]["sentences"]
    one, other = (found["results"]["means"][side] for side in ("without", "with"))
    assert one["test"] == other["test"] > 0
    assert 0 < one["unseen"] <= 1
    assert found["results"]["speed_ratio"] > 0


@pytest.mark.slow
def test_distil(run: Benchmark, tiny_corpus: Path, ner_run: TrainResult) -> None:
    small = ("--every", 2, "--rounds", 1, "--options", "--epochs 1")
    found = run("distil", "--corpus", tiny_corpus, "--teacher", ner_run.output, *small)["results"]
    assert set(found["runs"][0]) == {"seed", "alone", "student"}
    assert found["teacher"] > 0
    assert len(found["closed"]) == 1


@pytest.mark.slow
def test_suggest(run: Benchmark, tiny_corpus: Path, tmp_path: Path, uncompiled: None) -> None:
    small = ("--start", 20, "--step", 20, "--seeds", 1, "--full", 1e-9, "--keep", tmp_path / "rounds")
    found = run("suggest", "--corpus", tiny_corpus, *small)["results"]
    assert found["ratio"] == 1
    assert sorted(path.stem for path in (tmp_path / "rounds").iterdir()) == ["margin-0-20", "random-0-20"]
    began = {path: path.stat().st_mtime_ns for path in (tmp_path / "rounds").iterdir()}
    assert run("suggest", "--corpus", tiny_corpus, *small)["results"] == found
    assert began == {path: path.stat().st_mtime_ns for path in (tmp_path / "rounds").iterdir()}
