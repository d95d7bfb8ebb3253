"""Killed at any file operation, or out of room at any, a command leaves the old result or the new one, whole."""

from __future__ import annotations

import itertools
import math
import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polytag
from polytag import PolytagError, Tagger, runner
from polytag.exporting import export as export_module
from polytag.plugin.reporter import Epoch
from polytag.training.fit import Fitted
from support.hub_server import TOKEN, Hub, running_hub, use_hub
from support.kills import FullDisk, Kill, each, small_files
from support.random_tagger import save_random_tagger

Tree = dict[str, bytes]
Run = Callable[[], object]

LABELS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-ORG", "I-ORG", "B-MISC", "I-MISC")


def tree(folder: Path) -> Tree:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def entries(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def restore(folder: Path, saved: Path) -> None:
    shutil.rmtree(folder)
    shutil.copytree(saved, folder)


class Place:
    """A folder in which a command replaces `out`, an old result by a new one."""

    in_two_steps = False

    def __init__(self, tmp_path: Path, run: Run, again: Run | None = None) -> None:
        self.folder, self._saved, self._run, self._again = tmp_path / "place", tmp_path / "saved", run, again or run
        shutil.copytree(self.folder, self._saved)
        self.old = self.result()
        run()
        self.new, self.entries = self.result(), entries(self.folder)
        assert self.old != self.new

    def result(self) -> Tree:
        return {name: data for name, data in tree(self.folder).items() if name.split("/")[0] == "out"}

    def kill_at_every_operation(self) -> None:
        for kill in each(Kill, self.folder):
            restore(self.folder, self._saved)
            with kill:
                self._run()
            assert self.result() in (self.old, self.new) or (self.in_two_steps and not self.result()), kill
            self._again()
            assert (self.result(), entries(self.folder)) == (self.new, self.entries), kill

    def fill_the_disk_at_every_operation(self, kept: str = "out") -> None:
        """What is `kept` may be there after an error, for the next run."""
        restore(self.folder, self._saved)
        before = [name for name in entries(self.folder) if not name.startswith(kept)]
        for full in each(FullDisk, self.folder):
            restore(self.folder, self._saved)
            failure = None
            with full:
                try:
                    self._run()
                except PolytagError as error:
                    failure = str(error)
            if failure is not None:
                assert "No space left on device" in failure
                assert "\n" not in failure
                assert self.result() == self.old, full
                assert [name for name in entries(self.folder) if not name.startswith(kept)] == before, full
                self._again()
            assert (self.result(), entries(self.folder)) == (self.new, self.entries), full


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tagger with random weights."""
    return save_random_tagger(tmp_path_factory.mktemp("tagger") / "tagger", {"ner": (LABELS, "iob2")})


@pytest.fixture(scope="module")
def tagger(saved: Path) -> Tagger:
    return Tagger.load(saved, runtime="tensorflow")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> polytag.Corpus:
    """Two sentences in each split."""
    folder = tmp_path_factory.mktemp("corpus")
    for split in ("train", "valid", "test"):
        (folder / f"{split}.conll").write_text("Peter B-PER\nlives O\n\nRome B-LOC\n")
    return polytag.load_corpus(str(folder))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(os, "fsync", lambda _: None)  # no machine loses its power here
    (tmp_path / "place").mkdir()
    return tmp_path / "place"


def test_predict(folder, tmp_path, saved, tagger, monkeypatch):
    monkeypatch.setattr(Tagger, "load", lambda *_: tagger)
    (folder / "in.txt").write_text("Peter lives in Rome.\n")
    (folder / "out").write_text("old")
    place = Place(tmp_path, lambda: polytag.predict(saved, folder / "in.txt", output=folder / "out"))
    place.kill_at_every_operation()
    place.fill_the_disk_at_every_operation()


def test_corpus_convert(folder, tmp_path, corpus):
    polytag.convert_corpus(corpus, folder / "out", scheme="iobes")
    place = Place(tmp_path, lambda: polytag.convert_corpus(corpus, folder / "out", scheme="bilou", overwrite=True))
    place.kill_at_every_operation()
    place.fill_the_disk_at_every_operation()


@pytest.fixture
def quick_exports(monkeypatch: pytest.MonkeyPatch, tagger: Tagger) -> None:
    """Exports that write files without converting the network, and are checked on little."""

    def write(tagger: Tagger, path: Path, *_: object) -> Any:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"network")
        return tagger

    def write_savedmodel(tagger: Tagger, folder: Path, _: object) -> Any:
        return "TensorFlow", write(tagger, folder / "1" / "saved_model.pb")

    monkeypatch.setitem(export_module.WRITERS, "savedmodel", write_savedmodel)
    monkeypatch.setattr(export_module, "write_onnx_in_place", write)
    monkeypatch.setattr(Tagger, "load", lambda *_, **__: tagger)


def test_export_to_another_folder(folder, tmp_path, tagger, saved, corpus, quick_exports):
    shutil.copytree(saved, folder / "out")
    options = {"to": "savedmodel", "corpus": corpus, "overwrite": True}
    place = Place(tmp_path, lambda: polytag.export(tagger, folder / "out", **options))
    place.kill_at_every_operation()
    place.fill_the_disk_at_every_operation()


@pytest.mark.parametrize("exchanging", [True, False])
def test_export_in_place(folder, tmp_path, saved, corpus, quick_exports, monkeypatch, exchanging):
    if not exchanging:
        monkeypatch.setattr("polytag.files._exchange", lambda *_: False)
    shutil.copytree(saved, folder / "out")
    place = Place(tmp_path, lambda: polytag.export(folder / "out", corpus=corpus, in_place=True))
    place.in_two_steps = not exchanging  # between them, until the next run, there is neither
    place.kill_at_every_operation()
    if exchanging:
        place.fill_the_disk_at_every_operation()


@pytest.fixture
def quick_training(monkeypatch: pytest.MonkeyPatch, tagger: Tagger) -> None:
    """Runs that write two checkpoints and a tagger, without training and scoring it anew each time."""

    def fit(plan: Any, reporter: Any, checkpoints: Any, on_best: Any, distribution: Any) -> Fitted:
        before = checkpoints.latest()
        for number in range(1 + (before[1]["epoch"] if before else 0), 3):
            checkpoints.save(number, {"state.0": np.zeros(4)}, {"epoch": number})
        return Fitted(tagger, (Epoch(1, 0.5, 0.001, 0.5, {"ner/f1": 0.5}, 1.0, 1.0, "subword", True),))

    scored: dict[str, Any] = {}
    usual = runner.evaluate_split

    def evaluate_split(tagger: Tagger, split: Any, tasks: Any, reference: str, name: str, baselines: Any) -> Any:
        if name not in scored:
            scored[name] = usual(tagger, split, tasks, reference, name, baselines)
        return scored[name]

    monkeypatch.setattr(runner, "fit", fit)
    monkeypatch.setattr(runner, "evaluate_split", evaluate_split)
    monkeypatch.setattr(runner, "measure", lambda *_: None)


def test_train_overwrite(folder, tmp_path, saved, corpus, quick_training):
    shutil.copytree(saved, folder / "out")
    run = partial(polytag.train, task="ner", corpus=corpus.reference, output=folder / "out", overwrite=True, quiet=True)
    place = Place(tmp_path, run, again=partial(run, resume=True))
    place.kill_at_every_operation()
    place.fill_the_disk_at_every_operation(kept=".out.run")


class _KilledError(BaseException):
    pass


def test_push(saved, tmp_path, monkeypatch):
    import httpx2

    usual, old = httpx2.Client.send, {"README.md": b"# Mine", "polytag.json": b"{}", "tokenizer.json": b"{}"}

    def push(hub: Hub, last: float) -> bool:
        """Killed before a request, or after it if `last` is half of one more; whether it got so far."""

        def send(*arguments: Any, **options: Any) -> Any:
            number = next(requests)
            if number > last:
                raise _KilledError
            answer = usual(*arguments, **options)
            if number + 0.5 == last:
                raise _KilledError
            return answer

        requests = itertools.count()
        with pytest.MonkeyPatch.context() as patch:
            use_hub(patch, hub.url, tmp_path, token=TOKEN)
            patch.setattr(httpx2.Client, "send", send)
            try:
                polytag.push(saved, "acme/ner")
            except _KilledError:
                return True
        return False

    with running_hub() as hub:
        hub.add("models", "acme/ner", old)
        assert not push(hub, math.inf)
        new = hub.model("acme/ner").files
        for moments in itertools.count():
            hub.add("models", "acme/ner", old)
            killed = push(hub, moments / 2 - 1)
            assert hub.model("acme/ner").files in (old, new), moments
            if not killed:
                break
            push(hub, math.inf)
            assert hub.model("acme/ner").files == new, moments
    assert moments > 6


def test_writing_that_fails_leaves_the_old_result(folder, tmp_path, saved, tagger, corpus, quick_training):
    (folder / "in.txt").write_text("Peter lives in Rome.\n" * 20)
    (folder / "out.jsonl").write_text("old")
    polytag.convert_corpus(corpus, folder / "corpus")
    for name in ("tagger", "exported"):
        shutil.copytree(saved, folder / name)
    before = tree(folder)
    for run in (
        partial(polytag.predict, saved, folder / "in.txt", output=folder / "out.jsonl"),
        partial(polytag.convert_corpus, "sample", folder / "corpus", overwrite=True),
        partial(polytag.train, task="ner", corpus=corpus.reference, output=folder / "tagger", overwrite=True),
        partial(polytag.export, tagger, folder / "exported", "savedmodel", corpus=corpus, overwrite=True),
    ):
        with small_files(2000), pytest.raises(PolytagError, match=r"cannot be written[^\n]*: File too large"):
            run()
        shutil.rmtree(folder / ".tagger.run", ignore_errors=True)  # for --resume
        assert tree(folder) == before
