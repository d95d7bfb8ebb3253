import random
import subprocess
import sys
import warnings
from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polytag import UNANNOTATED, PolytagError, Scores
from polytag.plugin.registry import Registry

LABELS = ("PER", "LOC", "MISC-OTHER", "")
TAGS = ("O", *(f"{prefix}-{label}".rstrip("-") for prefix in "BI" for label in LABELS))


def score(registry: Registry, metric: str, gold: list[str], predicted: list[str], scheme: str) -> Scores:
    def split(sentences: list[str]) -> list[list[str]]:
        return [sentence.split() for sentence in sentences]

    return registry.metrics[metric].compute(split(gold), split(predicted), registry.schemes[scheme])


def test_spans_are_right_when_words_and_label_are(registry: Registry) -> None:
    gold = ["B-PER I-PER O B-LOC", "B-LOC O B-MISC-OTHER I-MISC-OTHER"]
    predicted = ["B-PER I-PER O B-PER", "B-LOC O B-MISC-OTHER O"]
    scores = score(registry, "spans", gold, predicted, "iob2")
    assert scores.overall == pytest.approx(
        {
            "precision": 2 / 4,
            "recall": 2 / 4,
            "f1": 2 / 4,
            "macro_f1": (2 / 3 + 2 / 3 + 0) / 3,
            "accuracy": 6 / 8,
            "support": 4,
            "words": 8,
        }
    )
    assert scores.per_label == {
        "LOC": pytest.approx({"precision": 1, "recall": 1 / 2, "f1": 2 / 3, "support": 2}),
        "MISC-OTHER": {"precision": 0, "recall": 0, "f1": 0, "support": 1},
        "PER": pytest.approx({"precision": 1 / 2, "recall": 1, "f1": 2 / 3, "support": 1}),
    }


@pytest.mark.parametrize(
    ("scheme", "gold", "predicted"),
    [
        ("iob1", "I-PER I-PER B-PER", "I-PER B-PER B-PER"),
        ("ioe1", "I-PER E-PER I-PER", "E-PER E-PER I-PER"),
        ("ioe2", "I-PER E-PER E-PER", "E-PER E-PER E-PER"),
        ("iobes", "B-PER E-PER S-PER", "S-PER S-PER S-PER"),
        ("bilou", "B-PER L-PER U-PER", "U-PER U-PER U-PER"),
    ],
)
def test_spans_are_read_in_the_scheme_of_the_tags(registry: Registry, scheme: str, gold: str, predicted: str) -> None:
    overall = score(registry, "spans", [gold], [predicted], scheme).overall
    assert (overall["precision"], overall["recall"]) == pytest.approx((1 / 3, 1 / 2))


def test_a_span_never_runs_on_into_the_next_sentence(registry: Registry) -> None:
    scores = score(registry, "spans", ["I-PER", "I-PER"], ["I-PER", "I-PER"], "iob1")
    assert scores.overall["support"] == 2
    apart = score(registry, "spans", ["O B-PER", "I-PER O"], ["O B-PER", "O O"], "iob2")
    assert (apart.overall["precision"], apart.overall["recall"]) == (1, 1 / 2)


def test_a_span_in_another_sentence_is_another_span(registry: Registry) -> None:
    overall = score(registry, "spans", ["B-PER O", "O O"], ["O O", "B-PER O"], "iob2").overall
    assert (overall["precision"], overall["recall"], overall["f1"]) == (0, 0, 0)


def test_labels_only_in_gold_or_only_predicted_count_in_both_means(registry: Registry) -> None:
    scores = score(registry, "spans", ["B-NEW B-PER"], ["B-OLD B-PER"], "iob2")
    assert {label: of["support"] for label, of in scores.per_label.items()} == {"NEW": 1, "OLD": 0, "PER": 1}
    assert scores.overall["macro_f1"] == pytest.approx(1 / 3)
    assert scores.overall["f1"] == pytest.approx(1 / 2)


def test_a_gold_tag_never_seen_in_training_counts_as_wrong(registry: Registry) -> None:
    spans = score(registry, "spans", ["B-NEW O"], ["O O"], "iob2").overall
    assert (spans["recall"], spans["support"], spans["accuracy"]) == (0, 1, 1 / 2)
    tags = score(registry, "tags", ["NEW NN"], ["NN NN"], "flat")
    assert tags.overall["accuracy"] == 1 / 2
    assert tags.per_label["NEW"] == {"precision": 0, "recall": 0, "f1": 0, "support": 1}


def test_spans_without_a_label_are_counted(registry: Registry) -> None:
    scores = score(registry, "spans", ["B I B"], ["B I O"], "iob2")
    assert scores.per_label == {"_": pytest.approx({"precision": 1, "recall": 1 / 2, "f1": 2 / 3, "support": 2})}


@given(
    sentences=st.lists(st.lists(st.tuples(st.sampled_from(TAGS), st.sampled_from(TAGS)), max_size=10)),
)
def test_spans_scores_are_those_of_seqeval(registry: Registry, sentences: list[list[tuple[str, str]]]) -> None:
    from seqeval.metrics import classification_report

    pairs = [*sentences, [("B-PER", "B-PER")]]
    gold = [[tag for tag, _ in sentence] for sentence in pairs]
    predicted = [[tag for _, tag in sentence] for sentence in pairs]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = registry.metrics["spans"].compute(gold, predicted, registry.schemes["iob2"])
    report = classification_report(gold, predicted, output_dict=True, zero_division=0)
    averages = {name: report.pop(f"{name} avg") for name in ("micro", "macro", "weighted")}
    assert list(scores.per_label) == list(report)
    ours_and_theirs = zip(
        [scores.overall, *scores.per_label.values()], [averages["micro"], *report.values()], strict=True
    )
    for ours, theirs in ours_and_theirs:
        for name in ("precision", "recall", "f1", "support"):
            assert ours[name] == pytest.approx(theirs["f1-score" if name == "f1" else name])
    assert scores.overall["macro_f1"] == pytest.approx(averages["macro"]["f1-score"])


def test_tags_are_scored_word_by_word(registry: Registry) -> None:
    scores = score(registry, "tags", ["DT NN NN", "VB"], ["DT NN VB", "VB"], "flat")
    assert scores.overall == pytest.approx({"accuracy": 3 / 4, "macro_f1": (1 + 2 / 3 + 2 / 3) / 3, "words": 4})
    assert scores.per_label == {
        "DT": {"precision": 1, "recall": 1, "f1": 1, "support": 1},
        "NN": pytest.approx({"precision": 1, "recall": 1 / 2, "f1": 2 / 3, "support": 2}),
        "VB": pytest.approx({"precision": 1 / 2, "recall": 1, "f1": 2 / 3, "support": 1}),
    }


@given(
    sentences=st.lists(st.lists(st.tuples(st.sampled_from("ABCD"), st.sampled_from("ABCE")), min_size=1), min_size=1)
)
def test_tags_scores_are_those_of_scikit_learn(registry: Registry, sentences: list[list[tuple[str, str]]]) -> None:
    from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support

    gold = [[pair[0] for pair in sentence] for sentence in sentences]
    predicted = [[pair[1] for pair in sentence] for sentence in sentences]
    scores = registry.metrics["tags"].compute(gold, predicted, registry.schemes["flat"])
    flat_gold, flat_predicted = list(chain(*gold)), list(chain(*predicted))
    assert scores.overall["accuracy"] == pytest.approx(accuracy_score(flat_gold, flat_predicted))
    macro = f1_score(flat_gold, flat_predicted, average="macro", zero_division=0)
    assert scores.overall["macro_f1"] == pytest.approx(macro)
    labels = list(scores.per_label)
    each = precision_recall_fscore_support(flat_gold, flat_predicted, labels=labels, zero_division=0)
    for name, values in zip(("precision", "recall", "f1", "support"), each, strict=True):
        assert [scores.per_label[label][name] for label in labels] == pytest.approx(list(values))


@pytest.mark.parametrize(("metric", "scheme"), [("spans", "iob2"), ("tags", "flat")])
@pytest.mark.parametrize("sentences", [[], [""]])
def test_nothing_scores_nothing(registry: Registry, metric: str, scheme: str, sentences: list[str]) -> None:
    scores = score(registry, metric, sentences, sentences, scheme)
    assert set(scores.overall.values()) == {0}
    assert scores.per_label == {}


def test_sentences_without_spans_still_have_an_accuracy(registry: Registry) -> None:
    overall = score(registry, "spans", ["O O", "O"], ["O O", "O"], "iob2").overall
    assert (overall["f1"], overall["support"]) == (0, 0)
    assert (overall["accuracy"], overall["words"]) == (1, 3)


@pytest.mark.parametrize(("metric", "scheme"), [("spans", "iob2"), ("tags", "flat")])
def test_sequences_of_different_lengths_are_refused(registry: Registry, metric: str, scheme: str) -> None:
    with pytest.raises(PolytagError, match="Sentence 2 has 2 gold tags and 1 predicted"):
        score(registry, metric, ["O", "O O"], ["O", "O"], scheme)
    with pytest.raises(PolytagError, match="2 gold sentences and 1 predicted"):
        score(registry, metric, ["O", "O O"], ["O"], scheme)


def test_spans_cannot_be_scored_in_a_scheme_without_spans(registry: Registry) -> None:
    with pytest.raises(PolytagError, match="encodes no spans"):
        score(registry, "spans", ["NN"], ["NN"], "flat")


@pytest.mark.parametrize(("metric", "scheme"), [("spans", "iob2"), ("tags", "flat")])
def test_the_headline_is_one_of_the_overall_scores(registry: Registry, metric: str, scheme: str) -> None:
    assert registry.metrics[metric].headline in score(registry, metric, ["B-A"], ["B-A"], scheme).overall


def test_scores_do_not_depend_on_the_order_of_sentences(registry: Registry) -> None:
    generator = random.Random(0)
    pairs = [([generator.choice(TAGS)] * 3, [generator.choice(TAGS)] * 3) for _ in range(50)]
    shuffled = generator.sample(pairs, len(pairs))
    iob2 = registry.schemes["iob2"]
    for metric in registry.metrics.values():
        one, other = (metric.compute(*zip(*order, strict=True), iob2) for order in (pairs, shuffled))
        assert one == other


def test_the_plugin_loads_no_scorer_before_it_scores() -> None:
    check = "import sys, polytag_standard; sys.exit(bool({'seqeval', 'sklearn', 'nervaluate'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


def test_strict_reading_leaves_out_what_the_scheme_does_not_write(registry: Registry) -> None:
    gold, predicted = ["B-PER I-PER O B-LOC"], ["I-PER I-PER O B-LOC"]
    assert score(registry, "spans", gold, predicted, "iob2").overall["f1"] == 1
    strict = score(registry, "spans-strict", gold, predicted, "iob2").overall
    assert (strict["precision"], strict["recall"], strict["support"]) == (1, 1 / 2, 2)
    assert score(registry, "spans-strict", predicted, predicted, "iob1").overall["support"] == 1  # B-LOC touches none
    assert registry.metrics["spans"].strict == "spans-strict"


BROKEN = ["O", "O", "O", "O-PER", "B", "I", *TAGS[1:]]


def random_tags(generator: random.Random, n_sentences: int) -> tuple[list[list[str]], list[list[str]]]:
    gold = [generator.choices(BROKEN, k=generator.randint(0, 9)) for _ in range(n_sentences)]
    predicted = [[tag if generator.random() < 0.6 else generator.choice(BROKEN) for tag in tags] for tags in gold]
    return gold, predicted


@pytest.mark.parametrize("name", ["spans", "spans-strict", "partial", "tags"])
def test_summed_statistics_give_exactly_the_computed_headline(registry: Registry, name: str) -> None:
    metric, iob2 = registry.metrics[name], registry.schemes["iob2"]
    generator = random.Random(3)
    every, scores = [], []
    for size in (0, 1, 2, 5, 20, 100) * 5:
        gold, predicted = random_tags(generator, size)
        statistics = metric.statistics(gold, predicted, iob2)
        assert statistics.dtype == float
        assert len(statistics) == size
        every.append(statistics.sum(0))
        scores.append(metric.compute(gold, predicted, iob2).overall[metric.headline])
    assert metric.headline_of(every[-1]) == scores[-1]
    stacked = np.stack(every).reshape(5, 6, -1)
    assert metric.headline_of(stacked).tolist() == np.reshape(scores, (5, 6)).tolist()


def test_partial_counts_spans_four_ways(registry: Registry) -> None:
    gold = ["B-PER I-PER O B-LOC O B-ORG O O"]
    predicted = ["B-PER O O B-PER O B-ORG O B-ORG"]
    scores = score(registry, "partial", gold, predicted, "iob2")
    # Predicted: a part of PER, LOC as PER, ORG, and one ORG of nothing; gold has three.
    right = {"strict": 1, "exact": 2, "partial": 2.5, "type": 2}
    for way, count in right.items():
        assert scores.overall[f"{way}_precision"] == pytest.approx(count / 4)
        assert scores.overall[f"{way}_recall"] == pytest.approx(count / 3)
        assert scores.overall[f"{way}_f1"] == pytest.approx(2 * count / 7)
    assert scores.overall["support"] == 3
    assert scores.per_label["PER"]["partial_recall"] == pytest.approx(0.5)
    assert scores.per_label["PER"]["partial_precision"] == pytest.approx(0.25)
    assert scores.per_label["LOC"]["exact_f1"] == 0
    assert scores.per_label["ORG"]["strict_f1"] == pytest.approx(2 / 3)
    assert scores.overall["strict_macro_f1"] == pytest.approx((0 + 0 + 2 / 3) / 3)
    assert {label: of["support"] for label, of in scores.per_label.items()} == {"LOC": 1, "ORG": 1, "PER": 1}


def test_the_strict_count_of_partial_is_that_of_spans(registry: Registry) -> None:
    gold, predicted = random_tags(random.Random(4), 300)
    iob2 = registry.schemes["iob2"]
    partial = registry.metrics["partial"].compute(gold, predicted, iob2)
    spans = registry.metrics["spans"].compute(gold, predicted, iob2)
    for name in ("precision", "recall", "f1", "macro_f1"):
        assert partial.overall[f"strict_{name}"] == pytest.approx(spans.overall[name])
    assert partial.per_label.keys() == spans.per_label.keys()
    for label, of_label in spans.per_label.items():
        for name in ("precision", "recall", "f1"):
            assert partial.per_label[label][f"strict_{name}"] == pytest.approx(of_label[name])
    assert partial.overall["strict_f1"] < partial.overall["exact_f1"] < partial.overall["partial_f1"]


@pytest.mark.parametrize("name", ["partial", "spans-strict"])
def test_metrics_of_spans_say_so(registry: Registry, name: str) -> None:
    assert registry.metrics[name].needs_spans
    with pytest.raises(PolytagError, match=f"'{name}' cannot score the scheme 'flat'"):
        score(registry, name, ["NN"], ["NN"], "flat")
    with pytest.raises(PolytagError, match="cannot score the scheme 'flat'"):
        registry.metrics[name].statistics([["NN"]], [["NN"]], registry.schemes["flat"])
    assert set(score(registry, name, [], [], "iob2").overall.values()) == {0}


@pytest.mark.parametrize("name", ["spans", "tags"])
def test_words_without_annotation_count_neither_way(registry: Registry, name: str) -> None:
    metric, iob2 = registry.metrics[name], registry.schemes["iob2"]
    gold, predicted = [["B-A", UNANNOTATED, "B-B", "O"]], [["B-A", UNANNOTATED, "O", "O"]]
    found = metric.compute(gold, predicted, iob2)
    assert (found.overall["words"], found.overall["accuracy"]) == (3, 2 / 3)
    assert metric.headline_of(metric.statistics(gold, predicted, iob2).sum(0)) == found.overall[metric.headline]
    assert UNANNOTATED not in found.per_label
