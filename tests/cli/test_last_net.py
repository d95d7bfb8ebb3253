"""An error that nothing expects is reported as a defect, in one paragraph."""

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
    assert "(test_last_net.py, line 9). Please report it to the authors of polytag" in paragraph
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
