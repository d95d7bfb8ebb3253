"""Scoring tags that are at hand: `polytag.score`."""

import pytest

import polytag
from polytag.evaluation.scoring import evaluate_tags

GOLD = [["B-PER", "I-PER", "O"], ["B-LOC"]]
FOUND = [["B-PER", "I-PER", "O"], ["O"]]


def test_tags_are_scored_in_one_call():
    result = polytag.score(GOLD, FOUND)
    assert (result.headline, round(result.score, 4)) == ("f1", 0.6667)
    assert result.metrics["spans"].per_label["LOC"]["recall"] == 0
    low, high = result.interval
    assert low <= result.score <= high
    assert result == evaluate_tags(GOLD, FOUND, polytag.scheme("iob2"), ("spans",), interval_seed=0)


def test_the_scheme_is_a_name_or_an_object_and_metrics_are_one_or_several():
    gold, found = [["S-PER", "B-LOC", "E-LOC"]], [["S-PER", "S-LOC", "O"]]
    by_name = polytag.score(gold, found, scheme="iobes", metrics=("tags", "spans"))
    assert list(by_name.metrics) == ["tags", "spans"]
    assert by_name.score == pytest.approx(1 / 3)
    assert polytag.score(gold, found, scheme=polytag.scheme("iobes"), metrics=("tags", "spans")) == by_name
    assert polytag.score([["NN", "VB"]], [["NN", "NN"]], scheme="flat", metrics="tags").score == 0.5


def test_words_without_annotation_are_not_scored():
    assert polytag.score([["B-PER", polytag.UNANNOTATED]], [["B-PER", "B-LOC"]]).score == 1


@pytest.mark.parametrize(
    ("gold", "predicted", "options", "message"),
    [
        ([["O"]], [["O"], ["O"]], {}, "The gold tags have 1 sentences, and the predicted tags 2."),
        ([["O"], ["O", "O"]], [["O"], ["O"]], {}, "Sentence 2 has 2 gold tags and 1 predicted tags."),
        (["O", "O"], [["O"], ["O"]], {}, "Sentence 1 is a string. Give a list of tags for each sentence"),
        (
            [["O"], ["B-PER"]],
            [["O"], ["S-PER"]],
            {},
            "Sentence 2 has the predicted tag 'S-PER', which is invalid in the scheme 'iob2'",
        ),
        ([["PER"]], [["O"]], {}, "Sentence 1 has the gold tag 'PER', which is invalid in the scheme 'iob2'"),
        ([["NN"]], [["NN"]], {"scheme": "flat"}, "The metric 'spans' needs spans, and the scheme 'flat' has none."),
        ([["O"]], [["O"]], {"scheme": "iob3"}, "There is no label scheme named 'iob3'. Did you mean"),
        ([["O"]], [["O"]], {"metrics": ("span",)}, "There is no metric named 'span'. Did you mean 'spans'"),
        ([["O"]], [["O"]], {"metrics": ()}, "No metric is given."),
        ([["O"]], [["O"]], {"metrics": None}, "No metric is given."),
        ([["O"]], [["O"]], {"scheme": None}, "There is no label scheme named 'None'."),
        (None, [["O"]], {}, "The gold tags are None. Give a list of tags for each sentence"),
        ([["O"], None], [["O"], ["O"]], {}, "Sentence 2 is None. Give a list of tags for each sentence"),
        ([["O", float("nan")]], [["O", "O"]], {}, "Sentence 1 has the gold tag nan, which is not a string."),
    ],
)
def test_what_cannot_be_scored_is_named(gold, predicted, options, message):
    with pytest.raises(polytag.PolytagError) as raised:
        polytag.score(gold, predicted, **options)
    assert str(raised.value).startswith(message)


@pytest.mark.parametrize("name", ["iob1", "iob2", "ioe1", "ioe2", "iobes", "bilou"])
def test_whatever_a_scheme_writes_can_be_scored_in_it(name):
    spans = [polytag.Span(0, 1, "X"), polytag.Span(1, 3, "X"), polytag.Span(3, 6, "Y"), polytag.Span(7, 8, "Y")]
    for chosen in (spans, spans[:1], spans[2:3], spans[:2]):
        tags = [polytag.scheme(name).tags(chosen, 8)]
        assert polytag.score(tags, tags, scheme=name).score == 1
