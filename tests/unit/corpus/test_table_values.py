"""Datasets whose values do not fit their metadata: named with split, row and value."""

from __future__ import annotations

from pathlib import Path

import pytest

from polytag import UNANNOTATED, CorpusError, load_corpus

NAMES = ["O", "B-PER", "B-LOC"]


def table(folder: Path, kind: str, words: object, tags: object, names: list[str] | None = None) -> str:
    """A Parquet file or a saved dataset with these columns; `tags` are ids if names are given."""
    import datasets
    import pyarrow as pa

    columns = {"tokens": words, "ner_tags": tags}
    schema = None
    if names:
        text, labels = datasets.Value("string"), datasets.ClassLabel(names=names)
        schema = datasets.Features({"tokens": datasets.List(text), "ner_tags": datasets.List(labels)}).arrow_schema
    data = datasets.Dataset(datasets.table.InMemoryTable(pa.table(columns, schema=schema)))
    path = folder / ("train.parquet" if kind == "parquet" else "saved")
    data.to_parquet(path) if kind == "parquet" else datasets.DatasetDict({"train": data}).save_to_disk(path)
    return str(path)


def error_of(source: str) -> str:
    with pytest.raises(CorpusError) as caught:
        load_corpus(source)
    return str(caught.value)


@pytest.mark.parametrize("kind", ["parquet", "dataset"])
@pytest.mark.parametrize("wrong", [3, 7, -2])
def test_an_id_without_a_name_is_an_error_with_its_row(tmp_path, kind, wrong):
    source = table(tmp_path, kind, [["a"], ["b", "c"]], [[1], [0, wrong]], NAMES)
    assert error_of(source).startswith(
        f"Row 2 of the train split of the corpus {source!r} has the id {wrong} in the column 'ner_tags', whose "
        "ClassLabel has 3 names, with the ids 0 to 2: O, B-PER, B-LOC. Repair the id"
    )


def test_ids_of_missing_annotation_are_no_errors(tmp_path):
    source = table(tmp_path, "parquet", [["a", "b", "c"]], [[1, -1, -100]], NAMES)
    assert load_corpus(source).tags("train", "ner_tags") == [["B-PER", UNANNOTATED, UNANNOTATED]]


@pytest.mark.parametrize("kind", ["parquet", "dataset"])
@pytest.mark.parametrize(
    ("words", "tags", "column", "shown"),
    [
        (["['Anna']"], ["['O']"], "tokens", "\"['Anna']\""),
        (["Anna slept"], [["O"]], "tokens", "'Anna slept'"),
        ([["Anna"]], ["['O']"], "ner_tags", "\"['O']\""),
        ([["Anna", "slept"]], ["B-PER O"], "ner_tags", "'B-PER O'"),
        (["w" * 500], [["O"]], "tokens", f"'{'w' * 79}…'"),
    ],
)
def test_strings_for_lists_are_named(tmp_path, kind, words, tags, column, shown):
    message = error_of(table(tmp_path, kind, words, tags))
    assert f"he column {column!r} holds strings, not lists. The first is {shown}." in message


def test_ids_without_names_are_named(tmp_path):
    message = error_of(table(tmp_path, "parquet", [["a"]], [[3]]))
    assert "The column 'ner_tags' holds ids without names: make it a ClassLabel" in message


def test_a_split_without_rows_is_named(tmp_path):
    import datasets

    full = datasets.Dataset.from_dict({"tokens": [["a"]], "ner_tags": [["O"]]})
    datasets.DatasetDict({"train": full, "test": full.select([])}).save_to_disk(tmp_path / "saved")
    assert "The test split of the saved dataset" in error_of(str(tmp_path / "saved"))
    full.filter(lambda row: False).save_to_disk(tmp_path / "filtered")
    assert "The train split of the corpus" in error_of(str(tmp_path / "filtered"))
    full.select([]).to_parquet(tmp_path / "test.parquet")
    full.to_parquet(tmp_path / "train.parquet")
    assert "test.parquet has no row" in error_of(str(tmp_path))
    assert load_corpus(f"train={tmp_path / 'train.parquet'}").words("train") == [["a"]], "as the message advises"
