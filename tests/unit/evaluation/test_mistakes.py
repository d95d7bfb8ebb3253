"""What is counted as which mistake."""

import pytest

from polytag.evaluation.mistakes import confusions
from polytag.plugin.registry import Registry


def found(registry: Registry, gold: str, predicted: str, scheme: str = "iob2"):
    sides = [gold.split()], [predicted.split()]
    words = [[f"w{i}" for i in range(len(sides[0][0]))]]
    return confusions(words, *sides, registry.schemes[scheme], ["here:1"], 10)


@pytest.mark.parametrize(
    ("gold", "predicted", "expected"),
    [
        ("B-A I-A O", "B-A I-A O", []),
        ("B-A I-A O", "B-B I-B O", [("A", "B", "label")]),
        ("B-A I-A O", "B-A O O", [("A", "A", "boundary")]),
        ("B-A I-A O", "O B-B I-B", [("A", "B", "label and boundary")]),
        ("B-A I-A O", "O O O", [("A", "O", "missed")]),
        ("O O O", "O B-A O", [("O", "A", "spurious")]),
        ("O B-A", "O I-A", []),  # read as the same span
        # The predicted span that shares most words is its counterpart; the other one stays alone.
        ("B-A I-A I-A I-A", "B-A B-A I-A I-A", [("A", "A", "boundary"), ("O", "A", "spurious")]),
        ("B-A B-B", "B-C I-C", [("A", "C", "label and boundary"), ("B", "O", "missed")]),
        # A predicted span that is right is nobody else's counterpart.
        ("B-A B-B", "O B-B", [("A", "O", "missed")]),
    ],
)
def test_each_span_is_one_kind_of_mistake(registry: Registry, gold, predicted, expected):
    assert [(c.gold, c.predicted, c.kind) for c in found(registry, gold, predicted)] == expected
    assert all(c.count == 1 for c in found(registry, gold, predicted))


def test_tags_without_spans_are_confused_word_by_word(registry: Registry):
    assert [(c.gold, c.predicted, c.count) for c in found(registry, "NN NN VB", "VB VB NN", "flat")] == [
        ("NN", "VB", 2),
        ("VB", "NN", 1),
    ]


def test_the_most_frequent_come_first_with_examples_in_context(registry: Registry):
    words = [["at", "the", "Hugging", "Face", "office", "in", "New", "York"]] * 5
    gold = [["O", "O", "B-ORG", "I-ORG", "O", "O", "B-LOC", "I-LOC"]] * 5
    predicted = [["O", "O", "B-ORG", "O", "O", "O", "B-PER", "I-PER"]] * 4 + [["O"] * 6 + ["B-PER", "I-PER"]]
    places = [f"a.conll:{line}" for line in (1, 10, 19, 28, 37)]
    most = confusions(words, gold, predicted, registry.schemes["iob2"], places, 2)
    assert [(c.gold, c.predicted, c.kind, c.count) for c in most] == [
        ("LOC", "PER", "label", 5),
        ("ORG", "ORG", "boundary", 4),
    ]
    assert [example.location for example in most[0].examples] == ["a.conll:1", "a.conll:10", "a.conll:19"]
    assert (most[0].examples[0].text, most[0].examples[0].predicted) == ("Face office in [New York]", "")
    assert (most[1].examples[0].text, most[1].examples[0].predicted) == (
        "at the [Hugging Face] office in New",
        "Hugging",
    )


def test_spans_that_cannot_be_found_are_as_many_as_the_scorer_misses(registry: Registry):
    """Every wrong gold or predicted span is in exactly one confusion."""
    import random

    generator = random.Random(0)
    tags = ["O", "O", "B-A", "I-A", "B-B", "I-B"]
    gold = [generator.choices(tags, k=10) for _ in range(300)]
    predicted = [generator.choices(tags, k=10) for _ in range(300)]
    iob2 = registry.schemes["iob2"]
    right, n_found, n_gold = registry.metrics["spans"].statistics(gold, predicted, iob2).sum(0)
    every = confusions([["w"] * 10] * 300, gold, predicted, iob2, ["x"] * 300, 1000)
    counts = {kind: sum(c.count for c in every if c.kind == kind) for kind in {c.kind for c in every}}
    pairs = sum(count for kind, count in counts.items() if kind not in ("missed", "spurious"))
    assert pairs + counts["missed"] == n_gold - right
    assert pairs + counts["spurious"] == n_found - right
