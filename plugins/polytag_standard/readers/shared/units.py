"""The unit of the offsets of annotated texts: characters, or units of UTF-16 as programs in JavaScript and Java count.

They differ after a character outside the Basic Multilingual Plane, such as an emoji, which is two units of UTF-16.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, TypeVar

from polytag import CorpusError, Remark, Source, shorten
from polytag_standard.readers.shared.offsets import Offsets, TextSpan, Unit

Units = tuple[Unit, ...]
"""The unit of offsets; after it, one to try for a span whose recorded text is not at its place."""

_CHARACTERS_FIRST: Units = ("characters", "utf16")
_UTF16_FIRST: Units = ("utf16", "characters")
_LAST_OF_THE_PLANE = "\uffff"
_CLEAR = 10
"""A reading is right if the other has more than this many misplaced spans for each of its own."""


class Placed(Protocol):
    """A text with spans."""

    @property
    def text(self) -> str:
        """The text."""

    @property
    def offsets(self) -> Offsets:
        """Offsets of the words of each sentence, in characters."""

    @property
    def all_spans(self) -> Sequence[TextSpan]:
        """The spans of all columns."""

    @property
    def misplaced(self) -> int:
        """Number of words with another text than is recorded for them."""

    @property
    def in_characters(self) -> bool:
        """Whether its offsets are known to count characters."""


PlacedText = TypeVar("PlacedText", bound=Placed)


def has_wide_characters(text: str) -> bool:
    """Whether the two units differ in a text."""
    return max(text, default="") > _LAST_OF_THE_PLANE


def in_characters(text: str, unit: Unit) -> Callable[[int], int]:
    """A function from an offset to its character.

    It raises `ValueError` for an offset that is beyond the text, or inside a character.
    """
    if unit == "characters" or not has_wide_characters(text):
        return lambda offset: offset
    units = list(itertools.accumulate((1 + (character > _LAST_OF_THE_PLANE) for character in text), initial=0))

    def character(offset: int) -> int:
        found = bisect_left(units, offset)
        if found == len(units) or units[found] != offset:
            raise ValueError(offset)
        return found

    return character


def locate_span(
    offsets: Sequence[int], text: str, units: Units, where: str, recorded: str | None = None
) -> tuple[list[int], Unit | None]:
    """The offsets of a span in characters, and the unit if its recorded text fits only in one.

    Args:
        offsets: Start and end of each piece of the span.
        text: The text.
        units: The unit, and another to try.
        where: File and line, for messages.
        recorded: The text of the span in the file, if it has any; white space does not count.

    Raises:
        CorpusError: The span is not within the text, or has another text.
    """
    fitting: dict[Unit, list[int]] = {}
    for unit in units if recorded is not None else units[:1]:
        try:
            found = list(map(in_characters(text, unit), offsets))
        except ValueError:
            continue
        if recorded is None or _between(text, found).split() == recorded.split():
            fitting[unit] = found
    if not fitting:
        pieces = ", ".join(f"{start} to {end}" for start, end in zip(offsets[::2], offsets[1::2], strict=True))
        if recorded is not None:
            raise CorpusError(
                f"{where}: the span from {pieces} is recorded as {shorten(recorded)!r}, but the text has "
                f"{shorten(_between(text, offsets))!r} there. Make sure that text and annotations belong together, and "
                "that nothing changed the line ends of the text."
            )
        raise CorpusError(
            f"{where}: in units of UTF-16, the span from {pieces} is beyond the text, or starts or ends inside a "
            "character. Make sure that the annotations belong to this text, or say --offsets characters."
        )
    unit, chosen = next(iter(fitting.items()))
    is_telling = recorded is not None and len(units) > len(fitting) and has_wide_characters(text)
    return chosen, unit if is_telling else None


class UnitJudge:
    """Hears the texts of a file in both readings, and says in which unit the offsets are.

    A span refutes a reading if it is not within the text, starts or ends inside a word, covers no word, or has another
    text than is recorded for it.
    """

    def __init__(self, name: str, source: Source) -> None:
        self._name = name  # for messages
        self._source = source
        self._misplaced: Counter[Unit] = Counter()
        self._impossible: dict[Unit, str] = {}
        self._is_open = False
        self._first: _Difference | None = None

    def hear(self, read: Callable[[Units], PlacedText | None]) -> PlacedText | None:
        """Read a text in both units.

        Args:
            read: Reads it; None if the text is left out.

        Returns:
            The text in a possible unit.

        Raises:
            CorpusError: No reading is possible.
        """
        if self._source.options.offsets is not None:
            return read((self._source.options.offsets,))
        try:
            characters = read(_CHARACTERS_FIRST)
        except CorpusError as error:
            try:
                utf16 = read(_UTF16_FIRST)
            except CorpusError:
                raise error from None
            self._hear_only("utf16", utf16, error)
            return utf16
        if characters is None or characters.in_characters or not has_wide_characters(characters.text):
            return characters
        try:
            utf16 = read(_UTF16_FIRST)
        except CorpusError as error:
            self._hear_only("characters", characters, error)
        else:
            if utf16 is not None:
                self._hear_both(characters, utf16)
        return characters

    def verdict(self) -> Units:
        """The unit of the file's offsets; said in a remark if it is UTF-16.

        Raises:
            CorpusError: Both readings fit, or none does.
        """
        if self._source.options.offsets is not None:
            return (self._source.options.offsets,)
        wrong, first = self._misplaced, self._first
        if first is None:
            return _CHARACTERS_FIRST
        if wrong["characters"] > _CLEAR * wrong["utf16"] or (not self._is_open and wrong["characters"]):
            rule = "Offsets that do not fit the text as characters are read as units of UTF-16."
            self._source.remarks.append(Remark("offsets-in-utf16", rule, first.location, repr(first.utf16)))
            return _UTF16_FIRST
        if wrong["utf16"] > _CLEAR * wrong["characters"] or not self._is_open:
            return _CHARACTERS_FIRST
        why = "Neither fits" if any(wrong.values()) else "Both fit"
        if self._impossible:
            ((unit, error),) = list(self._impossible.items())[:1]
            other = "characters" if unit == "utf16" else "utf16"
            advice = f"Say --offsets {other} if that is right; the other unit needs a repair: {error}"
        else:
            advice = "Say which is right: --offsets characters or --offsets utf16."
        raise CorpusError(
            f"{first.location}: the offsets of {self._name} may count characters, or units of UTF-16 as programs in "
            f"JavaScript and Java do. The first span where they differ is {first.characters!r} in characters and "
            f"{first.utf16!r} in UTF-16. {why} all spans of the file. {advice}"
        )

    def _hear_only(self, unit: Unit, reading: Placed | None, error: CorpusError) -> None:
        """Hear a text that has this error in the other unit."""
        if reading is None:
            return
        other: Unit = "utf16" if unit == "characters" else "characters"
        self._is_open = True
        self._impossible.setdefault(other, str(error))
        self._misplaced[other] += 1
        self._misplaced[unit] += _count_misplaced(reading, reading.all_spans) + reading.misplaced
        for span in reading.all_spans[:1]:
            nowhere = "(not in the text)"
            here = _between(reading.text, span[:2])
            self._note(span.location, *((here, nowhere) if unit == "characters" else (nowhere, here)))

    def _hear_both(self, characters: Placed, utf16: Placed) -> None:
        self._misplaced["characters"] += characters.misplaced
        self._misplaced["utf16"] += utf16.misplaced
        text = characters.text
        pairs = list(zip(characters.all_spans, utf16.all_spans, strict=True))
        for span, _ in pairs:
            if span.unit is not None:
                self._misplaced["utf16" if span.unit == "characters" else "characters"] += 1
                self._note(span.location, *(_between(text, span[:2]),) * 2)
        open_pairs = [pair for pair in pairs if pair[0][:2] != pair[1][:2]]
        self._misplaced["characters"] += _count_misplaced(characters, [pair[0] for pair in open_pairs])
        self._misplaced["utf16"] += _count_misplaced(utf16, [pair[1] for pair in open_pairs])
        for first, second in open_pairs:
            self._note(first.location, _between(text, first[:2]), _between(text, second[:2]))
        words = zip(itertools.chain(*characters.offsets), itertools.chain(*utf16.offsets), strict=False)
        open_words = [pair for pair in words if pair[0] != pair[1]]
        for one, other in open_words[:1]:
            self._note(self._name, _between(text, one), _between(text, other))
        self._is_open = self._is_open or bool(open_pairs or open_words)

    def _note(self, location: str, characters: str, utf16: str) -> None:
        if self._first is None:
            self._first = _Difference(location, shorten(characters), shorten(utf16))


class _Difference(NamedTuple):
    location: str
    characters: str
    utf16: str


def _between(text: str, offsets: Sequence[int]) -> str:
    return " ".join(text[start:end] for start, end in zip(offsets[::2], offsets[1::2], strict=True))


def _count_misplaced(reading: Placed, spans: Sequence[TextSpan]) -> int:
    words = list(itertools.chain.from_iterable(reading.offsets))
    starts, ends = [start for start, _ in words], [end for _, end in words]
    count = 0
    for span in spans:
        first, last = bisect_right(ends, span.start), bisect_left(starts, span.end) - 1
        is_within = 0 <= span.start < span.end <= len(reading.text) and first <= last
        count += not is_within or starts[first] < span.start or ends[last] > span.end
    return count
