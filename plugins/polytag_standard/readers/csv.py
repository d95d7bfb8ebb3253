"""The reader `csv`: tables with a header, one word per row."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import ClassVar, NamedTuple

from polytag import (
    TOKENS,
    UNANNOTATED,
    CorpusError,
    Reader,
    ReadingOptions,
    Sentence,
    SentenceTable,
    Source,
    corpus_from_sentences,
    shorten,
    text_ending,
    text_lines,
)
from polytag_standard.readers.shared.lines import first_lines, joined

_TRIED = (",", ";", "\t")
_SKIP = "_"
_WORDS = frozenset({TOKENS, "token", "word", "words", "form"})
_SENTENCES = frozenset(
    {"sent", "sentence", "sentences", "sentence #", "sentence#", "sentence_id", "sentence id", "sent_id", "sentid"}
    | {"sentence_idx", "sentence_number", "sentence_num", "sent_num", "sid"}
)
_DOCUMENTS = frozenset({"doc", "document", "doc_id", "docid", "document_id", "document id"})
_COUNTERS = frozenset({"", "id", "idx", "index", "unnamed: 0", "token_id", "word_id", "word_idx", "location"})
"""Names of columns that number the rows."""
_LONGEST_SENTENCE = 200
"""Words after which a table without empty rows is no single sentence."""

_LIST = re.compile(r"\[.+\]", re.DOTALL)
"""A list of words or tags that was written to one cell."""
_EXAMPLE = "sentence,tokens,ner_tags"


class _Table(NamedTuple):
    """The form of a file: the names of its columns, whether the first row is a header, and how cells are separated."""

    names: tuple[str, ...]
    has_header: bool
    separator: str
    quotes: bool


class CsvReader(Reader):
    """Reads CSV files whose first row names the columns: `tokens` (or `word`), and any number of tag columns.

    Cells are separated by commas, semicolons or tabs. A column `sentence` (or `Sentence #`) starts a sentence where its
    value changes; it may be filled only on the first row of a sentence. Empty rows separate sentences, too. An empty
    cell of a tag column is a word without annotation.
    """

    name: ClassVar[str] = "csv"
    summary: ClassVar[str] = "CSV files with a header (.csv): one word per row, with its tags in columns"
    leaves_out: ClassVar[str] = "columns that number the rows"
    endings: ClassVar[frozenset[str]] = frozenset({".csv"})

    def accepts(self, source: Source) -> bool:
        """Whether all files end in `.csv`, and their first rows have several cells."""
        paths = [path for paths in source.files.values() for path in paths]
        return bool(paths) and all(
            text_ending(path) in self.endings and _may_be_table(path, source.options) for path in paths
        )

    def read(self, source: Source) -> dict[str, SentenceTable]:
        """Read all files, row by row.

        Raises:
            CorpusError: The header names no words, no tags or no sentences, or a row has another number of cells; the
                message names file and line.
        """
        return corpus_from_sentences(
            {
                split: joined(paths, lambda path: _sentences(path, source.options))
                for split, paths in source.files.items()
            }
        )


def _may_be_table(path: Path, options: ReadingOptions) -> bool:
    # A file in another encoding has no first lines here; reading it names the byte and the option.
    return not first_lines(path, options.encoding, 50) or len(_first_row(path, options)) > 1


def _first_row(path: Path, options: ReadingOptions) -> list[str]:
    line = next((line for line in first_lines(path, options.encoding, 50) if line.strip()), "")
    return _cells(line, _separator(line, options))


def _cells(line: str, separator: str) -> list[str]:
    """The cells of one line; none if the line has one that is too long for a cell."""
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return []


def _separator(header: str, options: ReadingOptions) -> str:
    """The separator that the user named, or the one that makes most cells of the header, and words one of them."""
    if (named := options.separator_character()) is not None:
        return named

    def merit(separator: str) -> tuple[bool, int]:
        cells = _cells(header, separator)
        return any(cell.strip().lower() in _WORDS for cell in cells), len(cells)

    return max(_TRIED, key=merit)


def _table(path: Path, options: ReadingOptions) -> _Table:
    line = next((line for _, line in text_lines(path, options.encoding) if line.strip()), "")
    separator = _separator(line, options)
    header = [cell.strip() for cell in next(csv.reader([line], delimiter=separator), [])]
    given = options.columns or ()
    named = [name for name in given if name not in (TOKENS, _SKIP)]
    by_place = len(given) == len(header) and not set(named) <= set(header)
    has_words = any(name.lower() in _WORDS for name in header)
    if options.header is False:
        if len(given) != len(header):
            raise CorpusError(
                f"{path.name}:1: a table without a header needs the name of each of its {len(header)} columns: "
                f"--columns {_EXAMPLE}, with {_SKIP} for one to skip."
            )
        return _Table(given, False, separator, _quotes_matter(path, len(header), separator, options))
    if not has_words and options.header is None:
        raise CorpusError(
            f"{path.name}:1: the first row ({shorten(', '.join(header))}) names no column of words (tokens, token, "
            "word or form). If it is a header, say --header and name the columns in their order: --columns "
            f"{_EXAMPLE}; if it is a word with its tags, say --no-header."
        )
    if by_place:
        names = given
    elif has_words:
        words = next(name for name in header if name.lower() in _WORDS)
        names = tuple(TOKENS if name == words else name for name in header)
    else:
        raise CorpusError(
            f"{path.name}:1: the header ({shorten(', '.join(header))}) names no column of words. Name its "
            f"{len(header)} columns in their order: --columns {_EXAMPLE}, with {_SKIP} for one to skip."
        )
    return _Table(tuple(names), True, separator, _quotes_matter(path, len(header), separator, options))


def _quotes_matter(path: Path, width: int, separator: str, options: ReadingOptions) -> bool:
    """Whether quotation marks enclose cells.

    They are words if each line has its cells without them, and a cell in them would hold a line end.
    """
    lines = [line for _, line in text_lines(path, options.encoding)]
    if not any('"' in line for line in lines):
        return True
    try:
        rows = [
            row for row in csv.reader((line + "\n" for line in lines), delimiter=separator, strict=True) if any(row)
        ]
        is_sound = all(len(row) == width for row in rows) and not any("\n" in cell for row in rows for cell in row)
    except csv.Error:
        is_sound = False
    return is_sound or any(line.strip(f" {separator}") and line.count(separator) != width - 1 for line in lines)


def _rows(path: Path, table: _Table, options: ReadingOptions) -> Iterator[tuple[int, list[str]]]:
    """The rows with the numbers of their first lines; an empty list for an empty row."""
    lines = (line + "\n" for _, line in text_lines(path, options.encoding))
    reader = csv.reader(lines, delimiter=table.separator, quoting=csv.QUOTE_MINIMAL if table.quotes else csv.QUOTE_NONE)
    number, is_header = 1, table.has_header
    try:
        for row in reader:
            cells = [cell.strip(" \t") for cell in row]
            if any(cells) and is_header:
                is_header = False
            elif not any(cells):
                yield number, []
            elif len(cells) != len(table.names):
                raise CorpusError(
                    f"{path.name}:{number}: the row {shorten(table.separator.join(row))!r} has {len(row)} cells, and "
                    f"the first row of {path} has {len(table.names)}. Repair the row; a cell with a separator or a "
                    "line end has to be in quotation marks."
                )
            else:
                yield number, cells
            number = reader.line_num + 1
    except csv.Error as error:
        raise CorpusError(f"{path.name}:{number}: this row is not CSV: {error}. Repair it in {path}.") from error


def _sentences(path: Path, options: ReadingOptions) -> Iterator[Sentence]:
    table = _table(path, options)
    lower = [name.lower() for name in table.names]
    if lower.count(TOKENS) != 1:
        raise CorpusError(f"{path.name}:1: one column has to be named {TOKENS!r}. Example: --columns {_EXAMPLE}")
    of_words = lower.index(TOKENS)
    of_sentences = next((at for at, name in enumerate(lower) if name in _SENTENCES), None)
    of_documents = next((at for at, name in enumerate(lower) if name in _DOCUMENTS), None)
    others = {of_words, of_sentences, of_documents}
    named = [
        (name, at)
        for at, name in enumerate(table.names)
        if at not in others and lower[at] not in _COUNTERS and name != _SKIP
    ]
    tags = dict(named)
    if len(tags) < len(named):
        raise CorpusError(f"{path.name}:1: two of the columns {shorten(', '.join(table.names))} have the same name.")
    if not tags:
        raise CorpusError(
            f"{path.name}:1: the columns {shorten(', '.join(table.names))} name no tag column. Example: {_EXAMPLE}"
        )
    if of_sentences is None and not _has_empty_rows(path, table, options):
        raise CorpusError(
            f"{path.name}:1: nothing in {path} says where sentences end: no column is named `sentence`, and no row is "
            f"empty. If a column numbers the sentences, name all columns in their order: --columns {_EXAMPLE}"
        )
    rows: list[list[str]] = []
    began = document = 0
    of_sentence = of_document = ""
    for number, cells in _rows(path, table, options):
        group = cells[of_sentences] if cells and of_sentences is not None else ""
        text = cells[of_documents] if cells and of_documents is not None else ""
        is_new_document = bool(text and text != of_document)
        if rows and (not cells or (group and group != of_sentence) or is_new_document):
            yield _sentence(path, rows, of_words, tags, None if of_documents is None else document, began)
            document += is_new_document
            rows = []
        of_sentence, of_document = group or of_sentence, text or of_document
        if cells:
            if not cells[of_words]:
                raise CorpusError(
                    f"{path.name}:{number}: the row {shorten(table.separator.join(cells))!r} has no word. Give every "
                    f"row a word ({path})."
                )
            if all(map(_LIST.fullmatch, (cells[of_words], *(cells[at] for at in tags.values())))):
                raise CorpusError(
                    f"{path.name}:{number}: the cells hold lists, as in {shorten(cells[of_words])!r}, and a table has "
                    "one word per row. Write sentences as JSON Lines, for instance with pandas: "
                    "to_json('train.jsonl', orient='records', lines=True), before the lists become text."
                )
            began = began if rows else number
            rows.append(cells)
    if rows:
        yield _sentence(path, rows, of_words, tags, None if of_documents is None else document, began)


def _has_empty_rows(path: Path, table: _Table, options: ReadingOptions) -> bool:
    """Whether sentences are separated, or there is only one."""
    found = [not cells for _, cells in islice(_rows(path, table, options), _LONGEST_SENTENCE)]
    return any(found) or len(found) < _LONGEST_SENTENCE


def _sentence(
    path: Path, rows: Sequence[Sequence[str]], words: int, tags: dict[str, int], document: int | None, began: int
) -> Sentence:
    of_words = [row[words] for row in rows]
    of_tags = {name: [row[at] or UNANNOTATED for row in rows] for name, at in tags.items()}
    return Sentence(of_words, of_tags, document, f"{path.name}:{began}")
