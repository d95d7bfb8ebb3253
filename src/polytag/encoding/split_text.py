"""A text that was split into sentences of words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple, Self

from polytag.plugin.splitter import Word


class SplitText(NamedTuple):
    """A text with its words, in flat lists: an object for each word would take as long as finding the words.

    Attributes:
        text: The text.
        words: The words of all sentences, in order.
        offsets: Start and end of each word in the text, end exclusive.
        sentence_starts: Index of the first word of each sentence; no sentence is empty.
    """

    text: str
    words: list[str]
    offsets: list[tuple[int, int]]
    sentence_starts: list[int]

    @classmethod
    def of_sentences(cls, text: str, sentences: Iterable[Sequence[Word]]) -> Self:
        """A text with these sentences, except empty ones."""
        filled = [sentence for sentence in sentences if sentence]
        words = [word for sentence in filled for word in sentence]
        offsets = [(word.start, word.end) for word in words]
        return cls(text, [word.text for word in words], offsets, [*accumulate(map(len, filled), initial=0)][:-1])

    @property
    def bounds(self) -> list[tuple[int, int]]:
        """The first word of each sentence and the one after its last."""
        return list(pairwise([*self.sentence_starts, len(self.words)]))

    @property
    def sentences(self) -> list[list[str]]:
        """The words of each sentence."""
        if len(self.sentence_starts) == 1:
            return [self.words]
        return [self.words[start:end] for start, end in self.bounds]

    @property
    def sentences_of_words(self) -> list[list[Word]]:
        """The words of each sentence with their offsets."""
        return [
            [Word(self.words[index], *self.offsets[index]) for index in range(start, end)] for start, end in self.bounds
        ]

    def part(self, start: int, end: int) -> SplitText:
        """The same text with the sentences from `start` to `end` alone."""
        starts = self.sentence_starts
        if (start, end) == (0, len(starts)):
            return self
        first, last = ([*starts, len(self.words)][index] for index in (start, end))
        own = [word - first for word in starts[start:end]]
        return SplitText(self.text, self.words[first:last], self.offsets[first:last], own)
