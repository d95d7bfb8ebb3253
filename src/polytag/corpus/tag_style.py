"""The spelling of span tags: recognise how a column writes them, and read them in their canonical form `B-X`."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from polytag.corpus.annotation import GAP
from polytag.errors import CorpusError
from polytag.plugin.scheme import OUTSIDE, UNANNOTATED, join_tag

PREFIXES = "BIESLUMW"
"""The prefixes of the label schemes that corpora are written in."""

_TOGETHER = tuple(map(frozenset, ("BI", "IE", "BIES", "BILU", "BMES", "BMEW", "BIEW")))
"""Prefixes that occur together: those of one scheme."""

_OUTSIDES = (OUTSIDE, "o", "0")
_SEPARATORS = "-_/:.|"
_NO_TAGS = frozenset({UNANNOTATED, GAP, "_"})
_EXAMPLE = re.compile(r"(?P<first>[Bb])(?P<after>[^\w\s,]|_)[Xx]|[Xx](?P<before>[^\w\s,]|_)(?P<last>[Bb])")
_ODD_TAGS = 0.25
"""A column has a spelling other than `B-X` only if at most this share of its tags, apart from `O`, are not in it."""


@dataclass(frozen=True, slots=True, order=True)
class TagStyle:
    """How span tags are written.

    Attributes:
        separator: The character between prefix and label.
        prefix_first: Whether the prefix is before the label.
        lower: Whether prefixes are in lower case; labels are in any case.
        outside: What stands for `O`, in addition to `O` itself.
    """

    separator: str = "-"
    prefix_first: bool = True
    lower: bool = False
    outside: str = OUTSIDE

    @classmethod
    def parse(cls, text: str) -> TagStyle:
        """The style that an example shows: `B-X`, `B_X`, `b-x`, `X-B`; after a comma, what stands for `O`: `B-X,0`.

        Raises:
            CorpusError: The text is no such example.
        """
        example, comma, outside = (part.strip() for part in text.partition(","))
        found = _EXAMPLE.fullmatch(example)
        if not found or example not in (example.upper(), example.lower()) or (comma and not outside):
            raise CorpusError(
                f"The tag style {text!r} is no example of a tag. Write the prefix as B and the label as X, as the "
                "corpus writes them: B-X, B_X, b-x, X-B or X_B; after a comma, what stands for O: B-X,0 or b-x,O."
            )
        lower = example.islower()
        separator = found["after"] or found["before"]
        return cls(separator, found["first"] is not None, lower, outside or _usual_outside(lower))

    def __str__(self) -> str:
        """The text that `parse` reads as this style."""
        return self.example("X") + ("" if self.outside == _usual_outside(self.lower) else f",{self.outside}")

    def example(self, label: str) -> str:
        """The first tag of a span in this style: `B_PER`; prefix and label are in the case of prefixes."""
        tag = f"B{self.separator}{label}" if self.prefix_first else f"{label}{self.separator}B"
        return tag.lower() if self.lower else tag

    def read(self, tag: str) -> str:
        """The canonical form of a tag, `B-PER` or `O`; a tag in another style is returned unchanged."""
        if tag == self.outside:
            return OUTSIDE
        prefixes = PREFIXES.lower() if self.lower else PREFIXES
        if len(tag) == 1:
            return tag.upper() if tag in prefixes else tag
        if len(tag) < 3:
            return tag
        prefix, separator, label = (tag[0], tag[1], tag[2:]) if self.prefix_first else (tag[-1], tag[-2], tag[:-2])
        return join_tag(prefix.upper(), label) if prefix in prefixes and separator == self.separator else tag


CANONICAL = TagStyle()
"""`B-X` and `O`: the spelling that label schemes read."""


def recognise_tag_style(counts: Mapping[str, int]) -> TagStyle | None:
    """The spelling of the span tags of a column; None if the column does not hold span tags.

    A column of nothing but `O` holds span tags: a file without entities. Otherwise most tags apart from `O` must have a
    prefix, and for another spelling than `B-X`, at least three in four; the prefixes must belong to one label scheme.
    `o` or `0` stands for `O` only if the column has no `O` and every other tag has a prefix. Tags that are not in the
    spelling do not matter here: `B_PER I_PER O 0` are written as `B_X`, and `0` is not `O`.

    Args:
        counts: How often each tag occurs.
    """
    tags = {tag: count for tag, count in counts.items() if count and tag not in _NO_TAGS}
    if not tags or set(tags) == {OUTSIDE}:
        return CANONICAL if tags else None
    telling = {tag: count for tag, count in tags.items() if tag not in _OUTSIDES}
    total = sum(telling.values())
    written: Counter[TagStyle] = Counter()
    prefixes: defaultdict[TagStyle, set[str]] = defaultdict(set)
    for tag, count in telling.items():
        for style, prefix in _styles_of(tag):
            written[style] += count
            prefixes[style].add(prefix)
    # The order of insertion depends on the corpus: ties go to the usual spelling, then to prefixes that come first.
    for style in sorted(
        written, key=lambda style: (-written[style], style != CANONICAL, not style.prefix_first, style)
    ):
        usual = style == CANONICAL
        outside = _outside(tags, style)
        complete = written[style] == total
        enough = 2 * written[style] >= total if usual else total - written[style] <= _ODD_TAGS * total
        if enough and (usual or complete or outside) and _belong_together(prefixes[style], usual, bool(outside)):
            return TagStyle(style.separator, style.prefix_first, style.lower, outside or _usual_outside(style.lower))
    strange = sum(count for tag, count in telling.items() if re.match(r"[A-Z]-[^-]", tag))
    if OUTSIDE in tags and 2 * strange >= total and tags[OUTSIDE] >= total:
        return CANONICAL  # with prefixes that no scheme has
    return None


def _usual_outside(lower: bool) -> str:
    return OUTSIDE.lower() if lower else OUTSIDE


def _styles_of(tag: str) -> list[tuple[TagStyle, str]]:
    """The styles in which a tag can be written, each with its prefix in upper case."""
    if len(tag) == 1:
        return [(TagStyle(lower=tag.islower()), tag.upper())] if tag.upper() in PREFIXES else []
    found = []
    for first, prefix, separator in ((True, tag[0], tag[1]), (False, tag[-1], tag[-2])):
        if len(tag) > 2 and separator in _SEPARATORS and prefix.upper() in PREFIXES and tag[2 if first else -3] != "-":
            found.append((TagStyle(separator, first, prefix.islower()), prefix.upper()))
    return found


def _outside(tags: Mapping[str, int], style: TagStyle) -> str:
    """What stands for `O`, or an empty string."""
    if OUTSIDE in tags:
        return OUTSIDE
    others = [tag for tag in tags if tag in _OUTSIDES]
    sound = all(style.read(tag) != tag or CANONICAL in dict(_styles_of(tag)) for tag in tags if tag not in _OUTSIDES)
    return others[0] if len(others) == 1 and sound else ""


def _belong_together(prefixes: set[str], usual: bool, outside: bool) -> bool:
    """Whether prefixes are those of one scheme, and enough of them to tell; in the usual spelling, most need not be."""
    if not usual and not any(prefixes <= scheme for scheme in _TOGETHER):
        return False
    if outside:
        return True
    return bool(prefixes & {"B", "I"}) if usual else len(prefixes) > 1 and bool(prefixes & {"B", "I"})
