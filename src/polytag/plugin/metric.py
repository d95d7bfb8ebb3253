"""Metrics: gold and predicted tags to scores."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from polytag.plugin.scheme import LabelScheme

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of a metric.

    Attributes:
        overall: Score by name, over all words or spans: `{"f1": 0.91, "support": 5942}`. Rates are in 0..1.
        per_label: The same for each label: `{"PER": {"precision": 0.95, ...}}`.
    """

    overall: Mapping[str, float]
    per_label: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


class Metric(ABC):
    """Turns gold and predicted tag sequences into scores.

    A metric whose headline score follows from counts that are summed over sentences (such as precision, recall, F1 and
    accuracy) should also implement `statistics` and `headline_of`. Its score is then reported with a confidence
    interval, and `polytag compare` can test a difference: thousands of resampled corpora are scored only from these
    counts.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    headline: ClassVar[str]
    """The overall score, higher is better, by which an epoch is chosen: `"f1"`."""
    needs_spans: ClassVar[bool] = False
    """Whether it needs tags that encode spans."""
    strict: ClassVar[str | None] = None
    """Name of the metric that replaces it under `polytag evaluate --strict`."""

    @abstractmethod
    def compute(self, gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], scheme: LabelScheme) -> Scores:
        """Score predicted tags against gold tags.

        Args:
            gold: A list of tags for each sentence, in `scheme`. Tags never seen in training may occur. `UNANNOTATED`
                words must not be counted.
            predicted: The same number of sentences and words, in `scheme`; `UNANNOTATED` where gold is.
            scheme: The label scheme of the tags.
        """

    def statistics(
        self, gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], scheme: LabelScheme
    ) -> NDArray[np.float64] | None:
        """Counts of each sentence whose sums over a corpus give the headline score.

        Args:
            gold, predicted, scheme: As for `compute`.

        Returns:
            float64 (sentences, k), or None for a metric without such counts, which then has no interval.
        """
        return None

    def headline_of(self, totals: NDArray[np.float64]) -> NDArray[np.float64]:
        """The headline scores of corpora, from their summed statistics; equal to the headline of `compute`.

        Args:
            totals: float64 (..., k), sums of rows of `statistics`.

        Returns:
            float64 (...), one score per corpus; finite, also if all counts are 0.
        """
        raise NotImplementedError(f"the metric {self.name!r} has statistics, but no headline_of")
