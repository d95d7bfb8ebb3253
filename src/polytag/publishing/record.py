"""The record of a run: all that its tagger, card and scores are written from."""

from __future__ import annotations

from dataclasses import dataclass

from polytag.corpus.corpus import Corpus
from polytag.corpus.splits import Split
from polytag.evaluation.results import Evaluation
from polytag.evaluation.robustness import Robustness
from polytag.plugin.reporter import Epoch, best_epoch
from polytag.training.config import RunConfig


@dataclass(frozen=True, slots=True)
class RunRecord:
    """How a tagger came about.

    Attributes:
        config: The run, with all defaults filled in.
        corpus: Its corpus.
        training: What it was trained on.
        held_out: Whether the validation split was held out of the training split.
        history: The epochs that were trained so far.
        ended: Whether the run has ended.
        validation, test: Its scores; intervals and calibration may be missing while the run continues.
        limits: What it is measured to be less good at, where that was measured.
    """

    config: RunConfig
    corpus: Corpus
    training: Split
    held_out: bool
    history: tuple[Epoch, ...]
    ended: bool
    validation: Evaluation
    test: Evaluation | None = None
    limits: Robustness | None = None

    @property
    def epoch(self) -> int:
        """The epoch that the tagger is from."""
        return best_epoch(self.history)

    @property
    def epochs(self) -> int | None:
        """How many epochs were trained; None while the run continues."""
        return len(self.history) if self.ended else None

    @property
    def evaluations(self) -> list[Evaluation]:
        """The scores on the splits that there are."""
        return [evaluation for evaluation in (self.validation, self.test) if evaluation]
