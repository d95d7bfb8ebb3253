"""Results of tagging as columns of Arrow tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Any

from polytag.prediction.row_options import TEXT, ContentColumns
from polytag.tagger.results import DIGITS, TaggedText

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

    fields = {field.name: field.type for field in result_fields(tasks)}
    missing = pa.array([found is None for found in tagged], pa.bool_())
    present = [found for found in tagged if found is not None]

    def lists(kind: pa.ListType, sizes: Iterable[int], values: pa.Array) -> pa.Array:
        found = iter(sizes)
        ends = accumulate((0 if row is None else next(found) for row in tagged), initial=0)
        mask = missing if len(present) < len(tagged) else None
        return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), values, type=kind, mask=mask)

    def of_words(kind: pa.StructType, rows: Callable[[TaggedText, str], Sequence[Any]]) -> pa.Array:
        arrays = []
        for field in kind:
            own = [rows(found, field.name) for found in present]
            arrays.append(lists(field.type, map(len, own), _flat(own, field.type.value_type)))
        return pa.StructArray.from_arrays(arrays, fields=list(kind), mask=missing)

    span = fields["spans"].value_type
    spans = [[each.to_dict() for each in found.spans] for found in present]
    columns = [pa.array([each[field.name] for row in spans for each in row], field.type) for field in span]
    pairs = [pair for found in present for pair in found.offsets]
    starts = pa.array(range(0, 2 * len(pairs) + 1, 2), pa.int32())
    offsets = pa.ListArray.from_arrays(starts, _flat(pairs, pa.int64()), type=fields["offsets"].value_type)
    words, sentences = [found.words for found in present], [found.sentence_starts for found in present]
    return [
        lists(fields["spans"], map(len, spans), pa.StructArray.from_arrays(columns, fields=list(span))),
        lists(fields["words"], map(len, words), _flat(words, pa.string())),
        lists(fields["offsets"], (len(found.offsets) for found in present), offsets),
        lists(fields["sentence_starts"], map(len, sentences), _flat(sentences, pa.int64())),
        of_words(fields["tags"], lambda found, task: found.tags[task]),
        of_words(fields["scores"], lambda found, task: [round(score, DIGITS) for score in found.scores[task]]),
    ]


def _flat(rows: Iterable[Sequence[Any]], kind: pa.DataType) -> pa.Array:
    import pyarrow as pa

    return pa.array(list(chain.from_iterable(rows)), kind)


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
