"""A sample of what the other fuzz tests damage, each in a process of its own, as users run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from random import Random

import pytest

from polytag.engine.checkpoints import CheckpointStore
from polytag.runner import TrainResult
from polytag.training.run_folder import run_folder
from support.bad_plugins import PLUGINS, SOURCE, write_distribution
from support.command import Done
from support.fuzz import linked_copy, mutations, verdict
from support.hostile_inputs import BYTES, DAMAGES, TEXTS

_SEED = 18
_TEXT = b"Anna met Peter in Rome. They spoke!\n"
_PROGRAM = "from polytag.cli.app import main; main()"


def process(*arguments: object, stdin: bytes = b"", plugins: Path | None = None) -> Done:
    """Run `polytag` in a process of its own, which is killed if this one gives up waiting."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(plugins or ""), *sys.path]))}
    command = [sys.executable, "-c", _PROGRAM, *map(str, arguments)]
    done = subprocess.run(command, env=environment, input=stdin, capture_output=True, check=False, timeout=60)
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode(errors="backslashreplace"))


def anything(_: Done) -> bool:
    return True


@pytest.mark.parametrize("number", range(3))
def test_a_damaged_tagger(number: int, ner_run: TrainResult, tmp_path: Path) -> None:
    files = ["model.safetensors", "polytag.json", "config.json"]
    good = process("predict", ner_run.output, "-", stdin=_TEXT).out if number == 0 else None
    (mutation,) = list(mutations(ner_run.output, files, 3, _SEED))[number : number + 1]
    mutation.apply(linked_copy(ner_run.output, tmp_path / "tagger"))
    run = partial(process, "predict", tmp_path / "tagger", "-", stdin=_TEXT)
    assert verdict(run, lambda done: done.out == good, mutation.allowed) == ""


def test_a_damaged_run_folder(tmp_path: Path) -> None:
    run = tmp_path / run_folder(Path("tagger"))
    CheckpointStore(run, 1).save(1, {}, {"step": 1})
    (run / "run.json").write_text(json.dumps({"seed": 0, "precision": "float32", "task": ["ner"]}))
    (mutation,) = mutations(tmp_path, [f"{run.name}/run.json"], 1, _SEED)
    mutation.apply(tmp_path)
    options = ("-t", "ner", "-c", "sample", "-e", "compact", "--resume", "-o", tmp_path / "tagger")
    done = process("train", *options)
    assert done.status == 2
    assert verdict(lambda: done, anything) == ""


@pytest.mark.parametrize(
    "name", sorted(Random(_SEED).sample([name for name, bad in PLUGINS.items() if "tasks" in bad.command], 2))
)
def test_a_bad_plugin(name: str, tmp_path: Path) -> None:
    bad = PLUGINS[name]
    write_distribution(tmp_path / "site", bad.source)
    done = process(*bad.command.split(), plugins=tmp_path / "site")
    assert done.status == bad.status
    assert SOURCE in done.err
    assert verdict(lambda: done, anything) == ""


@pytest.mark.parametrize("name", sorted(Random(_SEED).sample([*TEXTS, *BYTES], 2)))
def test_a_hostile_text(name: str, ner_run: TrainResult) -> None:
    data = BYTES[name] if name in BYTES else TEXTS[name].encode("utf-8", "backslashreplace")
    assert verdict(partial(process, "predict", ner_run.output, "-", stdin=data), anything) == ""


def test_a_damaged_corpus(tmp_path: Path) -> None:
    random = Random(_SEED)
    damage = random.choice(list(DAMAGES.values()))
    corpus = tmp_path / "mine.conll"
    corpus.write_bytes(damage(b"Peter B-PER\nlives O\nin O\nParis B-LOC\n\n" * 6, random))
    assert verdict(partial(process, "corpus", "describe", corpus, "--json"), anything) == ""
