"""`BatchTagger`: the same results for every kind of batch, and what is passed on."""

import pickle

import numpy as np
import pytest

from polytag import BatchTagger, PolytagError, Tagger
from polytag.prediction.row_options import RESULTS

datasets, pd, pa = map(pytest.importorskip, ("datasets", "pandas", "pyarrow"))

TEXTS = ["Peter Smith lives in Rome.", "", "Anna Keller met him."]


@pytest.fixture(scope="module")
def ner(ner_run):
    return ner_run.output


@pytest.fixture(scope="module")
def expected(ner):
    return [plain(tagged.to_dict()) for tagged in Tagger.load(ner).tag(TEXTS)]


def plain(row):
    """A row as JSON would have it, with the results alone."""
    return {name: row[name] if name != "offsets" else list(map(list, row[name])) for name in RESULTS}


@pytest.mark.parametrize("kind", ["table", "batch", "frame", "lists", "arrays"])
def test_every_kind_of_batch_gets_the_same_columns(ner, expected, kind):
    columns = {"id": [1, 2, 3], "body": TEXTS, "by": ["me", None, "you"]}
    made = {
        "table": pa.table,
        "batch": pa.RecordBatch.from_pydict,
        "frame": lambda given: pd.DataFrame(given, index=[7, 8, 9]),
        "lists": dict,
        "arrays": lambda given: {name: np.array(values, dtype=object) for name, values in given.items()},
    }[kind](columns)
    tagged = BatchTagger(ner, text_column="body")(made)
    assert type(tagged) is type(made)
    rows = {
        "table": lambda: tagged.to_pylist(),
        "batch": lambda: tagged.to_pylist(),
        "frame": lambda: tagged.to_dict("records"),
        "lists": lambda: [dict(zip(tagged, row, strict=True)) for row in zip(*tagged.values(), strict=True)],
        "arrays": lambda: [dict(zip(tagged, row, strict=True)) for row in zip(*tagged.values(), strict=True)],
    }[kind]()
    assert list(rows[0]) == [*columns, *RESULTS]
    assert [plain(row) for row in rows] == expected
    assert [(row["id"], row["body"]) for row in rows] == list(zip(columns["id"], TEXTS, strict=True))
    if kind == "frame":
        assert list(tagged.index) == [7, 8, 9]
        assert list(made.columns) == list(columns)  # it is not changed itself


@pytest.mark.parametrize("make", [pa.table, pd.DataFrame, dict])
def test_a_row_without_a_text_gets_no_values(ner, make):
    tagged = BatchTagger(ner)(make({"text": [None, "Anna left."]}))
    words = tagged["words"].to_pylist() if make is pa.table else list(tagged["words"])
    assert words == [None, ["Anna", "left", "."]]


@pytest.mark.parametrize("make", [pa.table, pd.DataFrame, dict])
def test_an_empty_batch_gets_the_columns_too(ner, make):
    text = pa.array([], pa.string()) if make is pa.table else []
    tagged = BatchTagger(ner, "text")(make({"text": text}))
    assert list(
        tagged.keys()
        if make is dict
        else pa.table(tagged).column_names
        if make is not pa.table
        else tagged.column_names
    ) == [
        "text",
        *RESULTS,
    ]


@pytest.mark.parametrize("make", [pa.table, pd.DataFrame, dict])
def test_words_are_replaced_by_their_text(ner, make):
    tagged = BatchTagger(ner, tokens_column="words", document_column="page")(
        make({"words": [["Peter", "left"], ["In", "Rome"]], "page": [1, 1]})
    )
    assert list(tagged["text"].to_pylist() if make is pa.table else tagged["text"]) == ["Peter left", "In Rome"]
    assert list(tagged["words"].to_pylist() if make is pa.table else tagged["words"]) == [
        ["Peter", "left"],
        ["In", "Rome"],
    ]


def test_it_is_small_when_pickled_and_a_loaded_tagger_goes_along(ner, expected):
    by_name = pickle.dumps(BatchTagger(str(ner)))
    assert len(by_name) < 2000
    for tag in (pickle.loads(by_name), pickle.loads(pickle.dumps(BatchTagger(Tagger.load(ner))))):
        rows = tag(pa.table({"text": TEXTS})).to_pylist()
        assert [plain(row) for row in rows] == expected


def test_its_schema_is_that_of_the_added_columns(ner):
    tag = BatchTagger(ner)
    assert tag.schema.names == list(RESULTS)
    assert pa.schema(list(tag(pa.table({"text": TEXTS})).schema)[1:]) == tag.schema


@pytest.mark.parametrize(
    ("options", "batch", "expected"),
    [
        ({"text_column": "body"}, {"text": ["a"]}, "The batch has no column 'body' of strings"),
        ({}, {"text": ["a"], "spans": [1]}, "already has a column 'spans'"),
        ({}, {"text": ["a", 3]}, "Row 2 of the batch cannot be tagged"),
        ({"tokens_column": "t"}, {"t": [["a"], ["b", None]]}, "Row 2 of the batch cannot be tagged"),
    ],
)
def test_mistakes_are_named(ner, options, batch, expected):
    with pytest.raises(PolytagError, match=expected):
        BatchTagger(ner, **options)(batch)


def test_what_is_no_batch_is_refused(ner):
    with pytest.raises(TypeError, match="not list"):
        BatchTagger(ner)(["a"])


def test_datasets_maps_it_in_several_processes(ner, expected):
    rows = datasets.Dataset.from_dict({"text": TEXTS})
    tagged = rows.map(BatchTagger(str(ner)), batched=True, batch_size=2, num_proc=2)
    assert [plain(row) for row in tagged] == expected
    tagged = rows.with_format("arrow").map(BatchTagger(str(ner)), batched=True)
    assert [plain(row) for row in tagged.with_format(None)] == expected
