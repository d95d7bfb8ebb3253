"""Random corpora in random dialects are read word for word and tag for tag, or refused with an option that helps."""

from dataclasses import replace

import pytest

from polytag import Sentence
from support.corpora import built
from support.random_dialects import corpus
from support.random_readings import BROKEN, MISREAD, REFUSED, RIGHT, UNHELPED, difference, outcome, outcomes, table

CORPORA = 2_000
SAID = range(CORPORA, CORPORA + 300)
LEAST_RIGHT = 0.95


@pytest.fixture(scope="module")
def found():
    return list(outcomes(range(CORPORA)))


def shown(found, *kinds):
    """What failed, compactly."""
    return "\n".join(map(str, [one for one in found if one.kind in kinds][:10]))


def test_no_corpus_is_misread(found):
    assert not shown(found, MISREAD, BROKEN)


def test_almost_all_corpora_are_read_without_an_option(found):
    right = sum(one.kind == RIGHT for one in found)
    assert right >= LEAST_RIGHT * CORPORA, f"{table(found)}\n{shown(found, REFUSED, UNHELPED)}"


def test_a_refusal_shows_two_readings_and_the_option_of_the_right_one(found):
    assert not shown(found, UNHELPED)


def test_every_part_of_a_dialect_can_be_said(tmp_path):
    made = map(corpus, SAID)
    said = [outcome(one, tmp_path, **one.dialect.options()) for one in made]
    assert not shown(said, UNHELPED, MISREAD, BROKEN)


def test_the_corpora_are_of_three_sentences_and_more_in_every_dialect(found):
    assert min(len(one.corpus.words) for one in found) == 3
    parts = {part for one in found for part in one.corpus.dialect.parts().items()}
    assert {("separator", "semicolon"), ("index", "from-0"), ("line_end", "cr"), ("spelling", "X-B")} <= parts


def read_as(made, words, tags):
    """The corpus that a reader would give which found these words and tags."""
    documents = made.documents or [None] * len(words)
    rows = (dict(zip("abc", of_sentence, strict=False)) for of_sentence in zip(*tags, strict=True))
    parts = zip(words, rows, documents, strict=True)
    return built({"train": [Sentence(*part, f"train:{number}") for number, part in enumerate(parts)]})


def test_one_wrong_word_tag_column_or_document_is_a_misreading():
    made = next(one for one in map(corpus, range(CORPORA)) if len(one.tags) == 2 and one.documents)
    assert not difference(made, read_as(made, made.words, made.tags))
    word = [*made.words[:-1], [*made.words[-1][:-1], "other"]]
    assert "the words" in difference(made, read_as(made, word, made.tags))
    tag = [made.tags[0], [*made.tags[1][:-1], [*made.tags[1][-1][:-1], "B-OTHER"]]]
    assert "B-OTHER" in difference(made, read_as(made, made.words, tag))
    assert "tag columns" in difference(made, read_as(made, made.words, made.tags[:1]))
    assert "tag columns" in difference(made, read_as(made, made.words, [*made.tags, made.words]))
    joined = [made.words[0] + made.words[1], *made.words[2:]]
    rows = [[layer[0] + layer[1], *layer[2:]] for layer in made.tags]
    fewer = replace(made, documents=made.documents[1:])
    assert "the words" in difference(made, read_as(fewer, joined, rows))
    other = replace(made, documents=list(range(len(made.words))))
    assert "documents" in difference(made, read_as(other, made.words, made.tags))
