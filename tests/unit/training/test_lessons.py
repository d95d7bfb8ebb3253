"""What teachers say is computed once, kept in files, averaged, and asked for again only where it is missing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from polytag.corpus.splits import Split
from polytag.errors import PolytagError
from polytag.plugin.reporter import Reporter
from polytag.plugin.scheme import UNANNOTATED
from polytag.tagger.description import TaggerDescription
from polytag.tagger.heads import TaskHead
from polytag.training import teaching
from polytag.training.config import RunConfig
from polytag.training.teachers import Teacher
from polytag.training.teaching import Lessons, joined, make_lessons, make_targets

NO_TEXT = Split([], [], {})
TRAINING = Split([["a", "b"], ["c"], ["d", "e", "f"]], None, {"ner": [["O", "O"], ["O"], ["O", "O", "O"]]})


class FakeTagger:
    """Says of each word a probability that depends on its first letter; counts the words that it is asked about."""

    runtime = "thought"

    def __init__(self, scale: float) -> None:
        self.scale, self.asked = scale, 0

    def say(self, sentences: Sequence[Sequence[str]]) -> np.ndarray[Any, Any]:
        words = [word for sentence in sentences for word in sentence]
        self.asked += len(words)
        first = np.array([(ord(word[0]) - 96) * self.scale for word in words], np.float32)
        return np.stack([first, 1 - first], axis=1)


@pytest.fixture
def taggers(monkeypatch: pytest.MonkeyPatch) -> dict[str, FakeTagger]:
    """Two teachers, by the names of their folders."""
    found = {"one": FakeTagger(1 / 16), "two": FakeTagger(1 / 32)}
    monkeypatch.setattr(Teacher, "load", lambda self: found[self.reference])
    monkeypatch.setattr(teaching, "CHUNK", 2)
    monkeypatch.setattr(teaching, "word_probabilities", lambda tagger, words, _: {"ner": tagger.say(words)})
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a run."""
    (tmp_path / "run").mkdir()
    return tmp_path / "run"


def lessons(tmp_path: Path, *names: str, ids: Sequence[int] = (0, 1), texts: Split = NO_TEXT) -> Lessons:
    description = TaggerDescription.of({"ner": TaskHead(("O", "B-PER"), "iob2", "first")}, "compact", "compact")
    for name in names:
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / "model.safetensors").write_text(name)
    teachers = tuple(Teacher(name, tmp_path / name, description) for name in names)
    return Lessons(teachers, tuple({"ner": np.array(ids, np.int32)} for _ in names), texts)


def first_column(found: Lessons, folder: Path, split: Split = TRAINING, cache: Path | None = None) -> list[float]:
    return (make_targets(found, [split, found.texts], {"ner": 2}, folder, cache, Reporter())["ner"][:, 0] * 32).tolist()


def test_every_word_has_the_probabilities_of_its_teacher(taggers, tmp_path, folder):
    assert first_column(lessons(tmp_path, "one"), folder) == [2, 4, 6, 8, 10, 12]


def test_several_teachers_are_averaged(taggers, tmp_path, folder):
    assert first_column(lessons(tmp_path, "one", "two"), folder) == [1.5, 3, 4.5, 6, 7.5, 9]


def test_labels_that_are_one_for_the_student_are_added(taggers, tmp_path, folder):
    found = make_targets(lessons(tmp_path, "one", ids=(1, 1)), [TRAINING], {"ner": 2}, folder, None, Reporter())
    assert found["ner"].tolist() == [[0, 1]] * 6


def test_a_teacher_is_asked_once_about_the_same_words(taggers, tmp_path, folder):
    for _ in range(2):
        first_column(lessons(tmp_path, "one"), folder, cache=tmp_path / "cache")
    assert taggers["one"].asked == 6


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:-2],
        lambda content: bytes([content[0] ^ 1]) + content[1:],  # a digit of a probability
        lambda content: content[8:],
    ],
)
def test_a_damaged_file_of_the_cache_is_asked_for_again(taggers, tmp_path, folder, damage):
    found = lessons(tmp_path, "one")
    expected = first_column(found, folder, cache=tmp_path / "cache")
    for file in (tmp_path / "cache").rglob("*.f16"):
        file.write_bytes(damage(file.read_bytes()))
    assert first_column(found, folder, cache=tmp_path / "cache") == expected
    assert taggers["one"].asked == 12


def test_a_pipe_in_the_cache_is_refused(taggers, tmp_path, folder):
    found = lessons(tmp_path, "one")
    first_column(found, folder, cache=tmp_path / "cache")
    for file in (tmp_path / "cache").rglob("*.f16"):
        file.unlink()
        os.mkfifo(file)
    with pytest.raises(PolytagError, match="is no regular file"):
        first_column(found, folder, cache=tmp_path / "cache")


def test_more_text_asks_about_that_text_alone(taggers, tmp_path, folder):
    first_column(lessons(tmp_path, "one"), folder)
    more = lessons(tmp_path, "one", texts=Split([["a", "a"], ["b"]], [0, 0], {}))
    assert first_column(more, folder, TRAINING) == [2, 4, 6, 8, 10, 12, 2, 2, 4]
    assert taggers["one"].asked == 6 + 3


def test_another_teacher_of_the_same_name_is_asked_again(taggers, tmp_path, folder):
    found = lessons(tmp_path, "one")
    first_column(found, folder)
    (tmp_path / "one" / "model.safetensors").write_text("trained again")
    first_column(found, folder)
    assert taggers["one"].asked == 12


def test_a_damaged_file_is_written_again(taggers, tmp_path, folder):
    first_column(lessons(tmp_path, "one"), folder)
    first, *_ = sorted((folder / "said").rglob("*.f16"))
    first.write_bytes(first.read_bytes()[:-2])
    assert first_column(lessons(tmp_path, "one"), folder) == [2, 4, 6, 8, 10, 12]
    assert taggers["one"].asked < 12


def test_after_a_kill_only_the_rest_is_asked_about(taggers, tmp_path, folder, monkeypatch):
    usual = FakeTagger.say

    def killed(self: FakeTagger, sentences: Sequence[Sequence[str]]) -> np.ndarray[Any, Any]:
        if self.asked:
            raise KeyboardInterrupt
        return usual(self, sentences)

    monkeypatch.setattr(FakeTagger, "say", killed)
    with pytest.raises(KeyboardInterrupt):
        first_column(lessons(tmp_path, "one"), folder)
    monkeypatch.setattr(FakeTagger, "say", usual)
    assert first_column(lessons(tmp_path, "one"), folder) == [2, 4, 6, 8, 10, 12]
    assert taggers["one"].asked == 6


def test_text_without_labels_follows_the_training_split():
    split = joined(TRAINING, Split([["x"], ["y"]], [0, 1], {}))
    assert split.sentences == [*TRAINING.sentences, ["x"], ["y"]]
    assert split.tags["ner"][-2:] == [[UNANNOTATED], [UNANNOTATED]]
    assert split.documents == [0, 1, 2, 3, 4]


def test_a_joint_teacher_teaches_the_tasks_that_it_shares(tmp_path, registry):
    heads = {"ner": TaskHead(("O", "B-PER", "I-PER"), "iob2", "first"), "pos": TaskHead(("NN", "VB"), "flat", "first")}
    joint = Teacher("joint", tmp_path, TaggerDescription.of(heads, "compact", "compact"))
    labels = {"pos": ["VB", "NN"], "ner": ["O", "B-PER", "I-PER"], "chunk": ["O", "B-NP", "I-NP"]}
    schemes = {"pos": registry.schemes["flat"], **dict.fromkeys(("ner", "chunk"), registry.schemes["iob2"])}
    config = RunConfig(task=list(labels), corpus="sample", output=tmp_path / "out", teacher="joint")
    said: list[str] = []

    class Listener(Reporter):
        def message(self, text: str) -> None:
            said.append(text)

    found = make_lessons(config, (joint,), labels, schemes, Listener())
    assert {task: ids.tolist() for task, ids in found.labels[0].items()} == {"pos": [1, 0], "ner": [0, 1, 2]}
    assert said == ["No teacher has the task chunk: it is learnt from labels alone."]
