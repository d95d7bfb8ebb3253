"""Metrics: from gold and predicted tags to scores."""

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
    """What a metric found.

    Attributes:
        overall: Score by name, over all words or spans: `{"f1": 0.91, "support": 5942}`. Rates lie in 0..1.
        per_label: The same for each label: `{"PER": {"precision": 0.95, ...}}`.
    """

    overall: Mapping[str, float]
    per_label: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


class Metric(ABC):
    """Turns gold and predicted tag sequences into scores.

    A metric whose headline score follows from counts that add up over sentences (as precision, recall, F1 and accuracy
    do) should implement `statistics` and `headline_of` too: its score is then reported with a confidence interval, and
    `polytag compare` can test a difference. Thousands of resampled corpora are scored from these counts alone, without
    reading a tag again.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    headline: ClassVar[str]
    """The overall score, higher is better, by which an epoch is chosen: `"f1"`."""
    needs_spans: ClassVar[bool] = False
    """Whether it can score only tags that encode spans."""
    strict: ClassVar[str | None] = None
    """Name of the metric that takes its place under `polytag evaluate --strict`."""

    @abstractmethod
    def compute(self, gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], scheme: LabelScheme) -> Scores:
        """Score predicted tags against gold tags.

        Args:
            gold: A list of tags for each sentence; both are in `scheme`. Tags never seen in training may occur. A word
                that is `UNANNOTATED` is not to be counted.
            predicted: As many sentences, each as long as its gold counterpart, and `UNANNOTATED` where gold is.
            scheme: The label scheme the tags are in.
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
        """The headline scores of corpora, from their summed statistics: exactly what `compute` gives for them.

        Args:
            totals: float64 (..., k), sums of rows of `statistics`.

        Returns:
            float64 (...), one score a corpus; finite, also where all counts are 0.
        """
        raise NotImplementedError(f"the metric {self.name!r} has statistics, but does not say how they make a score")
