"""Parse column files: split lines into cells, and find the starts of sentences and documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from polytag.plugin.reader import DOCUMENT_MARKS

_BOM = b"\xef\xbb\xbf"


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


def column_rows(lines: Iterable[str]) -> Iterator[ColumnRow]:
    r"""Yield the word lines of a column file, in constant memory.

    Columns are separated by tabs if the first word line has one, else by spaces. No other white space separates:
    no-break spaces belong to words. A line of spaces and tabs ends a sentence, and so does a line that starts with one
    of `DOCUMENT_MARKS`. The caller checks the number and the content of the columns.

    ```python
    import polytag

    rows = polytag.column_rows(["EU NNP B-ORG", "rejects VBZ O", "", "Peter NNP B-PER"])
    print([(row.number, row.cells[0], row.starts_sentence) for row in rows])
    # [(1, 'EU', True), (2, 'rejects', False), (4, 'Peter', True)]
    ```

    Args:
        lines: The lines, with or without their ends, `\n` or `\r\n`, and without a byte order mark:
            `open(path, encoding="utf-8-sig", newline="\n")`.
    """
    tabs: bool | None = None
    starts_sentence, starts_document = True, False
    for number, ended in enumerate(lines, start=1):
        line = ended.rstrip("\r\n")
        text = line.strip(" \t")
        is_mark = text.startswith(DOCUMENT_MARKS)
        if not text or is_mark:
            starts_sentence, starts_document = True, starts_document or is_mark
            continue
        if tabs is None:
            tabs = "\t" in text
        yield ColumnRow(number, line, _cells(line, tabs), starts_sentence, starts_document)
        starts_sentence = starts_document = False


def _cells(line: str, tabs: bool) -> list[str]:
    if tabs:
        return [cell.strip(" ") for cell in line.rstrip(" \t").split("\t")]
    # Not str.split(): it also splits at no-break spaces, which occur inside words.
    return [cell for cell in line.replace("\t", " ").split(" ") if cell]


def has_document_marks(path: Path, marks: tuple[str, ...] = DOCUMENT_MARKS) -> bool:
    """Whether any line of a file is a document mark, after spaces and tabs.

    Args:
        path: The file; it is read as bytes, up to the first mark.
        marks: The possible starts of such a line.

    Raises:
        OSError: The file cannot be read.
    """
    beginnings = tuple(mark.encode() for mark in marks)
    with path.open("rb") as file:
        if file.read(len(_BOM)) != _BOM:
            file.seek(0)
        return any(line.lstrip(b" \t").startswith(beginnings) for line in file)
