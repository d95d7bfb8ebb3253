"""Random corpora in random dialects are read word for word and tag for tag, or refused with an option that helps."""

import pytest

from support.random_dialects import corpus
from support.random_readings import BROKEN, MISREAD, REFUSED, RIGHT, UNHELPED, outcome, outcomes, table

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
