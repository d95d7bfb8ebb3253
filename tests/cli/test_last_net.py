"""An error that nothing expects is reported as a defect, in one paragraph; a full disk is none."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from polytag.corpus import describe


def _fail(*_, **__):
    raise KeyError("tokens\n" * 1000)


@pytest.fixture
def defect(monkeypatch: pytest.MonkeyPatch) -> None:
    """`polytag corpus describe` has a defect."""
    monkeypatch.setattr(describe, "describe", _fail)


def test_a_defect_is_one_paragraph_that_says_how_to_report_it(command, defect):
    done = command("corpus", "describe", "sample")
    assert (done.status, done.out) == (1, "")
    (paragraph,) = done.err.splitlines()
    assert paragraph.startswith("polytag: This is a defect of polytag ")
    assert "KeyError: 'tokens" in paragraph
    assert "(test_last_net.py, line 15). Please report it to the authors of polytag" in paragraph
    assert "POLYTAG_DEBUG=1" in paragraph
    assert len(paragraph) < 1000


def test_its_traceback_is_shown_on_request(command, defect):
    done = command("corpus", "describe", "sample", environment={"POLYTAG_DEBUG": "1"})
    assert done.status == 1
    assert done.err.startswith("Traceback (most recent call last):")
    assert "in _fail" in done.err
    assert done.err.splitlines()[-1].startswith("polytag: This is a defect")


def test_the_traceback_of_wrong_input_is_shown_on_request_too(command):
    wanted = command("corpus", "describe", "nowhere.conll", environment={"POLYTAG_DEBUG": "1"})
    usual = command("corpus", "describe", "nowhere.conll")
    assert wanted.status == usual.status == 2
    assert "Traceback" in wanted.err
    assert wanted.err.endswith(usual.err)
    assert "Traceback" not in usual.err


def test_a_long_message_keeps_its_beginning_and_its_advice(command):
    done = command("predict", "x/" * 2_000, "-", stdin=b"Peter sleeps.")
    (paragraph,) = done.err.splitlines()
    assert done.status == 2
    assert paragraph.startswith("polytag: 'x/x/")
    assert paragraph.endswith("or a token classifier of transformers.")
    assert 900 < len(paragraph) < 1000


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EFBIG])
def test_a_full_disk_is_no_defect(command, monkeypatch: pytest.MonkeyPatch, number: int):
    def fail(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(describe, "describe", fail)
    done = command("corpus", "describe", "sample")
    assert (done.status, done.out) == (2, "")
    assert (
        done.err
        == f"polytag: The output cannot be written: {os.strerror(number)}. Make room, or choose another place.\n"
    )


def run(arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the command line in a process of its own: full disks and pipes are about its streams."""
    program = f"{sys.executable} -c 'from polytag.cli.app import main; main()'"
    return subprocess.run(["bash", "-c", f"{program} {arguments}"], capture_output=True, text=True, timeout=60)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_the_streams_of_a_command_may_be_on_a_full_disk():
    done = run("tasks > /dev/full")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("polytag: The output cannot be written: No space left on device.")
    assert done.stderr.count("\n") == 1
    assert run("predict nowhere - 2> /dev/full").returncode == 2


def test_a_table_may_be_read_in_part():
    done = run("tasks | true; echo ${PIPESTATUS[0]}")
    assert (done.stdout, done.stderr) == ("0\n", "")


def test_a_removed_current_folder_is_named(command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    done = command("train", "-t", "ner", "-c", "sample", "-o", "new")
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert done.err.startswith("polytag: The path 'new' cannot be used: the current folder does not exist")
