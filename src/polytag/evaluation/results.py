"""Results of an evaluation: the scores of each task on one split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from polytag.evaluation.calibration import Calibration
from polytag.evaluation.mistakes import Confusion
from polytag.plugin.metric import Scores

Tags = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class TaskEvaluation:
    """The scores of one task on one split.

    Attributes:
        metrics: Scores by metric; the first metric is the task's main one.
        headline: Name of the main metric's headline score.
        baseline: The headline score of a per-word majority-tag baseline; None without a training split.
        interval: The 95% confidence interval of the headline score, by resampling sentences; None if it was not
            requested, or the metric has no statistics.
        confusions: The most frequent confusions, if requested.
        calibration: The calibration error of the words' probabilities; None without probabilities.
    """

    metrics: Mapping[str, Scores]
    headline: str
    baseline: float | None = None
    interval: tuple[float, float] | None = None
    confusions: Sequence[Confusion] = ()
    calibration: Calibration | None = None

    @property
    def score(self) -> float:
        """The headline score of the main metric."""
        return float(next(iter(self.metrics.values())).overall[self.headline])


@dataclass(frozen=True, slots=True, repr=False)
class Evaluation:
    """The scores of all tasks on one split.

    Attributes:
        corpus: The name of the corpus as the user gave it.
        split: Name of the split.
        sentences, words: Number of sentences and words; all are scored.
        tasks: Scores by task.
        runtime: The runtime that computed the network: `tensorflow`, `onnx`, `onnx-int8` or `numpy`; None for a
            file of predictions.
    """

    corpus: str
    split: str
    sentences: int
    words: int
    tasks: Mapping[str, TaskEvaluation]
    runtime: str | None

    def to_dict(self) -> dict[str, Any]:
        """The same as plain data for JSON."""
        return asdict(self)

    @property
    def score(self) -> float:
        """The mean of the headline scores of all tasks, which chooses the best epoch."""
        return float(np.mean(list(self.headlines.values())))

    @property
    def headlines(self) -> dict[str, float]:
        """Headline scores by task and name: `{"ner f1": 0.91, "pos accuracy": 0.96}`."""
        return {f"{name} {task.headline}": task.score for name, task in self.tasks.items()}

    def __repr__(self) -> str:
        scores = ", ".join(f"{name} {value:.4f}" for name, value in self.headlines.items())
        return f"Evaluation({self.corpus}, {self.split}, {self.sentences:,} sentences: {scores})"

    def _repr_html_(self) -> str:
        """The tables of scores, for notebooks."""
        from polytag.evaluation.tables import evaluation_html

        return evaluation_html(self)
