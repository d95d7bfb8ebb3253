"""A sample of a column file: its lines split into cells, before it is known what they hold."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from polytag.corpus.column_kinds import OTHER_NAMES, TAG_NAMES, WORD_NAMES, ColumnContent, Kind, layout_of
from polytag.corpus.text_files import TextForm, text_form, text_lines
from polytag.errors import CorpusError, shorten
from polytag.plugin.reader import DOCUMENT_MARKS, SEPARATORS, ReadingOptions

SAMPLE = 10_000
"""Number of lines from which a dialect is recognised."""
COMMENT = "#"
NO_COMMENTS = "none"

_NAMES_OF_SEPARATORS = {character: name for name, character in SEPARATORS.items()}
_MOST_COLUMNS = 64
_EVIDENCE = 3
"""Lines with a blank in a cell each, from which the blank may be a separator."""
_JOINED = re.compile(r"\S+([|/])[^\s|/]+")
_SPAN_TAG = re.compile(r"O|[BIESLUMW]-\S+")


def name_of_separator(character: str) -> str:
    """`tab` for a tab, or the character itself."""
    return _NAMES_OF_SEPARATORS.get(character, character)


def place_of(name: str, number: int) -> str:
    """File and line for a message; the line alone if the lines are from no file."""
    return f"{name}:{number}" if name else f"line {number}"


def cells_of(line: str, separator: str) -> list[str]:
    """The cells of a line; with a space as the separator, one or more spaces and tabs separate cells."""
    if separator == " ":
        # Not str.split(): it also splits at no-break spaces, which occur inside words.
        return [cell for cell in line.replace("\t", " ").split(" ") if cell]
    return [cell.strip(" ") for cell in line.rstrip(" \t").split(separator)]


def word_lines(
    lines: Iterable[str], is_skipped: Callable[[str, bool], bool], is_mark: Callable[[str], bool] | None = None
) -> Iterator[tuple[int, str, bool, bool]]:
    """The lines that hold words: number from 1, text, whether it starts a sentence, whether it starts a document.

    Args:
        lines: The lines, with or without their ends.
        is_skipped: Whether a line, that may start a sentence or not, is no word.
        is_mark: Whether a line starts a document, in addition to those that start with one of `DOCUMENT_MARKS`.
    """
    starts_sentence, starts_document = True, False
    for number, ended in enumerate(lines, start=1):
        line = ended.rstrip("\r\n")
        text = line.strip(" \t")
        marks = text.startswith(DOCUMENT_MARKS) or (is_mark is not None and is_mark(line))
        if not text or marks:
            starts_sentence, starts_document = True, starts_document or marks
        elif not is_skipped(line, starts_sentence):
            yield number, line, starts_sentence, starts_document
            starts_sentence = starts_document = False


@dataclass(frozen=True, slots=True)
class Sample:
    """The first lines of a file.

    Attributes:
        name: Name of the file for messages, or empty.
        form: How the file is stored; None if it is not a file.
        separator: What separates columns.
        comments: The start of its comments; None if no line begins so before a sentence.
        header: The cells of the first line, if they name the columns.
        columns: The content of each column; empty if the sample has no word.
        n_sentences: Number of sentences.
        first: Number and cells of the first line of words.
    """

    name: str
    form: TextForm | None
    separator: str
    comments: str | None
    header: tuple[str, ...] | None
    columns: tuple[ColumnContent, ...]
    n_sentences: int
    first: tuple[int, list[str]]

    @classmethod
    def of(cls, file: Path | Iterable[str], options: ReadingOptions) -> Sample:
        """Read the sample of a file, or of its lines.

        Raises:
            CorpusError: The columns cannot be told apart; the message names the option that decides.
            OSError: The file cannot be read.
        """
        if isinstance(file, Path):
            form, name = text_form(file, options.encoding), file.name
            lines: Iterable[str] = (line for _, line in text_lines(file, options.encoding))
        else:
            form, name, lines = None, "", file
        head = list(itertools.islice(lines, SAMPLE))
        comments = None if options.comments == NO_COMMENTS else options.comments or COMMENT

        words = 0

        def is_comment(line: str, starts_sentence: bool) -> bool:
            nonlocal words
            may_start = starts_sentence or words == 1  # the first line may be a header
            found = comments is not None and may_start and line.lstrip(" \t").startswith(comments)
            words += not found
            return found

        found, every = list(word_lines(head, is_comment)), list(word_lines(head, _none))
        if len(found) == len(every) or not found:  # no line, or every line, begins so
            comments, found = options.comments and comments, every
        texts = [line for _, line, _, _ in found]
        separator = _separator(name, texts, options)
        rows = [(number, cells_of(line, separator), starts) for number, line, starts, _ in found]
        if not rows:
            return cls(name, form, separator, comments, None, (), 0, (0, []))
        width, _ = Counter(len(cells) for _, cells, _ in rows).most_common(1)[0]
        rows = [row for row in rows if len(row[1]) == width]
        _refuse_no_columns(name, rows[0][0], texts, separator, width, options)
        header = _header(name, rows, options)
        columns, n_sentences = _content(rows[1:] if header else rows)
        return cls(name, form, separator, comments, header, tuple(columns), n_sentences, rows[0][:2])


_Rows = Sequence[tuple[int, list[str], bool]]


def _none(line: str, starts_sentence: bool) -> bool:
    return False


def _content(rows: _Rows) -> tuple[list[ColumnContent], int]:
    """The content of each column, and the number of sentences."""
    columns = [ColumnContent() for _ in rows[0][1]] if rows else []
    bounds = [index for index, (_, _, starts) in enumerate(rows) if starts or not index] + [len(rows)]
    for start, end in itertools.pairwise(bounds):
        for column, cells in zip(columns, zip(*(cells for _, cells, _ in rows[start:end]), strict=True), strict=True):
            column.add(cells)
    return columns, len(bounds) - 1


def _separator(name: str, lines: Sequence[str], options: ReadingOptions) -> str:
    if (named := options.separator_character()) is not None:
        return named
    if not lines:
        return " "
    widths = {mark: {len(cells_of(line, mark)) for line in lines} for mark in ("\t", " ")}
    tabs, spaces = (len(found) == 1 and max(found) > 1 and max(found) for found in widths.values())
    if tabs and spaces and spaces > tabs and len(lines) >= _EVIDENCE:
        by_tab, by_space = cells_of(lines[0], "\t"), cells_of(lines[0], " ")
        raise CorpusError(
            f"{place_of(name, 1)}: every line has both tabs and spaces, so the first line could have the "
            f"{len(by_tab)} columns {_shown(by_tab)} or the {len(by_space)} columns {_shown(by_space)}. "
            "Decide: --separator tab or --separator space."
        )
    if tabs or spaces:
        return "\t" if tabs else " "
    for mark in (",", ";", "|"):
        if mark in lines[0] and len({len(cells_of(line, mark)) for line in lines}) == 1:
            return mark
    return "\t" if "\t" in lines[0].strip(" \t") else " "


def _refuse_no_columns(
    name: str, number: int, lines: Sequence[str], separator: str, width: int, options: ReadingOptions
) -> None:
    """Refuse text with words and tags joined, and lines with too many columns."""
    if width > _MOST_COLUMNS:
        raise CorpusError(
            f"{place_of(name, number)}: the line has {width:,} columns. A column file has one word per line, with its "
            "tags in columns; if something else than tabs and spaces separates them, say so, for instance "
            "--separator comma."
        )
    if options.separator is not None or options.word_pattern is not None:
        return
    items = [item for line in lines for item in line.split()]
    found = [_JOINED.fullmatch(item) for item in items]
    marks = {match[1] for match in found if match}
    if not all(found) or len(marks) != 1:
        return
    mark = marks.pop()
    if mark == separator:
        return
    words, _, tags = zip(*(item.rpartition(mark) for item in items), strict=True)
    if len(set(tags)) < len(set(words)) or all(map(_SPAN_TAG.fullmatch, tags)):
        raise CorpusError(
            f"{place_of(name, number)}: this looks like word{mark}TAG text, as in {shorten(items[0])!r}, which no "
            "reader reads. "
            + (
                f"Say that it separates columns: --separator '{mark}'"
                if len(items) == len(lines)
                else "Write one word and its tag per line, separated by a space, and an empty line after each sentence."
            )
        )


def _header(name: str, rows: _Rows, options: ReadingOptions) -> tuple[str, ...] | None:
    """The first row, if it names the columns."""
    first = rows[0][1]
    if options.header is not None:
        return tuple(first) if options.header else None
    if len(rows) < 2 or len(set(first)) < len(first) or not all(first):
        return None
    layout = layout_of(*_content(rows[1:]))
    tags = [i for i, kind in enumerate(layout.kinds) if kind in (Kind.SPANS, Kind.OUTSIDE, Kind.FLAT)]
    spans = [i for i in tags if layout.kinds[i] is not Kind.FLAT]
    known = [cell.lower() in WORD_NAMES | TAG_NAMES | OTHER_NAMES for cell in first]
    if any(layout.is_span_tag(i, first[i]) for i in spans):
        return None
    if any(first[i] in layout.tags[i] for i in tags) and not all(known):  # POS is a tag, too
        return None
    odd = [first[i] for i in spans if len(first[i]) > 1]
    numbered = [first[i].isdecimal() for i, kind in enumerate(layout.kinds) if kind in (Kind.INDEX, Kind.OFFSET)]
    if any(numbered) or not (any(known) or odd or numbered):
        return None
    if all(known) or numbered or (any(known) and spans):
        return tuple(first)
    raise CorpusError(
        f"{place_of(name, rows[0][0])}: the first line, {_shown(first)}, could name the columns, or be a word with its "
        "tags. Decide: --header or --no-header."
    )


def _shown(cells: Sequence[str]) -> str:
    return shorten(" | ".join(cells))
