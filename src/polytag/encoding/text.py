"""Split raw text into sentences and words with exact character offsets.

Words are as in the Penn Treebank and CoNLL-2003: punctuation and contractions are separate words; hyphenated words,
numbers and abbreviations stay whole. What news of the nineties lacks is as in Universal Dependencies (UD_English-EWT):
emoticons, repeated marks, names of files and hosts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from polytag.encoding.split_text import SplitText
from polytag.plugin.splitter import Word

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
FINAL = frozenset(".!?…。！？؟।")
"""Marks that may end a sentence."""

UNSPACED_FINAL = frozenset("。！？")
"""Marks that end a sentence also if no space follows."""

CLOSING = frozenset("\"'”’»)]}」』）") | {"''"}
"""Marks that belong to a sentence that ends directly before them."""

_NEVER_FIRST = FINAL | frozenset(",;:)]}%”»，、；：」』）") | {"..."}

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

# Endings of the names of hosts and files. Those that are also words, such as `it`, `is` and `at`, are left out: they
# would join two sentences without a space between them.
_HOSTS = (
    "com org net edu gov mil int info biz io dev app ai tv eu uk ac co de fr nl ch se dk fi pl cz br mx ca au nz jp cn "
    "kr tw hk sg ru ua tr za"
)
_FILES = (
    "txt md rst tex log csv tsv json jsonl xml yaml yml toml ini cfg conf sql pdf doc docx odt rtf xls xlsx ods ppt "
    "pptx py ipynb js ts jsx tsx css scss html htm php asp aspx jsp java jar cpp hpp cc hh rs rb sh bat exe dll dmg "
    "apk deb rpm iso zip tar gz tgz bz2 xz rar jpg jpeg png gif bmp svg webp tif tiff mp3 mp4 wav avi mov mkv bak tmp "
    "conll conllu parquet"
)
_ENDING = "|".join(sorted((*_HOSTS.split(), *_FILES.split(), *_FILES.upper().split()), reverse=True))

_LETTER = r"[^\W\d_]"
# From scripts with capitals: in other scripts, a letter before a full stop is a word, not an initial.
_CAPITAL = f"[{''.join(filter(str.isupper, map(chr, range(0x2000))))}]"
_RUN = rf"(?:[^\W_{_IDEOGRAPHS}]++|[{_MARKS}]++)++"
_CLITIC = r"['’](?i:s|m|d|t|re|ve|ll)\b"
_ABBREVIATION = "|".join(re.escape(word) for word in f"{_LEADING} {_TRAILING}".split())
_TAIL = rf"(?:[-‐‑]{_RUN})*+"
_REST_OF_ADDRESS = r"""[^\s<>"]* [^\s<>"'.,;:!?)\]}’”»…]"""
_PIECE = rf"[^\W_{_IDEOGRAPHS}]++"
_PART = rf"{_PIECE}(?:[-_]++{_PIECE}){{0,20}}+"  # of the name of a file or host
_LOWER_PART = r"[a-z][a-z\d]++(?:-[a-z\d]++){0,20}+"
# Eyes, a tear, a nose and a mouth; with the head to the other side; and without eyes.
_EMOTICON = r"""
    (?<!\w) (?: [:;]['’]?[-o^]?(?: [)(\]\[|\\*]++ | [DPpOo3] | /(?!/) ) | =[-^]?(?: [)(]++ | [DPp] ) ) (?!\w)
  | (?<=[^\W\d]) [:;][-^]?[)(]++ (?!\w)
  | (?<!\S) (?: \([-^]?[:;=] | <3++ | \^[._]?\^ | >[._]<  | -_++- ) (?!\S)
"""

# Repetitions are possessive or bounded, and no alternative looks further ahead than its own match or the next one; for
# the name of a file or host, than a bounded number of words. This keeps the time linear for any text.
_WORD = re.compile(
    rf"""
    (?=\S) (?:                                                  # else a space would be compared with each alternative
      [A-Za-z]++ (?=[\s,;?!)"]|\Z)                              # fast path for most words of most texts
      (?<!nnot|onna|anna|otta|emme|imme|unno)
    | [.,)"\d] (?=\s|\Z) | \d++ (?=\s|\Z) | [("] (?=[A-Za-z])   # and for most marks and numbers
    | (?=[CcDdGgLlWw]) (?i: can(?=not\b) | (?:gon|wan)(?=na\b) | got(?=ta\b) | (?:gim|lem)(?=me\b) | du(?=nno\b) )
    | (?<=\b[Dd][Uu]) [Nn] (?=[Nn][Oo]\b)                      # du|n|no
    | (?:https?://|ftp://|www\.) {_REST_OF_ADDRESS}
    | (?=\w) [\w.+-]{{1,64}}+ @ [\w-]++ (?:\.[\w-]++)++         # e-mail address
    | (?={_PART} [./] \w) (?![A-Z]\.[a-z]{{2}}\b) (?:            # not A.de Silva
          {_PART} (?: [./] (?!(?:{_ENDING})\b) {_PART} ){{0,8}}+ (?: \. (?:{_ENDING})\b )++
          (?: (?: :\d++ )?+ [/?\#] {_REST_OF_ADDRESS} | {_TAIL} )   # setup.py, example.com/a?b=1
        | {_LOWER_PART} (?: \. {_LOWER_PART} ){{2,8}}+ (?!\w)       # comp.lang.python
      )
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
            | (?!{_CLITIC}) ['’] (?={_LETTER})                  # O'Brien
          ) {_RUN} )*+
    | [\U0001f1e6-\U0001f1ff]{{2}}                              # flag
    | [{_EMOJI}] {_EMOJI_STYLE}*+ (?:\u200d [{_EMOJI}] {_EMOJI_STYLE}*+)*+
    | {_EMOTICON}
    | (?<![\w.]) \*?+ \. (?:{_ENDING})\b                        # a .doc file, *.jpg
    | [!?]{{2,}}+
    | \.{{2,}}+ | -{{2,}}+ | ={{2,}}+ | _{{2,}}+ | \*{{2,}}+ | '' | ``
    | \S
    )
    """,
    re.VERBOSE,
)

_FACE = re.compile(rf"{_EMOTICON} | [!?]++ | [{_EMOJI}] (?:{_EMOJI_STYLE} | \u200d [{_EMOJI}])*+", re.VERBOSE)
"""An emoticon, an emoji, or more marks: they belong to the sentence before them."""
_MOUTHS = frozenset(")(DPp")

# Unicode's categories Cf and Cc without white space, in three kinds: characters that end a word (as the zero-width
# space in UAX #29), characters that do not, and joiners, which belong to the letter or emoji before them if they join.
_BREAKS = "\0-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u200b"
_VANISHING = (
    "\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f"
    "\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001"
    "\U000e0020-\U000e007f"
)
_JOINERS = "\u200c\u200d"
_EMOJI_PARTS = f"{_EMOJI}\ufe0f\U0001f3fb-\U0001f3ff"
_JOINS_NOTHING = rf"(?<![\w{_MARKS}{_EMOJI_PARTS}])[{_JOINERS}]++ | (?<=[{_EMOJI_PARTS}])[{_JOINERS}]++(?![{_EMOJI}])"
_BREAK = re.compile(f"[{_BREAKS}]")
_NOTHING = re.compile(f"[{_VANISHING}]++ | {_JOINS_NOTHING}", re.VERBOSE)
_INVISIBLE = re.compile(f"[{_BREAKS}{_VANISHING}] | {_JOINS_NOTHING}", re.VERBOSE)
_RUN_AFTER_WORD = re.compile(f"[{_BREAKS}{_VANISHING}{_JOINERS}]*+")
_RUN_BEFORE_WORD = re.compile(rf"(?<![{_BREAKS}{_VANISHING}{_JOINERS}])[{_BREAKS}{_VANISHING}{_JOINERS}]*+\Z")


def split_words(text: str) -> list[Word]:
    """Split a text into words, in order.

    Every visible character is in exactly one of them. Invisible characters, which are Unicode's format and control
    characters except white space, belong to the word before them; after white space, to the word after them; between
    white space, they are white space.
    """
    return [word for sentence in split_sentences(text) for word in sentence]


def split_sentences(text: str) -> list[list[Word]]:
    """Split a text into sentences of words, as `split_text` does."""
    return split_text(text).sentences_of_words


def split_text(text: str) -> SplitText:
    """Split a text into sentences of words.

    A sentence ends at an empty line, and at a full stop, exclamation mark or question mark (with quotes and brackets
    that close directly after it, and emoticons) if the next word can start a sentence. A single line break is white
    space.
    """
    # The first test is fast, and true for nearly every line.
    if text.isprintable() or not _INVISIBLE.search(text):
        return _split_visible(text)
    spaced = _BREAK.sub(" ", text)
    gaps = [(0, 0), *(match.span() for match in _NOTHING.finditer(spaced)), (len(text), len(text))]
    positions = [position for (_, start), (end, _) in pairwise(gaps) for position in range(start, end)]
    _, _, offsets, sentence_starts = _split_visible(_NOTHING.sub("", spaced))
    offsets = _with_invisible(text, [(positions[start], positions[end - 1] + 1) for start, end in offsets])
    return SplitText(text, [text[start:end] for start, end in offsets], offsets, sentence_starts)


def _with_invisible(text: str, bounds: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The bounds of words with the invisible characters that touch them, given their bounds without."""
    found: list[tuple[int, int]] = []
    begun = 0
    for (start, end), (limit, _) in pairwise([*bounds, (len(text), 0)]):
        before = _RUN_BEFORE_WORD.search(text, begun, start)
        after = _RUN_AFTER_WORD.match(text, end, limit)
        first = before.start() if before else start
        begun = after.end() if after else end
        found.append((first, begun))
    return found


def _split_visible(text: str) -> SplitText:
    words: list[str] = []
    offsets: list[tuple[int, int]] = []
    sentence_starts = [0]
    several_lines = text.count("\n") > 1
    final = ""  # the mark that may end the current sentence
    for match in _WORD.finditer(text):
        word, offset = match[0], match.span()
        if words and (final or several_lines):  # few words are next to a mark, and most texts have one line
            end, start = offsets[-1][1], offset[0]
            spaces = start - end
            closes = not spaces and word in CLOSING
            if (final and not closes and _begins(word, final, spaces)) or (
                spaces > 1 and several_lines and text.count("\n", end, start) > 1
            ):
                sentence_starts.append(len(words))
            if final and not closes and not _FACE.fullmatch(word):
                final = ""
        last = word[-1]
        if last in FINAL:
            numbered = len(words) == sentence_starts[-1] + 1 and words[-1].isdecimal()  # "1. Introduction"
            final = "" if numbered else word
        elif last in _MOUTHS and _FACE.fullmatch(word):
            final = word
        words.append(word)
        offsets.append(offset)
    return SplitText(text, words, offsets, sentence_starts if words else [])


def _begins(token: str, final: str, spaces: int) -> bool:
    """Whether a word after a final mark starts a sentence."""
    if token in _NEVER_FIRST or _FACE.fullmatch(token):
        return False
    if final in UNSPACED_FINAL:
        return True
    if not spaces or final in _NEVER_FINAL:
        return False
    if final[-1] == "." and final.strip("."):
        return token in _OPENERS
    return not token[0].islower()
