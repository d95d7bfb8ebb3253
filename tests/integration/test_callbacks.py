"""Who hears of a run from Python: callbacks, and plugins that are not installed."""

import signal
import sys
import types
from pathlib import Path

import pytest

import polytag

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("uncompiled")]


class Listener(polytag.Reporter):
    def __init__(self) -> None:
        self.heard: list[str] = []
        self.epochs: list[polytag.Epoch] = []
        self.stages: list[str] = []

    def message(self, text: str) -> None:
        self.heard.append("message")

    def status(self, text: str) -> None:
        self.stages.append(text)

    def step(self, progress: polytag.Progress) -> None:
        self.heard.append(f"step {progress.step} of {progress.steps}")

    def epoch(self, epoch: polytag.Epoch) -> None:
        self.epochs.append(epoch)

    def close(self) -> None:
        self.heard.append("close")


def test_callbacks_hear_of_a_run_in_addition_to_its_reporter(tiny_corpus: Path, tmp_path: Path):
    reporter, one, other = Listener(), Listener(), Listener()
    given = {"task": "ner", "corpus": str(tiny_corpus), "output": tmp_path / "ner", "epochs": 2, "batch_size": 32}
    result = polytag.train(**given, reporter=reporter, callbacks=[one, other])
    assert one.heard == other.heard == reporter.heard
    assert one.heard[0] == "message"
    assert one.heard[-5:] == ["step 1 of 2", "step 2 of 2"] * 2 + ["close"]
    assert one.epochs == list(result.history)
    assert one.stages == ["Starting TensorFlow", "Making features", "Compiling the first step"]


@pytest.mark.parametrize("moment", ["message", "step", "epoch", "close"])
def test_a_callback_that_raises_ends_the_run(tiny_corpus: Path, tmp_path: Path, moment: str):
    class Failing(polytag.Reporter):
        pass

    def fail(self: polytag.Reporter, *_: object) -> None:
        raise RuntimeError("no more")

    setattr(Failing, moment, fail)
    last = Listener()
    before = signal.getsignal(signal.SIGINT)
    given = {"task": "ner", "corpus": str(tiny_corpus), "output": tmp_path / "ner", "epochs": 1, "quiet": True}
    with pytest.raises(RuntimeError, match="no more") as raised:
        polytag.train(**given, callbacks=[Failing(), last])
    assert raised.tb is not None  # its frames live on, as those of the last error do in a notebook
    assert signal.getsignal(signal.SIGINT) is before
    assert last.heard[-1] == "close"
    assert (tmp_path / "ner").exists() == (moment == "close")


def test_what_is_no_reporter_is_refused(tmp_path: Path):
    with pytest.raises(TypeError, match=r"a callback must be a polytag\.Reporter, not 'tensorboard'"):
        polytag.train(task="ner", corpus="sample", output=tmp_path / "ner", callbacks=["tensorboard"])
    assert list(tmp_path.iterdir()) == []


PLUGIN = """
import polytag

heard = []

@polytag.hookimpl
def polytag_tasks():
    return [polytag.Task("acme.names", "", ("ner_tags",), "bilou", "first", ("spans",))]

@polytag.hookimpl
def polytag_epoch_end(run, epoch, scores):
    heard.append((run.tasks, epoch, dict(scores)))
"""


def test_a_plugin_is_tried_without_being_installed(polytag_manager, polytag_corpus: Path, tmp_path: Path):
    acme = types.ModuleType("acme")
    exec(PLUGIN, acme.__dict__)
    given = {"task": "acme.names", "corpus": str(polytag_corpus), "epochs": 1, "quiet": True}
    for name in ("one", "two"):
        result = polytag.train(**given, output=tmp_path / name, plugins=[acme])
        assert result.tagger.heads["acme.names"].scheme == "bilou"
        assert polytag.Tagger.load(tmp_path / name).heads["acme.names"].scheme == "bilou"
        ((tasks, epoch, scores),) = acme.heard
        assert (tasks, epoch, scores) == (("acme.names",), 1, result.history[0].scores)
        acme.heard.clear()


def test_a_plugin_in_a_file_is_tried_on_the_command_line(
    command, monkeypatch: pytest.MonkeyPatch, polytag_corpus: Path, tmp_path: Path
):
    from polytag.plugin import manager

    (tmp_path / "acme_tried.py").write_text(PLUGIN)
    monkeypatch.setenv("POLYTAG_PLUGINS", str(tmp_path / "acme_tried.py"))
    monkeypatch.delitem(sys.modules, "acme_tried", raising=False)
    with manager.isolated(manager.PluginManager()):  # as a new process makes it
        done = command("train", "-t", "acme.names", "-c", polytag_corpus, "-o", tmp_path / "out", "--epochs", 1)
    assert done.status == 0, done.err
    assert "acme.names: " in done.err
    sys.modules.pop("acme_tried")
