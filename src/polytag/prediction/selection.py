"""Choose sentences among candidates: the least sure ones, without near-duplicates, and of different kinds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from polytag.plugin.alignment import FloatArray
from polytag.prediction.near_duplicates import Key, NearDuplicates, word_counts

POOL = 5
"""Number of candidates for each sentence to choose, among which diversity decides."""


class Distinct:
    """The least sure candidates, leaving out near-duplicates.

    Attributes:
        chosen: Indices of candidates, the least sure first.
        repeated: Number of those left out because one before says almost the same.
        known: Number of those left out because a labelled sentence says almost the same.
    """

    def __init__(
        self, keys: Sequence[Key], uncertainty: NDArray[np.float64], number: int, labelled: Iterable[Key] = ()
    ) -> None:
        """Choose.

        Args:
            keys: The words of each candidate.
            uncertainty: float64 (candidates,). Of equally unsure candidates, the first is chosen.
            number: Number of candidates to choose; fewer if there are no more.
            labelled: The words of sentences that have labels already.
        """
        labelled = list(labelled)
        counts = word_counts([*keys, *labelled])
        before, own = NearDuplicates(counts), NearDuplicates(counts)
        for key in labelled:
            before.add(key)
        self.chosen: list[int] = []
        self.repeated = self.known = 0
        for index in np.argsort(-uncertainty, kind="stable").tolist():
            if len(self.chosen) == number:
                break
            if before.has(keys[index]):
                self.known += 1
            elif own.has(keys[index]):
                self.repeated += 1
            else:
                own.add(keys[index])
                self.chosen.append(index)


def most_diverse(vectors: FloatArray, uncertainty: NDArray[np.float64], number: int) -> list[int]:
    """Choose candidates that are unsure and unlike each other.

    The next one always has the largest product of uncertainty and distance to the nearest chosen one, where the
    distance is 1 minus the cosine. It is farthest-first traversal (Gonzalez, Clustering to minimize the maximum
    intercluster distance, 1985), weighted by uncertainty.

    Args:
        vectors: float32 (candidates, width), of length 1.
        uncertainty: float64 (candidates,), not negative.
        number: Number of candidates to choose.

    Returns:
        Their indices, in the order in which they were chosen.
    """
    distances = np.ones(len(vectors))
    left = np.ones(len(vectors), dtype=bool)
    chosen: list[int] = []
    for _ in range(min(number, len(vectors))):
        best = int(np.argmax(np.where(left, uncertainty * distances, -1.0)))
        chosen.append(best)
        left[best] = False
        distances = np.minimum(distances, np.maximum(0.0, 1 - vectors @ vectors[best]))
    return chosen
