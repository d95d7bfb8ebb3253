"""The tables that a corpus consists of, and datasets as their other form."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polytag import UNANNOTATED, Corpus, CorpusError, PolytagError, Sentence, SentenceTable, corpus_from_sentences
from polytag.corpus.tables import checked
from support.corpora import built, content

_WORDS = [["EU", "rejects"], [], ["EU"], ["Peter", "Blackburn", "EU"]]
_TAGS = [["B-X", "O"], [], ["B-X"], ["B-Y", None, "B-X"]]
_IDS = [[1, 0], [], [1], [2, -1, 1]]
_NAMES = ["O", "B-X", "B-Y"]
_DOCUMENTS = [3, None, 3, 8]


def dataset():
    import datasets

    strings = datasets.List(datasets.Value("string"))
    features = {
        "id": datasets.Value("int64"),
        "tokens": datasets.LargeList(datasets.Value("large_string")),
        "tags": strings,
        "named": datasets.List(datasets.ClassLabel(names=_NAMES)),
        "heads": datasets.List(datasets.Value("int32")),
        "document": datasets.Value("int64"),
    }
    columns = (range(4), _WORDS, _TAGS, _IDS, _IDS, _DOCUMENTS)
    return datasets.Dataset.from_dict(
        dict(zip(features, map(list, columns), strict=True)), features=datasets.Features(features)
    )


def in_one_piece(made):
    return made


def in_several_pieces(made):
    import datasets

    return datasets.concatenate_datasets([made.select(range(1)), made.select(range(1, 4))])


def picked_from_more(made):
    import datasets

    return datasets.concatenate_datasets([made, made]).select([4, 1, 6, 3])


@pytest.mark.parametrize("shape", [in_one_piece, in_several_pieces, picked_from_more])
def test_datasets_become_tables(shape):
    import datasets

    (table,) = checked(datasets.DatasetDict({"train": shape(dataset())}), "mine").values()
    tags = (("B-X", "O"), ("B-X",), ("B-Y", UNANNOTATED, "B-X"))
    assert table.words == (("EU", "rejects"), ("EU",), ("Peter", "Blackburn", "EU"))
    assert table.tags == {"tags": tags, "named": tags}
    assert table.labels == {"named": ("O", "B-X", "B-Y")}
    assert table.documents == (3, 3, 8)
    assert table.locations == ("", "", "")
    assert table.left_out == ("id", "heads")


def test_a_missing_document_number_means_that_documents_are_unknown():
    import datasets

    rows = dataset().remove_columns("document").add_column("document", [3, 3, None, 8])
    (table,) = checked(datasets.DatasetDict({"train": rows}), "mine").values()
    assert table.documents is None
    assert "document" in table.left_out


def test_a_corpus_becomes_datasets_and_is_the_same_when_read_again():
    import datasets

    sentences = [
        Sentence(["a", "b"], {"x": ["N", UNANNOTATED], "y": ["-", "O"]}, 4, "a.conll:1"),
        Sentence(["c"], {"x": ["V"], "y": ["B-X"]}, 5, "a.conll:4"),
    ]
    corpus = built({"test": sentences, "train": sentences[:1]})
    made = corpus.to_datasets()
    assert list(made) == ["train", "test"]
    text = datasets.Value("string")
    assert made["test"].features == {
        "tokens": datasets.List(text),
        "x": datasets.List(text),
        "y": datasets.List(text),
        "location": text,
        "document": datasets.Value("int32"),
    }
    assert made["test"][0] == {
        "tokens": ["a", "b"],
        "x": ["N", None],
        "y": ["-", "O"],
        "location": "a.conll:1",
        "document": 4,
    }
    again = Corpus("mine", "test", checked(made, "mine"))
    assert content(again) == content(corpus)
    assert (again.fingerprint, again.locate("test", 1)) == (corpus.fingerprint, "a.conll:4")


def test_names_of_class_labels_and_large_document_numbers_are_kept_in_datasets():
    import datasets

    rows = dataset().select([0, 3]).remove_columns("document").add_column("document", [3, 2**40])
    made = Corpus("mine", "test", checked(datasets.DatasetDict({"train": rows}), "mine")).to_datasets()["train"]
    assert made.features["named"] == datasets.List(datasets.ClassLabel(names=_NAMES))
    assert made["named"] == [[1, 0], [2, None, 1]]
    assert made["document"] == [3, 2**40]
    assert "location" not in made.features


def test_without_the_library_datasets_are_refused_with_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    corpus = built({"train": [Sentence(["a"], {"x": ["N"]}, None, "")]})
    with pytest.raises(PolytagError, match=r"the package datasets, which is not installed\. Install it: pip install"):
        corpus.to_datasets()


def test_equal_words_are_one_object_in_all_splits():
    splits = {name: [Sentence(["".join(["E", "U"])], {"x": ["N"]}, None, "")] * 2 for name in ("train", "test")}
    tables = corpus_from_sentences(splits)
    assert len({id(words[0]) for table in tables.values() for words in table.words}) == 1


def test_words_of_numpy_are_words():
    plain = built({"train": [Sentence(["a"], {"x": ["N"]}, None, "")]})
    of_numpy = built({"train": [Sentence([*np.array(["a"])], {"x": [*np.array(["N"])]}, None, "")]})
    assert of_numpy.fingerprint == plain.fingerprint
    assert type(of_numpy.words("train")[0][0]) is str


def test_what_a_corpus_gives_away_can_be_changed_without_changing_the_corpus():
    corpus = built({"train": [Sentence(["a"], {"x": ["N"]}, 0, "")]})
    before = content(corpus)
    corpus.words("train")[0][0] = "b"
    corpus.tags("train", "x")[0].append("V")
    corpus.documents("train").clear()
    assert content(corpus) == before


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        (Sentence(["a"], {}, None, ""), r"has no tag column: .* its columns are tokens, location\."),
        (Sentence(["a", None], {"x": ["N", "N"]}, None, "a.txt:3"), r"a\.txt:3: a word of this sentence is missing"),
        (Sentence(["a"], {"x": ["N", "N"]}, 0, "a.txt:3"), r"a\.txt:3: .* has 1 words and 2 tags in the column 'x'"),
        (Sentence([], {"x": []}, 0, "a.txt:3"), r"The train split of the corpus 'mine' has no sentence"),
    ],
)
def test_sentences_that_do_not_hold_together_are_refused(sentence, expected):
    with pytest.raises(CorpusError, match=expected):
        built({"train": [sentence]})


@pytest.mark.parametrize("column", ["x", "location", "document"])
def test_columns_of_a_table_have_equally_many_sentences(column):
    columns = {"x": (("N",),), "location": ("",), "document": (0,)}
    columns[column] *= 2
    with pytest.raises(ValueError, match=f"The column '{column}' has 2 sentences, and 'tokens' has 1"):
        SentenceTable((("a",),), {"x": columns["x"]}, columns["document"], columns["location"])


@given(
    rows=st.lists(
        st.lists(st.tuples(st.sampled_from(["a", "b", "é", ""]), st.sampled_from(["N", "-", UNANNOTATED]))),
        min_size=1,
    ).filter(any)
)
def test_sentences_become_the_same_corpus_directly_and_as_datasets(rows):
    sentences = [Sentence([word for word, _ in row], {"x": [tag for _, tag in row]}, 0, "here") for row in rows]
    corpus = built({"train": sentences})
    again = Corpus("mine", "test", checked(corpus.to_datasets(), "mine"))
    assert content(again) == content(corpus)
