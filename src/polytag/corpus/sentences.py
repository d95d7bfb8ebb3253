"""Convert sentences to tables, and tables to sentences."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from polytag.errors import CorpusError
from polytag.plugin.reader import DOCUMENT, LOCATION, TOKENS, Sentence
from polytag.plugin.scheme import UNANNOTATED

if TYPE_CHECKING:
    import datasets

HALF_CHARACTER = re.compile("[\ud800-\udfff]")
"""Half of a surrogate pair; of all formats, only JSON can contain one."""

_BATCH = 10_000
"""Number of sentences kept as Python objects before they are packed into Arrow memory, a tenth of the size."""


def corpus_from_sentences(splits: Mapping[str, Iterable[Sentence]]) -> datasets.DatasetDict:
    """Build a corpus from sentences, split by split. The first sentence determines the columns.

    Raises:
        CorpusError: A split has no sentence, or the columns of a sentence differ from the previous ones.
    """
    import datasets

    return datasets.DatasetDict({split: _dataset(split, sentences) for split, sentences in splits.items()})


def sentences_of(dataset: datasets.Dataset) -> Iterator[Sentence]:
    """The sentences of a split, with tags as names and `UNANNOTATED` for words without; for `Reader.write`."""
    tagged = {
        name: getattr(feature.feature, "names", None)
        for name, feature in dataset.features.items()
        if name != TOKENS and hasattr(feature, "feature")  # lists, also large ones
    }
    for batch in dataset.iter(batch_size=_BATCH):
        for i, words in enumerate(batch[TOKENS]):
            tags = {name: [_name_of(value, names) for value in batch[name][i]] for name, names in tagged.items()}
            document = batch[DOCUMENT][i] if DOCUMENT in batch else None
            yield Sentence(words, tags, document, batch[LOCATION][i] if LOCATION in batch else "")


def _name_of(value: str | int | None, names: Sequence[str] | None) -> str:
    if isinstance(value, str):
        return value
    return names[value] if names and value is not None and value >= 0 else UNANNOTATED


def _dataset(split: str, sentences: Iterable[Sentence]) -> datasets.Dataset:
    import datasets
    import pyarrow as pa
    from datasets.table import InMemoryTable

    rows: dict[str, list[Any]] = {}
    tables: list[pa.Table] = []
    features: datasets.Features | None = None
    for sentence in sentences:
        if reserved := sorted(sentence.tags.keys() & {TOKENS, LOCATION, DOCUMENT}):
            raise CorpusError(
                f"{sentence.location}: a tag column cannot be named {reserved[0]!r}, which polytag uses. Give the "
                "tags another name in the file."
            )
        row: dict[str, Any] = {TOKENS: sentence.words, **sentence.tags, LOCATION: sentence.location}
        if sentence.document is not None:
            row[DOCUMENT] = sentence.document
        if features is None:
            features, rows = _features(row), {name: [] for name in row}
        if row.keys() != rows.keys():
            odd = ", ".join(sorted(row.keys() ^ rows.keys()))
            raise CorpusError(
                f"{sentence.location}: this sentence and the previous ones have different columns ({odd}). Give every "
                "sentence the same columns."
            )
        for name, value in row.items():
            rows[name].append(value)
        if len(rows[TOKENS]) == _BATCH:
            tables.append(_table(rows, features))
            rows = {name: [] for name in rows}
    if features is None:
        raise CorpusError(f"The {split} split has no sentence. Check that its file is not empty.")
    tables.append(_table(rows, features))
    return datasets.Dataset(InMemoryTable(pa.concat_tables(tables)))


def _table(rows: Mapping[str, list[Any]], features: datasets.Features) -> Any:
    import pyarrow as pa

    try:
        return pa.Table.from_pydict(rows, schema=features.arrow_schema)
    except UnicodeEncodeError as error:  # JSON can write half a character
        columns = [values for name, values in rows.items() if name not in (LOCATION, DOCUMENT)]
        for place, *parts in zip(rows[LOCATION], *columns, strict=True):
            for text in itertools.chain(*parts):
                if HALF_CHARACTER.search(text or ""):
                    raise CorpusError(
                        f"{place}: {text!r} has half of a surrogate pair, which is not a character. It is left when a "
                        "text is cut in the middle of an emoji. Remove it."
                    ) from error
        raise


def _features(row: Mapping[str, object]) -> datasets.Features:
    import datasets

    text = datasets.Value("string")
    kinds = {LOCATION: text, DOCUMENT: datasets.Value("int32")}
    return datasets.Features({name: kinds.get(name, datasets.List(text)) for name in row})
