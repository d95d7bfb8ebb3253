"""Tagged text as HTML: the palette, the CSS and the markup of marks, in one place.

The page of `polytag serve` builds the same elements in the browser (`serving/page/marks.js`); a test compares them.
"""

from __future__ import annotations

import re
import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from polytag.plugin.scheme import OUTSIDE
from polytag.terminal import visible

if TYPE_CHECKING:
    from polytag.tagger.results import TaggedSpan, TaggedText

COLOURS = 16
"""Number of colours; colour n has the class `polytag-n`."""

_FIXED = {
    label: number
    for number, labels in {
        0: "PER PERSON NP NOUN NN NNS",
        1: "ORG ORGANIZATION PP ADP IN",
        2: "LOC LOCATION GPE DET DT",
        3: "MISC NORP SBAR PRON PRP PRP$",
        4: "DATE TIME VP VERB VB VBD VBG VBN VBP VBZ",
        5: "ADVP ADV RB RBR RBS",
        6: "EVENT ADJP ADJ JJ JJR JJS",
        8: "PROPN NNP NNPS",
        9: "MONEY CCONJ CC",
        10: "PRT PART TO RP POS",
        12: "SCONJ PERCENT",
        13: "CARDINAL NUM CD",
        14: "AUX MD",
    }.items()
    for label in labels.split()
}
_KEPT = re.compile("([\n\t])")


@cache
def stylesheet() -> str:
    """The CSS of marks. It is light or dark as the reader's system is."""
    return Path(__file__).with_name("marks.css").read_text(encoding="utf-8")


def colours(labels: Iterable[str]) -> dict[str, int]:
    """The number of the colour of each label, 0..15.

    Common labels (`PER`, `NP`, `VERB`) always have the same colour. Others have one that follows from their name, or
    the next one that fewer labels have. The same labels get the same colours, in any order.
    """
    found: dict[str, int] = {}
    used = [0] * COLOURS
    for label in sorted(set(labels), key=lambda label: (label not in _FIXED, label)):
        first = _FIXED.get(label)
        if first is None:
            start = zlib.crc32(label.encode("utf-8", "surrogatepass"))
            first = min(((start + step) % COLOURS for step in range(COLOURS)), key=used.__getitem__)
        found[label] = first
        used[first] += 1
    return found


def marks_html(tagged: TaggedText, numbers: Mapping[str, Mapping[str, int]] | None = None) -> str:
    """A tagged text as HTML that uses only classes of `stylesheet`: one row per task.

    A task with spans shows the text with the spans marked, other tasks show each word over its tag. Hovering shows
    scores, and for a text tagged with `alternatives` the most probable labels of each word. Control characters are
    shown as in Python (`\\x1b`). Nothing in the text becomes markup.

    Args:
        tagged: The text.
        numbers: For each task, the colour of each label, as from `colours`; by default
            the colours of the labels in the text.
    """
    rows = []
    for task, tags in tagged.tags.items():
        spans = [span for span in tagged.spans if span.task == task]
        paired = not spans and any(tag != OUTSIDE for tag in tags)
        labels = tags if paired else [span.label for span in spans]
        row = _Row(tagged, task, colours(labels) | dict((numbers or {}).get(task, {})))
        name = f'<span class="polytag-task">{_text(task)}</span>' if len(tagged.tags) > 1 else ""
        content = row.pairs() if paired else row.marks(spans)
        kind = "polytag-text polytag-pairs" if paired else "polytag-text"
        rows.append(f'<div class="polytag-row">{name}<div class="{kind}" dir="auto">{"".join(content)}</div></div>')
    return f'<div class="polytag">{"".join(rows)}</div>'


class _Row:
    """The row of one task."""

    def __init__(self, tagged: TaggedText, task: str, numbers: Mapping[str, int]) -> None:
        self.tagged, self.numbers = tagged, numbers
        self.tags, self.scores = tagged.tags[task], tagged.scores[task]
        self.alternatives = (tagged.alternatives or {}).get(task)

    def pairs(self) -> Iterator[str]:
        """Each word over its tag."""
        text, position = self.tagged.text, 0
        for index, (start, end) in enumerate(self.tagged.offsets):
            tag = self.tags[index]
            title = self._best(index) if self.alternatives else _scored(tag, self.scores[index])
            yield _text(text[position:start])
            yield f'<span class="polytag-pair" title="{title}">'
            yield f'<span class="polytag-word">{_text(text[start:end])}</span>'
            yield f'<span class="polytag-tag polytag-{self.numbers[tag]}"> <bdi>{_text(tag)}</bdi></span></span>'
            position = end
        yield _text(text[position:])

    def marks(self, spans: Sequence[TaggedSpan]) -> Iterator[str]:
        """The text with its spans marked."""
        position = 0
        words = deque(enumerate(self.tagged.offsets))
        for span in spans:
            yield from self._words(position, span.start, words)
            yield f'<mark class="polytag-mark polytag-{self.numbers[span.label]}"'
            yield f' title="{_scored(span.label, span.score)}">'
            yield from self._words(span.start, span.end, words)
            yield f'<span class="polytag-label"> <bdi>{_text(span.label)}</bdi></span></mark>'
            position = span.end
        yield from self._words(position, len(self.tagged.text), words)

    def _words(self, start: int, end: int, words: deque[tuple[int, tuple[int, int]]]) -> Iterator[str]:
        """A part of the text; its words are elements where there is more to say about them."""
        text = self.tagged.text
        while self.alternatives and words and (words[0][1][1] <= end):
            index, (begin, stop) = words.popleft()
            yield _text(text[start:begin])
            yield f'<span class="polytag-word" title="{self._best(index)}">{_text(text[begin:stop])}</span>'
            start = stop
        yield _text(text[start:end])

    def _best(self, index: int) -> str:
        """The most probable labels of a word."""
        return ", ".join(_scored(label, score) for label, score in (self.alternatives or [])[index])


def _scored(label: str, score: float) -> str:
    # Half up after rounding to the digits of JSON, so that Python and the browser write the same.
    tenths = int(round(score, 6) * 1000 + 0.5)
    return f"{escape(visible(label))} {tenths // 10}.{tenths % 10}%"


def _text(text: str) -> str:
    """Text as HTML: line breaks and tabs as they are, other control characters in elements of their own."""
    return "".join(part if part in ("\n", "\t") else _shown(part) for part in _KEPT.split(text))


def _shown(text: str) -> str:
    if visible(text) == text:
        return escape(text)
    characters = ((character, visible(character)) for character in text)
    return "".join(
        escape(character) if shown == character else f'<bdi class="polytag-control">{shown}</bdi>'
        for character, shown in characters
    )
