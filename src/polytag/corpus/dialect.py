"""The dialect of column files: how one is written, recognised before it is read."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import NamedTuple

from polytag.corpus.column_kinds import (
    EMPTY,
    LEFT_OUT,
    OTHER_NAMES,
    SKIP,
    WORD_NAMES,
    ColumnContent,
    Kind,
    Layout,
    layout_of,
)
from polytag.corpus.column_sample import NO_COMMENTS, SAMPLE, Sample, cells_of, name_of_separator, place_of, word_lines
from polytag.corpus.text_files import TextForm, text_lines
from polytag.errors import CorpusError, shorten
from polytag.plugin.reader import DOCUMENT_MARKS, NOTHING_SAID, TOKENS, ReadingOptions

_RESERVED = frozenset({"document", "location"})


class ColumnRow(NamedTuple):
    """A word line of a column file.

    Attributes:
        number: The line's number, from 1.
        line: The line without its end.
        cells: The content of its columns; an empty string between two adjacent tabs.
        starts_sentence: Whether its word is the first of a sentence.
        starts_document: Whether a document mark is between it and the previous word line; a new document is also a new
            sentence.
    """

    number: int
    line: str
    cells: list[str]
    starts_sentence: bool
    starts_document: bool


@dataclass(frozen=True, slots=True)
class Dialect:
    """The form of a column file.

    Attributes:
        separator: What separates columns: a tab, a space (then one or more spaces and tabs do), or another character.
        comments: The start of comment lines; None if there are none.
        header: The cells of the first line, if it names the columns.
        layout: What the columns hold.
        form: Encoding, compression and line ends; None if the lines are from no file.
        is_said: Whether the user named the start of comments.
    """

    separator: str
    comments: str | None
    header: tuple[str, ...] | None
    layout: Layout
    form: TextForm | None = None
    is_said: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """For each column `tokens`, the name of a tag column, or `_` if it is left out."""
        return self.layout.names

    @property
    def words(self) -> int:
        """The number of the column of words, from 0; 0 if no column can be the words."""
        return self.layout.words or 0

    @property
    def index(self) -> int | None:
        """The number of the column that numbers words, if there is one."""
        return self.layout.kinds.index(Kind.INDEX) if Kind.INDEX in self.layout.kinds else None

    def cells(self, line: str) -> list[str]:
        """The cells of a line."""
        return cells_of(line, self.separator)

    def is_comment(self, line: str, starts_sentence: bool) -> bool:
        """Whether a line is a comment.

        A line that begins like a comment is a word if its cells fit the columns, or if it is inside a sentence. If the
        user named the start of comments, it is a word only if its cells fit.

        Args:
            line: The line.
            starts_sentence: Whether no word of its sentence is before it.

        Raises:
            CorpusError: It cannot be decided.
        """
        if self.comments is None or not line.lstrip(" \t").startswith(self.comments):
            return False
        cells = self.cells(line)
        if len(cells) != len(self.names):
            return starts_sentence or self.is_said
        if not (starts_sentence or self.is_said):
            return False
        tags = [index for index in range(len(cells)) if index != self.layout.words]
        if all(self._fits(index, cells[index]) for index in tags):
            return False
        if self.is_said:
            return True
        flat = all(self.layout.kinds[index] is Kind.FLAT for index in tags)
        looks_tagged = all(cells[index].isupper() for index in tags)
        if cells[0] != self.comments and (looks_tagged or not flat):  # `#tag`, and not `# comment`
            return False
        if flat and (cells[0] != self.comments or (len(tags) == 1 and looks_tagged)):
            raise CorpusError(
                f"The line {shorten(line)!r} could be a comment, or a word with a tag that does not occur before it. "
                f"Decide: --comments '{self.comments}' or --comments {NO_COMMENTS}."
            )
        return True

    def _fits(self, index: int, cell: str) -> bool:
        kind = self.layout.kinds[index]
        if kind is Kind.FLAT:
            return self.layout.is_tag(index, cell)
        if kind in (Kind.SPANS, Kind.OUTSIDE):
            return self.layout.is_span_tag(index, cell)
        return cell in EMPTY if kind is Kind.EMPTY else kind is Kind.IDENTIFIER or cell.isdecimal()

    def options(self) -> ReadingOptions:
        """The options that say the same."""
        return ReadingOptions(
            columns=self.names,
            separator=name_of_separator(self.separator),
            comments=self.comments or NO_COMMENTS,
            header=self.header is not None,
            encoding=None if self.form is None else self.form.encoding,
        )

    def __str__(self) -> str:
        """One line for the user: ``tab-separated, comments `#`, index, tokens, ner_tags, nested_tags``."""
        parts = [f"{name_of_separator(self.separator)}-separated"]
        if self.form is not None:
            parts += ["gzip"] if self.form.compressed else []
            parts += [self.form.encoding] if self.form.encoding != "utf-8" else []
            parts += ["line ends CR"] if self.form.line_end == "\r" else []
        parts += [f"comments `{self.comments}`"] if self.comments else []
        parts += ["header"] if self.header else []
        return ", ".join([*parts, *(self._described(index) for index in range(len(self.names)))])

    def _described(self, index: int) -> str:
        name, kind, style = self.names[index], self.layout.kinds[index], self.layout.styles[index]
        if name == SKIP:
            return kind.value if kind in LEFT_OUT else f"{kind.value} (skipped)"
        unusual = kind is Kind.SPANS and style is not None and str(style) != "B-X"
        return f"{name} (as {style})" if unusual else name


def column_rows(lines: Iterable[str], dialect: Dialect | None = None) -> Iterator[ColumnRow]:
    r"""Yield the word lines of a column file, in constant memory.

    A line of spaces and tabs ends a sentence, and so does a line that starts with one of `DOCUMENT_MARKS`. No-break
    spaces separate nothing: they belong to words. The caller checks the number and the content of the columns.

    ```python
    import polytag

    rows = polytag.column_rows(["EU NNP B-ORG", "rejects VBZ O", "", "Peter NNP B-PER"])
    print([(row.number, row.cells[0], row.starts_sentence) for row in rows])
    # [(1, 'EU', True), (2, 'rejects', False), (4, 'Peter', True)]
    ```

    Args:
        lines: The lines, with or without their ends, `\n` or `\r\n`, and without a byte order mark; `text_lines` reads
            them.
        dialect: How they are written; by default, as their first 10,000 lines tell.

    Raises:
        CorpusError: The dialect cannot be decided.
    """
    if dialect is None:
        rest = iter(lines)
        head = list(itertools.islice(rest, SAMPLE))
        lines, dialect = itertools.chain(head, rest), recognise_dialect(head)
    words = dialect.layout.words

    def is_mark(line: str) -> bool:
        cells = cells_of(line, separator)
        return len(cells) > (words or 0) and cells[words or 0].startswith(DOCUMENT_MARKS)

    separator = dialect.separator
    found = word_lines(lines, _Skipped(dialect), is_mark if words else None)
    for number, line, starts_sentence, starts_document in found:
        yield ColumnRow(number, line, cells_of(line, separator), starts_sentence, starts_document)


class _Skipped:
    """Whether a line is a comment or the header."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._header = dialect.header

    def __call__(self, line: str, starts_sentence: bool) -> bool:
        if self._dialect.comments is not None and self._dialect.is_comment(line, starts_sentence):
            return True
        if self._header is None:
            return False
        header, self._header = self._header, None
        return tuple(self._dialect.cells(line)) == header


def recognise_dialect(
    file: Path | Iterable[str], options: ReadingOptions = NOTHING_SAID, *, words_first: bool = False
) -> Dialect:
    """The dialect of a column file, recognised from its first 10,000 lines.

    Args:
        file: The file, or its lines.
        options: What the user says about it.
        words_first: Whether the words are known to come before the tags, as in files of predictions.

    Raises:
        CorpusError: The lines fit two dialects, or are no columns; the message shows both readings and names the option
            that decides.
        OSError: The file cannot be read.
    """
    sample = Sample.of(file, options)
    layout = layout_of(sample.columns, sample.n_sentences)
    return _dialect(sample, replace(layout, other=None) if words_first else layout, options)


def recognise_dialects(files: Sequence[Path], options: ReadingOptions = NOTHING_SAID) -> dict[Path, Dialect]:
    """The dialects of the files of one corpus.

    Files with the same columns are judged together: one with few spans tells less than the others. A file that cannot
    be decided on its own is read like the others with as many columns.

    Args:
        files: The files.
        options: What the user says about them.

    Raises:
        CorpusError: As in `recognise_dialect`.
        OSError: A file cannot be read.
    """
    samples = {file: Sample.of(file, options) for file in files}
    own = {file: layout_of(sample.columns, sample.n_sentences) for file, sample in samples.items()}
    found = {}
    for file, sample in samples.items():
        alike = _merged([samples[other] for other in samples if _outline(own[other]) == _outline(own[file])])
        as_wide = [other for other in samples.values() if len(other.columns) == len(sample.columns)]
        layout = next(filter(_is_decided, (alike, own[file], _merged(as_wide))), alike)
        found[file] = _dialect(sample, layout, options)
    return found


def _merged(samples: Sequence[Sample]) -> Layout:
    """The layout of several files together."""
    columns = [reduce(ColumnContent.merged, column) for column in zip(*(s.columns for s in samples), strict=True)]
    return layout_of(columns, sum(s.n_sentences for s in samples))


def _is_decided(layout: Layout) -> bool:
    return layout.other is None and layout.words is not None and any(n not in (TOKENS, SKIP) for n in layout.names)


def _outline(layout: Layout) -> tuple[object, ...]:
    return layout.words, *(kind in LEFT_OUT and kind is not Kind.EMPTY for kind in layout.kinds)


def _dialect(sample: Sample, layout: Layout, options: ReadingOptions) -> Dialect:
    if options.columns:
        layout = replace(layout, names=_named(sample, layout, options.columns), other=None)
    elif sample.header and (names := _named_by_header(sample.header, layout)):
        layout = replace(layout, names=names, other=None)
    if layout.other is not None:
        number, cells = sample.first
        readings = [
            f"the words are in column {names.index(TOKENS) + 1} ({shorten(cells[names.index(TOKENS)])!r}): --columns "
            f"{','.join(names)}"
            for names in (layout.names, layout.other)
        ]
        raise CorpusError(
            f"{place_of(sample.name, number)}: it cannot be decided which column holds the words. Either "
            f"{readings[0]}; or {readings[1]}. Say which."
        )
    kinds: list[Kind] = [Kind.FLAT if kind is Kind.WORDS else kind for kind in layout.kinds]
    if layout.words is not None:
        kinds[layout.words] = Kind.WORDS
    layout = replace(layout, kinds=tuple(kinds))
    said = options.comments not in (None, NO_COMMENTS)
    return Dialect(sample.separator, sample.comments, sample.header, layout, sample.form, said)


def _named(sample: Sample, layout: Layout, given: tuple[str, ...]) -> tuple[str, ...]:
    """The names that the user gave."""
    number, cells = sample.first
    if not cells or len(given) == len(cells):
        return given
    n_kept = sum(kind not in LEFT_OUT for kind in layout.kinds)
    rest = iter(given)
    full = [SKIP if kind in LEFT_OUT else next(rest, SKIP) for kind in layout.kinds]
    hint = f" Probably: --columns {','.join(full)}" if n_kept == len(given) else ""
    raise CorpusError(
        f"{place_of(sample.name, number)}: the line has {len(cells)} columns and --columns names {len(given)} "
        f"({','.join(given)}). Name every column, with {SKIP} for one to skip.{hint}"
    )


def _named_by_header(header: tuple[str, ...], layout: Layout) -> tuple[str, ...] | None:
    """The names in a header; None if it names no column of words and none can be recognised."""
    words = next((i for i, cell in enumerate(header) if cell.lower() in WORD_NAMES), layout.words)
    if words is None:
        return None
    names = []
    for index, (cell, kind) in enumerate(zip(header, layout.kinds, strict=True)):
        left_out = kind in LEFT_OUT or cell.lower() in OTHER_NAMES
        usable = cell not in _RESERVED and cell != TOKENS and "," not in cell
        name = cell if usable else f"column_{index + 1}"
        names.append(TOKENS if index == words else SKIP if left_out else name)
    return tuple(names)


def has_document_marks(path: Path, marks: tuple[str, ...] = DOCUMENT_MARKS, encoding: str | None = None) -> bool:
    """Whether any line of a text file is a document mark, after spaces and tabs.

    Args:
        path: The file; it is read up to the first mark.
        marks: The possible starts of such a line.
        encoding: Its encoding, as for `text_lines`.

    Raises:
        CorpusError: The file is not in its encoding.
        OSError: The file cannot be read.
    """
    return any(line.lstrip(" \t").startswith(marks) for _, line in text_lines(path, encoding))
