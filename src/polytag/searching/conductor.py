"""Carry out a search: begin, watch and end its runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from polytag.errors import InterruptedRunError, PolytagError, TrainingError, shorten
from polytag.files import new_file, remove_folder
from polytag.searching.interrupts import Interrupts
from polytag.searching.journal import JOURNAL, TRIALS, Journal, run_output
from polytag.searching.progress import Listener
from polytag.searching.results import Search, Trial, best_trial, ranked, score_text, summary
from polytag.searching.space import SearchSpace
from polytag.searching.workers import DefectError, Job, Message, Worker
from polytag.training.config import RunConfig

BEST = "best.toml"
"""Name of the file with the best configuration."""
FINALISTS = 3
"""How many of the best configurations are repeated with other seeds."""

_DEATHS = 3
"""A run whose process dies so often has failed."""


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """The extent of a search, which can change when it is continued.

    Attributes:
        trials: Number of trials.
        budget: Seconds after which no trial begins; None for no limit.
        workers: Number of trials at a time.
        repeats: Number of runs, with different seeds, of each of the best configurations.
    """

    trials: int = 20
    budget: float | None = None
    workers: int = 1
    repeats: int = 1


@dataclass(slots=True)
class _Task:
    """A run that a worker does."""

    kind: str
    """`trial`, `repeat` or `test`."""
    number: int
    config: RunConfig
    deaths: int = 0
    seconds: dict[int, float] = field(default_factory=dict)


class Conductor:
    """Begins, watches and ends the runs of a search."""

    def __init__(
        self,
        space: SearchSpace,
        folder: Path,
        options: SearchOptions,
        listener: Listener,
        journal: Journal,
        train: Job,
        test: Job,
        worker: Callable[[Job, RunConfig], Worker],
    ) -> None:
        self._space, self._folder, self._options, self._journal = space, folder, options, journal
        self._tell, self._train, self._test, self._worker = listener, train, test, worker
        self._running: dict[Worker, _Task] = {}
        self._began = time.monotonic()
        self._interrupts = Interrupts()

    def run(self) -> Search:
        """Do all runs that are still to be done."""
        try:
            with self._interrupts:
                self._do(self._trials())
                best = self._best()
                if self._options.repeats > 1:
                    self._do(self._repeats())
                    best = self._best()
                self._write(best)
                if self._journal.test(best.number) is None:
                    self._do(iter([_Task("test", best.number, self._config(best))]))
        except InterruptedRunError:
            raise
        except BaseException:
            self._kill()
            self._forget()
            raise
        finally:
            self._kill()
        (scores,) = self._journal.test(best.number) or (None,)
        return Search(self._folder, tuple(self._journal.trials()), best, self._folder / BEST, scores)

    def _trials(self) -> Iterator[_Task]:
        """The trials that a killed search has left, then new ones."""
        trials = self._journal.trials()
        for trial in trials:
            if trial.state == "running":
                yield self._trial(trial)
        for _ in range(len(trials), self._options.trials):
            if self._options.budget is not None and time.monotonic() - self._began > self._options.budget:
                return
            begun = self._journal.begin()
            if begun is None:
                return
            yield self._trial(begun)

    def _trial(self, trial: Trial) -> _Task:
        self._tell({"event": "begin", "trial": trial.number, "options": dict(trial.options)})
        return _Task("trial", trial.number, self._config(trial))

    def _repeats(self) -> Iterator[_Task]:
        """Runs of the best trials with other seeds."""
        for trial in ranked(self._journal.trials())[:FINALISTS]:
            first = self._config(trial).seed
            for seed in range(first + 1, first + self._options.repeats):
                if seed not in trial.repeats:
                    output = run_output(self._folder, trial.number, seed)
                    yield _Task("repeat", trial.number, self._space.config(trial.options, output, seed))

    def _config(self, trial: Trial) -> RunConfig:
        return self._space.config(trial.options, trial.output)

    def _do(self, tasks: Iterator[_Task]) -> None:
        """Do runs, so many at a time as there may be workers."""
        while True:
            while not self._interrupts.count and len(self._running) < self._options.workers:
                task = next(tasks, None)
                if task is None:
                    break
                self._start(task)
            if not self._running:
                break
            ready = self._interrupts.wait([worker.connection for worker in self._running])
            if self._interrupts.count:
                self._stop()
            for worker in [worker for worker in self._running if worker.connection in ready]:
                self._hear(worker, worker.receive())
        if self._interrupts.count:
            raise InterruptedRunError(self._interruption())

    def _start(self, task: _Task) -> None:
        job = self._test if task.kind == "test" else self._train
        self._running[self._worker(job, task.config)] = task

    def _stop(self) -> None:
        """Let the runs finish their steps at the first interrupt; end them at the second one."""
        if self._interrupts.count == 1 and not self._interrupts.told:
            self._interrupts.told = True
            self._tell({"event": "interrupt", "running": len(self._running)})
            for worker in self._running:
                worker.interrupt()
        if self._interrupts.count > 1:
            self._kill()

    def _kill(self) -> None:
        for worker in self._running:
            worker.kill()
        self._running.clear()

    def _hear(self, worker: Worker, message: Message) -> None:
        task = self._running[worker]
        if message.kind == "epoch":
            worker.answer(self._epoch(task, *message.value))
            return
        del self._running[worker]
        worker.close()
        if message.kind == "interrupted" or (self._interrupts.count and message.kind in ("error", "died")):
            return
        if message.kind == "died":
            task.deaths += 1
            if task.deaths < _DEATHS:
                self._start(task)
                return
            message = Message(
                "error", DefectError(f"its process ended {_DEATHS} times, the last time with status {message.value}")
            )
        if message.kind == "error":
            self._failed(task, message.value)
        else:
            self._ended(task, message)

    def _epoch(self, task: _Task, epoch: int, score: float, seconds: float) -> bool:
        """Record an epoch; return whether to stop the run."""
        task.seconds[epoch] = seconds
        self._tell({"event": "epoch", "trial": task.number, "seed": task.config.seed, "epoch": epoch, "score": score})
        return task.kind == "trial" and self._journal.epoch(task.number, epoch, score)

    def _ended(self, task: _Task, message: Message) -> None:
        seconds = sum(task.seconds.values())
        if task.kind == "test":
            self._journal.tested(task.number, message.value)
            return
        if message.kind == "result":
            score, corpus = message.value
            self._check_corpus(task, corpus)
        if task.kind == "repeat":
            self._journal.repeat(task.number, task.config.seed, score)
            self._tell({"event": "repeat", "trial": task.number, "seed": task.config.seed, "score": score})
        else:
            if message.kind == "pruned":
                self._journal.prune(task.number, seconds)
            else:
                self._journal.complete(task.number, score, seconds)
            self._tell_end(task.number)

    def _check_corpus(self, task: _Task, fingerprint: str) -> None:
        if not self._journal.is_same_corpus(fingerprint):
            remove_folder(task.config.output)
            raise PolytagError(
                f"The corpus {task.config.corpus!r} has changed since the search began, and scores on both cannot be "
                "compared. Restore it, or search into another folder."
            )

    def _tell_end(self, number: int) -> None:
        trials = self._journal.trials()
        best = best_trial(trials)
        self._tell({"event": "end", "best": best.number if best else None, **trials[number].to_dict()})

    def _failed(self, task: _Task, error: Exception) -> None:
        """Record a failure, or raise it if it concerns more than one configuration."""
        good = [trial for trial in self._journal.trials() if trial.state in ("complete", "pruned")]
        if task.kind != "trial" or (not good and not isinstance(error, TrainingError)):
            raise error
        self._journal.fail(task.number, shorten(str(error), 500))
        self._tell_end(task.number)

    def _best(self) -> Trial:
        trials = self._journal.trials()
        best = best_trial(trials)
        if best is None:
            why = next((f" The last one failed: {trial.error}" for trial in reversed(trials) if trial.error), "")
            raise PolytagError(f"None of {len(trials)} trials ended well.{why}")
        return best

    def _write(self, best: Trial) -> None:
        """Write the best configuration."""
        import tomlkit

        n_trials = len(self._journal.trials())
        remarks = [
            f"The best of {n_trials} trials: trial {best.number}, score {score_text(best)} on validation.",
            f"Train it with: polytag train --config {BEST} --output FOLDER",
        ]
        document = tomlkit.parse(self._config(best).to_toml(remarks))
        document.remove("output")
        with new_file(self._folder / BEST) as file:
            file.write(tomlkit.dumps(document))

    def _forget(self) -> None:
        """Remove a search in which no trial has ended, so that it can begin again with other options."""
        if all(trial.state == "running" for trial in self._journal.trials()):
            remove_folder(self._folder / TRIALS)
            (self._folder / JOURNAL).unlink()

    def _interruption(self) -> str:
        trials = self._journal.trials()
        ended = [trial for trial in trials if trial.state != "running"]
        best = best_trial(trials)
        unfinished = len(trials) - len(ended)
        return (
            f"Interrupted: {len(ended)} of {self._options.trials} trials have ended"
            + (f", and {unfinished} can be resumed" if unfinished else "")
            + (f". The best so far is trial {best.number} ({summary(best)})" if best else "")
            + ". Continue with the same command."
        )
