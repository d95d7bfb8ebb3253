"""Sentences that say almost the same as one before."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import ceil

SIMILAR = 0.8
"""The least share of the words of two near-duplicates that they have in common."""

_DIGIT = re.compile(r"\d")

Key = tuple[str, ...]


def key_of(words: Sequence[str]) -> Key:
    """The words in lower case, with 0 for every digit: results of matches differ in nothing else."""
    return tuple(_DIGIT.sub("0", word.casefold()) for word in words)


def word_counts(keys: Iterable[Key]) -> Counter[str]:
    """The number of sentences that have each word, for `NearDuplicates`."""
    return Counter(word for key in keys for word in set(key))


class NearDuplicates:
    """Finds sentences with almost the words of a sentence that was added: a Jaccard similarity of at least `SIMILAR`.

    Two sets that are so similar share one of their first few words in any common order, so that a sentence is compared
    only with those that have one of its rare words (prefix filtering: Bayardo, Ma and Srikant, Scaling Up All Pairs
    Similarity Search, WWW 2007).

    Args:
        counts: The number of sentences that have each word.
    """

    def __init__(self, counts: Mapping[str, int]) -> None:
        self._counts = counts
        self._with_word: defaultdict[str, list[frozenset[str]]] = defaultdict(list)

    def add(self, key: Key) -> None:
        """Add a sentence."""
        words = frozenset(key)
        for word in self._rare(words):
            self._with_word[word].append(words)

    def has(self, key: Key) -> bool:
        """Whether a sentence like this one was added."""
        words = frozenset(key)
        return any(
            len(words & other) >= SIMILAR * len(words | other)
            for word in self._rare(words)
            for other in self._with_word.get(word, ())
        )

    def _rare(self, words: frozenset[str]) -> list[str]:
        """Words such that two similar sentences share at least one of them."""
        order = sorted(words, key=lambda word: (self._counts.get(word, 0), word))
        return order[: len(order) - ceil(SIMILAR * len(order)) + 1]
