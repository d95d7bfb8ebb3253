"""Scores of parts of a split, and of the spans that a tagger is sure of."""

import pytest

from polytag.corpus.splits import Split
from polytag.evaluation.buckets import bucket_differences, bucket_scores, by_label, dimensions, sides_of
from polytag.evaluation.confidence import threshold_curve
from polytag.plugin.registry import Registry

WORDS = [["Anna", "Keller", "left", "BONN", "."], ["anna", "said", "McDonald", "42", "left", "."]]
GOLD = [["B-PER", "I-PER", "O", "B-LOC", "O"], ["B-PER", "O", "B-ORG", "O", "O", "O"]]
PREDICTED = [["B-PER", "I-PER", "O", "B-PER", "O"], ["O", "O", "B-ORG", "B-LOC", "O", "O"]]
TRAINING = Split(
    [["Anna", "Keller", "met", "Anna"], ["BONN", "BONN", "said", "42"]],
    None,
    {"ner": [["B-PER", "I-PER", "O", "B-PER"], ["B-LOC", "B-LOC", "O", "O"]]},
)


@pytest.fixture
def buckets(registry: Registry):
    """Gold, predicted and correct spans of each bucket of a dimension, by name."""
    scheme = registry.schemes["iob2"]
    data = Split(WORDS, [1, 1], {"ner": GOLD})
    sides = sides_of(GOLD, PREDICTED, scheme)
    found = {one.name: one for one in dimensions(data, scheme, (TRAINING, TRAINING.tags["ner"]))}

    def buckets(name: str) -> dict[str, tuple[int, int, int]]:
        scored = bucket_scores(sides, found[name], 0)
        return {bucket.name: (bucket.gold, bucket.predicted, bucket.correct) for bucket in scored}

    return buckets


def test_spans_are_divided_by_their_length_and_by_the_length_of_the_sentence(buckets):
    assert buckets("span length") == {"1 word": (3, 3, 1), "2 words": (1, 1, 1)}
    assert buckets("sentence length") == {"1 to 5 words": (2, 2, 1), "6 to 10 words": (2, 2, 1)}


def test_spans_are_divided_by_what_training_says_about_their_words(buckets):
    assert buckets("seen in training") == {
        "with this label": (2, 1, 1),  # Anna Keller; BONN as gold has it
        "only with another label": (0, 1, 0),  # BONN as a person
        "all words, but not as a span": (0, 1, 0),  # 42
        "not all words": (2, 1, 1),  # anna, McDonald
    }
    assert buckets("frequency in training") == {"never": (2, 1, 1), "once": (1, 2, 1), "2 to 5 times": (1, 1, 0)}


def test_spans_are_divided_by_capitals(buckets):
    assert buckets("capitals") == {
        "lower case": (1, 0, 0),
        "Capitalised": (1, 1, 1),
        "ALL CAPITALS": (1, 1, 0),
        "miXed": (1, 1, 1),
        "no letters with case": (0, 1, 0),
    }


def test_spans_are_divided_by_their_place_in_the_document(buckets):
    assert buckets("position in the document") == {"first sentence": (2, 2, 1), "sentences 2 to 5": (2, 2, 1)}


def test_what_is_not_known_divides_nothing(registry: Registry):
    names = [one.name for one in dimensions(Split(WORDS, None, {}), registry.schemes["iob2"], None)]
    assert names == ["span length", "sentence length", "capitals"]


def test_words_without_spans_are_divided_by_their_gold_tag(registry: Registry):
    flat = registry.schemes["flat"]
    gold, predicted = [["NN", "VB", ""], ["NN", "NN"]], [["NN", "NN", ""], ["VB", "NN"]]
    sides = sides_of(gold, predicted, flat)
    words = [["a", "b", "c"], ["d", "e"]]
    (sizes,) = [one for one in dimensions(Split(words, None, {}), flat, None) if one.name == "sentence length"]
    (bucket,) = bucket_scores(sides, sizes, 0)
    assert (bucket.gold, bucket.predicted, bucket.correct, bucket.score) == (4, 4, 2, 0.5)  # the accuracy
    labels = {one.name: (one.gold, one.predicted, one.correct) for one in bucket_scores(sides, by_label(sides), 0)}
    assert labels == {"NN": (3, 3, 2), "VB": (1, 1, 0)}


def test_a_difference_is_that_of_the_scores_with_its_interval(registry: Registry):
    scheme = registry.schemes["iob2"]
    first, second = sides_of(GOLD * 20, PREDICTED * 20, scheme), sides_of(GOLD * 20, GOLD * 20, scheme)
    found = bucket_differences(first, second, by_label(first), 0)
    assert [(one.name, one.gold, one.a, one.b, one.difference) for one in found] == [
        ("LOC", 20, 0.0, 1.0, 1.0),
        ("ORG", 20, 1.0, 1.0, 0.0),
        ("PER", 40, 0.5, 1.0, 0.5),
    ]
    assert all(one.interval[0] <= one.difference <= one.interval[1] for one in found)


def test_few_sentences_have_no_interval(registry: Registry):
    scheme = registry.schemes["iob2"]
    for sentences, known in ((3, False), (9, False), (10, True)):
        gold = [["B-LOC"]] * sentences + [["O"]] * 200
        wrong = [["O"]] * len(gold)
        right = sides_of(gold, gold, scheme)
        (bucket,) = bucket_scores(right, by_label(right), 0)
        assert (bucket.score, bucket.interval) == (1.0, (1.0, 1.0) if known else None)
        (difference,) = bucket_differences(sides_of(gold, wrong, scheme), right, by_label(right), 0)
        assert (difference.difference, difference.interval) == (1.0, (1.0, 1.0) if known else None)


def test_sentences_with_only_a_spurious_span_count_for_the_interval(registry: Registry):
    gold, predicted = [["O"]] * 50, [["B-LOC"]] * 10 + [["O"]] * 40
    sides = sides_of(gold, predicted, registry.schemes["iob2"])
    (bucket,) = bucket_scores(sides, by_label(sides), 0)
    assert (bucket.gold, bucket.interval) == (0, (0.0, 0.0))


def test_a_threshold_is_the_lowest_that_reaches_a_precision(registry: Registry):
    gold = [["B-A", "B-A", "B-A", "B-A", "O"]]
    found = [["B-A", "B-A", "B-A", "O", "B-A"]]
    sides = sides_of(gold, found, registry.schemes["iob2"])
    curve = threshold_curve(sides, [[0.9, 0.8, 0.7, 0.6, 0.75]])
    assert (curve.gold, curve.kept[0], curve.correct[0]) == (4, 4, 3)
    assert (curve.kept[700], curve.kept[701], curve.kept[1000]) == (4, 3, 0)
    assert [(one.target, one.value, one.precision, one.recall, one.kept) for one in curve.thresholds] == [
        (target, 0.751, 1.0, 0.5, 2) for target in (0.9, 0.95, 0.99)
    ]


def test_a_precision_that_is_never_reached_has_no_threshold(registry: Registry):
    sides = sides_of([["O"]], [["B-A"]], registry.schemes["iob2"])
    assert {one.value for one in threshold_curve(sides, [[0.5]]).thresholds} == {None}


def test_a_span_is_as_probable_as_all_its_words(registry: Registry):
    sides = sides_of([["B-A", "I-A"]], [["B-A", "I-A"]], registry.schemes["iob2"])
    kept = threshold_curve(sides, [[0.5, 0.5]]).kept
    assert (kept[250], kept[251]) == (1, 0)
