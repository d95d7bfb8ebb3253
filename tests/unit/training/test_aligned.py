"""Alignment made visible: what is shown is what the engine trains on."""

import json

import numpy as np
import pytest

import polytag
from support.checkpoints import make_checkpoint
from support.letters import LetterEncoder

LAMB = ["EU", "rejects", "German", "call", "to", "boycott", "British", "lamb", "."]
TAGS = ["B-ORG", "O", "B-MISC", "O", "O", "O", "B-MISC", "O", "O"]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    pieces = ("rejects", "call", "boycott", "British", "la", "##mb")
    return str(make_checkpoint(tmp_path_factory.mktemp("checkpoint"), "bert", pieces=pieces))


def test_the_sentence_of_the_course_is_split_and_labelled_as_there(checkpoint):
    names = ["O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC", "B-MISC", "I-MISC"]
    aligned = polytag.align(LAMB, TAGS, encoder=checkpoint, alignment="all", labels=names)
    assert aligned.subwords == [["[CLS]", *LAMB[:7], "la", "##mb", ".", "[SEP]"]]
    assert aligned.word_ids == [[None, 0, 1, 2, 3, 4, 5, 6, 7, 7, 8, None]]
    assert aligned.labels.tolist() == [[-100, 3, 0, 7, 0, 0, 0, 7, 0, 0, 0, -100]]
    assert aligned.ids.shape == (1, 12, 1)
    assert aligned.mask.all()
    assert str(aligned).splitlines()[-5:] == [
        "British  British  B-MISC  7",
        "lamb     la       O       0",
        "         ##mb     O       0",
        ".        .        O       0",
        "         [SEP]            -100",
    ]


@pytest.mark.parametrize(
    ("alignment", "scheme", "labels"),
    [
        ("first", None, ["B-X", None, None, "I-X", None, "O"]),
        ("last", None, [None, None, "B-X", None, "I-X", "O"]),
        ("all", None, ["B-X", "I-X", "I-X", "I-X", "I-X", "O"]),
        ("mean", None, ["B-X", "B-X", "B-X", "I-X", "I-X", "O"]),
        ("all", "iobes", ["B-X", "I-X", "I-X", "I-X", "I-X", "O"]),
        (polytag.alignment("last"), polytag.scheme("iob2"), [None, None, "B-X", None, "I-X", "O"]),
    ],
)
def test_each_strategy_shows_its_labels(alignment, scheme, labels):
    aligned = polytag.align(
        ["abc", "de", "f"], ["B-X", "I-X", "O"], encoder=LetterEncoder(), alignment=alignment, scheme=scheme
    )
    inner = [unit for unit in aligned.units[0] if unit.word_id is not None]
    assert [unit.label for unit in inner] == labels
    assert [unit.word_id for unit in inner] == [0, 0, 0, 1, 1, 2]


def test_several_sentences_are_one_batch(checkpoint):
    aligned = polytag.align([LAMB, ["EU"]], [TAGS, ["B-ORG"]], encoder=checkpoint, alignment="all")
    assert aligned.names == ("O", "B-MISC", "B-ORG", "I-MISC", "I-ORG")
    assert aligned.labels.tolist() == [[-100, 2, 0, 1, 0, 0, 0, 1, 0, 0, 0, -100], [-100, 2, *[-100] * 10]]
    assert aligned.mask.sum(axis=1).tolist() == [12, 3]
    assert [row[1].sentence for row in aligned.units] == [0, 1]
    assert repr(aligned) == "AlignedWords(2 sentences, 15 subwords, 5 labels)"
    plain = json.loads(json.dumps(aligned.to_dict()))
    assert plain["labels"] == aligned.labels.tolist()
    assert plain["units"][1][1] == {"sentence": 1, "word_id": 0, "text": "EU", "label": "B-ORG"}


def test_a_long_sentence_is_several_rows_and_each_word_is_trained_on_once(checkpoint):
    words = [f"lamb{number}" for number in range(60)]
    aligned = polytag.align(words, ["B-X"] * 60, encoder=checkpoint)
    assert len(aligned.units) > 1
    trained = [unit.word_id for row in aligned.units for unit in row if unit.label]
    assert trained == list(range(60))
    # Words that a row only sees, as context, are named there, too.
    assert all(unit.word_id is not None for row in aligned.units for unit in row[1:-1])


def test_a_word_level_encoder_has_a_label_for_each_word():
    aligned = polytag.align(LAMB, TAGS, encoder="compact", alignment="all")
    assert aligned.subwords == [LAMB]
    assert aligned.ids.shape == (1, 9, 10)
    assert str(aligned).splitlines()[:2] == ["word     label   id", "EU       B-ORG   2"]


def test_in_a_notebook_it_is_a_table(checkpoint):
    shown = polytag.align(["<b>"], ["B-X"], encoder="compact")._repr_html_()
    assert "<th>&lt;b&gt;</th><td>B-X</td>" in shown


@pytest.mark.parametrize(
    ("words", "tags", "options", "said"),
    [
        (["a", "b"], ["O"], {}, "at index 0 has 2 and 1. Give one tag for each word"),
        ([["a"], ["b", "c"]], [["O"], ["O"]], {}, "at index 1 has 2 and 1"),
        ([["a"], ["b"]], [["O", "O"]], {}, "2 sentences of words and 1 of tags. Give one tag for each word"),
        ("a b", ["O"], {}, "The words are a string. Give a list of words"),
        (["a"], [], {}, "The tags are neither a sentence nor a list of sentences"),
        ([["a"], "b"], [["O"], "O"], {}, "The words are neither a sentence nor"),
        (["a"], ["B-X"], {"labels": ["O"]}, "'B-X' is not among the labels"),
        (["a"], ["O"], {"alignment": "frist"}, "Did you mean 'first'"),
        (["a"], ["O"], {"scheme": "iob3"}, "Did you mean"),
    ],
)
def test_what_cannot_be_aligned_is_said(words, tags, options, said):
    with pytest.raises(polytag.PolytagError, match=said):
        polytag.align(words, tags, encoder="compact", **options)


@pytest.fixture
def corpus(tmp_path):
    """In IOB1, with a column that no task names."""
    text = "EU\tI-ORG\tNNP\tx\nlamb\tO\tNN\ty\n\nBonn\tI-LOC\tNNP\tx\nAnna\tI-PER\tNNP\tx\nEve\tB-PER\tNNP\tz\n\n"
    (tmp_path / "train.conll").write_text(text * 2)
    (tmp_path / "test.conll").write_text("Go\tI-ODD\tVB\ty\n")
    return str(tmp_path), ("--columns", "tokens,ner_tags,pos_tags,acme")


def test_a_corpus_is_shown_with_the_labels_and_ids_of_a_run(corpus, checkpoint, command):
    source, columns = corpus
    done = command("corpus", "show", source, *columns, "--encoder", checkpoint, "--alignment", "all")
    assert done.out.splitlines() == [
        "train[0]  train.conll:1",
        "word  subword  ner_tags  id    pos_tags  id    acme  id",
        "      [CLS]              -100            -100        -100",
        "EU    EU       B-ORG     2     NNP       1     x     0",
        "lamb  la       O         0     NN        0     y     1",
        "      ##mb     O         0     NN        0     y     1",
        "      [SEP]              -100            -100        -100",
    ]


def test_the_batch_of_a_corpus_is_that_of_a_run(corpus, command):
    source, columns = corpus
    done = command("corpus", "show", source, *columns, "--encoder", "compact", "-n", 2, "--json")
    found = json.loads(done.out)["aligned"]["ner_tags"]
    assert found["names"] == ["O", "B-LOC", "B-ORG", "B-PER", "I-LOC", "I-ORG", "I-PER"]
    assert found["labels"] == [[2, 0, -100], [1, 3, 3]]
    assert found["mask"] == [[True, True, False], [True, True, True]]
    assert np.array(found["ids"]).shape == (2, 3, 10)


def test_a_label_that_training_does_not_see_is_shown_after_the_others(corpus, command):
    source, columns = corpus
    done = command("corpus", "show", source, *columns, "--encoder", "compact", "--split", "test")
    assert done.out.splitlines()[-1].split() == ["Go", "B-ODD", "7", "VB", "2", "y", "1"]


def test_a_corpus_is_read_as_a_run_is_told_to(tmp_path, command):
    (tmp_path / "train.conll").write_text("Bonn LOC\nand O\nKarl PER\nMarx PER\n\n" * 2)
    shown = ("corpus", "show", tmp_path, "--columns", "tokens,ner_tags", "--encoder", "compact")
    assert command(*shown).out.splitlines()[2].split() == ["Bonn", "LOC", "1"]
    out = command(*shown, "--corpus-scheme", "io").out
    assert [line.split()[1] for line in out.splitlines()[2:]] == ["B-LOC", "O", "B-PER", "I-PER"]
