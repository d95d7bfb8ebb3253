"""The sentences of a text by their definition, one border between words at a time, for words of a small vocabulary."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from polytag import Word
from polytag.encoding.text import CLOSING, FINAL, UNSPACED_FINAL

_TEXT = """
The paris Paris the Help up 1 1997 J Inc. U.S. Mr. e.g. , ; ... - " ' ) ( ” » 字 । ؟ . 。 ！ a\u0301 שלום مرحبا 나는
:) :-( :D 😂 👍🏽 👩\u200d👧 ! ? ?! !!!
"""
VOCABULARY = _TEXT.split()

_EMOTICON = r"[:;]-?(?:[)(]+|D)"
_FACE = re.compile(rf"{_EMOTICON}|\(-?[:;]|😂|👍🏽|👩\u200d👧|[!?]+")
_OPENERS = frozenset(["The"])
_NEVER_FINAL = frozenset(["Mr.", "e.g."])
_NEVER_FIRST = FINAL | frozenset([*",;:)”»", "..."])


def plain_sentences(text: str, words: Sequence[Word]) -> list[list[Word]]:
    """The sentences of a text with these words."""
    starts: list[int] = []
    for index in range(len(words)):
        if index == 0 or _ends_before(text, words, index, starts):
            starts.append(index)
    return [list(words[start:end]) for start, end in pairwise([*starts, len(words)])]


def _ends_before(text: str, words: Sequence[Word], index: int, starts: Sequence[int]) -> bool:
    """Whether a sentence ends before this word, given where the sentences before it start."""
    gap = text[words[index - 1].end : words[index].start]
    if gap.count("\n") > 1:
        return True
    mark, word = _mark_before(words, index, starts), words[index].text
    if mark is None or _closes(words, index) or word in _NEVER_FIRST or _FACE.fullmatch(word):
        return False
    if mark in UNSPACED_FINAL:
        return True
    if not gap or mark in _NEVER_FINAL:
        return False
    if mark.endswith(".") and mark.strip("."):  # an abbreviation
        return word in _OPENERS
    return not word[0].islower()


def _mark_before(words: Sequence[Word], index: int, starts: Sequence[int]) -> str | None:
    """The final mark before this word, with only closing marks and faces between them; None if there is none."""
    for place in range(index - 1, -1, -1):
        word = words[place].text
        if word[-1] in FINAL:
            first = max(start for start in starts if start <= place)
            numbers_a_heading = place == first + 1 and words[first].text.isdecimal()
            return None if numbers_a_heading else word
        if re.fullmatch(_EMOTICON, word):
            return word
        if not _closes(words, place) and not _FACE.fullmatch(word):
            return None
    return None


def _closes(words: Sequence[Word], index: int) -> bool:
    return words[index].text in CLOSING and index > 0 and words[index - 1].end == words[index].start
