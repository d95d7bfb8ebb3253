"""The result of a search: its trials, and the best one."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from polytag.terminal import html_table, html_text

State = Literal["complete", "pruned", "failed", "running"]


@dataclass(frozen=True, slots=True)
class Trial:
    """A configuration that a search has tried.

    Attributes:
        number: Its number, from 0.
        options: The values of the options that are searched.
        state: `complete`, `pruned` (stopped early), `failed`, or `running` (not finished: the search was interrupted).
        score: Selection score of its best epoch on validation; None unless it is complete.
        epochs: The selection score after each epoch, by the number of the epoch.
        seconds: Time of its training steps.
        repeats: Selection score of its runs with other seeds, by seed.
        error: Why it failed; empty otherwise.
        output: The folder of its tagger, which exists if it is complete.
    """

    number: int
    options: Mapping[str, Any]
    state: State
    score: float | None
    epochs: Mapping[int, float]
    seconds: float
    repeats: Mapping[int, float]
    error: str
    output: Path

    @property
    def mean(self) -> float | None:
        """Mean score over all seeds."""
        return None if self.score is None else statistics.fmean([self.score, *self.repeats.values()])

    @property
    def deviation(self) -> float | None:
        """Standard deviation of the score over seeds (of a sample); None with one seed."""
        return (
            statistics.stdev([self.score, *self.repeats.values()]) if self.repeats and self.score is not None else None
        )

    def to_dict(self) -> dict[str, Any]:
        """The trial as plain data, for JSON."""
        return {
            "number": self.number,
            "options": dict(self.options),
            "state": self.state,
            "score": self.score,
            "epochs": {str(number): score for number, score in self.epochs.items()},
            "seconds": round(self.seconds, 1),
            "repeats": {str(seed): score for seed, score in self.repeats.items()},
            "mean": self.mean,
            "deviation": self.deviation,
            "error": self.error,
            "output": str(self.output),
        }


@dataclass(frozen=True, slots=True, repr=False)
class Search:
    """The result of a search.

    Attributes:
        output: Its folder.
        trials: Its trials, in order.
        best: The best one: the highest mean score of those that were repeated, or else the highest score.
        config: The TOML file of the best configuration, for `polytag train --config`.
        test: Named scores of its tagger on the test split; None if the corpus has none.
    """

    output: Path
    trials: Sequence[Trial]
    best: Trial
    config: Path
    test: Mapping[str, float] | None

    def to_dict(self) -> dict[str, Any]:
        """The search as plain data, for JSON."""
        return {
            "output": str(self.output),
            "best": self.best.number,
            "config": str(self.config),
            "test": None if self.test is None else dict(self.test),
            "trials": [trial.to_dict() for trial in self.trials],
        }

    def __repr__(self) -> str:
        return f"Search({self.output}, {len(self.trials)} trials, best {self.best.number}: {summary(self.best)})"

    def _repr_html_(self) -> str:
        """The trials as a table, for notebooks."""
        return html_table(*trial_table(self.trials, self.best)) + html_text(f"{self.output}")


def best_trial(trials: Iterable[Trial]) -> Trial | None:
    """The best of complete trials: the highest mean score, or the highest score if none was repeated."""
    complete = [trial for trial in trials if trial.score is not None]
    chosen = [trial for trial in complete if trial.repeats] or complete
    return max(chosen, key=lambda trial: (trial.mean, -trial.number), default=None)


def ranked(trials: Iterable[Trial]) -> list[Trial]:
    """The complete trials by their score, the highest first."""
    return sorted(
        (trial for trial in trials if trial.score is not None), key=lambda one: (-(one.score or 0), one.number)
    )


def summary(trial: Trial) -> str:
    """The options of a trial, and its score."""
    options = ", ".join(f"{name} {shown(value)}" for name, value in trial.options.items())
    return f"{options}: {score_text(trial)}"


def score_text(trial: Trial) -> str:
    """Score of a trial, or mean and deviation; empty if it has none."""
    if trial.mean is None:
        return ""
    if trial.deviation is None:
        return f"{trial.mean:.4f}"
    return f"{trial.mean:.4f} ± {trial.deviation:.4f}"


def shown(value: Any) -> str:
    """A value of an option as text: numbers with four digits."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def trial_table(trials: Sequence[Trial], best: Trial | None) -> tuple[list[str], list[list[str]]]:
    """Heads and rows of the table of trials."""
    names = list(dict.fromkeys(name for trial in trials for name in trial.options))
    repeated = any(trial.repeats for trial in trials)
    heads = ["trial", *names, "state", "epochs", "score", *(["mean ± deviation"] if repeated else []), "seconds"]
    rows = [
        [
            f"{trial.number}{' (best)' if best and trial.number == best.number else ''}",
            *(shown(trial.options[name]) if name in trial.options else "" for name in names),
            trial.state,
            str(len(trial.epochs)),
            "" if trial.score is None else f"{trial.score:.4f}",
            *([score_text(trial) if trial.repeats else ""] if repeated else []),
            f"{trial.seconds:.1f}",
        ]
        for trial in trials
    ]
    return heads, rows
