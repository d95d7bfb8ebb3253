"""The metric `sentences`."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from polytag import UNANNOTATED, LabelScheme, Metric, Scores


class WholeSentences(Metric):
    """The share of sentences in which every tag is right: what a reader sees as no mistake at all.

    Overall: `right` (the share), `sentences` (how many were scored). Sentences that nobody annotated do not count.
    """

    name = "sentences"
    summary = "Share of sentences without a single wrong tag"
    headline = "right"

    def compute(self, gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], scheme: LabelScheme) -> Scores:
        """Score sentence by sentence."""
        totals = self.statistics(gold, predicted, scheme).sum(axis=0)
        return Scores({"right": float(self.headline_of(totals)), "sentences": int(totals[1])})

    def statistics(
        self, gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], scheme: LabelScheme
    ) -> NDArray[np.float64]:
        """float64 (sentences, 2): 1 for a sentence that is right, 1 for one that counts."""
        counts = np.zeros((len(gold), 2))
        for row, gold_tags, predicted_tags in zip(counts, gold, predicted, strict=True):
            pairs = [pair for pair in zip(gold_tags, predicted_tags, strict=True) if pair[0] != UNANNOTATED]
            row[:] = bool(pairs) and all(a == b for a, b in pairs), bool(pairs)
        return counts

    def headline_of(self, totals: NDArray[np.float64]) -> NDArray[np.float64]:
        """The share, float64 (...), of summed statistics, float64 (..., 2)."""
        share: NDArray[np.float64] = totals[..., 0] / np.maximum(totals[..., 1], 1)
        return share
