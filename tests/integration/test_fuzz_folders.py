"""Taggers and run folders damaged in hundreds of ways: each command ends well, or says what is wrong in a paragraph."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from polytag.engine.checkpoints import CheckpointStore
from polytag.errors import InterruptedRunError
from polytag.runner import TrainResult
from polytag.training.run_folder import run_folder
from support.checkpoints import make_checkpoint, make_classifier
from support.command import Done, call
from support.fuzz import (
    MOST_MEMORY,
    Mutation,
    added,
    linked_copy,
    mutations,
    peak_memory,
    verdict,
)
from support.random_tagger import save_random_tagger
from support.shared import Once

TEXT = b"Anna met Peter in Rome. They spoke!\n\nUnbelievable internationalisation ...\n"
TASKS = {"ner": (("O", "B-PER", "I-PER"), "iob2"), "pos": (("NN", "NNP", "."), "flat")}
INDEX = "model.safetensors.index.json"
STRAY = (
    added("code", b"raise SystemExit('ran')", "modeling.py"),
    added("a pickle", b"cos\nsystem\n(S'false'\ntR.", "pytorch_model.bin"),
    *(
        added(f"an index {number}", json.dumps({"weight_map": files}).encode(), INDEX)
        for number, files in enumerate([{}, [], None, {"a": "../x.safetensors"}, {"a": "/dev/zero"}, {"a": 7}])
    ),
)


def with_checksum(mutation: Mutation, weights: str = "model.safetensors") -> Mutation:
    """The same mutation, by somebody who corrects the checksum."""

    def apply(folder: Path) -> None:
        mutation.apply(folder)
        path = folder / "polytag.json"
        values = json.loads(path.read_text(encoding="utf-8"))
        changed = folder / weights
        if changed.is_file():
            values["weights"] = sha256(changed.read_bytes()).hexdigest()
        path.unlink()
        path.write_text(json.dumps(values), encoding="utf-8")

    return Mutation(f"{mutation.name}, with its checksum", apply, allowed=True)


def failures(
    folder: Path, place: Path, damage: Iterable[Mutation], run: Callable[[Path], Done], sound: Callable[[Done], bool]
) -> list[str]:
    """Damage copies of a folder, and run a command on each."""
    found = []
    for mutation in damage:
        linked_copy(folder, place)
        mutation.apply(place)
        if wrong := verdict(partial(run, place), sound, mutation.allowed):
            found.append(f"{mutation.name}: {wrong}")
        shutil.rmtree(place)
    return found


def predict(folder: Path, *options: str) -> Done:
    return call("predict", folder, "-", *options, stdin=TEXT)


def test_no_damage_to_a_tagger_is_a_defect_or_unnoticed(ner_run: TrainResult, tmp_path: Path) -> None:
    good = predict(ner_run.output)
    assert good.status == 0
    before = peak_memory()
    damage = [
        *mutations(ner_run.output, ["polytag.json"], 120, seed=1),
        *mutations(ner_run.output, ["model.safetensors", "config.json"], 40, seed=2),
        *map(with_checksum, mutations(ner_run.output, ["model.safetensors"], 20, seed=3)),
        *STRAY,
    ]
    assert failures(ner_run.output, tmp_path / "tagger", damage, predict, lambda done: done.out == good.out) == []
    assert peak_memory() - before < MOST_MEMORY


@pytest.fixture(scope="session")
def transformer(once: Once) -> Path:
    """A tagger with a tiny BERT and an ONNX model."""

    def make(folder: Path) -> None:
        tagger = save_random_tagger(folder / "tagger", TASKS)
        assert call("export", tagger, "--in-place").status == 0

    return once("fuzzed-transformer", make) / "tagger"


@pytest.mark.parametrize("runtime", ["onnx", "tensorflow"])
@pytest.mark.usefixtures("uncompiled")
def test_no_damage_to_a_tagger_with_a_checkpoint_is_a_defect_or_unnoticed(
    transformer: Path, tmp_path: Path, runtime: str
) -> None:
    run = partial(_predict_in, runtime=runtime)
    good = run(transformer)
    assert good.status == 0
    before = peak_memory()
    files = ["tokenizer.json", "tokenizer_config.json", "polytag.json", "config.json"]
    if runtime == "onnx":
        damage = [*mutations(transformer, [*files, "onnx/model.onnx", "model.safetensors"], 90, seed=4)]
    else:
        damage = [
            *mutations(transformer, ["config.json", "model.safetensors"], 60, seed=5),
            *map(with_checksum, mutations(transformer, ["model.safetensors"], 40, seed=6)),
            *STRAY,
        ]
    assert failures(transformer, tmp_path / "tagger", damage, run, lambda done: done.out == good.out) == []
    assert peak_memory() - before < MOST_MEMORY


def _predict_in(folder: Path, runtime: str) -> Done:
    return predict(folder, "--runtime", runtime)


CLASSIFIER_LABELS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")


def changed(file: str, change: Callable[[dict[str, Any]], object]) -> Mutation:
    """A change of one JSON file."""

    def apply(folder: Path) -> None:
        values = json.loads((folder / file).read_text(encoding="utf-8"))
        change(values)
        (folder / file).unlink()
        (folder / file).write_text(json.dumps(values), encoding="utf-8")

    return Mutation(f"a change of {file}", apply)


def _name_a_missing_token(tokenizer: dict[str, Any]) -> None:
    tokenizer["post_processor"]["single"][0]["SpecialToken"]["id"] = "[MISSING]"


BY_HAND = (
    changed("config.json", lambda config: config.update(architectures=["x" * 100_000])),
    changed("config.json", lambda config: config.update(norm_rel_ebd="x" * 100_000)),
    changed("tokenizer.json", _name_a_missing_token),
)
"""Damage that was found with other seeds: messages without end, and a panic of the library in Rust."""


@pytest.mark.parametrize(("family", "named"), [("bert", True), ("deberta-v2", True), ("roberta", False)])
@pytest.mark.usefixtures("uncompiled")
def test_no_damage_to_a_token_classifier_of_transformers_is_a_defect_or_unnoticed(
    tmp_path: Path, family: str, named: bool
) -> None:
    """Such a folder has no `polytag.json`: its labels come from `config.json`, and no checksum guards its weights."""
    folder = make_classifier(tmp_path / "classifier", family, CLASSIFIER_LABELS if named else ("LABEL_0", "LABEL_1"))
    options = () if named else ("--task", "ner", "--labels", "O,I-PER")
    run = partial(_predict_with, options)
    good = run(folder)
    assert good.status == 0
    before = peak_memory()
    files = ["config.json", "model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json"]
    # Nobody can tell a changed weight or token from the trained one.
    damage = [Mutation(each.name, each.apply, allowed=True) for each in mutations(folder, files, 30, f"9 {family}")]
    damage += [*STRAY, *(BY_HAND if family == "deberta-v2" else BY_HAND[:1])]
    assert failures(folder, tmp_path / "copy", damage, run, lambda done: done.out == good.out) == []
    assert peak_memory() - before < MOST_MEMORY


def _predict_with(options: tuple[str, ...], folder: Path) -> Done:
    return predict(folder, *options)


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[object]]:
    """A folder with an interrupted run into `tagger`, and the command to resume it."""
    folder = tmp_path_factory.mktemp("interrupted")
    corpus = folder / "corpus.conll"
    corpus.write_text("Anna B-PER\nmet O\nPeter B-PER\n\nThey O\nspoke O\n\n" * 3, encoding="utf-8")
    checkpoint = make_checkpoint(folder / "bert", "bert")
    options: list[object] = ["train", "-t", "ner", "-c", f"train={corpus},validation={corpus}", "-e", checkpoint]
    options += ["--epochs", 2, "--batch-size", 4, "--precision", "float32"]
    usual = CheckpointStore.save

    def save_and_stop(*arguments: object) -> None:
        usual(*arguments)  # type: ignore[arg-type]
        raise InterruptedRunError("stopped")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CheckpointStore, "save", save_and_stop)
        assert call(*options, "-o", folder / "place/tagger").status == 130
    return folder / "place", options


@pytest.mark.usefixtures("uncompiled")
def test_no_damage_to_a_run_folder_is_a_defect_or_unnoticed(
    interrupted: tuple[Path, list[object]], tmp_path: Path
) -> None:
    folder, options = interrupted
    # The lock, and the names in the configuration, belong to one place.
    place = folder.with_name("copies") / "place"
    place.parent.mkdir()

    def resume(copy: Path) -> Done:
        return call(*options, "--resume", "-o", copy / "tagger")

    linked_copy(folder, place)
    assert resume(place).status == 0
    weights = (place / "tagger/model.safetensors").read_bytes()
    shutil.rmtree(place)
    before = peak_memory()
    run = run_folder(Path("tagger"))
    (checkpoint,) = (path.name for path in (folder / run).glob("checkpoint-*"))
    content = [f"{run}/{checkpoint}/{name}" for name in ("state.safetensors", "state.json", "checksums.json")]
    damage = [
        *map(_unallowed, mutations(folder, [f"{run}/run.json", *content, f"{run}/run.json"], 180, seed=7)),
        *(_with_checksums(each, f"{run}/{checkpoint}") for each in mutations(folder, content[:2], 20, seed=8)),
        added("a file", b"x", f"{run}/checkpoint-9"),
        added("a backup", b"x", f"{run}/checkpoint-5.bak/state.json"),
        added("half a checkpoint", b"x", f"{run}/.writing/state.json"),
    ]

    def sound(_: Done) -> bool:
        return (place / "tagger/model.safetensors").read_bytes() == weights

    assert failures(folder, place, damage, resume, sound) == []
    assert peak_memory() - before < MOST_MEMORY


def _unallowed(mutation: Mutation) -> Mutation:
    """No value in a run folder may be another one."""
    return Mutation(mutation.name, mutation.apply)


def _with_checksums(mutation: Mutation, checkpoint: str) -> Mutation:
    """The same mutation, by somebody who corrects the checksums."""

    def apply(folder: Path) -> None:
        mutation.apply(folder)
        path = folder / checkpoint / "checksums.json"
        names = [name for name in json.loads(path.read_text()) if (path.parent / name).is_file()]
        path.unlink()
        path.write_text(json.dumps({name: sha256((path.parent / name).read_bytes()).hexdigest() for name in names}))

    return Mutation(f"{mutation.name}, with its checksum", apply, allowed=True)
