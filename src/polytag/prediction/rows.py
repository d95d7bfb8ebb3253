"""Read the rows of a shard, some thousands at a time."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from polytag.corpus.sentences import HALF_CHARACTER
from polytag.corpus.text_files import lines_with_bad_bytes
from polytag.errors import PolytagError, in_brief
from polytag.plugin.reader import DOCUMENT_MARKS
from polytag.prediction.column_files import Lines, sentences_of_columns
from polytag.prediction.inputs import parsed_object, split_at_blanks
from polytag.prediction.lake_files import explained, explained_parquet, on_disk, open_bytes_of
from polytag.prediction.row_options import (
    DOCUMENT,
    RESULTS,
    TEXT,
    ContentColumns,
    RowOptions,
    content_columns,
)
from polytag.prediction.shards import Shard, is_plain
from polytag.tagger.arguments import LOOK_AHEAD

if TYPE_CHECKING:
    import pyarrow as pa

_LONGEST_DOCUMENT = 4 * LOOK_AHEAD
"""Sentences after which a document is cut, so that memory stays bounded."""
_HEAD = 65_536
_BUFFER = 1 << 16
"""Bytes of each column that are read ahead: a row group as a whole may be large."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be tagged.

    Attributes:
        reason: The reason.
        is_missing: Whether it has no text at all.
    """

    reason: str
    is_missing: bool = False


Content = str | list[str] | BadRow


@dataclass(frozen=True, slots=True)
class Rows:
    """Consecutive rows.

    Attributes:
        places: The number of each row in its file, from 1; for lines, of the line.
        contents: The text or the words of each row.
        documents: The document of each row, None for a row without one.
        table: All columns, of a source that has columns.
        records: The other fields of each row, of a source that has records.
        text_field: Name of the field with the text in the result of a record.
    """

    places: Sequence[int]
    contents: Sequence[Content]
    documents: Sequence[Hashable]
    table: pa.Table | None = None
    records: Sequence[dict[str, Any]] = ()
    text_field: str = TEXT

    def __len__(self) -> int:
        return len(self.contents)

    def slice(self, start: int, stop: int) -> Rows:
        """Some of the rows."""
        where = slice(start, stop)
        return Rows(
            self.places[where],
            self.contents[where],
            self.documents[where],
            None if self.table is None else self.table.slice(start, stop - start),
            self.records[where],
            self.text_field,
        )

    def followed_by(self, other: Rows) -> Rows:
        """The rows of both."""
        import pyarrow as pa

        return Rows(
            [*self.places, *other.places],
            [*self.contents, *other.contents],
            [*self.documents, *other.documents],
            None if self.table is None else pa.concat_tables([self.table, other.table]),
            [*self.records, *other.records],
            self.text_field,
        )


def rows_of(shard: Shard, options: RowOptions) -> Iterator[Rows]:
    """The rows of a shard, about 2,000 at a time. A document is whole, unless it has thousands of sentences.

    Raises:
        PolytagError: The file cannot be read, or is damaged.
    """
    with explained(shard.file):
        yield from whole_documents(_parquet(shard, options) if shard.form == "parquet" else _text(shard, options))


def whole_documents(found: Iterable[Rows]) -> Iterator[Rows]:
    """The same rows, cut where no document is cut."""
    kept: Rows | None = None
    for rows in found:
        joined = kept.followed_by(rows) if kept else rows
        cut = len(joined)
        if joined.documents and joined.documents[-1] is not None:
            last = joined.documents[-1]
            cut = next((at for at in range(cut, 0, -1) if joined.documents[at - 1] != last), 0)
            cut = len(joined) if cut == 0 and len(joined) >= _LONGEST_DOCUMENT else cut
        if cut:
            yield joined.slice(0, cut)
        kept = joined.slice(cut, len(joined)) if cut < len(joined) else None
    if kept:
        yield kept


def _parquet(shard: Shard, options: RowOptions) -> Iterator[Rows]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with open_bytes_of(shard.file) as source, explained_parquet(shard.file):
        # Writers such as Spark give each page a checksum.
        opened = pq.ParquetFile(source, buffer_size=_BUFFER, pre_buffer=False, page_checksum_verification=True)
        columns = content_columns(opened.schema_arrow, options, repr(shard.file))
        groups = range(*(shard.part or (0, opened.metadata.num_row_groups)))
        before = shard.before
        for batch in opened.iter_batches(LOOK_AHEAD, row_groups=list(groups)):
            table = pa.Table.from_batches([batch])
            yield rows_of_table(table, columns, before)
            before += len(table)


def rows_of_table(table: pa.Table, columns: ContentColumns, before: int = 0) -> Rows:
    """The rows of an Arrow table.

    Args:
        table: The table.
        columns: Its columns to read.
        before: Number of rows that come before it.
    """
    found = _values(table.column(columns.content))
    contents = [checked_content(value, columns) for value in found]
    documents = [None] * len(table) if columns.document is None else table.column(columns.document).to_pylist()
    return Rows(range(before + 1, before + 1 + len(table)), contents, documents, table)


def _values(column: pa.ChunkedArray) -> list[Any]:
    try:
        return list(column.to_pylist())
    except UnicodeDecodeError:
        return [_value(value) for value in column]


def _value(value: pa.Scalar) -> Any:
    try:
        return value.as_py()
    except UnicodeDecodeError as error:
        return BadRow(f"not UTF-8: {error}")


def checked_content(value: Any, columns: ContentColumns) -> Content:
    """A value of the column to tag, if it can be tagged."""
    if isinstance(value, BadRow) or (isinstance(value, str) and columns.tokens is None):
        return value
    if value is None:
        return BadRow(f"the column {columns.content!r} has no value", is_missing=True)
    is_content = isinstance(value, list) and columns.text is None and all(isinstance(word, str) for word in value)
    return value if is_content else BadRow(f"the value of the column {columns.content!r} is {value!r:.60}")


def _text(shard: Shard, options: RowOptions) -> Iterator[Rows]:
    with open_bytes_of(shard.file) as source:
        if shard.form in ("text", "words", "jsonl") and is_plain(
            shard.file, source.read(_HEAD), options.reading.encoding
        ):
            start, end = shard.part or (0, None)
            source.seek(start)
            yield from _in_batches(
                _plain_lines(source, shard.before, None if end is None else end - start), shard, options
            )
            return
    with on_disk(shard.file) as path:
        lines = lines_with_bad_bytes(path, options.reading.encoding)
        if shard.form == "document":
            yield _document([line for _, line in map(_checked_line, lines)])
        elif shard.form == "conll":
            marked = any(line.lstrip(" \t").startswith(DOCUMENT_MARKS) for _, line in lines)
            lines = lines_with_bad_bytes(path, options.reading.encoding)
            yield from _sentences(lines, shard, options, marked)
        else:
            yield from _in_batches(map(_checked_line, lines), shard, options)


def _checked_line(numbered: tuple[int, str]) -> tuple[int, str | BadRow]:
    number, line = numbered
    bad = HALF_CHARACTER.search(line)
    return number, _not_utf8(len(line[: bad.start()].encode())) if bad else line


def _not_utf8(start: int) -> BadRow:
    return BadRow(f"byte {start + 1} of the line is not UTF-8")


def _document(lines: Sequence[str | BadRow]) -> Rows:
    bad = ((number, line) for number, line in enumerate(lines, 1) if isinstance(line, BadRow))
    problem = next((BadRow(f"line {number}: {line.reason}") for number, line in bad), None)
    return Rows([1], [problem or "\n".join(map(str, lines))], [None], records=[{}])


def _sentences(lines: Lines, shard: Shard, options: RowOptions, marked: bool) -> Iterator[Rows]:
    """The sentences of a column file; `marked` says that it has marks of documents."""
    found = enumerate(sentences_of_columns(lines, shard.file, options.reading, lambda _: None), 1)
    while batch := list(islice(found, LOOK_AHEAD)):
        documents = [document if marked else None for _, (_, document) in batch]
        contents = [BadRow(in_brief(each)) if isinstance(each, PolytagError) else each for _, (each, _) in batch]
        yield Rows([place for place, _ in batch], contents, documents, records=[{}] * len(batch))


def _plain_lines(source: Iterable[bytes], before: int, size: int | None) -> Iterator[tuple[int, str | BadRow]]:
    read = 0
    for number, line in enumerate(source, before + 1):
        if size is not None and read >= size:
            return
        read += len(line)
        try:
            yield number, line.decode("utf-8").removeprefix("\ufeff").rstrip("\r\n")
        except UnicodeDecodeError as error:
            yield number, _not_utf8(error.start)


def _in_batches(lines: Iterator[tuple[int, str | BadRow]], shard: Shard, options: RowOptions) -> Iterator[Rows]:
    rows = (
        (number, line) for number, line in lines if shard.form != "jsonl" or isinstance(line, BadRow) or line.strip()
    )
    parse: Callable[[str], _Record] = {"text": _as_text, "words": _as_words}.get(
        shard.form, lambda line: _as_object(line, options)
    )
    while batch := list(islice(rows, LOOK_AHEAD)):
        found = [(line, None, {}) if isinstance(line, BadRow) else parse(line) for _, line in batch]
        contents, documents, records = zip(*found, strict=True)
        yield Rows(
            [number for number, _ in batch], contents, documents, records=records, text_field=text_field(options)
        )


def text_field(options: RowOptions) -> str:
    """The name of the field that has the text in the results of records."""
    return TEXT if options.text_column is None else options.text_column


_Record = tuple[Content, Hashable, dict[str, Any]]


def _as_text(line: str) -> _Record:
    return line, None, {}


def _as_words(line: str) -> _Record:
    return split_at_blanks(line), None, {}


def _as_object(line: str, options: RowOptions) -> _Record:
    document = DOCUMENT if options.document_column is None else options.document_column
    try:
        found = parsed_object(line, options.fields, document)
    except ValueError as error:
        return BadRow(in_brief(error)), None, {}
    taken = next((name for name in (text_field(options), *RESULTS) if name in found.others), None)
    if taken:
        return BadRow(f"the object has a field {taken!r}, which tagging adds"), None, {}
    return found.content, found.document, found.others
