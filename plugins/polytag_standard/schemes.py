"""The standard label schemes: `flat` for one tag per word, and nine that encode spans by prefixes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from polytag import OUTSIDE, LabelScheme, PolytagError, PrefixScheme, Span


class Flat(LabelScheme):
    """One tag per word and no spans: parts of speech."""

    name = "flat"
    encodes_spans = False

    def spans(self, tags: Sequence[str]) -> list[Span]:
        """No spans, whatever the tags."""
        return []

    def tags(self, spans: Iterable[Span], length: int) -> list[str]:
        """`O` for each of `length` words.

        Raises:
            PolytagError: `spans` is not empty.
        """
        span = next(iter(spans), None)
        if span is not None:
            raise PolytagError(
                f"The label scheme 'flat' has one tag per word and cannot encode {span}. "
                "Choose a scheme that encodes spans, for instance 'iob2'."
            )
        return [OUTSIDE] * length

    def continuation(self, tag: str) -> str:
        """The tag itself: all subwords of a noun are labelled as noun."""
        return tag

    def allows(self, before: str | None, after: str | None) -> bool:
        """True: any tag may follow any other."""
        return True


class Iob1(PrefixScheme):
    """`I` on every word of a span; `B` on its first word if the span directly before it has the same label.

    The scheme of the original CoNLL-2003 files.
    """

    name = "iob1"
    first = inner = last = single = "I"
    contact_start = "B"


class Iob2(PrefixScheme):
    """`B` on the first word of every span, `I` on the others; also called BIO."""

    name = "iob2"
    first = single = "B"
    inner = last = "I"


class Ioe1(PrefixScheme):
    """`I` on every word of a span; `E` on its last word if the span directly after it has the same label."""

    name = "ioe1"
    first = inner = last = single = "I"
    contact_end = "E"


class Ioe2(PrefixScheme):
    """`E` on the last word of every span, `I` on the others."""

    name = "ioe2"
    first = inner = "I"
    last = single = "E"


class Iobes(PrefixScheme):
    """`B`, `I` and `E` on the first, inner and last words of a span, `S` on a span of one word."""

    name = "iobes"
    first, inner, last, single = "B", "I", "E", "S"


class Bilou(PrefixScheme):
    """`B`, `I` and `L` on the first, inner and last words of a span, `U` on a span of one word."""

    name = "bilou"
    first, inner, last, single = "B", "I", "L", "U"


class Bmes(PrefixScheme):
    """`B`, `M` and `E` on the first, inner and last words of a span, `S` on a span of one word; usual for Chinese."""

    name = "bmes"
    first, inner, last, single = "B", "M", "E", "S"


class Bmewo(PrefixScheme):
    """`B`, `M` and `E` on the first, inner and last words of a span, `W` on a span of one word."""

    name = "bmewo"
    first, inner, last, single = "B", "M", "E", "W"


class Io(PrefixScheme):
    """`I` on every word of a span, or only the label; neighbouring words with one label are one span.

    Tags are read with and without prefix (`I-PER`, `PER`), and written with it: the label `B-cell` alone would look
    like a prefix with a label.
    """

    name = "io"
    separates_neighbours = False
    first = inner = last = single = "I"

    def allows(self, before: str | None, after: str | None) -> bool:
        """True, unless a tag has another prefix."""
        return super().allows(_prefixed(before), _prefixed(after))


def _prefixed(tag: str | None) -> str | None:
    return f"I-{tag}" if tag and len(tag) > 1 and tag[1] != "-" else tag
