"""A student is trained on what its teachers say of a corpus and of text; what cannot be taught is refused."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tensorflow  # noqa: TID253

import polytag
from polytag.encoding.tensors import read_tensors
from polytag.runner import TrainResult
from polytag.training import teaching
from polytag.training.run_folder import run_folder
from support.command import Done, call
from support.random_tagger import save_random_tagger

pytestmark = pytest.mark.usefixtures("uncompiled_module")

TEXT = "Maria Keller flew from Bonn to Chicago. She likes it there.\nAnna Berg stays in Rome.\n"


@pytest.fixture(scope="module")
def uncompiled_module() -> Iterator[None]:
    """As `uncompiled`, for all tests of the module."""
    tensorflow.config.run_functions_eagerly(True)
    yield
    tensorflow.config.run_functions_eagerly(False)


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A text file of three sentences."""
    file = tmp_path_factory.mktemp("texts") / "raw.txt"
    file.write_text(TEXT, encoding="utf-8")
    return file


@pytest.fixture(scope="module", autouse=True)
def small_files_of_the_cache() -> Iterator[None]:
    """What the teacher says is kept in several files, even of a few sentences."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(teaching, "CHUNK", 32)
        yield


@pytest.fixture(scope="module")
def distil(ner_run: TrainResult, tiny_corpus: Path, raw: Path) -> Callable[..., Done]:
    """Distil for an epoch of few steps, with variants of the sentences."""
    given = ["--corpus", tiny_corpus, "--texts", raw, "--epochs", 1, "--variants", 1]

    def run(output: Path, *more: object, teacher: Path | None = None) -> Done:
        return call("distil", teacher or ner_run.output, *given, "--output", output, *more)

    return run


@pytest.fixture(scope="module")
def student(
    uncompiled_module: None, distil: Callable[..., Done], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Done]:
    """A student of a run without interruption, and what the command printed."""
    output = tmp_path_factory.mktemp("students") / "student"
    return output, distil(output)


def test_the_student_is_an_ordinary_tagger_that_says_where_it_learnt(student, raw, ner_run: TrainResult):
    output, done = student
    assert done.status == 0, done.err
    assert "Text without labels: 3 sentences, 19 words" in done.err
    assert "The teacher tags " in done.err
    assert re.search(r"Variants with other names: \d+ sentences", done.err)
    (tagged,) = polytag.Tagger.load(output).tag(["Peter lives in Rome."])
    assert len(tagged.words) == 5
    described = json.loads((output / "polytag.json").read_text())
    assert [teacher["reference"] for teacher in described["teachers"]] == [str(ner_run.output)]
    assert described["texts"]["references"] == [str(raw)]
    card = (output / "README.md").read_text()
    assert "It is a student of `ner`" in card
    assert "| text without labels | 3 | 19 |" in card
    assert str(raw.parent) not in card
    assert not run_folder(output).exists()
    assert polytag.RunConfig.from_sources(output / "run.toml", {}).teacher == (str(ner_run.output),)


def test_a_run_killed_while_its_teacher_tags_is_resumed_to_the_bit(distil, student, tmp_path, interrupted_teacher):
    output = tmp_path / "student"
    with interrupted_teacher(after=2):
        done = distil(output)
    assert done.status == 128 + signal.SIGINT, done.err
    assert "Continue with --resume" in done.err
    assert "An unfinished run" in distil(output).err
    assert "teacher_weight was " in distil(output, "--resume", "--teacher-weight", 0.5).err
    assert distil(output, "--resume").status == 0
    whole, resumed = read_tensors(student[0]), read_tensors(output)
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
    done = distil(tmp_path / "student", *options)
    assert done.status == 2, done.err
    *_, paragraph = done.err.splitlines()
    assert paragraph.startswith("polytag: ")
    assert all(part in paragraph for part in expected), paragraph
    assert list(tmp_path.iterdir()) == []


def test_the_teacher_is_not_replaced_by_its_student(distil, ner_run: TrainResult, tmp_path):
    teacher = shutil.copytree(ner_run.output, tmp_path / "student")
    done = distil(tmp_path / "student", "--overwrite", teacher=teacher)
    assert done.status == 2
    assert "is the output folder, which the student replaces" in done.err


@pytest.mark.parametrize("option", ["--corpus", "--texts", "--vectors", "--teacher"])
def test_nothing_that_is_read_is_deleted_with_the_old_tagger(
    command, ner_run: TrainResult, tiny_corpus, raw, tmp_path, option
):
    old = shutil.copytree(ner_run.output, tmp_path / "student")
    given = {"--corpus": tiny_corpus, "--texts": raw, "--teacher": ner_run.output, "--vectors": raw}
    source = given[option]
    inside = shutil.copytree(source, old / "mine") if source.is_dir() else Path(shutil.copy(source, old / "mine"))
    named = f"train={inside / 'train.conll'},test=elsewhere" if option == "--corpus" else inside
    options = [part for pair in (given | {option: named}).items() for part in pair]
    done = command("train", "-t", "ner", *options, "--output", old, "--overwrite")
    assert done.status == 2
    assert re.search(rf"'{inside}[^ ]*', which {option} names, is in the output folder and would be deleted", done.err)


def test_the_cache_is_no_part_of_a_teacher(distil, ner_run: TrainResult, tmp_path):
    done = distil(tmp_path / "student", "--teacher-cache", ner_run.output / "cache")
    assert done.status == 2
    assert "is in the folder of the teacher" in done.err


def test_teachers_of_different_schemes_are_refused_together(ner_run: TrainResult, tiny_corpus, tmp_path):
    labels = ("O", *(f"{prefix}-{name}" for name in ("LOC", "MISC", "ORG", "PER") for prefix in "BIES"))
    other = save_random_tagger(tmp_path / "other", {"ner": (labels, "iobes")})
    done = call("distil", ner_run.output, other, "--corpus", tiny_corpus, "--output", tmp_path / "student")
    assert done.status == 2
    assert "have ner in different label schemes, iob2 and iobes" in done.err


def test_text_needs_a_teacher(command, tiny_corpus, raw, tmp_path):
    done = command("train", "-t", "ner", "-c", tiny_corpus, "-o", tmp_path / "student", "--texts", raw)
    assert done.status == 2
    assert "--texts has no labels, and needs a teacher that tags it" in done.err


def test_a_teacher_with_other_labels_is_refused(distil, tmp_path):
    teacher = save_random_tagger(tmp_path / "teacher", {"ner": (("O", "B-GPE", "I-GPE"), "iob2")})
    done = distil(tmp_path / "student", teacher=teacher)
    assert done.status == 2
    assert "has ner labels that the student lacks: GPE" in done.err
    assert not (tmp_path / "student").exists()
