"""Label schemes: the encoding of spans by tags."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from typing import ClassVar, NamedTuple

from polytag.errors import PolytagError

OUTSIDE = "O"

UNANNOTATED = ""
"""Replaces the tag of a word that is not annotated. No model learns it, and no score counts such a word.

It is not a tag of any tagset: reading a corpus converts the `-` of files and the null of tables to it.
"""


_OUTSIDE_SPANS = (OUTSIDE, UNANNOTATED)


def outside_first(tag: str) -> tuple[bool, str]:
    """The key that sorts labels: `O`, then the others by name."""
    return tag != OUTSIDE, tag


class Span(NamedTuple):
    """Words `start` to `end` (exclusive) of one sentence, with a label: `Span(0, 2, "PER")`."""

    start: int
    end: int
    label: str


class LabelScheme(ABC):
    """Encodes spans by tags.

    A scheme reads any sequence, also an invalid one, without an error: corpora and models contain invalid sequences,
    and a scorer has to score them.
    """

    name: ClassVar[str]
    encodes_spans: ClassVar[bool] = True
    separates_neighbours: ClassVar[bool] = True
    """Whether it can write two neighbouring spans with the same label; if not, `tags` refuses them.

    A scheme that cannot is never recognised, only declared: its tags could as well be one tag per word, without spans.
    """

    @abstractmethod
    def spans(self, tags: Sequence[str]) -> list[Span]:
        """The spans of one sentence's tags, in order; an `UNANNOTATED` word is in none."""

    @abstractmethod
    def tags(self, spans: Iterable[Span], length: int) -> list[str]:
        """The tags of a sentence of `length` words with exactly `spans`.

        Raises:
            PolytagError: Spans overlap, are empty, or reach outside the sentence; or neighbouring spans have the same
                label, and the scheme does not separate them.
        """

    @abstractmethod
    def continuation(self, tag: str) -> str:
        """The tag of a word's later subwords, given the word's tag: `B-PER` gives `I-PER`."""

    @abstractmethod
    def allows(self, before: str | None, after: str | None) -> bool:
        """Whether `after` may follow `before`; None is the start or end of the sentence."""

    def violations(self, tags: Sequence[str]) -> list[int]:
        """Positions of words whose tag may not follow the previous tag or, for the last word, end a sentence.

        Next to an `UNANNOTATED` word, any tag is valid.
        """
        edges: list[str | None] = [None, *tags, None]
        broken = [
            i
            for i in range(len(tags) + 1)
            if UNANNOTATED not in (edges[i], edges[i + 1]) and not self.allows(edges[i], edges[i + 1])
        ]
        return sorted({min(i, len(tags) - 1) for i in broken})


def convert_tags(tags: Sequence[str], source: LabelScheme, target: LabelScheme) -> list[str]:
    """Rewrite one sentence's tags from one scheme to another; the spans stay the same.

    `UNANNOTATED` words stay so, and each sequence of words between them is rewritten independently.

    Raises:
        PolytagError: One of the two schemes encodes spans and the other does not.
    """
    if source.name == target.name:
        return list(tags)
    if source.encodes_spans != target.encodes_spans:
        raise PolytagError(
            f"Tags cannot be converted from the scheme {source.name!r} to {target.name!r}: only one of the two encodes "
            "spans. Convert between span schemes, or leave the tags as they are."
        )
    return respelled(tags, source, target)


def respelled(tags: Sequence[str], source: LabelScheme, target: LabelScheme) -> list[str]:
    """One sentence's tags as written by `target`, as `convert_tags` does; invalid tags are rewritten in any case."""
    if UNANNOTATED not in tags:
        return target.tags(source.spans(tags), len(tags))
    rewritten = [UNANNOTATED] * len(tags)
    for start, end in annotated_stretches(tags):
        rewritten[start:end] = target.tags(source.spans(tags[start:end]), end - start)
    return rewritten


def annotated_stretches(tags: Sequence[str]) -> list[tuple[int, int]]:
    """Start and end (exclusive) of every maximal sequence of words without `UNANNOTATED`."""
    edges = [-1, *(position for position, tag in enumerate(tags) if tag == UNANNOTATED), len(tags)]
    return [(before + 1, after) for before, after in itertools.pairwise(edges) if before + 1 < after]


@lru_cache(maxsize=4096)  # a corpus has many words and few tags
def split_tag(tag: str) -> tuple[str, str]:
    """Prefix and label of a tag: `B-PER` gives `("B", "PER")`, `O` gives `("O", "")`.

    As in the shared tasks' scorer, the label is everything after the first hyphen, and only a prefix (`B`) marks a span
    without a label. A tag without a prefix (`PER`), which that scorer cannot read, counts as the inside of a span.
    """
    if tag == OUTSIDE:
        return OUTSIDE, ""
    prefix, hyphen, label = tag.partition("-")
    if hyphen and len(prefix) == 1:
        return prefix, label
    if len(tag) == 1:
        return tag, ""
    return "I", tag


def join_tag(prefix: str, label: str) -> str:
    """The inverse of `split_tag`."""
    return f"{prefix}-{label}" if label else prefix


class PrefixScheme(LabelScheme):
    """A span scheme with four prefixes: for the first, an inner, the last and the only word of a span.

    A scheme that marks only contact (IOB1, IOE1) writes the prefix of `contact_start` (or `contact_end`) only if a span
    with the same label is directly before (or after) the span, and the inner prefix everywhere else.

    All schemes read spans by the rule of the CoNLL shared tasks' scorer: a span starts where the prefix says so, where
    the previous span ended, or where the label changes. A word tagged `O-PER` is outside, with any label.
    """

    first: ClassVar[str]
    inner: ClassVar[str]
    last: ClassVar[str]
    single: ClassVar[str]
    contact_start: ClassVar[str | None] = None
    contact_end: ClassVar[str | None] = None

    _STARTS = frozenset("BSUW")
    _ENDS = frozenset("ESLUW")

    def spans(self, tags: Sequence[str]) -> list[Span]:
        """The spans of one sentence's tags, in order; invalid sequences are read leniently."""
        opening, closing = (self._opening, self._closing) if self.separates_neighbours else (frozenset(), frozenset())
        found: list[Span] = []
        start, label, ended = -1, "", True
        for position, tag in enumerate(tags):
            prefix, tag_label = (OUTSIDE, "") if tag in _OUTSIDE_SPANS else split_tag(tag)
            if prefix == OUTSIDE:
                if start >= 0:
                    found.append(Span(start, position, label))
                    start = -1
                continue
            if start >= 0 and (ended or tag_label != label or prefix in opening):
                found.append(Span(start, position, label))
                start = -1
            if start < 0:
                start, label = position, tag_label
            ended = prefix in closing
        if start >= 0:
            found.append(Span(start, len(tags), label))
        return found

    def tags(self, spans: Iterable[Span], length: int) -> list[str]:
        """The tags of a sentence of `length` words with exactly `spans`."""
        ordered = sorted(spans)
        written = [OUTSIDE] * length
        for before, span, after in zip([None, *ordered], ordered, [*ordered[1:], None], strict=False):
            if not 0 <= span.start < span.end <= length:
                raise PolytagError(f"{span} is empty or reaches outside a sentence of {length} words.")
            if before is not None and before.end > span.start:
                raise PolytagError(f"{before} and {span} overlap; a label scheme gives each word one tag.")
            if not self.separates_neighbours and before is not None and before[1:] == (span.start, span.label):
                raise PolytagError(
                    f"The label scheme {self.name!r} cannot write {before} and {span}: neighbouring words with one "
                    "label are one span. Choose a scheme that separates them, for instance 'iob2'."
                )
            touches_before = before is not None and before.end == span.start and before.label == span.label
            touches_after = after is not None and after.start == span.end and after.label == span.label
            prefixes = [self.inner] * (span.end - span.start)
            if len(prefixes) == 1:
                prefixes[0] = self.single
            else:
                prefixes[0], prefixes[-1] = self.first, self.last
            if self.contact_start and touches_before:
                prefixes[0] = self.contact_start
            if self.contact_end and touches_after:
                prefixes[-1] = self.contact_end
            written[span.start : span.end] = [join_tag(prefix, span.label) for prefix in prefixes]
        return written

    def continuation(self, tag: str) -> str:
        """The tag of a word's later subwords: the start of a span becomes its continuation."""
        if tag == OUTSIDE:
            return OUTSIDE
        prefix, label = split_tag(tag)
        if prefix == self.single:
            prefix = self.last
        elif prefix in (self.first, self.contact_start):
            prefix = self.inner
        return join_tag(prefix, label)

    def allows(self, before: str | None, after: str | None) -> bool:
        """Whether `after` may follow `before` in the encoding of any set of spans."""
        if not self._writes(before) or not self._writes(after):
            return False
        left, left_label = split_tag(before or OUTSIDE)
        right, right_label = split_tag(after or OUTSIDE)
        same = left != OUTSIDE and right != OUTSIDE and left_label == right_label
        goes_on = {self.first, self.inner, self.contact_start}
        if same and left in goes_on and right in {self.inner, self.last, self.contact_end}:
            return True
        if left != OUTSIDE:
            if left == self.contact_end and not same:
                return False
            if left not in {self.last, self.single, self.contact_start, self.contact_end}:
                return False
            if self.contact_end and same and left != self.contact_end:
                return False
        if right != OUTSIDE:
            if right == self.contact_start and not same:
                return False
            if right not in {self.first, self.single, self.contact_start, self.contact_end}:
                return False
            if self.contact_start and same and right != self.contact_start:
                return False
        return True

    @cached_property
    def _opening(self) -> frozenset[str | None]:
        """Prefixes that always start a span: the usual ones, and prefixes with no other use in this scheme."""
        own = {self.first, self.single, self.contact_start} - {self.inner, self.last, self.contact_end}
        return self._STARTS | own

    @cached_property
    def _closing(self) -> frozenset[str | None]:
        """Prefixes that always end a span: the usual ones, and prefixes with no other use in this scheme."""
        own = {self.last, self.single, self.contact_end} - {self.first, self.inner, self.contact_start}
        return self._ENDS | own

    def _writes(self, tag: str | None) -> bool:
        """Whether `tags` can write this tag: not `PER`, which is read as `I-PER`, and not `O-PER`."""
        if tag is None or tag == OUTSIDE:
            return True
        prefix, label = split_tag(tag)
        own = {self.first, self.inner, self.last, self.single, self.contact_start, self.contact_end}
        return prefix in own and join_tag(prefix, label) == tag
