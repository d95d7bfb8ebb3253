"""What a person reads while a run is under way."""

import dataclasses

import pytest

from polytag.plugin.reporter import Epoch, Progress
from polytag.training import progress as module
from polytag.training.progress import ConsoleReporter

AT_STEP = Progress(
    epoch=2,
    step=30,
    steps=100,
    loss=0.25,
    learning_rate=2e-5,
    units=9000,
    units_per_second=1234.5,
    unit="subword",
    seconds_left=3725.4,
)
EPOCH = Epoch(2, 0.2, 1e-5, 0.9, {"ner f1": 0.9}, seconds=12.0, units_per_second=1500.0, unit="word", best=True)


@pytest.fixture
def without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PLAIN_INTERVAL", -1.0)


@pytest.mark.usefixtures("without_waiting")
def test_plain_lines_say_how_fast_how_well_and_how_long(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = ConsoleReporter()
    reporter.step(AT_STEP)
    reporter.epoch(EPOCH)
    reporter.close()
    assert capsys.readouterr().err == (
        "epoch 2  step 30/100  loss 0.2500  lr 2.0e-05  1,234 subwords/s  1:02:05 left\n"
        "epoch 2  loss 0.2000  ner f1 0.9000  12.0 s  1,500 words/s  best so far\n"
    )


def test_messages_are_shown_letter_by_letter(capsys: pytest.CaptureFixture[str]) -> None:
    ConsoleReporter().message("train.conll:100: the tag [red] of :smile: has no scheme")
    assert capsys.readouterr().err == "train.conll:100: the tag [red] of :smile: has no scheme\n"


def test_plain_lines_come_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = ConsoleReporter()
    for step in range(1, 100):
        reporter.step(dataclasses.replace(AT_STEP, step=step))
    assert capsys.readouterr().err == ""


def test_the_bar_on_a_terminal_says_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Not by variables of the environment: rich keeps the one that it found when it was imported.
    environment = {"TERM": "xterm", "COLUMNS": "150"}
    monkeypatch.setattr("rich.console.Console._environ", environment)
    monkeypatch.setattr("rich.console.Console.is_terminal", property(lambda _: True))
    monkeypatch.setattr("rich.console._is_jupyter", lambda: False)
    reporter = ConsoleReporter()
    reporter.step(AT_STEP)
    reporter.close()
    shown = capsys.readouterr().err
    for part in ("epoch 2", "30/100", "loss 0.2500", "lr 2.0e-05", "1,234 subwords/s", "1:02:05 left"):
        assert part in shown
