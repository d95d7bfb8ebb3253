"""Tagging whatever holds texts: the same results as for a list."""

import numpy as np
import pytest

import polytag
from polytag import PolytagError

TEXTS = ["Peter lives in Paris.", "", "EU rejects German call. He left."]


@pytest.fixture(scope="module")
def tagger(joint_run) -> polytag.Tagger:
    return joint_run.tagger


def held_by_pandas():
    import pandas as pd

    return pd.Series(TEXTS, index=[7, 7, 1])


def held_by_pyarrow():
    import pyarrow as pa

    return pa.chunked_array([TEXTS[:1], TEXTS[1:]])


def held_by_pyarrow_array():
    import pyarrow as pa

    return pa.array(TEXTS, type=pa.large_string())


def column_of_a_dataset():
    import datasets

    return datasets.Dataset.from_dict({"text": TEXTS})["text"]


@pytest.mark.parametrize(
    "make",
    [
        held_by_pandas,
        held_by_pyarrow,
        held_by_pyarrow_array,
        column_of_a_dataset,
        lambda: np.array(TEXTS),
        lambda: np.array(TEXTS, dtype=object),
        lambda: (text for text in TEXTS),
        lambda: tuple(TEXTS),
    ],
)
def test_every_container_gives_what_a_list_gives(tagger, make):
    found = tagger.tag(make())
    assert found == tagger.tag(TEXTS)
    assert {type(tagged.text) for tagged in found} == {str}
    assert list(tagger.stream(make())) == found


def test_one_text_gives_one_result(tagger):
    assert tagger.tag(TEXTS[0]) == tagger.tag(TEXTS[:1])[0]
    assert tagger.tag(np.str_(TEXTS[0])) == tagger.tag(TEXTS[0])


def test_a_stream_takes_no_more_texts_than_it_looks_ahead(tagger):
    taken = []
    stream = tagger.stream((taken.append(text) or text for text in TEXTS * 3), look_ahead=2)
    next(stream)
    assert len(taken) == 2


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([TEXTS[0], None], "Text number 2 is not a string: it is None"),
        ([float("nan")], "Text number 1 is not a string: it is nan"),
        ([["Peter", "sleeps"]], r"it is \['Peter', 'sleeps'\].*tag_words"),
        ({"text": TEXTS}, r"A dict has several columns or splits\. Tag one of them"),
    ],
)
def test_what_is_no_text_is_named(tagger, texts, expected):
    with pytest.raises(PolytagError, match=expected):
        tagger.tag(texts)


def test_tables_are_refused(tagger):
    import pandas as pd
    import pyarrow as pa

    for table in (pd.DataFrame({"text": TEXTS}), pa.table({"text": TEXTS})):
        with pytest.raises(PolytagError, match=r"(DataFrame|Table) has several columns"):
            tagger.tag(table)
    with pytest.raises(PolytagError, match=r"Text number 1 is not a string: it is None"):
        tagger.tag(pa.array([None, "a"]))


# Datasets


def test_a_dataset_gets_columns(tagger, tmp_path):
    import datasets

    made = datasets.Dataset.from_dict({"id": [1, 2, 3], "title": ["a", "b", "c"], "text": TEXTS})
    made.save_to_disk(tmp_path / "saved")
    for dataset in (made, datasets.load_from_disk(tmp_path / "saved")):
        tagged = tagger.tag(dataset)
        assert tagged["id"] == [1, 2, 3]
        plain = [{k: v for k, v in found.to_dict().items() if k != "text"} for found in tagger.tag(TEXTS)]
        for name in plain[0]:
            assert list(tagged[name]) == [
                [list(pair) for pair in row[name]] if name == "offsets" else row[name] for row in plain
            ], name
        assert tagged.column_names[:3] == ["id", "title", "text"]
    assert tagger.tag(made, column="title")["words"] == [["a"], ["b"], ["c"]]
    assert tagger.tag(made.select([])).column_names == tagged.column_names


def test_the_only_column_of_strings_is_the_one(tagger):
    import datasets

    dataset = datasets.Dataset.from_dict({"id": [1], "review": TEXTS[:1]}).with_format("numpy")
    assert tagger.tag(dataset)["words"] == [["Peter", "lives", "in", "Paris", "."]]


@pytest.mark.parametrize(
    ("columns", "column", "expected"),
    [
        ({"a": ["x"], "b": ["y"]}, None, "has no unambiguous column of texts; its .* are a, b"),
        ({"a": ["x"], "n": [1]}, "n", "has no texts in 'n'; its columns of strings are a"),
        ({"n": [1]}, None, "its columns of strings are none"),
        ({"text": ["x"], "tags": [["y"]]}, None, "already has a column 'tags'"),
        ({"text": ["x", None]}, None, "Text number 2 is not a string: it is None"),
    ],
)
def test_a_dataset_without_texts_is_refused(tagger, columns, column, expected):
    import datasets

    with pytest.raises(PolytagError, match=expected):
        tagger.tag(datasets.Dataset.from_dict(columns), column=column)


def test_only_datasets_have_columns_to_choose(tagger):
    with pytest.raises(PolytagError, match=r"A column \('text'\) can be chosen only in a datasets\.Dataset"):
        tagger.tag(TEXTS, column="text")
