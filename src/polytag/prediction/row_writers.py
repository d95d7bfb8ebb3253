"""Write the tagged rows of a shard as JSON Lines or Parquet."""

from __future__ import annotations

import base64
import datetime
import json
from collections.abc import Sequence
from decimal import Decimal
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Protocol, TextIO

from polytag.encoding.json_values import without_infinities
from polytag.errors import PolytagError, in_brief
from polytag.prediction.lake_files import open_bytes_of
from polytag.prediction.row_options import TEXT, ContentColumns, RowOptions, content_columns
from polytag.prediction.rows import Rows, rows_of, text_field
from polytag.prediction.shards import Shard
from polytag.prediction.tables import result_arrays, result_fields, table_schema, tagged_table
from polytag.prediction.tag_rows import Result
from polytag.tagger.results import TaggedText

if TYPE_CHECKING:
    import pyarrow as pa

_GROUP = 8192
"""Rows of a row group in an output: they are kept until there are so many."""


class RowWriter(Protocol):
    """Writes tagged rows; bad ones are left out."""

    def __enter__(self) -> RowWriter: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def write(self, rows: Rows, results: Sequence[Result]) -> None:
        """Write rows."""


def row_writer(shard: Shard, options: RowOptions, tasks: Sequence[str], sink: TextIO) -> RowWriter:
    """An object that writes the output of a shard to a file.

    Args:
        shard: The shard.
        options: The form of its rows, and the format of the output.
        tasks: The tasks of the tagger.
        sink: The file.
    """
    columns, schema = None, None
    if shard.form == "parquet":
        import pyarrow.parquet as pq

        with open_bytes_of(shard.file) as source:
            schema = pq.read_schema(source)
        columns = content_columns(schema, options, repr(shard.file))
    if options.output_format == "jsonl":
        return _JsonLines(sink, columns)
    if columns and schema is not None:
        return _Parquet(sink.buffer, table_schema(schema, columns, tasks), columns, tasks)
    return _Parquet(sink.buffer, _schema_of_records(shard, options, tasks), None, tasks)


class _JsonLines:
    def __init__(self, sink: TextIO, columns: ContentColumns | None) -> None:
        self._sink, self._columns = sink, columns

    def __enter__(self) -> _JsonLines:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def write(self, rows: Rows, results: Sequence[Result]) -> None:
        records: Sequence[dict[str, Any]] = rows.records
        text = rows.text_field
        if rows.table is not None and self._columns:
            records = without_infinities(rows.table.drop([self._columns.content]).to_pylist())
            text = TEXT if self._columns.text is None else self._columns.text
        for others, result in zip(records, results, strict=True):
            if isinstance(result, TaggedText):
                found = result.to_dict()
                record = {text: found.pop("text"), **found, **others}
                print(json.dumps(record, ensure_ascii=False, default=_plain), file=self._sink)


def _plain(value: object) -> object:
    """A value that JSON does not have, as one that it has."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, Decimal | datetime.timedelta):
        return str(value)
    return repr(value)


class _Parquet:
    def __init__(
        self, sink: IO[bytes], schema: pa.Schema, columns: ContentColumns | None, tasks: Sequence[str]
    ) -> None:
        import pyarrow.parquet as pq

        self._schema, self._columns, self._tasks = schema, columns, tasks
        self._writer = pq.ParquetWriter(sink, schema)
        self._kept: list[pa.Table] = []

    def __enter__(self) -> _Parquet:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._flush()
        self._writer.close()

    def write(self, rows: Rows, results: Sequence[Result]) -> None:
        import pyarrow as pa

        good = [at for at, result in enumerate(results) if isinstance(result, TaggedText)]
        tagged = [result for result in results if isinstance(result, TaggedText)]
        if rows.table is not None and self._columns:
            table = rows.table if len(good) == len(rows) else _rows_at(rows.table, good)
            made = tagged_table(table, self._columns, tagged, self._tasks)
        else:
            names = self._schema.names[1 : len(self._schema) - len(result_fields(self._tasks))]
            others = [
                pa.array([rows.records[at].get(name) for at in good], self._schema.field(name).type) for name in names
            ]
            texts = pa.array([result.text for result in tagged], pa.string())
            made = pa.Table.from_arrays([texts, *others, *result_arrays(tagged, self._tasks)], schema=self._schema)
        self._kept.append(made)
        if sum(map(len, self._kept)) >= _GROUP:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        if sum(map(len, self._kept)):
            self._writer.write_table(pa.concat_tables(self._kept), row_group_size=_GROUP)
        self._kept = []


def _rows_at(table: pa.Table, places: Sequence[int]) -> pa.Table:
    """The rows of a table at some places."""
    import pyarrow as pa

    try:
        return table.take(pa.array(places, pa.int64()))
    except pa.ArrowNotImplementedError:  # it takes no views of strings, for instance
        return pa.concat_tables([table.slice(0, 0), *(table.slice(place, 1) for place in places)])


def _schema_of_records(shard: Shard, options: RowOptions, tasks: Sequence[str]) -> pa.Schema:
    """The schema for records, whose fields are found by reading all of them once.

    Raises:
        PolytagError: A field has values of different types.
    """
    import pyarrow as pa

    others = pa.schema([])
    try:
        for rows in rows_of(shard, options) if shard.form == "jsonl" else ():
            names = dict.fromkeys(name for record in rows.records for name in record)
            found = [(name, pa.array([record.get(name) for record in rows.records]).type) for name in names]
            others = pa.unify_schemas([others, pa.schema(found)], promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
        raise PolytagError(
            f"The other fields of {shard.file!r} do not fit into columns of one type each: {in_brief(error)}. "
            "Write JSON Lines: --format jsonl"
        ) from error
    return pa.schema([pa.field(text_field(options), pa.string()), *others, *result_fields(tasks)])
