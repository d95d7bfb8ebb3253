"""The record of a run, from which its tagger, card and scores are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from polytag.corpus.corpus import Corpus
from polytag.corpus.splits import Split
from polytag.evaluation.results import Evaluation
from polytag.evaluation.robustness import Robustness
from polytag.plugin.reporter import Epoch, best_epoch
from polytag.training.config import RunConfig
from polytag.training.teaching import Lessons


@dataclass(frozen=True, slots=True)
class RunRecord:
    """Everything about a run that its output shows.

    Attributes:
        config: The run, with all defaults filled in.
        corpus: Its corpus.
        training: The training split.
        held_out: Whether the validation split was held out of the training split.
        history: The epochs trained so far.
        ended: Whether the run has ended.
        validation, test: Its scores; intervals and calibration may be missing while the run continues.
        limits: Robustness figures: unseen words and lower-cased text; None if not measured.
        lessons: What the tagger learnt from teachers; None without one.
        unannotated: For each task, the types of spans that only the tagger at the start of the run knew.
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
    lessons: Lessons | None = None
    unannotated: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def epoch(self) -> int:
        """The epoch of the tagger's weights."""
        return best_epoch(self.history)

    @property
    def epochs(self) -> int | None:
        """Number of trained epochs; None while the run continues."""
        return len(self.history) if self.ended else None

    @property
    def evaluations(self) -> list[Evaluation]:
        """The scores on the existing splits."""
        return [evaluation for evaluation in (self.validation, self.test) if evaluation]
