"""Cells that hold more than a word, in every line of a corpus: `de:Anna`, or a character with its position, `科0`."""

from __future__ import annotations

import re
from collections.abc import Collection

_LANGUAGE = re.compile(r"([a-z]{2,3}):.+", re.DOTALL)
_NUMBERED = re.compile(r"\D\d")
_FEWEST = 3


def likely_word_pattern(words: Collection[str]) -> str:
    """A value for `--word-pattern` that finds the word in each cell; empty if cells seem to hold words alone.

    Args:
        words: The distinct cells of the column of words.
    """
    if len(words) < _FEWEST:
        return ""
    languages = {found[1] if (found := _LANGUAGE.fullmatch(word)) else "" for word in words}
    if "" not in languages:
        return f"{languages.pop()}:(.*)" if len(languages) == 1 else "[a-z]{2,3}:(.*)"
    return r"(.)\d" if all(map(_NUMBERED.fullmatch, words)) else ""
