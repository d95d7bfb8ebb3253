"""Variants of sentences with other names, for a teacher to tag: a student meets more names than its text has."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise

from polytag.corpus.splits import Split
from polytag.plugin.alignment import IntArray

EXCHANGED = 0.7
"""Share of the words of names that are exchanged."""
MADE_UP = 0.5
"""Share of these that are made up; the others are words of other names."""
_CONTEXT = 3
"""Letters that decide about the next letter of a made-up word."""
_SHORTEST, _LONGEST = 3, 15

_Kind = tuple[int, str]
"""The label of a word, and how it is written; words are exchanged for words of the same kind."""


def variants(split: Split, labels: IntArray, outside: int, copies: int, seed: int) -> Split:
    """Copies of the sentences that have names, in which words of names are exchanged for others or for made-up ones.

    A made-up word is a walk over the letters of the words of its kind, each letter drawn as it follows the three before
    it. What such a word is a name of, if of anything, only a teacher can say.

    Args:
        split: The sentences.
        labels: int (words,), the label of each word, as far as it is known.
        outside: The label of words that are in no name.
        copies: Number of copies of each sentence.
        seed: Seed of the random numbers.

    Returns:
        The copies, without tags; each is a document of its own.
    """
    chosen = random.Random(seed)
    ends = [0]
    for words in split.sentences:
        ends.append(ends[-1] + len(words))
    own = [labels[start:end].tolist() for start, end in pairwise(ends)]
    pools = defaultdict[_Kind, list[str]](list)
    for words, ids in zip(split.sentences, own, strict=True):
        for word, label in zip(words, ids, strict=True):
            if label != outside and word[:1].isalpha():
                pools[label, _case(word)].append(word)
    letters = {kind: _Letters(pool) for kind, pool in pools.items()}
    made: list[list[str]] = []
    for _ in range(copies):
        for words, ids in zip(split.sentences, own, strict=True):
            if any(label != outside for label in ids):
                made.append(
                    [
                        _exchanged(word, label, outside, pools, letters, chosen)
                        for word, label in zip(words, ids, strict=True)
                    ]
                )
    return Split(made, list(range(len(made))), {})


def _exchanged(
    word: str,
    label: int,
    outside: int,
    pools: dict[_Kind, list[str]],
    letters: dict[_Kind, _Letters],
    chosen: random.Random,
) -> str:
    if label == outside or not word[:1].isalpha() or chosen.random() >= EXCHANGED:
        return word
    kind = label, _case(word)
    if chosen.random() >= MADE_UP:
        return chosen.choice(pools[kind])
    new = letters[kind].walk(chosen) or word
    return {"upper": str.upper, "capital": str.capitalize}.get(kind[1], str)(new)


def _case(word: str) -> str:
    return "upper" if len(word) > 1 and word.isupper() else "capital" if word[0].isupper() else "lower"


class _Letters:
    """The letters that follow others in some words."""

    def __init__(self, words: Iterable[str]) -> None:
        self._next = defaultdict[str, list[str]](list)
        for word in dict.fromkeys(words):
            text = "\n" * _CONTEXT + word.lower() + "\n"
            for at in range(_CONTEXT, len(text)):
                self._next[text[at - _CONTEXT : at]].append(text[at])

    def walk(self, chosen: random.Random) -> str:
        """A word; empty if none of some walks has a fitting length."""
        for _ in range(10):
            text = "\n" * _CONTEXT
            while len(text) == _CONTEXT or (text[-1] != "\n" and len(text) <= _CONTEXT + _LONGEST):
                text += chosen.choice(self._next[text[-_CONTEXT:]])
            word = text[_CONTEXT:].removesuffix("\n")
            if text[-1] == "\n" and len(word) >= _SHORTEST:
                return word
        return ""
