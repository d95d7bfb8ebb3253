"""A run that is killed at any moment and resumed ends like one that was never killed, to the bit."""

import json
import os
import random
import re
import shutil
import signal
from pathlib import Path

import pytest

import polytag
from polytag.engine.checkpoints import CheckpointStore
from polytag.training.run_folder import run_folder
from support.checkpoints import make_checkpoint
from support.fork_server import ForkServer

pytestmark = pytest.mark.usefixtures("uncompiled")

OPTIONS = {
    "task": ("ner", "pos"),
    "epochs": 2,
    "batch_size": 8,
    "learning_rate": 1e-3,
    "averaging": 0.9,
    "checkpoint_every": 2,
}
TRAIN = "import json, sys, polytag; polytag.train(quiet=True, **json.loads(sys.argv[1]))"
UNCOMPILED = "import tensorflow; tensorflow.config.run_functions_eagerly(True)\n"


_AT_A_STEP_OF_WRITING = """
import itertools, json, os, signal, sys, threading

options, folder, wanted = json.loads(sys.argv[1])
steps = itertools.count(1)

def watch(event, arguments):
    of_checkpoint = arguments and str(arguments[0]).startswith(folder + "/.writing")
    if of_checkpoint and event in ("open", "os.mkdir", "os.rename") and next(steps) == wanted:
        KILL

sys.addaudithook(watch)
"""
"""Killed right before the given step in writing checkpoints, or a little later; to be followed by training."""

STEPS_OF_WRITING = 10
"""A folder made, two files opened, two read for their checksums, three and the folder flushed, the folder renamed."""


def train(server: ForkServer, options: dict[str, object], status: int = 0, code: str = TRAIN, *more: object) -> None:
    done = server.run(code, "-c", json.dumps([options, *more] if more else options))
    assert done.returncode == status, done.stderr


def train_until_killed(
    server: ForkServer, options: dict[str, object], step: int, delay: float, train_it: str = TRAIN
) -> None:
    kill = "os.kill(os.getpid(), signal.SIGKILL)"
    later = f"threading.Timer({delay}, os.kill, (os.getpid(), signal.SIGKILL)).start()"
    code = _AT_A_STEP_OF_WRITING.replace("KILL", later if delay else kill)
    code += train_it.replace("json.loads(sys.argv[1])", "options")
    train(server, options, -signal.SIGKILL, code, str(run_folder(Path(str(options["output"])))), step)


def without_seconds(tagger: Path) -> bytes:
    """The scores of a tagger, byte for byte, without the time that each epoch took."""
    text, times = re.subn(rb'"seconds": \d+\.\d+(e-\d+)?', b'"seconds": 0', (tagger / "scores.json").read_bytes())
    assert times == OPTIONS["epochs"]
    return text


@pytest.mark.slow
@pytest.mark.parametrize("encoder", ["compact", "bert"])
def test_killed_and_resumed_is_never_killed(encoder, tiny_corpus, tmp_path, fork_server):
    if encoder == "bert":
        encoder = str(make_checkpoint(tmp_path / "bert", "bert"))
    # Which precision is the default depends on how fast the processor is found to be.
    options = {**OPTIONS, "corpus": str(tiny_corpus), "encoder": encoder, "precision": "float32"}
    # A checkpoint's network takes longer to compile than these few batches take.
    code = TRAIN if encoder == "compact" else UNCOMPILED + TRAIN
    train(fork_server, {**options, "output": str(tmp_path / "whole")}, code=code)

    choose = random.Random(7)
    killed = {**options, "output": str(tmp_path / "killed"), "resume": True}
    # Inside the writing of the second or third checkpoint since the last kill, and in the training after it.
    for delay in (0, choose.uniform(0.001, 0.02)):
        step = choose.randint(STEPS_OF_WRITING + 1, 3 * STEPS_OF_WRITING)
        train_until_killed(fork_server, killed, step, delay, code)
        assert len(list(run_folder(tmp_path / "killed").glob("checkpoint-*"))) >= 1
        assert not (tmp_path / "killed").exists()
    train(fork_server, killed, code=code)

    for name in ("model.safetensors", "polytag.json"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    assert without_seconds(tmp_path / "killed") == without_seconds(tmp_path / "whole")
    assert not run_folder(tmp_path / "killed").exists()


@pytest.fixture
def interrupted(command, monkeypatch):
    """Give a training command an interrupt from the keyboard in its third update."""
    from polytag.engine import step

    usual = step.TrainStep.updates

    def updates(self, *arguments):
        for number, update in enumerate(usual(self, *arguments)):
            if number == 2:
                os.kill(os.getpid(), signal.SIGINT)
            yield update

    def run(*arguments):
        with monkeypatch.context() as patched:
            patched.setattr(step.TrainStep, "updates", updates)
            return command(*arguments)

    return run


def test_an_interrupt_finishes_the_step_writes_a_checkpoint_and_says_so(tiny_corpus, tmp_path, command, interrupted):
    tiny_corpus = shutil.copytree(tiny_corpus, tmp_path / "corpus")
    run = ["train", "-t", "ner", "-c", tiny_corpus, "-o", tmp_path / "tagger", "--epochs", "1", "--batch-size", "8"]
    done = interrupted(*run)
    assert done.status == 128 + signal.SIGINT
    first, last = done.err.splitlines()[-2:]
    assert first.startswith("Interrupted: this step is finished, then a checkpoint is saved")
    assert last == (
        f"polytag: Interrupted in epoch 1; a checkpoint is in '{tmp_path}/.tagger.run'. Continue with --resume: "
        f"polytag {' '.join(map(str, run))} --resume"
    )
    assert not (tmp_path / "tagger").exists()

    refused = command(*run)
    assert refused.status == 2
    assert "unfinished run" in refused.err
    changed = command(*run, "--resume", "--seed", "5")
    assert changed.status == 2
    assert "seed was 0 and is 5" in changed.err
    train = tiny_corpus / "train.conll"
    before = train.read_text(encoding="utf-8")
    train.write_text(before.replace("-LOC", "-CITY"), encoding="utf-8")
    changed = command(*run, "--resume")
    assert changed.status == 2
    assert "fingerprint of the corpus was" in changed.err
    train.write_text(before, encoding="utf-8")
    assert command(*run, "--resume").status == 0
    assert (tmp_path / "tagger" / "polytag.json").exists()
    assert not run_folder(tmp_path / "tagger").exists()


@pytest.mark.parametrize(("first", "later"), [("bfloat16", "float32"), ("float32", "bfloat16")])
def test_a_run_goes_on_in_the_precision_that_the_processor_was_found_to_be_faster_at(
    first, later, tiny_corpus, tmp_path, command, interrupted, monkeypatch
):
    encoder, tagger = make_checkpoint(tmp_path / "bert", "bert"), tmp_path / "tagger"
    run = ["train", "-t", "ner", "-c", tiny_corpus, "-e", encoder, "-o", tagger, "--epochs", "1", "--batch-size", "8"]
    monkeypatch.setattr("polytag.engine.devices.native_precision", lambda: first)
    assert interrupted(*run).status == 128 + signal.SIGINT
    monkeypatch.setattr("polytag.engine.devices.native_precision", lambda: later)
    changed = command(*run, "--resume", "--precision", later)
    assert changed.status == 2
    assert f"precision was '{first}' and is '{later}'" in changed.err
    assert command(*run, "--resume").status == 0
    assert f'precision = "{first}"' in (tagger / "run.toml").read_text()


def test_a_run_does_not_go_on_with_other_weights_of_labels(tiny_corpus, tmp_path, command, interrupted):
    weights = tmp_path / "weights.toml"
    weights.write_text('[ner]\n"B-LOC" = 2.0\n')
    run = ["train", "-t", "ner", "-c", tiny_corpus, "-o", tmp_path / "tagger", "--epochs", "1", "--batch-size", "8"]
    run += ["--loss-weights", weights]
    assert interrupted(*run).status == 128 + signal.SIGINT
    weights.write_text('[ner]\n"B-LOC" = 3.0\n')
    changed = command(*run, "--resume")
    assert changed.status == 2
    assert "content of loss_weights was" in changed.err


def test_only_one_process_writes_a_run(tiny_corpus, tmp_path):
    from filelock import FileLock

    folder = run_folder(tmp_path / "tagger")
    with (
        FileLock(folder.with_name(folder.name + ".lock")),
        pytest.raises(polytag.PolytagError, match="Another process is training into"),
    ):
        polytag.train(task="ner", corpus=str(tiny_corpus), output=tmp_path / "tagger", quiet=True)


def test_a_checkpoint_that_cannot_be_written_leaves_the_last_good_one(tiny_corpus, tmp_path, monkeypatch):
    import safetensors.numpy

    usual = safetensors.numpy.save_file
    written = []

    def full_disk(tensors, path, metadata):
        written.append(path)
        if len(written) == 3:
            raise safetensors.SafetensorError("Error while serializing: I/O error: No space left (os error 28)")
        usual(tensors, path, metadata)

    options = {**OPTIONS, "corpus": str(tiny_corpus), "output": tmp_path / "tagger", "quiet": True, "epochs": 1}
    with monkeypatch.context() as patched:
        patched.setattr(safetensors.numpy, "save_file", full_disk)
        with pytest.raises(polytag.PolytagError, match=r"No space left on device.*--resume"):
            polytag.train(**options)
    assert [path.name for path in run_folder(tmp_path / "tagger").glob("checkpoint-*")] == ["checkpoint-8"]
    result = polytag.train(**options, resume=True)
    assert result.epochs == 1


@pytest.mark.slow
def test_a_run_folder_that_becomes_unwritable_leaves_the_last_good_checkpoint(
    tiny_corpus, tmp_path, monkeypatch, like_any_user
):
    output = tmp_path / "tagger"
    folder = run_folder(output)
    options = {**OPTIONS, "task": ("ner",), "corpus": str(tiny_corpus), "output": output, "epochs": 1, "quiet": True}
    save = CheckpointStore.save

    def save_and_lock(store, *arguments):
        save(store, *arguments)
        folder.chmod(0o555)

    with monkeypatch.context() as patched:
        patched.setattr(CheckpointStore, "save", save_and_lock)
        with pytest.raises(polytag.PolytagError) as raised:
            polytag.train(**options)
    assert f"A checkpoint cannot be written to '{folder}': Permission denied. The previous" in str(raised.value)
    (kept,) = folder.glob("checkpoint-*")
    assert not output.exists()

    with pytest.raises(polytag.PolytagError, match=f"The run folder '{folder}' cannot be written: "):
        polytag.train(**options, overwrite=True)
    assert {path.name for path in kept.iterdir()} == {"checksums.json", "state.json", "state.safetensors"}

    folder.chmod(0o755)
    polytag.train(**options, resume=True)
    assert (output / "polytag.json").is_file()
    assert not folder.exists()
