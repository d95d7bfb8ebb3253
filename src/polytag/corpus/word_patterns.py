"""Words in cells that hold more, in every line of a corpus: `de:Anna`, or a character with its position, `科0`."""

from __future__ import annotations

import re
from collections.abc import Collection

from polytag.errors import CorpusError, shorten

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


def word_pattern(pattern: str | None) -> re.Pattern[str] | None:
    """The compiled `--word-pattern`; None for none.

    Raises:
        CorpusError: It is no regular expression, or has no group.
    """
    if pattern is None:
        return None
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise CorpusError(f"--word-pattern {pattern!r} is no regular expression: {error}.") from error
    if not compiled.groups:
        raise CorpusError(f"--word-pattern {pattern!r} has no group for the word. Example: --word-pattern 'de:(.*)'")
    return compiled


def word_in(cell: str, pattern: re.Pattern[str], place: str) -> str:
    """The word in a cell: the first group of a pattern that matches the whole cell.

    Args:
        cell: The cell.
        pattern: The pattern, from `word_pattern`.
        place: File and line, for the message.

    Raises:
        CorpusError: The cell does not match, or the word is empty.
    """
    found = pattern.fullmatch(cell)
    if found is None or not found[1]:
        raise CorpusError(
            f"{place}: the word {shorten(cell)!r} does not match --word-pattern {pattern.pattern!r}. Change the "
            "pattern so that it matches every word."
        )
    return found[1]
