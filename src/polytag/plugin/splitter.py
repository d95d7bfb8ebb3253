"""Splitters: raw text to sentences of words with character offsets."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

STANDARD = "standard"
"""Name of the default splitter."""


class Word(NamedTuple):
    """A word with its offsets: `text == original[start:end]`."""

    text: str
    start: int
    end: int


class Splitter(ABC):
    """Splits raw text into sentences of words.

    Its name is saved with a tagger, and the tagger splits every raw text with it.
    """

    name: ClassVar[str]
    summary: ClassVar[str]

    @abstractmethod
    def split(self, text: str) -> list[list[Word]]:
        """Split a text into sentences of words.

        Args:
            text: Any text, also an empty one.

        Returns:
            The sentences, none of them empty. Words are in the order of the text and do not overlap. Every visible
            character is in a word; between words there are only white space and invisible characters (Unicode's
            categories Cf and Cc). No word crosses a line end. The same text always gives the same words.
        """
