"""A student is trained on what its teachers say of a corpus and of text; what cannot be taught is refused."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import polytag
from polytag.encoding.tensors import read_tensors
from polytag.runner import TrainResult
from polytag.training import teaching
from polytag.training.run_folder import run_folder
from support.random_tagger import save_random_tagger

TEXT = "Maria Keller flew from Bonn to Chicago. She likes it there.\nAnna Berg stays in Rome.\n"


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """A text file of three sentences."""
    file = tmp_path / "raw.txt"
    file.write_text(TEXT, encoding="utf-8")
    return file


@pytest.fixture
def distil(command, ner_run: TrainResult, tiny_corpus: Path, raw: Path, tmp_path: Path) -> Callable[..., object]:
    """Distil into the folder `student` for an epoch of few steps."""
    given = ["--corpus", tiny_corpus, "--texts", raw, "--output", tmp_path / "student", "--epochs", 1]

    def run(*more: object, teacher: Path | None = None) -> object:
        return command("distil", teacher or ner_run.output, *given, *more)

    return run


def test_the_student_is_an_ordinary_tagger_that_says_where_it_learnt(
    distil, tmp_path, tiny_corpus, raw, ner_run: TrainResult, uncompiled
):
    done = distil()
    assert done.status == 0, done.err
    assert "Text without labels: 3 sentences, 19 words" in done.err
    assert "The teacher tags " in done.err
    student = tmp_path / "student"
    (tagged,) = polytag.Tagger.load(student).tag(["Peter lives in Rome."])
    assert len(tagged.words) == 5
    described = json.loads((student / "polytag.json").read_text())
    assert [teacher["reference"] for teacher in described["teachers"]] == [str(ner_run.output)]
    assert described["texts"]["references"] == [str(raw)]
    card = (student / "README.md").read_text()
    assert "It is a student of `ner`" in card
    assert "| text without labels | 3 | 19 |" in card
    assert str(raw.parent) not in card
    assert not run_folder(student).exists()
    again = polytag.RunConfig.from_sources(student / "run.toml", {})
    assert again.teacher == (str(ner_run.output),)


def test_a_run_killed_while_its_teacher_tags_is_resumed_to_the_bit(
    distil, command, tmp_path, monkeypatch, interrupted_teacher, uncompiled
):
    monkeypatch.setattr(teaching, "CHUNK", 16)
    assert distil("--output", tmp_path / "whole").status == 0
    with interrupted_teacher(after=2):
        done = distil()
    assert done.status == 128 + signal.SIGINT, done.err
    assert "Continue with --resume" in done.err
    assert "An unfinished run" in distil().err
    assert "teacher_weight was 0.9 and is 0.5" in distil("--resume", "--teacher-weight", 0.5).err
    assert distil("--resume").status == 0
    whole, resumed = read_tensors(tmp_path / "whole"), read_tensors(tmp_path / "student")
    assert all(np.array_equal(whole[name], resumed[name]) for name in whole)


@pytest.fixture
def interrupted_teacher(monkeypatch: pytest.MonkeyPatch) -> Callable[..., pytest.MonkeyPatch]:
    """Interrupt from the keyboard after some files of what the teacher says."""

    class Interrupted:
        def __init__(self, after: int) -> None:
            self.after, self.patch = after, pytest.MonkeyPatch()

        def __enter__(self) -> None:
            usual = teaching.word_probabilities

            def say(*arguments: object) -> object:
                if not self.after:
                    os.kill(os.getpid(), signal.SIGINT)
                self.after -= 1
                return usual(*arguments)

            self.patch.setattr(teaching, "word_probabilities", say)

        def __exit__(self, *_: object) -> None:
            self.patch.undo()

    return Interrupted


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--task", "pos"], ["has the tasks ner and none of this run's (pos)", "Choose another teacher"]),
        (["--teacher-label", "PER"], ["--teacher-label 'PER' is not of the form TEACHER=STUDENT"]),
        (["--teacher-label", "PERS=PER"], ["--teacher-label names 'PERS', which no teacher has"]),
        (["--teacher-label", "PER=PERSON"], ["labels that the student lacks: PER."]),
        (["--teacher-weight", "2"], ["'teacher_weight' is 2.0"]),
        (["--teacher-temperature", "0"], ["'teacher_temperature' is 0.0"]),
        (["--texts", "nowhere.txt"], ["'nowhere.txt' does not exist"]),
        (["--texts", "/dev/null"], ["'/dev/null'"]),
        (["--splitter", "standrad"], ["no splitter named 'standrad'"]),
    ],
)
def test_what_cannot_be_taught_is_refused_in_a_paragraph(distil, tmp_path, options, expected):
    done = distil(*options)
    assert done.status == 2, done.err
    *_, paragraph = done.err.splitlines()
    assert paragraph.startswith("polytag: ")
    assert all(part in paragraph for part in expected), paragraph
    assert sorted(path.name for path in tmp_path.iterdir()) == ["raw.txt"]


def test_the_teacher_is_not_replaced_by_its_student(distil, ner_run: TrainResult, tmp_path):
    teacher = shutil.copytree(ner_run.output, tmp_path / "student")
    done = distil("--overwrite", teacher=teacher)
    assert done.status == 2
    assert "is the output folder, which the student replaces" in done.err


def test_text_needs_a_teacher(command, tiny_corpus, raw, tmp_path):
    done = command("train", "-t", "ner", "-c", tiny_corpus, "-o", tmp_path / "student", "--texts", raw)
    assert done.status == 2
    assert "--texts has no labels, and needs a teacher that tags it" in done.err


def test_a_teacher_with_other_labels_is_refused(distil, tmp_path):
    teacher = save_random_tagger(tmp_path / "teacher", {"ner": (("O", "B-GPE", "I-GPE"), "iob2")})
    done = distil(teacher=teacher)
    assert done.status == 2
    assert "has ner labels that the student lacks: GPE" in done.err
    assert not (tmp_path / "student").exists()
