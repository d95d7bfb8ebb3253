"""The agreement of two annotators of one text."""

import json

import pytest

import polytag
from polytag import CorpusError, PolytagError, Sentence
from support.corpora import built

WORDS = ["Anna", "Keller", "met", "Santa", "Fe", "in", "Rome", "."]
OURS = ["B-PER", "I-PER", "O", "B-LOC", "I-LOC", "O", "B-LOC", "O"]
THEIRS = ["B-PER", "I-PER", "O", "B-ORG", "I-ORG", "O", "O", "O"]


def sentence(words, tags, column="ner_tags"):
    return Sentence(list(words), {column: list(tags)}, None, "train.conll:1")


def annotated(*tags, words=WORDS, column="ner_tags"):
    return built({"train": [sentence(words, own, column) for own in tags]})


def test_kappa_and_f1_are_those_of_scikit_learn_and_of_scores():
    from sklearn.metrics import cohen_kappa_score

    found = polytag.agreement(annotated(OURS, OURS), annotated(THEIRS, OURS)).columns["ner_tags"]
    assert found.kappa == pytest.approx(cohen_kappa_score(OURS + OURS, THEIRS + OURS))
    assert found.f1 == pytest.approx(polytag.score([OURS, OURS], [THEIRS, OURS]).score)
    assert found.same == 13 / 16
    places = found.types["LOC"]
    assert (places.a, places.b, places.both, places.f1) == (4, 2, 2, pytest.approx(2 / 3))
    kinds = [[tag[-3:] == "LOC" for tag in tags] for tags in (OURS + OURS, THEIRS + OURS)]
    assert places.kappa == pytest.approx(cohen_kappa_score(*kinds))


def test_each_place_that_differs_has_its_words_and_both_readings():
    longer = ["B-PER", "O", "O", "B-LOC", "I-LOC", "I-LOC", "I-LOC", "O"]
    found = polytag.agreement(annotated(OURS), annotated(longer)).columns["ner_tags"]
    assert found.differing == 2
    assert [place[1:] for place in found.places] == [
        ("Anna Keller", "PER", "PER Anna"),
        ("Santa Fe in Rome", "LOC Santa Fe, LOC Rome", "LOC"),
    ]
    assert found.places[0].location.startswith("train.conll:1")
    lacking = polytag.agreement(annotated(OURS), annotated(THEIRS)).columns["ner_tags"]
    assert [place[1:] for place in lacking.places] == [("Santa Fe", "LOC", "ORG"), ("Rome", "LOC", "nothing")]


def test_schemes_and_ends_of_sentences_may_differ():
    iobes = ["B-PER", "E-PER", "O", "B-LOC", "E-LOC", "O", "S-LOC", "O"]
    cut = built({"train": [sentence(WORDS[:3], iobes[:3]), sentence(WORDS[3:], iobes[3:])]})
    found = polytag.agreement(annotated(OURS), cut).columns["ner_tags"]
    assert (found.kappa, found.f1, found.places) == (1, 1, [])


def test_words_that_one_annotator_left_out_do_not_count():
    partial = ["B-PER", "I-PER", "O", "", "", "", "", ""]
    found = polytag.agreement(annotated(OURS), annotated(partial)).columns["ner_tags"]
    assert (found.words, found.kappa, found.f1) == (3, 1, 1)


def test_tags_without_spans_have_no_f1_and_a_place_for_each_word():
    ours, theirs = (
        annotated(tags, words=["time", "flies"], column="pos_tags") for tags in (["NN", "VB"], ["NN", "NN"])
    )
    found = polytag.agreement(ours, theirs).columns["pos_tags"]
    assert (found.f1, found.types["VB"].f1) == (None, None)
    assert [place[1:] for place in found.places] == [("flies", "VB", "NN")]


def test_two_annotators_who_say_one_thing_alone_have_no_kappa():
    nothing = annotated(["O"] * 3, words=WORDS[:3])
    found = polytag.agreement(nothing, nothing).columns["ner_tags"]
    assert (found.same, found.kappa, found.f1) == (1, None, None)


def test_corpora_with_other_words_are_refused_with_the_place(tmp_path, command):
    for name, words in (("a", WORDS), ("b", [*WORDS[:4], "Barbara", *WORDS[5:]])):
        lines = "\n".join(map("\t".join, zip(words, OURS, strict=True)))
        (tmp_path / f"{name}.conll").write_text(lines + "\n", encoding="utf-8")
    done = command("compare", tmp_path / "a.conll", tmp_path / "b.conll")
    assert done.status == 2
    assert "a.conll:5 has 'Fe', and b.conll:5 has 'Barbara'. Give two annotations of the same text." in done.err
    with pytest.raises(CorpusError, match=r"'mine' ends where 'mine' has '\.'"):
        polytag.agreement(annotated(OURS), annotated(OURS[:7], words=WORDS[:7]))


def test_what_cannot_be_compared_is_refused(ner_run, command):
    with pytest.raises(PolytagError, match=r"no tag column in common: 'mine' has ner_tags, and 'mine' has names"):
        polytag.agreement(annotated(OURS), annotated(OURS, column="names"))
    with pytest.raises(CorpusError, match="has the splits train, test, and"):
        polytag.agreement(built({name: [sentence(WORDS, OURS)] for name in ("train", "test")}), annotated(OURS))
    done = command("compare", ner_run.output, ner_run.output)
    assert done.status == 2
    assert "is a tagger. Name the corpus to compare it on: --corpus SOURCE" in done.err
    done = command("compare", "a.conll", "b.conll", "--decoding", "viterbi")
    assert "--decoding is for taggers" in done.err


def test_the_command_shows_both_figures_or_json(tmp_path, command):
    for name, tags in (("a", OURS), ("b", THEIRS)):
        lines = "\n".join(map("\t".join, zip(WORDS, tags, strict=True)))
        (tmp_path / f"{name}.conll").write_text(lines + "\n", encoding="utf-8")
    both = tmp_path / "a.conll", tmp_path / "b.conll"
    done = command("compare", *both, environment={"COLUMNS": "120"})
    assert done.status == 0, done.err
    assert "62.50% of words" in done.out
    assert "a.conll:4" in done.out
    found = json.loads(command("compare", *both, "--task", "ner", "--sentences", 1, "--json").out)["columns"]["ner"]
    assert found["f1"] == pytest.approx(0.4)
    assert found["places"] == [{"location": "a.conll:4", "text": "Santa Fe", "a": "LOC", "b": "ORG"}]
