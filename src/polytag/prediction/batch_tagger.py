"""Tag the batches of other engines: Ray Data, datasets, Spark, Dask."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from polytag.errors import PolytagError
from polytag.files import expand_home
from polytag.plugin.attribution import attributed
from polytag.prediction.row_options import RESULTS, TEXT, ContentColumns, RowOptions, content_columns
from polytag.prediction.rows import BadRow, Content, Rows, checked_content, rows_of_table
from polytag.prediction.tables import result_fields, tagged_table
from polytag.prediction.tag_rows import tag_rows
from polytag.tagger.results import TaggedText
from polytag.tagger.tagger import Tagger

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Batch = TypeVar("Batch", bound="pa.Table | pa.RecordBatch | pd.DataFrame | Mapping[str, Any]")


class BatchTagger:
    """A function from a batch of rows to the same rows with the columns that tagging adds.

    It can be pickled, and goes to the workers of any engine. Each process loads the tagger once, with the first batch.

    ```python
    tag = polytag.BatchTagger("my-tagger", text_column="body")
    tagged = ray_dataset.map_batches(tag)
    ```

    The columns are `spans`, `words`, `offsets`, `sentence_starts`, `tags` and `scores`, as in `Tagger.tag`. Words are
    replaced by their `text`, as `words` has them. By default, `text` is tagged, else `tokens` with `document`, else the
    only column of strings. All other columns are passed on. Where a row has no text, the new
    columns have no values.

    Args:
        tagger: Folder of a tagger, or its name on the hub; or a loaded tagger, which is pickled with its weights.
        text_column: The column with the texts.
        tokens_column: The column with the words, as lists of strings.
        document_column: The column that numbers or names the document of a sentence of words. A batch is read as if all
            its documents were complete.
        lines: Tag each line of a text as a text of its own, as in `Tagger.tag`.

    Raises:
        PolytagError: There is a column of texts and one of words.
    """

    def __init__(
        self,
        tagger: str | Path | Tagger,
        text_column: str | None = None,
        *,
        tokens_column: str | None = None,
        document_column: str | None = None,
        lines: bool = False,
    ) -> None:
        self._tagger = tagger
        self._options = RowOptions("parquet", None, text_column, tokens_column, document_column, lines)

    def __repr__(self) -> str:
        return f"BatchTagger({self._tagger!r})"

    @property
    def schema(self) -> pa.Schema:
        """The columns that tagging adds, as an Arrow schema."""
        import pyarrow as pa

        return pa.schema(result_fields(self._loaded.heads))

    @attributed
    def __call__(self, batch: Batch) -> Batch:
        """Tag a batch.

        Args:
            batch: A `pyarrow.Table` or `RecordBatch`, a `pandas.DataFrame`, or a mapping from column names to arrays or
                lists.

        Returns:
            A new batch of the same kind; columns of a mapping are lists where the text is in a list.

        Raises:
            PolytagError: A column does not exist, one that tagging adds exists already, or a row cannot be tagged.
            TypeError: This is no batch.
        """
        found: Any = batch
        arrow, pandas = sys.modules.get("pyarrow"), sys.modules.get("pandas")
        if arrow and isinstance(found, arrow.RecordBatch):
            table = self._table(arrow.Table.from_batches([found])).combine_chunks()
            empty = arrow.RecordBatch.from_pylist([], schema=table.schema)
            found = next(iter(table.to_batches()), empty)
        elif arrow and isinstance(found, arrow.Table):
            found = self._table(found)
        elif pandas and isinstance(found, pandas.DataFrame):
            columns = {name: _without_missing(found[name]) for name in found.columns}
            added, replaced = self._columns(columns)
            found = found.drop(columns=replaced)
            for name, values in added.items():
                found[name] = pandas.Series(values, index=found.index, dtype=object)
        elif isinstance(found, Mapping):
            lists = {name: _as_list(values) for name, values in found.items()}
            added, replaced = self._columns(lists)
            kept = {name: values for name, values in found.items() if name not in replaced}
            as_arrays = not any(isinstance(values, list) for values in found.values())
            found = {**kept, **{name: _as_array(values) if as_arrays else values for name, values in added.items()}}
        else:
            raise TypeError(
                f"a batch must be an Arrow table, a pandas.DataFrame or a mapping, not {type(batch).__name__}"
            )
        return found  # type: ignore[no-any-return]  # of the kind that was given

    def _table(self, table: pa.Table) -> pa.Table:
        columns = content_columns(table.schema, self._options, "The batch")
        return tagged_table(table, columns, self._tagged(rows_of_table(table, columns)), list(self._loaded.heads))

    def _columns(self, columns: Mapping[str, list[Any]]) -> tuple[dict[str, list[Any]], list[str]]:
        """The columns to add, and the columns that they replace."""
        chosen = self._chosen(columns)
        contents = [checked_content(value, chosen) for value in columns[chosen.content]]
        documents = columns[chosen.document] if chosen.document else [None] * len(contents)
        tagged = self._tagged(Rows(range(1, len(contents) + 1), contents, documents))
        rows = [found and found.to_dict() for found in tagged]
        names = RESULTS if chosen.text else (TEXT, *RESULTS)
        return {name: [row and row[name] for row in rows] for name in names}, [chosen.tokens] if chosen.tokens else []

    def _chosen(self, columns: Mapping[str, list[Any]]) -> ContentColumns:
        """The columns to read; their types are known by an example of each."""
        import pyarrow as pa

        fields = []
        for name, values in columns.items():
            example = next((value for value in values if value is not None), None)
            unknown = example is None and name in (*self._options.named, TEXT)
            kind = pa.string() if isinstance(example, str) or unknown else pa.null()
            if isinstance(example, Sequence) and not isinstance(example, str | bytes):
                kind = pa.list_(pa.string()) if all(isinstance(word, str) for word in example) else pa.list_(pa.null())
            fields.append(pa.field(name, pa.int64() if isinstance(example, int) else kind))
        return content_columns(pa.schema(fields), self._options, "The batch")

    def _tagged(self, rows: Rows) -> list[TaggedText | None]:
        missing = {at for at, content in enumerate(rows.contents) if isinstance(content, BadRow) and content.is_missing}
        present = [at for at in range(len(rows)) if at not in missing]
        contents: list[Content] = [rows.contents[at] for at in present]
        chosen = Rows([rows.places[at] for at in present], contents, [rows.documents[at] for at in present])
        results: list[TaggedText | None] = [None] * len(rows)
        for at, result in zip(present, tag_rows(self._loaded, chosen, self._options.lines), strict=True):
            if isinstance(result, BadRow):
                raise PolytagError(f"Row {at + 1} of the batch cannot be tagged: {result.reason}.")
            results[at] = result
        return results

    @property
    def _loaded(self) -> Tagger:
        if isinstance(self._tagger, Tagger):
            return self._tagger
        folder = expand_home(self._tagger)
        return _load(self._tagger, folder.stat().st_mtime_ns if folder.exists() else 0)


@lru_cache(maxsize=2)
def _load(tagger: str | Path, changed: int) -> Tagger:
    """The tagger, loaded once in each process: engines unpickle a function again for each batch."""
    return Tagger.load(tagger)


def _without_missing(column: Any) -> list[Any]:
    return [_plain(value) for value in column.astype(object).where(column.notna(), None)]


def _as_list(values: Any) -> list[Any]:
    return [_plain(value) for value in (values.tolist() if hasattr(values, "tolist") else values)]


def _plain(value: Any) -> Any:
    """An array of words as a list of them."""
    return value.tolist() if hasattr(value, "tolist") else value


def _as_array(values: Sequence[Any]) -> Any:
    import numpy as np

    made = np.empty(len(values), dtype=object)
    made[:] = values
    return made
