"""From sentences to tables, and back."""

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
"""Half of a surrogate pair, which JSON can write, and nothing else."""

_BATCH = 10_000
"""Sentences held as Python objects before they are packed into Arrow memory, a tenth of the size."""


def corpus_from_sentences(splits: Mapping[str, Iterable[Sentence]]) -> datasets.DatasetDict:
    """Build a corpus from sentences, split by split. The columns are those of the first sentence.

    Raises:
        CorpusError: A split has no sentence, or a sentence lacks a column that the ones before it have.
    """
    import datasets

    return datasets.DatasetDict({split: _dataset(split, sentences) for split, sentences in splits.items()})


def sentences_of(dataset: datasets.Dataset) -> Iterator[Sentence]:
    """The sentences of a split, with tags as names and `UNANNOTATED` where a word has none; for `Reader.write`."""
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
                f"{sentence.location}: tags cannot stand in a column named {reserved[0]!r}, which holds something else "
                "in every corpus. Give the tags another name in the file."
            )
        row: dict[str, Any] = {TOKENS: sentence.words, **sentence.tags, LOCATION: sentence.location}
        if sentence.document is not None:
            row[DOCUMENT] = sentence.document
        if features is None:
            features, rows = _features(row), {name: [] for name in row}
        if row.keys() != rows.keys():
            odd = ", ".join(sorted(row.keys() ^ rows.keys()))
            raise CorpusError(
                f"{sentence.location}: this sentence and the ones before it differ in the columns they have "
                f"({odd}). Give every sentence the same columns."
            )
        for name, value in row.items():
            rows[name].append(value)
        if len(rows[TOKENS]) == _BATCH:
            tables.append(_table(rows, features))
            rows = {name: [] for name in rows}
    if features is None:
        raise CorpusError(f"The {split} split holds no sentence. Check that its file is not empty.")
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
                        f"{place}: {text!r} holds half of a surrogate pair, which is no character. Texts that were cut "
                        "off in the middle of an emoji have it. Remove it."
                    ) from error
        raise


def _features(row: Mapping[str, object]) -> datasets.Features:
    import datasets

    text = datasets.Value("string")
    kinds = {LOCATION: text, DOCUMENT: datasets.Value("int32")}
    return datasets.Features({name: kinds.get(name, datasets.List(text)) for name in row})
