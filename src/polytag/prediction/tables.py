"""Results of tagging as columns of Arrow tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from polytag.prediction.row_options import TEXT, ContentColumns
from polytag.tagger.results import TaggedText

if TYPE_CHECKING:
    import pyarrow as pa


def result_fields(tasks: Iterable[str]) -> list[pa.Field]:
    """The columns that tagging adds, as `Tagger.tag` adds them to datasets.

    Args:
        tasks: Names of the tasks.
    """
    import pyarrow as pa

    names = list(tasks)
    string, integer, number = pa.string(), pa.int64(), pa.float64()
    span = pa.struct(
        [
            ("task", string),
            ("label", string),
            ("score", number),
            ("text", string),
            ("start", integer),
            ("end", integer),
        ]
    )
    return [
        pa.field("spans", pa.list_(span)),
        pa.field("words", pa.list_(string)),
        pa.field("offsets", pa.list_(pa.list_(integer))),
        pa.field("sentence_starts", pa.list_(integer)),
        pa.field("tags", pa.struct([(name, pa.list_(string)) for name in names])),
        pa.field("scores", pa.struct([(name, pa.list_(number)) for name in names])),
    ]


def result_arrays(tagged: Sequence[TaggedText | None], tasks: Iterable[str]) -> list[pa.Array]:
    """The columns of results, null where there is none; probabilities are rounded as in `TaggedText.to_dict`."""
    import pyarrow as pa

    rows = [found and found.to_dict() for found in tagged]
    return [
        pa.array([row and row[field.name] for row in rows], field.type, from_pandas=False)
        for field in result_fields(tasks)
    ]


def table_schema(schema: pa.Schema, columns: ContentColumns, tasks: Iterable[str]) -> pa.Schema:
    """The schema of a tagged table.

    Metadata is dropped: what pandas and datasets write there describes columns that have changed.
    """
    import pyarrow as pa

    fields = [pa.field(TEXT, pa.string()) if field.name == columns.tokens else field for field in schema]
    return pa.schema([*fields, *result_fields(tasks)])


def tagged_table(
    table: pa.Table, columns: ContentColumns, tagged: Sequence[TaggedText | None], tasks: Sequence[str]
) -> pa.Table:
    """A table with the columns that tagging adds. The text takes the place of words, which are in `words`."""
    import pyarrow as pa

    schema = table_schema(table.schema, columns, tasks)
    kept: list[Any] = [
        pa.array([found and found.text for found in tagged], pa.string())
        if name == columns.tokens
        else table.column(name)
        for name in table.column_names
    ]
    return pa.Table.from_arrays([*kept, *result_arrays(tagged, tasks)], schema=schema)
