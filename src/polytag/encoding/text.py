"""Split raw text into sentences and words with exact character offsets.

Words are as in the Penn Treebank and CoNLL-2003: punctuation and contractions are separate words; hyphenated words,
numbers and abbreviations stay whole.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Word(NamedTuple):
    """A word with its offsets: `text == original[start:end]`."""

    text: str
    start: int
    end: int


# Titles and the like belong to the next word; the other abbreviations may also end a sentence.
_LEADING = (
    "Mr Mrs Ms Messrs Dr Prof Gen Sen Sens Rep Reps Gov Lt Col Capt Cpl Sgt Cmdr Adm Maj Rev Hon Pres Supt St Mt Ft "
    "vs cf approx ca fig figs Fig Figs vol Vol pp al"
)
_TRAILING = (
    "Inc Corp Co Cos Ltd Bros Jr Sr Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec Ave Blvd Dept Univ Assn etc "
    "Ph.D M.Sc B.Sc"
)
_OPENING = (
    "A After All Also Although An And As At Before Both But For He Her His How However I If In It Its Many Meanwhile "
    "Most My No Not On One Our She Since Some Such That The Their There These They This Those We What When Where "
    "While Who Why Yes You Your"
)
"""Capitalised words that start a sentence rather than a name: before them, an abbreviation ends a sentence."""

_OPENERS = frozenset(_OPENING.split())
_NEVER_FINAL = frozenset(f"{word}." for word in _LEADING.split()) | {"e.g.", "i.e."}
_FINAL = frozenset(".!?…。！？؟।")
_UNSPACED_FINAL = frozenset("。！？")
_CLOSING = frozenset("\"'”’»)]}」』）") | {"''"}
_NEVER_FIRST = _FINAL | frozenset(",;:)]}%”»，、；：」』）") | {"..."}

# Marks that belong to the previous letter (Python's \w excludes them), with the joiners of Indic and Persian script.
# In the blocks of the Indic scripts, everything except the two dandas is part of a word.
_MARKS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u0711\u0730-\u074a\u07a6-\u07b0\u0900-\u0963\u0966-\u0dff\u0e31-\u0e3a"
    "\u0e47-\u0e4e\u0eb1-\u0ebc\u0ec8-\u0ecd\u0f71-\u0f84\u102b-\u103e\u1056-\u1059\u17b4-\u17d3\u1ab0-\u1aff"
    "\u1dc0-\u1dff\u200c\u200d\u20d0-\u20f0\u3099\u309a\ufe00-\ufe0f\ufe20-\ufe2f"
)
_IDEOGRAPHS = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_EMOJI = "\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001f1e5\U0001f200-\U0001f3fa\U0001f400-\U0001faff"
_EMOJI_STYLE = "[\ufe0f\U0001f3fb-\U0001f3ff]"

_LETTER = r"[^\W\d_]"
# From scripts with capitals: in other scripts, a letter before a full stop is a word, not an initial.
_CAPITAL = f"[{''.join(filter(str.isupper, map(chr, range(0x2000))))}]"
_RUN = rf"(?:[^\W_{_IDEOGRAPHS}]++|[{_MARKS}]++)++"
_CLITIC = r"['’](?i:s|m|d|t|re|ve|ll)\b"
_ABBREVIATION = "|".join(re.escape(word) for word in f"{_LEADING} {_TRAILING}".split())
_TAIL = rf"(?:[-‐‑]{_RUN})*+"

# Repetitions are possessive or bounded, and no alternative looks further ahead than its own match or the next one. This
# keeps the time linear for any text.
_WORD = re.compile(
    rf"""
      [A-Za-z]++ (?=[\s,;?!)"]|\Z)                              # fast path for most words of most texts
    | (?:https?://|ftp://|www\.) [^\s<>"]* [^\s<>"'.,;:!?)\]}}’”»…]
    | (?=\w) [\w.+-]{{1,64}}+ @ [\w-]++ (?:\.[\w-]++)++         # e-mail address
    | (?={_LETTER}{{1,7}}+\.) (?:{_ABBREVIATION}) \.
    | [Nn]os?\. (?=\s?\d)
    | (?:{_LETTER}\.){{2,6}}+ (?!\w) {_TAIL}                    # U.S., a.m., U.S.-based
    | {_CAPITAL}\. (?=\s\S|{_CAPITAL})                          # J. Smith
    | (?=[A-Za-z]++['’]) [A-Za-z]+ (?=[Nn]['’][Tt]\b)           # do|n't
    | [Nn]['’][Tt]\b
    | (?<=\w) {_CLITIC}
    | [{_IDEOGRAPHS}] [{_MARKS}]*+
    | [@\#] (?=[^\W\d]) [\w{_MARKS}]++                          # @handle, #tag
    | (?: (?<!\S) \.(?=\d) )?+ {_RUN}
      (?: (?: [-‐‑_]                                            # well-known, 1996-08-22
            | (?<=\d) [.,:/] (?=\d)                             # 1,234.5, 10:30
            | (?<=[A-Z]) & (?=[A-Z])                            # AT&T
            | \. (?=(?:com|org|net|edu|gov|io)\b)               # Amazon.com
            | (?!{_CLITIC}) ['’] (?={_LETTER})                  # O'Brien
          ) {_RUN} )*+
    | [\U0001f1e6-\U0001f1ff]{{2}}                              # flag
    | [{_EMOJI}] {_EMOJI_STYLE}*+ (?:\u200d [{_EMOJI}] {_EMOJI_STYLE}*+)*+
    | \.{{2,}}+ | -{{2,}}+ | ={{2,}}+ | _{{2,}}+ | \*{{2,}}+ | '' | ``
    | \S
    """,
    re.VERBOSE,
)


def split_words(text: str) -> list[Word]:
    """Split a text into words, in order; every character that is not white space is in exactly one of them."""
    return [Word(match[0], *match.span()) for match in _WORD.finditer(text)]


def split_sentences(text: str) -> list[list[Word]]:
    """Split a text into sentences of words.

    A sentence ends at an empty line, and at a full stop, exclamation mark or question mark (with quotes and brackets
    that close directly after it) if the next word can start a sentence. A single line break is white space.
    """
    sentences: list[list[Word]] = []
    current: list[Word] = []
    final, end = "", 0  # the mark that may end the current sentence, and the end of its last word
    for word in split_words(text):
        token, start, _ = word
        spaces = start - end
        closes = not spaces and token in _CLOSING
        blank_line = spaces > 1 and text.count("\n", end, start) > 1
        if current and (blank_line or (final and not closes and _begins(token, final, spaces))):
            sentences.append(current)
            current = []
        current.append(word)
        end = word.end
        if token[-1] in _FINAL:
            numbered = len(current) == 2 and current[0].text.isdecimal()  # "1. Introduction"
            final = "" if numbered else token
        elif not closes:
            final = ""
    if current:
        sentences.append(current)
    return sentences


def _begins(token: str, final: str, spaces: int) -> bool:
    """Whether a word after a final mark starts a sentence."""
    if token in _NEVER_FIRST:
        return False
    if final in _UNSPACED_FINAL:
        return True
    if not spaces or final in _NEVER_FINAL:
        return False
    if final[-1] == "." and final.strip("."):
        return token in _OPENERS
    return not token[0].islower()
