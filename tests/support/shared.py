"""What many tests use is made once per run of the tests, also where several processes share the work."""

from __future__ import annotations

import os
import pickle
import shutil
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from filelock import FileLock

from polytag import Tagger, runner
from polytag.runner import TrainResult
from support.command import Done, call
from support.fork_server import ForkServer

Once = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """The folder with a name, which `make` fills for whoever asks first; no test may change what is in it."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"
    shared.mkdir(exist_ok=True)

    def once(name: str, make: Callable[[Path], object]) -> Path:
        folder, made = shared / name, shared / f"{name}.made"
        with FileLock(shared / f"{name}.lock"):
            if not made.exists():
                shutil.rmtree(folder, ignore_errors=True)  # left by one who failed
                make(folder)
                made.touch()
        return folder

    return once


class Run(NamedTuple):
    """A run of `polytag train`: what it printed, and what it gave back."""

    done: Done
    result: TrainResult


SampleRun = Callable[..., Run]


@pytest.fixture(scope="session")
def sample_run(once: Once) -> SampleRun:
    """Run `polytag train --corpus sample` for tasks and a number of epochs; each run is made once."""
    found: dict[tuple[object, ...], Run] = {}

    def sample_run(*tasks: str, epochs: int) -> Run:
        key = (*tasks, epochs)
        if key not in found:
            made = once("-".join(map(str, ("sample", *key))), lambda folder: _train(folder, tasks, epochs))
            done, values = pickle.loads((made / "run.pickle").read_bytes())
            found[key] = Run(Done(*done), TrainResult(tagger=Tagger.load(values["output"]), **values))
        return found[key]

    return sample_run


def _train(folder: Path, tasks: tuple[str, ...], epochs: int) -> None:
    results: list[TrainResult] = []
    usual = runner.train

    def train(*arguments: Any, **options: Any) -> TrainResult:
        results.append(usual(*arguments, **options))
        return results[-1]

    output = folder / "output" / "-".join(tasks)
    options = [part for task in tasks for part in ("--task", task)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "train", train)
        done = call(
            *("train", *options, "--corpus", "sample", "--epochs", epochs, "--output", output),
            environment={"COLUMNS": "100"},
        )
    (result,) = results
    values = {field.name: getattr(result, field.name) for field in fields(result) if field.name != "tagger"}
    (folder / "run.pickle").write_bytes(pickle.dumps((tuple(done), values)))


@pytest.fixture(scope="session")
def ner_run(sample_run: SampleRun) -> TrainResult:
    """Two epochs of the compact encoder on the sample corpus, for ner."""
    return sample_run("ner", epochs=2).result


@pytest.fixture(scope="session")
def joint_run(sample_run: SampleRun) -> TrainResult:
    """Two epochs of the compact encoder on the sample corpus, for three tasks at once."""
    return sample_run("ner", "pos", "chunk", epochs=2).result


@pytest.fixture
def uncompiled() -> Iterator[None]:
    """TensorFlow runs functions operation by operation: for a few batches, compiling takes longer than running."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="session")
def fork_server() -> Iterator[ForkServer]:
    """For tests that kill a process, or need several: each is forked where TensorFlow is imported already."""
    server = ForkServer()
    yield server
    server.close()
