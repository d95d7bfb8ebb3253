"""The tables of a corpus: conversion of datasets, and the validation of every loaded corpus."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from operator import ne
from typing import TYPE_CHECKING, Any

from polytag.errors import CorpusError, shorten
from polytag.plugin.reader import DOCUMENT, LOCATION, TOKENS, SentenceTable
from polytag.plugin.scheme import UNANNOTATED

if TYPE_CHECKING:
    import datasets


def location(table: SentenceTable, split: str, index: int) -> str:
    """The start of a sentence, as precisely as the table records it."""
    return table.locations[index] or f"{split} sentence {index + 1}"


def as_tables(data: Mapping[str, SentenceTable] | datasets.DatasetDict, reference: str) -> dict[str, SentenceTable]:
    """The splits as returned by a reader; datasets are converted.

    Raises:
        CorpusError: A dataset has no column of words, or no tag column.
    """
    texts: dict[str, str] = {}
    return {
        split: table if isinstance(table, SentenceTable) else _from_dataset(table, split, reference, texts)
        for split, table in data.items()
    }


def checked(
    data: Mapping[str, SentenceTable] | datasets.DatasetDict, reference: str, wanted: Sequence[str] | None = None
) -> dict[str, SentenceTable]:
    """Validate a corpus, and drop sentences without words; datasets are converted to tables.

    Args:
        data: The splits as returned by a reader.
        reference: The name that the user gave.
        wanted: The tag columns to check; in others, lists may have any length. None for all.

    Raises:
        CorpusError: It has no split, no sentence, no word column or no tag column, a word is missing, or a
            sentence has more or fewer tags than words.
    """
    if not data:
        raise CorpusError(f"The corpus {reference!r} has no split. Check that it is complete.")
    tables = as_tables(data, reference)
    return {split: _checked_split(table, split, reference, wanted) for split, table in tables.items()}


def _checked_split(table: SentenceTable, split: str, reference: str, wanted: Sequence[str] | None) -> SentenceTable:
    if not table.tags:
        raise _without_tags(split, reference, (TOKENS, LOCATION, *[DOCUMENT] * (table.documents is not None)))
    for index, words in enumerate(table.words):
        if None in words:
            raise CorpusError(
                f"{location(table, split, index)}: a word of this sentence is missing (null) in the corpus "
                f"{reference!r}. Give every word a text."
            )
    lengths = list(map(len, table.words))
    of_tags = {column: list(map(len, rows)) for column, rows in table.tags.items()}
    for column, tags in of_tags.items():
        if (not wanted or column in wanted) and tags != lengths:
            row = next(index for index, pair in enumerate(zip(lengths, tags, strict=True)) if ne(*pair))
            sound = [name for name, others in of_tags.items() if others == lengths]
            leave_out = f", or leave the column out: --columns {','.join((TOKENS, *sound))}" if sound else "."
            raise CorpusError(
                f"{location(table, split, row)}: this sentence of the corpus {reference!r} has "
                f"{lengths[row]} words and {tags[row]} tags in the column {column!r}. Give every word "
                f"exactly one tag{leave_out}"
            )
    if not any(lengths):
        raise CorpusError(f"The {split} split of the corpus {reference!r} has no sentence. Check that it is complete.")
    return table if all(lengths) else _where(table, lengths)


def _where(table: SentenceTable, chosen: Sequence[int]) -> SentenceTable:
    """The sentences whose number in `chosen` is not 0."""
    return replace(
        table,
        words=tuple(itertools.compress(table.words, chosen)),
        tags={name: tuple(itertools.compress(rows, chosen)) for name, rows in table.tags.items()},
        documents=None if table.documents is None else tuple(itertools.compress(table.documents, chosen)),
        locations=tuple(itertools.compress(table.locations, chosen)),
    )


def _without_tags(split: str, reference: str, columns: Sequence[str], hint: str = "") -> CorpusError:
    return CorpusError(
        f"The {split} split of the corpus {reference!r} has no tag column: no list of strings or "
        f"ClassLabel other than {TOKENS!r}; its columns are {', '.join(columns)}.{hint} Add one with a "
        "tag for every word."
    )


# Datasets

_STRINGS = frozenset({"string", "large_string"})
_MISSING_IDS = frozenset({-1, -100})
"""Ids that mean no annotation: in `datasets`, and in transformers for words that are not scored."""


def _from_dataset(dataset: datasets.Dataset, split: str, reference: str, texts: dict[str, str]) -> SentenceTable:
    """The table of a dataset; `texts` has every word and tag so far, once."""
    if not len(dataset):
        raise CorpusError(
            f"The {split} split of the corpus {reference!r} has no row. Save the corpus without this split, or fill it."
        )
    features = dataset.features
    if not _holds_strings(features.get(TOKENS)):
        if TOKENS in features and _is_string(features[TOKENS]):
            raise _strings_for_lists(dataset, TOKENS, split, reference)
        raise CorpusError(
            f"The {split} split of the corpus {reference!r} has no column {TOKENS!r} with a list of strings "
            f"for each sentence; its columns are {', '.join(features) or 'none'}. Rename the column "
            "that holds the words."
        )
    names = {name: _names(feature) for name, feature in features.items()}
    columns = [
        name for name in features if name != TOKENS and (names[name] is not None or _holds_strings(features[name]))
    ]
    if not columns:
        others = [name for name in features if name not in (TOKENS, LOCATION, DOCUMENT)]
        raise _without_tags(split, reference, list(features), _hint(dataset, others))

    def text(value: str) -> str:
        return texts.setdefault(value, value)

    def tag_of(column: str) -> Callable[[Any], str]:
        known = names[column]
        if known is None:
            return text

        def named(value: int) -> str:
            if 0 <= value < len(known):
                return known[value]
            if value in _MISSING_IDS:
                return UNANNOTATED
            raise _unknown_id(dataset, column, value, known, split, reference)

        return named

    words = _rows(dataset, TOKENS, text, None)
    documents = _documents(dataset, words)
    used = {TOKENS, LOCATION, *columns, *[DOCUMENT] * (documents is not None)}
    return SentenceTable(
        words,
        {column: _rows(dataset, column, tag_of(column), UNANNOTATED) for column in columns},
        documents,
        _locations(dataset),
        {column: known for column in columns if (known := names[column]) is not None},
        tuple(name for name in features if name not in used),
    )


def _unknown_id(
    dataset: datasets.Dataset, column: str, value: int, names: Sequence[str], split: str, reference: str
) -> CorpusError:
    rows = _arrow_column(dataset, column).to_pylist()
    row = next(number for number, ids in enumerate(rows, 1) if ids and value in ids)
    return CorpusError(
        f"Row {row} of the {split} split of the corpus {reference!r} has the id {value} in the column {column!r}, "
        f"whose ClassLabel has {len(names)} names, with the ids 0 to {len(names) - 1}: {shorten(', '.join(names))}. "
        f"Repair the id, or add its name. A word without annotation has the id -1."
    )


def _strings_for_lists(dataset: datasets.Dataset, column: str, split: str, reference: str) -> CorpusError:
    return CorpusError(
        f"The {split} split of the corpus {reference!r}: the column {column!r} holds strings, not lists. The first is "
        f"{shorten(str(dataset[0][column]))!r}. Store a list of strings for each sentence."
    )


def _hint(dataset: datasets.Dataset, columns: Sequence[str]) -> str:
    """A sentence on the column that seems to hold the tags, in a form that cannot be read."""
    first = dataset[0]
    for name in columns:
        if _is_string(dataset.features[name]) and _looks_like_tags(first[name], len(first[TOKENS] or ())):
            return f" The column {name!r} holds strings, not lists. The first is {shorten(first[name])!r}."
    for name in columns:
        if "int" in _dtype_inside(dataset.features[name]):
            return f" The column {name!r} holds ids without names: make it a ClassLabel."
    return ""


def _looks_like_tags(value: object, n_words: int) -> bool:
    """Whether a text is a list, or has a part for each word."""
    return isinstance(value, str) and (value.strip().startswith("[") or len(value.split()) == n_words)


def _rows(
    dataset: datasets.Dataset, column: str, convert: Callable[[Any], str], missing: str | None
) -> tuple[tuple[Any, ...], ...]:
    """The lists of a column, each of its distinct values converted once; `missing` replaces null."""
    import pyarrow.compute as pc

    rows: list[tuple[Any, ...]] = []
    for chunk in _arrow_column(dataset, column).chunks:
        encoded = pc.list_flatten(chunk).dictionary_encode()
        of_id = [*map(convert, encoded.dictionary.to_pylist()), missing]
        flat = tuple(map(of_id.__getitem__, pc.fill_null(encoded.indices, -1).to_numpy().tolist()))
        lengths = pc.fill_null(pc.list_value_length(chunk), 0).to_numpy().tolist()
        bounds = itertools.pairwise(itertools.accumulate(lengths, initial=0))
        rows.extend(flat[start:end] for start, end in bounds)
    return tuple(rows)


def _documents(dataset: datasets.Dataset, words: Sequence[Sequence[str]]) -> tuple[int, ...] | None:
    if "int" not in str(getattr(dataset.features.get(DOCUMENT), "dtype", "")):
        return None
    numbers = _arrow_column(dataset, DOCUMENT).to_pylist()
    if any(number is None and sentence for number, sentence in zip(numbers, words, strict=True)):
        return None
    return tuple(number or 0 for number in numbers)  # null is left only where there are no words


def _locations(dataset: datasets.Dataset) -> tuple[str, ...]:
    if LOCATION not in dataset.features:
        return ("",) * len(dataset)
    places = _arrow_column(dataset, LOCATION).to_pylist()
    return tuple(place if isinstance(place, str) else "" for place in places)


def _arrow_column(dataset: datasets.Dataset, name: str) -> Any:
    """A column as a `pyarrow.ChunkedArray`: hundreds of times faster than row by row."""
    return dataset.select_columns([name]).with_format("arrow")[:].column(0)


def _holds_strings(feature: object) -> bool:
    return _dtype_inside(feature) in _STRINGS


def _is_string(feature: object) -> bool:
    return getattr(feature, "dtype", None) in _STRINGS


def _dtype_inside(feature: object) -> str:
    return str(getattr(getattr(feature, "feature", None), "dtype", ""))


def _names(feature: object) -> tuple[str, ...] | None:
    """Names of a list of ClassLabel in id order; None for anything else."""
    names = getattr(getattr(feature, "feature", None), "names", None)
    return None if names is None else tuple(names)
