"""Names, loading and exchange of the taggers that a server has."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from polytag import PolytagError, Tagger
from polytag.runner import TrainResult
from polytag.serving.models import Loading, Queueing, ServedModel, served_models
from support.serving import TEXT, renamed_tagger


def models(taggers: Any) -> dict[str, ServedModel]:
    return served_models(taggers, Loading(), Queueing(4, 1000), lambda name: lambda *_: None)


@pytest.fixture
def folder(ner_run: TrainResult, tmp_path: Path) -> Path:
    """A tagger that may be changed."""
    return shutil.copytree(ner_run.output, tmp_path / "tagger")


@contextmanager
def loaded(folder: Path) -> Iterator[ServedModel]:
    model = models([folder])["tagger"]
    model.load()
    yield model
    model.stop(5)


def labels(model: ServedModel) -> set[str]:
    return {span.label for span in model.tagger.tag(TEXT).spans}


def test_models_are_named_after_their_folders_or_as_asked(folder: Path, tmp_path: Path) -> None:
    other = shutil.copytree(folder, tmp_path / "a=b")
    assert list(models([str(folder), f"x={folder}", str(other)])) == ["tagger", "x", "a=b"]
    assert list(models(f"{folder}/")) == ["tagger"]


def test_names_that_cannot_be_are_refused(folder: Path) -> None:
    with pytest.raises(PolytagError, match=r"^Two taggers have the name 'tagger'\..*NAME=TAGGER"):
        models([str(folder), f"tagger={folder}"])
    with pytest.raises(PolytagError, match="cannot be the name of a model"):
        models({"a/b": folder})
    with pytest.raises(PolytagError, match="no tagger to serve"):
        models([])


def test_bad_taggers_are_known_before_slow_work(tmp_path: Path) -> None:
    with pytest.raises(PolytagError, match="absent"):
        models([str(tmp_path / "absent")])["absent"].check()
    (tmp_path / "empty").mkdir()
    with pytest.raises(PolytagError, match="empty"):
        models([str(tmp_path / "empty")])["empty"].check()


def test_a_tagger_is_loaded_again_when_its_folder_changes(folder: Path, tmp_path: Path) -> None:
    with loaded(folder) as model:
        first = model.tagger
        assert not model.reload()
        assert model.tagger is first
        renamed_tagger(folder, tmp_path / "new", "HUM")
        shutil.rmtree(folder)
        assert not model.reload()
        (tmp_path / "new").rename(folder)
        assert model.reload()
        assert "HUM" in labels(model)
        assert "PER" not in labels(model)
        assert not model.reload()
        assert model.reload(even_if_unchanged=True)


def test_a_folder_behind_a_link_can_be_exchanged(folder: Path, tmp_path: Path) -> None:
    new, link = renamed_tagger(folder, tmp_path / "new", "HUM"), tmp_path / "link"
    link.symlink_to(folder)
    (model,) = models([link]).values()
    model.load()
    (tmp_path / "next").symlink_to(new)
    (tmp_path / "next").rename(link)
    assert model.reload()
    assert "HUM" in labels(model)
    model.stop(5)


@pytest.mark.parametrize("file", ["polytag.json", "model.safetensors"])
def test_a_damaged_tagger_does_not_replace_one_that_works(
    folder: Path, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with loaded(folder) as model:
        good = (folder / file).read_bytes()
        (folder / file).write_bytes(good[: len(good) // 2])
        assert not model.reload()
        assert "tagger" in str(model.problem)
        assert "PER" in labels(model)
        monkeypatch.setattr(Tagger, "load", lambda *_: pytest.fail("it is tried again"))
        assert not model.reload()
        monkeypatch.undo()
        (folder / file).write_bytes(good)
        assert model.reload()
        assert model.problem is None


def test_a_tagger_that_is_still_being_written_is_not_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = Tagger.load

    def load(*arguments: Any) -> Tagger:
        found = usual(*arguments)
        (folder / "README.md").write_text("written while it is loaded")
        return found

    with loaded(folder) as model:
        first = model.tagger
        (folder / "README.md").write_text("new")
        monkeypatch.setattr(Tagger, "load", load)
        assert not model.reload()
        assert model.tagger is first
        monkeypatch.undo()
        assert model.reload()
        assert model.tagger is not first


def test_the_hub_is_not_asked_every_second(ner_run: TrainResult, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def found(reference: Any) -> Path:
        asked.append(str(reference))
        return Path(ner_run.output)

    for module in ("polytag.tagger.description", "polytag.serving.models"):
        monkeypatch.setattr(f"{module}.tagger_folder", found)
    model = models(["acme/ner"])["ner"]
    model.load()
    before = len(asked)
    assert not model.reload()
    assert len(asked) == before
    assert model.reload(even_if_unchanged=True)
    assert len(asked) > before
    model.stop(5)


def test_a_model_describes_its_tasks(folder: Path) -> None:
    with loaded(folder) as model:
        (task,) = model.describe()["tasks"]
        assert task["name"] == "ner"
        assert "PER" in task["labels"]
        assert set(task["colours"]) == set(task["labels"])


def test_a_folder_without_a_tagger_is_no_reason_to_stop_watching(folder: Path, tmp_path: Path) -> None:
    with loaded(folder) as model:
        folder.rename(tmp_path / "away")
        assert not model.reload(even_if_unchanged=True)
        assert "does not exist" in str(model.problem)
        folder.mkdir()
        assert not model.reload()
        assert "no polytag.json" in str(model.problem)
        folder.rmdir()
        (tmp_path / "away").rename(folder)
        assert model.reload(even_if_unchanged=True)
        assert model.problem is None


def test_a_defect_in_loading_is_met_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*_: object) -> Tagger:
        raise MemoryError

    with loaded(folder) as model:
        monkeypatch.setattr(Tagger, "load", load)
        (folder / "README.md").write_text("new")
        with pytest.raises(MemoryError):
            model.reload()
        assert not model.reload()
        (folder / "README.md").chmod(0o600)
        with pytest.raises(MemoryError):  # it may have been the permissions
            model.reload()
        assert "PER" in labels(model)


def test_the_version_is_that_of_the_tagger_that_serves(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with loaded(folder) as model:
        old, version = model.tagger, model.version()
        description = folder / "polytag.json"
        description.write_text(description.read_text(encoding="utf-8") + "\n", encoding="utf-8")
        monkeypatch.setattr(Tagger, "stream", lambda *_: (_ for _ in [1 / 0]))
        with pytest.raises(ZeroDivisionError):
            model.reload()
        assert model.version() == version
        monkeypatch.undo()
        assert model.reload(even_if_unchanged=True)
        assert model.version() != version
        assert model.version(old) == version
