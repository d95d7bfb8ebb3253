"""The spelling of span tags: recognise how a column writes them, and read them in their canonical form `B-X`."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import NamedTuple

from polytag.corpus.annotation import GAP
from polytag.corpus.tables import location
from polytag.errors import CorpusError
from polytag.plugin.reader import Remark, SentenceTable
from polytag.plugin.scheme import OUTSIDE, UNANNOTATED, join_tag

PREFIXES = "BIESLUMW"
"""The prefixes of the label schemes that corpora are written in."""

_TOGETHER = tuple(map(frozenset, ("BI", "IE", "BIES", "BILU", "BMES", "BMEW")))
"""Prefixes that occur together, as they belong to one scheme."""

_OUTSIDES = (OUTSIDE, "o", "0")
_SEPARATORS = "-_/:.|"
_NO_TAGS = frozenset({UNANNOTATED, GAP, "_"})
_EXAMPLE = re.compile(r"(?P<first>[Bb])(?P<after>[^\w\s,]|_)[Xx]|[Xx](?P<before>[^\w\s,]|_)(?P<last>[Bb])")
_ODD_TAGS = 0.25
"""A column has a spelling other than `B-X` only if at most this share of its tags, apart from `O`, are not in it."""


@dataclass(frozen=True, slots=True, order=True)
class TagStyle:
    """The spelling of span tags.

    Attributes:
        separator: The character between prefix and label.
        prefix_first: Whether the prefix is before the label.
        lower: Whether prefixes are in lower case; labels are in any case.
        outside: The tag of words outside spans, in addition to `O` itself.
    """

    separator: str = "-"
    prefix_first: bool = True
    lower: bool = False
    outside: str = OUTSIDE

    @classmethod
    def parse(cls, text: str) -> TagStyle:
        """The style that an example shows: `B-X`, `B_X`, `b-x`, `X-B`; after a comma, the tag that means `O`: `B-X,0`.

        Raises:
            CorpusError: The text is no such example.
        """
        example, comma, outside = (part.strip() for part in text.partition(","))
        found = _EXAMPLE.fullmatch(example)
        if not found or example not in (example.upper(), example.lower()) or (comma and not outside):
            raise CorpusError(
                f"--tag-style {text!r} is no example of a tag. Write the prefix as B and the label as X, as the "
                "corpus writes them: B-X, B_X, b-x, X-B or X_B; after a comma, the tag that means O: B-X,0 or b-x,O."
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

    def with_outside(self, outside: str) -> TagStyle:
        """The same style, with another tag that means `O`."""
        return replace(self, outside=outside)

    def read(self, tag: str) -> str:
        """The canonical form of a tag, `B-PER` or `O`; a tag that is not in this style is returned unchanged."""
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
    Tags without labels, `B` and `I`, must be the only ones.
    `o` or `0` means `O` only if the column has no `O` and every other tag has a prefix. Tags that are not in the
    spelling do not matter here: `B_PER I_PER O 0` are written as `B_X`, and `0` is not `O`.

    Args:
        counts: The number of words with each tag.
    """
    tags = {tag: count for tag, count in counts.items() if count and tag not in _NO_TAGS}
    if not tags or set(tags) == {OUTSIDE}:
        return CANONICAL if tags else None
    telling = {tag: count for tag, count in tags.items() if tag not in _OUTSIDES}
    total = sum(telling.values())
    written: Counter[TagStyle] = Counter()
    prefixes: defaultdict[TagStyle, set[str]] = defaultdict(set)
    labelled = set()
    for tag, count in telling.items():
        for style, prefix in styles_of(tag):
            written[style] += count
            prefixes[style].add(prefix)
            if len(tag) > 1:
                labelled.add(style)
    # The order of insertion depends on the corpus: ties go to the usual spelling, then to prefixes that come first.
    for style in sorted(
        written, key=lambda style: (-written[style], style != CANONICAL, not style.prefix_first, style)
    ):
        usual = style == CANONICAL and style in labelled
        outside = _outside(tags, style)
        complete = written[style] == total
        odd = total - written[style]
        enough = 2 * odd <= total if usual else odd <= _ODD_TAGS * total and (style in labelled or complete)
        if enough and (usual or complete or outside) and _belong_together(prefixes[style], usual, bool(outside)):
            return TagStyle(style.separator, style.prefix_first, style.lower, outside or _usual_outside(style.lower))
    strange = sum(count for tag, count in telling.items() if re.match(r"[A-Z]-[^-]", tag))
    if OUTSIDE in tags and 2 * strange >= total and tags[OUTSIDE] >= total:
        return CANONICAL  # with prefixes that no scheme has
    return None


def _usual_outside(lower: bool) -> str:
    return OUTSIDE.lower() if lower else OUTSIDE


def styles_of(tag: str) -> list[tuple[TagStyle, str]]:
    """The styles in which a tag can be written, each with its prefix in upper case."""
    if len(tag) == 1:
        return [(TagStyle(lower=tag.islower()), tag.upper())] if tag.upper() in PREFIXES else []
    found = []
    for first, prefix, separator in ((True, tag[0], tag[1]), (False, tag[-1], tag[-2])):
        if len(tag) > 2 and separator in _SEPARATORS and prefix.upper() in PREFIXES and tag[2 if first else -3] != "-":
            found.append((TagStyle(separator, first, prefix.islower()), prefix.upper()))
    return found


def _outside(tags: Mapping[str, int], style: TagStyle) -> str:
    """The tag that means `O`, or an empty string."""
    if OUTSIDE in tags:
        return OUTSIDE
    others = [tag for tag in tags if tag in _OUTSIDES]
    sound = all(style.read(tag) != tag or CANONICAL in dict(styles_of(tag)) for tag in tags if tag not in _OUTSIDES)
    return others[0] if len(others) == 1 and sound else ""


def _belong_together(prefixes: set[str], usual: bool, outside: bool) -> bool:
    """Whether prefixes belong to one scheme, and enough of them to tell; in the usual spelling, they may be any."""
    if not usual and not any(prefixes <= scheme for scheme in _TOGETHER):
        return False
    if outside:
        return True
    return bool(prefixes & {"B", "I"}) if usual else len(prefixes) > 1 and bool(prefixes & {"B", "I"})


class Respelled(NamedTuple):
    """A corpus with span tags in their canonical form.

    Attributes:
        tables: The table of each split.
        styles: The style of each column with span tags in the source.
        remarks: For each column with a style other than the canonical one, its first tag.
    """

    tables: dict[str, SentenceTable]
    styles: dict[str, TagStyle]
    remarks: list[Remark]


def with_canonical_tags(tables: Mapping[str, SentenceTable], said: str | None, reference: str) -> Respelled:
    """Read the span tags of all columns in their style: the one that the user names, or the one recognised.

    Args:
        tables: The table of each split.
        said: An example of the style, as `TagStyle.parse` reads it; it applies to the columns that hold span tags of
            this style. None to recognise the style of each column.
        reference: The name of the corpus as the user gave it.

    Raises:
        CorpusError: The example is invalid, or no column has tags in this style; the message names the styles.
    """
    wanted = None if said is None else TagStyle.parse(said)
    counts: dict[str, Counter[str]] = {}
    for table in tables.values():
        for column, rows in table.tags.items():
            counts.setdefault(column, Counter()).update(chain.from_iterable(rows))
    recognised = {column: recognise_tag_style(of_column) for column, of_column in counts.items()}
    if wanted is None:
        styles = {column: style for column, style in recognised.items() if style is not None}
    else:
        styles = {column: wanted for column, of_column in counts.items() if _is_written_in(of_column, wanted)}
        if not styles:
            shown = [f"{column!r} like `{style.example('X')}`" for column, style in recognised.items() if style]
            raise CorpusError(
                f"No tag column of the corpus {reference!r} is written in the tag style {said!r}. Its columns with "
                f"span tags are written: {', '.join(shown) or 'none'}. Leave --tag-style out to have it recognised."
            )
    changes: dict[str, dict[str, str]] = {}
    for column, style in styles.items():
        names = {name for table in tables.values() for name in table.labels.get(column, ())}
        read = {tag: style.read(tag) for tag in {*counts[column], *names}}
        if changed := {tag: canonical for tag, canonical in read.items() if tag != canonical}:
            changes[column] = changed
    remarks: list[Remark] = []
    for column, changed in () if said else changes.items():
        remarks += _remarks(tables, column, changed, counts[column])
    changed_tables = {split: _respelled(table, changes) for split, table in tables.items()} if changes else dict(tables)
    return Respelled(changed_tables, styles, remarks)


def _is_written_in(counts: Mapping[str, int], style: TagStyle) -> bool:
    """Whether a column holds span tags, most of them in a style or canonical."""
    telling = {tag: count for tag, count in counts.items() if tag not in {*_NO_TAGS, OUTSIDE, style.outside}}
    fitting = sum(
        count for tag, count in telling.items() if style.read(tag) != tag or (CANONICAL in dict(styles_of(tag)))
    )
    own = style.prefix_first and style.separator == "-" and not style.lower
    found = any(style.read(tag) != tag for tag in telling) or own or not telling
    return found and 2 * fitting >= sum(telling.values()) and any(tag not in _NO_TAGS for tag in counts)


def _remarks(
    tables: Mapping[str, SentenceTable], column: str, changed: Mapping[str, str], counts: Mapping[str, int]
) -> Iterator[Remark]:
    """One remark for tags with a prefix, and one for the tag that means `O`."""
    for outside in (False, True):
        tags = {tag for tag, canonical in changed.items() if (canonical == OUTSIDE) == outside}
        found = next(_places(tables, column, tags), None) if tags else None
        if found:
            tag, place, word = found
            such = "`" if outside else "Tags such as `"
            number = sum(counts[one] for one in tags)
            words = f"{number:,} word{'' if number == 1 else 's'}"
            where = f"in the column {column!r} {'is' if outside else 'are'}"
            rule = f"{such}{tag}` ({words}) {where} read as `{changed[tag]}`."
            yield Remark("tag-style", rule, place, f"{word}/{tag}")


def _places(tables: Mapping[str, SentenceTable], column: str, tags: set[str]) -> Iterator[tuple[str, str, str]]:
    """Tag, place and word of every word with one of these tags."""
    for split, table in tables.items():
        for index, row in enumerate(table.tags.get(column, ())):
            for word, tag in zip(table.words[index], row, strict=True):
                if tag in tags:
                    yield tag, location(table, split, index), word


def _respelled(table: SentenceTable, changes: Mapping[str, Mapping[str, str]]) -> SentenceTable:
    tags, labels = dict(table.tags), dict(table.labels)
    for column, changed in changes.items():
        if column in tags:
            tags[column] = tuple(tuple(changed.get(tag, tag) for tag in row) for row in tags[column])
        if column in labels:
            labels[column] = tuple(dict.fromkeys(changed.get(name, name) for name in labels[column]))
    return replace(table, tags=tags, labels=labels)
