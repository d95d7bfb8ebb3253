"""The spelling of span tags: what is recognised, what a user can say, and what is said about it."""

import json

import pytest

from polytag import CorpusError, CorpusWarning, load_corpus
from polytag.corpus.tag_style import TagStyle, recognise_tag_style


def written_as(**counts):
    style = recognise_tag_style(counts)
    return None if style is None else str(style)


def rows(folder, *sentences, column="ner_tags"):
    """A corpus of sentences such as `Anna/B-PER sleeps/O`."""
    lines = []
    for sentence in sentences:
        words, tags = zip(*(word.rsplit("/", 1) for word in sentence.split()), strict=True)
        lines.append(json.dumps({"tokens": words, column: tags}))
    (folder / "train.jsonl").write_text("\n".join(lines) + "\n")
    return str(folder / "train.jsonl")


# What a user says


@pytest.mark.parametrize("text", ["B-X", "B_X", "b-x", "X-B", "X_B", "x_b", "B-X,0", "B_X,o", "b-x,O", "B:X,OTHER"])
def test_a_style_is_said_by_an_example(text):
    assert str(TagStyle.parse(text)) == text


@pytest.mark.parametrize("text", ["", "B", "BX", "Q-X", "B-x", "B-X,", "B--X", "B -X", "B-PER"])
def test_other_texts_are_refused_with_examples(text):
    with pytest.raises(CorpusError, match=r"no example of a tag.*B-X, B_X, b-x, X-B or X_B.*B-X,0"):
        TagStyle.parse(text)


@pytest.mark.parametrize(
    ("style", "tags", "read"),
    [
        ("B_X", "B_PER I_PER O S_A_B", "B-PER I-PER O S-A_B"),
        ("b-x", "b-per i-Per o O m-x", "B-per I-Per O O M-x"),
        ("X-B", "PER-B MISC-OTHER-I O", "B-PER I-MISC-OTHER O"),
        ("B-X,0", "B-PER 0 O", "B-PER O O"),
        ("B_X", "0 PER B-PER Q_PER _PER B_", "0 PER B-PER Q_PER _PER B_"),  # not in the style
    ],
)
def test_tags_of_a_style_are_read_in_their_canonical_form(style, tags, read):
    assert [TagStyle.parse(style).read(tag) for tag in tags.split()] == read.split()


# What is recognised


@pytest.mark.parametrize(
    ("counts", "style"),
    [
        ({"O": 9, "B-PER": 1}, "B-X"),
        ({"O": 9, "B_PER": 1}, "B_X"),
        ({"B_NP": 3, "I_NP": 2}, "B_X"),
        ({"O": 9, "b-per": 2, "i-per": 1}, "b-x,O"),
        ({"o": 9, "b-per": 2, "i-per": 1}, "b-x"),
        ({"O": 9, "PER-B": 2, "PER-I": 1}, "X-B"),
        ({"O": 9, "PER_B": 2, "LOC_B": 1}, "X_B"),
        ({"0": 9, "B_PER": 2, "I_PER": 1}, "B_X,0"),
        ({"O": 9, "B:PER": 2, "I:PER": 1}, "B:X"),
        ({"O": 4, "B": 2, "I": 1}, "B-X"),
        ({"B": 3, "M": 1, "E": 3, "S": 5}, "B-X"),
        ({"O": 9, "B-PER": 3, "M-PER": 1, "E-PER": 3, "W-LOC": 1}, "B-X"),
        ({"O": 12}, "B-X"),  # a file without entities
    ],
)
def test_the_style_of_span_tags_is_recognised(counts, style):
    assert written_as(**counts) == style


def test_odd_tags_do_not_hide_the_style():
    assert written_as(**{"O": 9, "B_PER": 5, "I_PER": 2, "0": 1, "": 2, "-": 1}) == "B_X"
    assert written_as(**{"O": 9, "X-PER": 2, "Q-LOC": 1}) == "B-X"  # prefixes of no scheme: named later
    assert written_as(**{"o": 9, "B-PER": 2, "PER": 1}) == "B-X"  # not all is well-formed: `o` is not `O` by itself


@pytest.mark.parametrize(
    "counts",
    [
        {"NN-HL": 4, "NN": 2, "AT": 3},  # Brown
        {"PRP$": 2, "NN": 4, "-LRB-": 1, "S-O": 1},
        {"NE_P": 3, "NN_P": 1, "O": 2},
        {"N-C": 9, "V-V": 4, "O": 1},
        {"VB-S": 4, "NN-S": 3},
        {"N------S1I": 4, "Z:--": 3},
        {"N": 4, "V": 3, "S": 5, "D": 2, "O": 1},
        {"e-mail": 2, "the": 3, "i-pad": 1},
        {"S-O": 3},
        {"ORG": 2, "LOC": 1, "O": 5},  # io, or one tag per word: that is to be declared
        {"person-artist": 2, "product-AI/ML": 1, "O": 4},
        {"S": 4, "A": 3, "B": 2, "I": 2},  # parts of speech of one letter
        {"I": 1},
        {"o": 9},
        {"0": 9},
        {"": 4, "-": 2},
        {},
    ],
)
def test_other_columns_are_no_span_tags(counts):
    assert written_as(**counts) is None


# Corpora


def test_tags_in_another_style_are_read_and_it_is_said(tmp_path):
    path = rows(tmp_path, "see/O Anna/B_PER Lund/I_PER", "in/O Rome/B_LOC")
    with pytest.warns(CorpusWarning) as said:
        corpus = load_corpus(path)
    assert corpus.tags("train", "ner_tags") == [["O", "B-PER", "I-PER"], ["O", "B-LOC"]]
    assert str(corpus.tag_styles["ner_tags"]) == "B_X"
    (remark,) = corpus.remarks
    assert (remark.code, remark.example) == ("tag-style", "Anna/B_PER")
    assert remark.rule == "Tags such as `B_PER` (3 words) in the column 'ner_tags' are read as `B-PER`."
    assert remark.location == "train.jsonl:1"
    assert [str(warning.message).startswith(remark.rule) for warning in said] == [True]


def test_what_stands_for_o_is_said(tmp_path):
    with pytest.warns(CorpusWarning, match=r"`0` \(2 words\) in the column 'ner_tags' is read as `O`"):
        corpus = load_corpus(rows(tmp_path, "see/0 Anna/B-PER", "in/0 Rome/B-LOC"))
    assert corpus.tags("train", "ner_tags") == [["O", "B-PER"], ["O", "B-LOC"]]


def test_nothing_is_said_about_usual_tags_or_a_declared_style(tmp_path, recwarn):
    load_corpus(rows(tmp_path, "see/O Anna/B-PER"))
    corpus = load_corpus(rows(tmp_path, "see/O a/0 Anna/B-PER"), tag_style="B-X,0")
    assert corpus.tags("train", "ner_tags") == [["O", "O", "B-PER"]]
    assert not recwarn.list


def test_a_declared_style_applies_only_to_columns_with_span_tags(tmp_path):
    row = {"tokens": ["it", "costs", "0"], "pos": ["PRP", "VB", "0"], "ner_tags": ["0", "0", "B-MONEY"]}
    (tmp_path / "train.jsonl").write_text(json.dumps(row))
    corpus = load_corpus(str(tmp_path / "train.jsonl"), tag_style="B-X,0")
    assert corpus.tags("train", "pos") == [["PRP", "VB", "0"]]
    assert corpus.tags("train", "ner_tags") == [["O", "O", "B-MONEY"]]


def test_a_declared_style_that_no_column_has_is_refused(tmp_path):
    with pytest.raises(CorpusError, match=r"No tag column .* in the tag style 'X-B'.* 'ner_tags' like `B_X`"):
        load_corpus(rows(tmp_path, "see/O Anna/B_PER"), tag_style="X-B")


def test_names_of_a_class_label_are_read_too(tmp_path):
    datasets = pytest.importorskip("datasets")
    names = datasets.Features(
        {
            "tokens": datasets.List(datasets.Value("string")),
            "ner_tags": datasets.List(datasets.ClassLabel(names=["O", "B_PER", "I_PER"])),
        }
    )
    data = datasets.Dataset.from_dict({"tokens": [["see", "Anna"]], "ner_tags": [[0, 1]]}, features=names)
    data.to_parquet(tmp_path / "train.parquet")
    with pytest.warns(CorpusWarning, match="`B_PER`"):
        corpus = load_corpus(str(tmp_path))
    assert corpus.labels("ner_tags") == ("O", "B-PER", "I-PER")
    assert corpus.tags("train", "ner_tags") == [["O", "B-PER"]]
