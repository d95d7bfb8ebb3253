"""Running metrics on tags, and the baseline they are compared with."""

from polytag import Scores
from polytag.evaluation import Evaluation, MajorityBaseline, TaskEvaluation, evaluate_tags
from polytag.hooks.registry import Registry


def test_the_first_metric_gives_the_headline_and_scores_the_baseline(registry: Registry):
    gold = [["B-PER", "I-PER", "O"], ["B-LOC"]]
    predicted = [["B-PER", "I-PER", "O"], ["O"]]
    result = evaluate_tags(gold, predicted, registry.schemes["iob2"], ("spans", "tags"), [["O"] * 3, ["B-LOC"]])
    assert list(result.metrics) == ["spans", "tags"]
    assert result.headline == "f1"
    assert result.score == result.metrics["spans"].overall["f1"] == 2 / 3
    assert result.metrics["tags"].overall["accuracy"] == 0.75
    assert result.baseline == 2 / 3


def test_a_gold_tag_that_no_prediction_can_have_counts_as_wrong(registry: Registry):
    gold, predicted = [["B-EVENT", "O"]], [["O", "O"]]
    spans = evaluate_tags(gold, predicted, registry.schemes["iob2"], ("spans",)).metrics["spans"]
    assert (spans.overall["words"], spans.overall["accuracy"], spans.overall["recall"]) == (2, 0.5, 0.0)
    assert spans.per_label["EVENT"]["support"] == 1


def test_nothing_is_scored_across_the_end_of_a_sentence(registry: Registry):
    gold = [["B-PER"], ["I-PER"]]  # a broken second sentence is a span of its own
    spans = evaluate_tags(gold, gold, registry.schemes["iob2"], ("spans",)).metrics["spans"]
    assert spans.overall["support"] == 2


def test_the_baseline_gives_each_word_its_most_frequent_tag(registry: Registry):
    words = [["Paris", "Paris", "Paris", "is", "is"]]
    tags = [["B-PER", "B-LOC", "B-LOC", "O", "B-LOC"]]
    baseline = MajorityBaseline(words, tags, registry.schemes["iob2"])
    assert baseline.tag([["Paris", "is", "new"]]) == [["B-LOC", "B-LOC", "O"]]  # ties: the tag that sorts first


def test_in_a_flat_scheme_a_new_word_gets_the_most_frequent_tag(registry: Registry):
    baseline = MajorityBaseline([["a", "b", "c"]], [["DT", "NN", "NN"]], registry.schemes["flat"])
    assert baseline.tag([["z"]]) == [["NN"]]


def test_headlines_name_task_and_score():
    task = TaskEvaluation({"spans": Scores({"f1": 0.5})}, "f1")
    evaluation = Evaluation("mine", "test", 1, 2, {"ner": task})
    assert evaluation.headlines == {"ner f1": 0.5}
    assert evaluation.to_dict()["tasks"]["ner"]["metrics"]["spans"]["overall"] == {"f1": 0.5}
