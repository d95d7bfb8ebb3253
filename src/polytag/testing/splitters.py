"""Contracts of splitters."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from polytag.plugin.splitter import Splitter, Word
from polytag.testing.contracts import BrokenContractError, Contract, Workbench

_TEXTS = (
    "Peter Blackburn lives in Brooklyn, N.Y. He doesn't work at example.com!!! :-)",
    "  Two  spaces\tand a tab.\n\nA new paragraph\r\nwith two\rlines\u2028or four ",
    "我来到北京清华大学。你好！ 東京に行きます。 ฉันรักภาษาไทย มาก 나는 한국어를 배운다. हिन्दी में लिखा है। مرحبا بالعالم؟",
    "cafe\u0301 naïve 1,234.5 % § \U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1f3\U0001f1f4 \U0001f44d\U0001f3fd",
    "\ufeffco\u00adop \u200b a\u200bb\u200e \u202aRTL\u202c \x00 \x07x می\u200cخواهم",
    "\n.\n,\n\n-\n",
    "x" * 1000 + " " + "字" * 1000,
)
"""Texts in many scripts, with all kinds of white space and invisible characters."""
_EMPTY = ("", " ", "\n\n\t", "\u3000\u00a0", "\r\n \u2029")


def _splits_nothing(splitter: Splitter, bench: Workbench) -> None:
    for text in _EMPTY:
        if found := splitter.split(text):
            raise BrokenContractError(f"{text!r} has no visible character, and split() gives {found}.")


def _says_where(splitter: Splitter, bench: Workbench) -> None:
    for text, words in _words(splitter):
        for word in words:
            if not isinstance(word, Word):
                raise BrokenContractError(f"In {_shown(text)}, it finds {word!r}, which is not a polytag.Word.")
            if not 0 <= word.start < word.end or text[word.start : word.end] != word.text:
                raise BrokenContractError(
                    f"In {_shown(text)}, it finds {word}, and the text has {text[word.start : word.end]!r} there."
                )


def _keeps_order(splitter: Splitter, bench: Workbench) -> None:
    for text, words in _words(splitter):
        if [] in splitter.split(text):
            raise BrokenContractError(f"In {_shown(text)}, a sentence has no words.")
        end = 0
        for word in words:
            if word.start < end:
                raise BrokenContractError(
                    f"In {_shown(text)}, {word} begins before character {end}, where another ends."
                )
            end = word.end


def _loses_nothing(splitter: Splitter, bench: Workbench) -> None:
    for text, words in _words(splitter):
        covered = {position for word in words for position in range(word.start, word.end)}
        for position, character in enumerate(text):
            if position not in covered and _is_visible(character):
                raise BrokenContractError(f"In {_shown(text)}, {character!r} at {position} is in no word.")


def _ends_with_lines(splitter: Splitter, bench: Workbench) -> None:
    for text, words in _words(splitter):
        for word in words:
            if len(word.text.splitlines()) != 1 or word.text != word.text.splitlines()[0]:
                raise BrokenContractError(f"In {_shown(text)}, {word} crosses a line end.")


def _repeats_itself(splitter: Splitter, bench: Workbench) -> None:
    first = [splitter.split(text) for text in _TEXTS]
    again = [splitter.split(text) for text in reversed(_TEXTS)][::-1]
    for text, one, other in zip(_TEXTS, first, again, strict=True):
        if one != other:
            raise BrokenContractError(f"{_shown(text)} is split in two ways: {one}, and then {other}.")


CONTRACTS = (
    Contract("splitter", "a text without visible characters has no sentences", _splits_nothing),
    Contract("splitter", "words are where their offsets say", _says_where),
    Contract("splitter", "words are in order and do not overlap", _keeps_order),
    Contract("splitter", "every visible character is in a word", _loses_nothing),
    Contract("splitter", "no word crosses a line end", _ends_with_lines),
    Contract("splitter", "a text is always split in the same way", _repeats_itself),
)


def _words(splitter: Splitter) -> Iterator[tuple[str, list[Word]]]:
    for text in _TEXTS:
        yield text, [word for sentence in splitter.split(text) for word in sentence]


def _is_visible(character: str) -> bool:
    return not character.isspace() and unicodedata.category(character) not in ("Cf", "Cc")


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "…")
