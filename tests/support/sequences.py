"""Every sequence of labels of a short sentence, with its score in a linear-chain CRF."""

from itertools import pairwise, product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

IMPOSSIBLE = -5000.0
"""Below this, a sequence has a transition that is forbidden."""


class Sequences(NamedTuple):
    """All sequences of labels of a sentence.

    Attributes:
        labels: int64 (sequences, words).
        scores: float64 (sequences,), their log scores.
    """

    labels: NDArray[np.int64]
    scores: NDArray[np.float64]

    @property
    def total(self) -> float:
        """The logarithm of the summed exponentials of all scores."""
        return float(np.logaddexp.reduce(self.scores))

    @property
    def marginals(self) -> NDArray[np.float64]:
        """The probability of each label of each word, (words, labels)."""
        size = int(self.labels.max()) + 1
        probabilities = np.exp(self.scores - self.total)
        return np.einsum("s,swl->wl", probabilities, np.eye(size)[self.labels])

    @property
    def best(self) -> list[int]:
        return [int(label) for label in self.labels[self.scores.argmax()]]

    def likelihood(self, gold: NDArray[np.int32], unknown: int = -100) -> float:
        """The log-probability of the sequences that agree with the known labels."""
        agree = ((self.labels == gold) | (gold == unknown)).all(axis=1)
        return float(np.logaddexp.reduce(self.scores[agree])) - self.total


def sequences(
    emissions: NDArray[np.float64], transitions: NDArray[np.float64], begins: bool = True, ends: bool = True
) -> Sequences:
    """All sequences; the last row of transitions is for the first word, the last column for the last word."""
    words, labels = emissions.shape
    found = np.array(list(product(range(labels), repeat=words)))
    scores = [
        sum(emissions[range(words), row])
        + sum(transitions[before, after] for before, after in pairwise(row))
        + begins * transitions[-1, row[0]]
        + ends * transitions[row[-1], -1]
        for row in found
    ]
    return Sequences(found, np.array(scores))


def random_transitions(random: np.random.Generator, labels: int, forbidden: float) -> NDArray[np.float32]:
    """Transitions of which a share is forbidden."""
    found = random.normal(scale=2, size=(labels + 1, labels + 1))
    found[random.random(found.shape) < forbidden] = -10_000
    found[-1, -1] = 0
    return found.astype(np.float32)
