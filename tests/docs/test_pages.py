"""Every block of code on every page of the documentation runs, and gives what the page shows.

POLYTAG_UPDATE_DOCS=1 writes what comes out into the pages instead of failing, pictures included.
"""

import os
import re
import shutil
from pathlib import Path

import pytest

from polytag.tagger import runtimes
from support.checkpoints import make_checkpoint, make_classifier
from support.corpora import write_abstracts, write_addresses, write_treebank, write_vectors
from support.course import make_course_checkpoint, write_course_corpus
from support.pages import DOCS, Block, Given, PageRunner, agrees, pages, parts
from support.random_tagger import save_random_tagger

WITH_BLOCKS = [page for page in pages() if any(isinstance(part, Block) for part in parts(page))]


FEW_BATCHES = {"a checkpoint", "the checkpoint of the course", "a token classifier"}
"""What pages train on for a few batches only: faster without compiling."""


@pytest.fixture
def shared_command(command, sample_run):
    """Run a command; runs on the sample corpus with nothing but a number of epochs are made once for all tests."""

    def run(*arguments, **options):
        match = re.fullmatch(
            r"train ((?:--task \w+ )+)--corpus sample --epochs (\d) --output (\S+)", " ".join(arguments)
        )
        if not match:
            return command(*arguments, **options)
        tasks, epochs, output = match.groups()
        done, result = sample_run(*tasks.split()[1::2], epochs=int(epochs))
        shutil.copytree(result.output, output)
        return done._replace(out=done.out.replace(str(result.output), output))

    return run


@pytest.fixture
def runner(tmp_path, monkeypatch, capsys, command, shared_command, request):
    """Works in an empty folder; plugins that a page installs are gone afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    runtimes._HINTED.set()  # a hint is shown once per process, whichever page comes first

    def copied(fixture, path):
        value = request.getfixturevalue(fixture)
        shutil.copytree(getattr(value, "output", value), path)

    given = {
        "a tagger for ner": lambda path: copied("ner_run", path),
        "a tagger for three tasks": lambda path: copied("joint_run", path),
        "column files": lambda path: copied("tiny_corpus", path),
        "addresses": write_addresses,
        "a file of vectors": write_vectors,
        "a treebank": write_treebank,
        "biomedical column files": write_abstracts,
        "the package rjieba": lambda path: pytest.importorskip("rjieba", reason="comes with the extra dev"),
        "a checkpoint": lambda path: make_checkpoint(path, "bert"),
        "the corpus of the course": write_course_corpus,
        "the checkpoint of the course": make_course_checkpoint,
        "a tagger over a checkpoint": lambda path: save_random_tagger(path, {"ner": (("O", "B-PER", "I-PER"), "iob2")}),
        "a token classifier": lambda path: make_classifier(path, "bert", ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")),
    }
    update = os.environ.get("POLYTAG_UPDATE_DOCS") == "1"
    return PageRunner(tmp_path, command, shared_command, capsys, monkeypatch, given, update)


@pytest.mark.parametrize("page", WITH_BLOCKS, ids=[str(page.relative_to(DOCS)) for page in WITH_BLOCKS])
def test_a_page_runs(page: Path, runner: PageRunner, request: pytest.FixtureRequest):
    if FEW_BATCHES & {part.what for part in parts(page) if isinstance(part, Given)}:
        request.getfixturevalue("uncompiled")
    runner.run(page)


@pytest.mark.parametrize(
    ("shown", "actual"),
    [
        ("f1 0.9289  5.2 s  3,062 words/s", "f1 0.9301  1.7 s  9,225 words/s"),
        ("a\n…\nz", "a\nb\nc\nz"),
        ("a\n…\nz", "a\nz"),
        ("in …/out (3)", "in /tmp/out (3)"),
        ("left", "left   \n"),
    ],
)
def test_what_differs_from_machine_to_machine_is_not_compared(shown, actual):
    assert agrees(shown, actual)


@pytest.mark.parametrize(
    ("shown", "actual"),
    [
        ("f1 0.9289", "f1 0.7"),
        ("9 labels", "10 labels"),
        ("a\n…\nz", "a\nb"),
        ("a … z", "a\nz"),
        ("PER", "LOC"),
    ],
)
def test_what_is_the_same_everywhere_is_compared(shown, actual):
    assert not agrees(shown, actual)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("```python\nassert 1 == 2\n```\n", "AssertionError"),
        ("```python\nprint(1)\n```\n\n```text\n2\n```\n", "shows\n2"),
        ("```console\n$ echo 1\n2\n```\n", "shows\n\\$ echo 1\n2"),
        ("```console\n$ echo 1 \\\n    2\n1\n```\n", "1 2"),
        ("```console\n$ polytag train --task nerr\n```\n", "no task named 'nerr'|missing"),
        ("```rust\nfn main() {}\n```\n", "nothing runs a block of the language 'rust'"),
        ("<!-- tested by: tests/docs/test_site.py -->\n```rust\nfn main() {}\n```\n", "tests/docs/test_site.py"),
    ],
)
def test_a_page_that_is_wrong_fails(text, reason, runner, monkeypatch, tmp_path):
    monkeypatch.setattr("support.pages.ROOT", tmp_path)
    (tmp_path / "tests/docs").mkdir(parents=True)
    (tmp_path / "tests/docs/test_site.py").write_text("other.md")
    (tmp_path / "page.md").write_text(text, encoding="utf-8")
    runner.update = False
    with pytest.raises(AssertionError, match=reason if reason != "AssertionError" else None):
        runner.run(tmp_path / "page.md")
