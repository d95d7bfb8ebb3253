"""An interrupt from the keyboard ends every command in one line, with status 130."""

import os
import signal
import sys

import pytest

from polytag import terminal
from polytag.cli import start
from polytag.engine.interrupts import finishing_the_step

COMMANDS = {
    "polytag.prediction.predict.predict": ("predict", "tagger"),
    "polytag.evaluation.evaluate.evaluate": ("evaluate", "tagger", "-c", "sample"),
    "polytag.evaluation.compare.compare": ("compare", "a", "b", "-c", "sample"),
    "polytag.exporting.export.export": ("export", "tagger", "to"),
    "polytag.publishing.push.push": ("push", "tagger", "acme/ner"),
    "polytag.corpus.describe.describe": ("corpus", "describe", "sample"),
    "polytag.corpus.check.check.check": ("corpus", "check", "sample"),
    "polytag.corpus.convert.convert_corpus": ("corpus", "convert", "sample", "to"),
    "polytag.testing.suite.check": ("plugins", "check", "ner"),
    "polytag.runner.train": ("train", "-t", "ner", "-c", "sample", "-o", "to"),
}


def interrupt(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGINT)


def interrupt_an_import(*_: object, **__: object) -> None:
    """As some libraries do when the exception arrives in their native code."""
    try:
        interrupt()
    except KeyboardInterrupt:
        raise ImportError("initialization failed") from None


@pytest.mark.parametrize("function", COMMANDS)
@pytest.mark.parametrize("how", [interrupt, interrupt_an_import])
def test_an_interrupt_ends_a_command_in_one_line(function, how, command, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(function, how)
    done = command(*COMMANDS[function])
    assert (done.status, done.out, done.err) == (130, "", "polytag: Interrupted.\n")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_an_interrupted_import_printed_is_not_shown(fork_server):
    # TensorFlow is imported anew, and the interrupt arrives after it has written to the file of stderr.
    code = """
import builtins, os, signal, sys
from polytag.cli.app import main
for name in [name for name in sys.modules if name.startswith("polytag.engine")]:
    del sys.modules[name]
usual = builtins.__import__

def importing(name, *arguments, **options):
    if name == "tensorflow":
        os.write(2, b"WARNING: All log messages before absl::InitializeLog() is called\\n")
        os.kill(os.getpid(), signal.SIGINT)
    return usual(name, *arguments, **options)

builtins.__import__ = importing
main()
"""
    done = fork_server.run(code, "polytag", "train", "-t", "ner", "-c", "sample", "-o", "to")
    assert done.returncode == 130
    assert done.stderr.endswith("to train on; ner: 9 labels\nStarting TensorFlow …\npolytag: Interrupted.\n")
    assert "WARNING" not in done.stderr


def test_an_interrupt_while_the_command_line_is_imported(monkeypatch, capsys):
    monkeypatch.delitem(sys.modules, "polytag.cli.app")

    def find_spec(name: str, *_: object) -> None:
        if name == "polytag.cli.app":
            interrupt()

    finder = type("Finder", (), {"find_spec": staticmethod(find_spec)})()
    monkeypatch.setattr(sys, "meta_path", [finder, *sys.meta_path])
    with pytest.raises(SystemExit) as exited:
        start.main()
    assert exited.value.code == 130
    assert capsys.readouterr().err == "polytag: Interrupted.\n"


def test_a_command_that_ends_well_despite_an_interrupt_has_ended_well(command, monkeypatch):
    def handled(*_: object, **__: object) -> str:
        with pytest.raises(KeyboardInterrupt):
            interrupt()
        return "https://hub/commit"

    monkeypatch.setattr("polytag.publishing.push.push", handled)
    assert command("push", "tagger", "acme/ner") == (0, "https://hub/commit\n", "")


def test_a_second_interrupt_of_training_stops_the_program_at_once(fork_server):
    # The main thread is in native code, where Python's handlers do not run, and does not receive the signals.
    code = """
import ctypes, os, signal, threading
from polytag.engine.interrupts import finishing_the_step

first = threading.Event()

def interrupt_twice():
    os.kill(os.getpid(), signal.SIGINT)
    first.wait()
    os.kill(os.getpid(), signal.SIGINT)

with finishing_the_step(lambda: (print("saving", flush=True), first.set())):
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    threading.Thread(target=interrupt_twice).start()
    ctypes.CDLL(None).sleep(60)
print("too late")
"""
    done = fork_server.run(code, "-c")
    assert (done.returncode, done.stdout, done.stderr) == (130, "saving\n", "polytag: Interrupted.\n")


def test_in_other_programs_a_second_interrupt_is_raised(monkeypatch):
    monkeypatch.setattr(terminal, "is_program", False)
    said: list[str] = []
    with finishing_the_step(lambda: said.append("saving")) as interrupted:
        assert not interrupted()
        interrupt()
        assert interrupted()
        with pytest.raises(KeyboardInterrupt):
            interrupt()
    assert said == ["saving"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.set_wakeup_fd(-1) == -1


def test_an_interrupt_after_training_names_the_command_that_resumes(
    tiny_corpus, tmp_path, command, monkeypatch, uncompiled
):
    monkeypatch.setattr("polytag.runner._evaluated", interrupt)
    run = ["train", "-t", "ner", "-c", tiny_corpus, "-o", tmp_path / "tagger", "--epochs", "1", "--batch-size", "8"]
    done = command(*run)
    assert done.status == 130
    assert done.err.splitlines()[-1].endswith(f"Continue with --resume: polytag {' '.join(map(str, run))} --resume")
    monkeypatch.undo()
    assert command(*run, "--resume").status == 0
