"""The metrics of spans against the CoNLL shared tasks' rules, and against seqeval's strict mode."""

import random
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polytag import Metric, Scores, Span
from polytag.plugin.registry import Registry, registry

# What the scorer of the CoNLL shared tasks does, written from its definition: a tag is a prefix and, after the first
# hyphen, a type; chunks start and end where two neighbouring tags say so; a chunk is right if it starts and ends at the
# same words as one of the same type.

Tag = tuple[str, str]
BETWEEN_SENTENCES: Tag = ("O", "")


def chunk_ends(before: Tag, after: Tag) -> bool:
    if (before[0], after[0]) in {("B", "B"), ("B", "O"), ("I", "B"), ("I", "O"), ("E", "E"), ("E", "I"), ("E", "O")}:
        return True
    return before[0] != "O" and before[1] != after[1]


def chunk_starts(before: Tag, after: Tag) -> bool:
    if (before[0], after[0]) in {("B", "B"), ("I", "B"), ("O", "B"), ("O", "I"), ("E", "E"), ("E", "I"), ("O", "E")}:
        return True
    return after[0] != "O" and before[1] != after[1]


def shared_task_counts(gold: list[list[str]], predicted: list[list[str]]) -> tuple[int, int, int]:
    """Right, predicted and gold chunks, counted in one pass over both sequences, as the scorer does."""

    def split(tag: str) -> Tag:
        prefix, _, kind = tag.partition("-")
        return prefix, kind

    right = found = there = 0
    open_in_both = False
    last_gold = last_predicted = BETWEEN_SENTENCES
    for gold_tags, predicted_tags in zip(gold, predicted, strict=True):
        pairs = [(split(one), split(other)) for one, other in zip(gold_tags, predicted_tags, strict=True)]
        for gold_tag, predicted_tag in [*pairs, (BETWEEN_SENTENCES, BETWEEN_SENTENCES)]:
            ends = chunk_ends(last_gold, gold_tag), chunk_ends(last_predicted, predicted_tag)
            if open_in_both:
                if all(ends) and last_gold[1] == last_predicted[1]:
                    right += 1
                    open_in_both = False
                elif ends[0] != ends[1] or gold_tag[1] != predicted_tag[1]:
                    open_in_both = False
            starts = chunk_starts(last_gold, gold_tag), chunk_starts(last_predicted, predicted_tag)
            if all(starts) and gold_tag[1] == predicted_tag[1]:
                open_in_both = True
            there += starts[0]
            found += starts[1]
            last_gold, last_predicted = gold_tag, predicted_tag
    return right, found, there


def printed(right: int, found: int, there: int) -> list[str]:
    """Precision, recall and F1 as the scorer prints them."""
    precision = 100 * right / found if found else 0
    recall = 100 * right / there if there else 0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0
    return [f"{value:6.2f}" for value in (precision, recall, f1)]


TYPES = ("PER", "LOC", "MISC-OTHER", "")
BROKEN_IOB = ["O", "O", "O", "O-PER", "B", "I", *(f"{prefix}-{label}" for prefix in "BI" for label in TYPES)]
BROKEN_IOE = ["O", "O", "O", "O-LOC", "E", "I", *(f"{prefix}-{label}" for prefix in "EI" for label in TYPES)]


@pytest.mark.parametrize(
    ("schemes", "tags"), [(("iob1", "iob2", "iobes"), BROKEN_IOB), (("ioe1", "ioe2", "bilou"), BROKEN_IOE)]
)
def test_spans_are_scored_as_the_shared_task_scorer_scores_any_two_sequences(
    registry: Registry, schemes: tuple[str, ...], tags: list[str]
) -> None:
    generator = random.Random(0)
    metric = registry.metrics["spans"]
    gold, predicted = [], []
    for _ in range(10_000):
        sequence = generator.choices(tags, k=generator.randint(0, 12))
        gold.append(sequence)
        # From hardly wrong to having nothing in common.
        rate = generator.random()
        predicted.append([generator.choice(tags) if generator.random() < rate else tag for tag in sequence])
    expected = [shared_task_counts([one], [other]) for one, other in zip(gold, predicted, strict=True)]
    assert len({tuple(counts) for counts in expected}) > 100
    for scheme in schemes:
        statistics = metric.statistics(gold, predicted, registry.schemes[scheme])
        assert statistics.tolist() == [list(map(float, counts)) for counts in expected]
    for size in (1, 50, 10_000):  # sentences a corpus
        for start in range(0, min(10_000, 100 * size), size):
            corpus = gold[start : start + size], predicted[start : start + size]
            overall = metric.compute(*corpus, registry.schemes[schemes[0]]).overall
            ours = [f"{100 * overall[name]:6.2f}" for name in ("precision", "recall", "f1")]
            assert ours == printed(*shared_task_counts(*corpus)), corpus


def test_types_are_scored_as_the_shared_task_scorer_scores_them(registry: Registry) -> None:
    generator = random.Random(1)
    gold = [generator.choices(BROKEN_IOB, k=8) for _ in range(500)]
    predicted = [[tag if generator.random() < 0.7 else generator.choice(BROKEN_IOB) for tag in tags] for tags in gold]
    per_label = registry.metrics["spans"].compute(gold, predicted, registry.schemes["iob2"]).per_label

    def only(label: str, sentences: list[list[str]]) -> list[list[str]]:
        return [[tag if tag.partition("-")[2] == label else "O" for tag in tags] for tags in sentences]

    for label in TYPES:
        # Tags of other types end a chunk just as O does, so that leaving them out changes nothing for this type.
        counts = shared_task_counts(only(label, gold), only(label, predicted))
        ours = [f"{100 * per_label[label or '_'][name]:6.2f}" for name in ("precision", "recall", "f1")]
        assert ours == printed(*counts)


STRICT = {"iob2": "IOB2", "ioe2": "IOE2", "iobes": "IOBES", "bilou": "BILOU"}


@pytest.mark.parametrize("name", STRICT)
def test_strict_spans_are_those_of_seqeval_in_strict_mode(registry: Registry, name: str) -> None:
    from seqeval import scheme as seqeval

    generator = random.Random(2)
    prefixes = {"iob2": "BI", "ioe2": "IE", "iobes": "BIES", "bilou": "BILU"}[name]
    tags = ["O", "O", *(f"{prefix}-{label}" for prefix in prefixes for label in ("PER", "LOC"))]
    sentences = [generator.choices(tags, k=generator.randint(1, 8)) for _ in range(2000)]
    theirs = seqeval.Entities(sentences, getattr(seqeval, STRICT[name])).entities
    metric, scheme = registry.metrics["spans-strict"], registry.schemes[name]
    counts = metric.statistics(sentences, sentences, scheme)
    assert counts[:, 2].tolist() == [len(entities) for entities in theirs]
    assert counts[:, 2].sum() < registry.metrics["spans"].statistics(sentences, sentences, scheme)[:, 2].sum()
    # Written properly, exactly these are right: they are the same spans, not only as many.
    written = []
    for sentence, entities in zip(sentences, theirs, strict=True):
        written.append(scheme.tags([Span(e.start, e.end, e.tag) for e in entities], len(sentence)))
    assert (metric.statistics(written, sentences, scheme) == counts).all()


def without_seqeval(metric: Metric, gold: list[list[str]], predicted: list[list[str]]) -> Scores:
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in sys.modules if name.partition(".")[0] == "seqeval"]:
            patch.setitem(sys.modules, name, None)
        return metric.compute(gold, predicted, registry().schemes["iob2"])


@given(
    pairs=st.lists(st.lists(st.tuples(st.sampled_from(BROKEN_IOB), st.sampled_from(BROKEN_IOB)), max_size=8)),
    name=st.sampled_from(["spans", "spans-strict"]),
)
def test_every_digit_of_the_scores_is_that_of_seqeval_where_it_is_not_installed(
    pairs: list[list[tuple[str, str]]], name: str
) -> None:
    metric = registry().metrics[name]
    gold, predicted = ([[pair[side] for pair in sentence] for sentence in pairs] for side in (0, 1))
    assert without_seqeval(metric, gold, predicted) == metric.compute(gold, predicted, registry().schemes["iob2"])


def test_a_large_corpus_is_scored_as_by_seqeval_where_it_is_not_installed() -> None:
    generator = random.Random(3)
    gold = [generator.choices(BROKEN_IOB, k=10) for _ in range(2000)]
    predicted = [[tag if generator.random() < 0.9 else generator.choice(BROKEN_IOB) for tag in tags] for tags in gold]
    metric = registry().metrics["spans"]
    counted = metric.compute(gold, predicted, registry().schemes["iob2"])
    assert set(counted.per_label) == {"PER", "LOC", "MISC-OTHER", "_"}
    assert without_seqeval(metric, gold, predicted) == counted
