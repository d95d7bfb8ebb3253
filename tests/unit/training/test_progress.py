"""What a person reads while a run is under way."""

import dataclasses
from typing import Any

import pytest

from polytag.plugin.reporter import Epoch, Progress
from polytag.terminal import wrapped
from polytag.training import progress as module
from polytag.training.progress import ConsoleReporter, default_reporter

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


def test_lines_for_a_terminal_break_between_words() -> None:
    line = "sample: 1,608 sentences, train on /a/path/that-is-longer-than-the-line; ner: 9 labels"
    assert wrapped(line, 26).split("\n") == [
        "sample: 1,608 sentences,",
        "  train on",
        "  /a/path/that-is-longer-than-the-line;",
        "  ner: 9 labels",
    ]


def test_a_stage_is_a_plain_line_once(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = ConsoleReporter()
    for text in ("Reading [red]\x1b", "", "Scoring", "Scoring"):
        reporter.status(text)
    assert capsys.readouterr().err == "Reading [red]\\x1b …\nScoring …\n"


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


class Display:
    """Stands for IPython's display: keeps the latest content of each output."""

    def __init__(self) -> None:
        self.outputs: list[str] = []
        self.updates = 0

    def __call__(self, content: Any, display_id: bool) -> "Display":
        assert display_id
        self.outputs.append(content.data)
        return self

    def update(self, content: Any) -> None:
        self.outputs[-1] = content.data
        self.updates += 1


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Display:
    display = Display()
    monkeypatch.setattr("IPython.display.display", display)
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    return display


def test_a_notebook_has_one_output_with_a_bar_and_a_table(notebook: Display, monkeypatch: pytest.MonkeyPatch) -> None:
    reporter = default_reporter()
    reporter.message("100 sentences <to> train on")
    reporter.status("Starting TensorFlow")
    assert notebook.outputs[-1] == "<div>100 sentences &lt;to&gt; train on</div><div>Starting TensorFlow …</div>"
    reporter.epoch(EPOCH)
    assert "TensorFlow" not in notebook.outputs[-1]
    assert "<td>0.2000</td><td>0.9000</td>" in notebook.outputs[-1]
    monkeypatch.setattr("polytag.training.notebook._INTERVAL", -1.0)
    reporter.step(AT_STEP)
    assert '<progress value="30" max="100"></progress>' in notebook.outputs[-1]
    assert "1,234 subwords/s  1:02:05 left" in notebook.outputs[-1]
    reporter.close()
    assert "<progress" not in notebook.outputs[-1]
    assert len(notebook.outputs) == 1


def test_a_notebook_is_not_flooded(notebook: Display) -> None:
    reporter = default_reporter()
    for step in range(1, 1001):
        reporter.step(dataclasses.replace(AT_STEP, step=step))
    assert notebook.updates < 20


def test_elsewhere_progress_is_on_stderr() -> None:
    assert isinstance(default_reporter(), ConsoleReporter)
