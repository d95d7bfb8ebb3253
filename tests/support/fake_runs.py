"""Runs of a search that train nothing: the processes of a search import them from here."""

from __future__ import annotations

import json
import math
import os
import signal
import threading
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

from polytag.errors import PolytagError, TrainingError
from polytag.searching.runs import TrainedRun
from polytag.searching.workers import Job, PrunedError, Report, Worker, do_job
from polytag.training.config import RunConfig

BEST_RATE = 2e-3


def score(config: RunConfig, epoch: int) -> float:
    """The score after an epoch: the better, the nearer the learning rate is to `BEST_RATE`."""
    distance = abs(math.log10((config.learning_rate or 1) / BEST_RATE))
    return 1 / (1 + distance) - 0.1 / epoch + 0.01 * config.seed


def note(config: RunConfig, what: str) -> None:
    """Add a line to the record of what was done."""
    with (config.output.parent / "record.txt").open("a") as file:
        file.write(f"{config.output.name} {what}\n")


def record(folder: Path) -> list[str]:
    """What was done in a search, in order."""
    return (folder / "trials/record.txt").read_text().splitlines()


def train(config: RunConfig, report: Report) -> TrainedRun:
    """Report the scores of some epochs; a run that was killed continues after the last one, as from a checkpoint."""
    checkpoint = config.output.with_name(f".{config.output.name}.run")
    done: list[float] = json.loads(checkpoint.read_text()) if checkpoint.exists() else []
    note(config, "resumed" if done else "begins")
    try:
        for number, found in enumerate(done, 1):
            report(number, found, 1.0)
        for epoch in range(len(done) + 1, (config.epochs or 3) + 1):
            done.append(score(config, epoch))
            new = checkpoint.with_suffix(".new")
            new.write_text(json.dumps(done))
            new.replace(checkpoint)  # an interrupt or a kill may come while it is written
            report(epoch, done[-1], 1.0)
    except PrunedError:
        note(config, "stopped")
        raise
    config.output.mkdir(exist_ok=True)  # an interrupt may come after it
    checkpoint.unlink(missing_ok=True)
    note(config, "ends")
    return TrainedRun(max(done), config.corpus)


def train_or_diverge(config: RunConfig, report: Report) -> TrainedRun:
    """Fail where the learning rate is large."""
    if (config.learning_rate or 1) > BEST_RATE:
        raise TrainingError("The loss is no longer finite.")
    return train(config, report)


def train_worse_and_worse(config: RunConfig, report: Report) -> TrainedRun:
    """The score is the lower, the later the trial begins."""
    for epoch in (1, 2):
        report(epoch, 0.9 - 0.1 * int(config.output.name), 1.0)
    return TrainedRun(0.9 - 0.1 * int(config.output.name), config.corpus)


def train_on_another_corpus(config: RunConfig, report: Report) -> TrainedRun:
    """Train on a corpus that has changed."""
    return train(config, report)._replace(corpus="changed")


def train_without_corpus(config: RunConfig, report: Report) -> TrainedRun:
    """Fail, as runs do whose corpus does not exist."""
    raise PolytagError(f"{config.corpus!r} does not exist.")


def train_with_a_defect(config: RunConfig, report: Report) -> TrainedRun:
    """Fail, as no run should."""
    raise ZeroDivisionError("division by zero")


def train_or_die(config: RunConfig, report: Report) -> TrainedRun:
    """Be killed in the first run, as where memory is short."""
    if not (config.output.parent / "record.txt").exists():
        note(config, "killed")
        os.kill(os.getpid(), signal.SIGKILL)
    return train(config, report)


class ThreadWorker(Worker):
    """Does a job in a thread, which starts sooner than a process."""

    def __init__(self, job: Job, config: RunConfig) -> None:
        self.connection, theirs = Pipe()
        self._thread = threading.Thread(target=do_job, args=(theirs, job, config))
        self._thread.start()

    def close(self) -> None:
        """Wait for its end."""
        self._thread.join()

    kill = close


def test(config: RunConfig, report: Report) -> dict[str, Any]:
    """Score the tagger of a run on the test split."""
    note(config, "tested")
    return {"ner f1": 0.5}
