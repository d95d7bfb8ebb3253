"""Running metrics on tags, and the baseline they are compared with."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

import polytag
from polytag import UNANNOTATED, Metric, PolytagError, Scores
from polytag.evaluation import evaluate as evaluating
from polytag.evaluation import tagged_split
from polytag.evaluation.baseline import MajorityBaseline
from polytag.evaluation.results import Evaluation, TaskEvaluation
from polytag.evaluation.scoring import choose_metrics, evaluate_tags
from polytag.plugin.registry import Registry
from polytag.tagger.decoder import Prediction
from polytag.tagger.heads import TaskHead
from support.corpora import TWO_SENTENCES


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
    evaluation = Evaluation("mine", "test", 1, 2, {"ner": task}, "numpy")
    assert evaluation.headlines == {"ner f1": 0.5}
    assert evaluation.to_dict()["tasks"]["ner"]["metrics"]["spans"]["overall"] == {"f1": 0.5}


GOLD = [["B-PER", "I-PER", "O"], ["B-LOC"], ["O", "O"]] * 20
PREDICTED = [["B-PER", "I-PER", "O"], ["O"], ["O", "B-LOC"]] * 20


def test_the_interval_is_that_of_the_main_metric_and_repeatable(registry: Registry):
    iob2 = registry.schemes["iob2"]
    spans = evaluate_tags(GOLD, PREDICTED, iob2, ("spans", "tags"), interval_seed=0)
    assert spans.interval is not None
    low, high = spans.interval
    assert 0 < low < spans.score == 0.5 < high < 1
    assert evaluate_tags(GOLD, PREDICTED, iob2, ("spans",), interval_seed=0).interval == spans.interval
    seeds = range(1, 10)
    assert len({evaluate_tags(GOLD, PREDICTED, iob2, ("spans",), interval_seed=seed).interval for seed in seeds}) > 1
    tags = evaluate_tags(GOLD, PREDICTED, iob2, ("tags", "spans"), interval_seed=0)
    assert tags.interval is not None
    assert tags.interval[0] < tags.score == 4 / 6 < tags.interval[1]


def test_there_is_an_interval_where_it_is_asked_for_and_possible(registry: Registry, monkeypatch):
    iob2 = registry.schemes["iob2"]
    assert evaluate_tags(GOLD, PREDICTED, iob2, ("spans",)).interval is None
    assert evaluate_tags([], [], iob2, ("spans",), interval_seed=0).interval is None
    monkeypatch.setattr(type(registry.metrics["spans"]), "statistics", Metric.statistics)
    assert evaluate_tags(GOLD, PREDICTED, iob2, ("spans",), interval_seed=0).interval is None


def test_an_evaluation_is_plain_json_with_its_interval(registry: Registry):
    task = evaluate_tags(GOLD, PREDICTED, registry.schemes["iob2"], ("spans",), interval_seed=0)
    plain = json.loads(json.dumps(Evaluation("mine", "test", 1, 2, {"ner": task}, "numpy").to_dict()))
    assert plain["tasks"]["ner"]["interval"] == list(task.interval or ())


def test_words_that_nobody_annotated_are_not_scored(registry: Registry):
    gold = [["B-PER", UNANNOTATED, "O"], [UNANNOTATED, UNANNOTATED]]
    predicted = [["B-PER", "I-PER", "O"], ["B-LOC", "O"]]
    result = evaluate_tags(gold, predicted, registry.schemes["iob2"], ("spans", "tags"), predicted, 0)
    assert (result.score, result.baseline) == (1.0, 1.0)
    assert result.metrics["spans"].overall["words"] == result.metrics["tags"].overall["words"] == 2
    assert result.metrics["tags"].overall["accuracy"] == 1.0
    assert list(result.metrics["spans"].per_label) == ["PER"]


def chosen(registry: Registry, tasks: tuple[str, ...], further: tuple[str, ...], strict: bool = False):
    found = {name: registry.tasks[name] for name in tasks}
    return choose_metrics(found, {name: registry.schemes[task.scheme] for name, task in found.items()}, further, strict)


def test_further_metrics_come_after_the_tasks_own_and_where_they_fit(registry: Registry):
    assert chosen(registry, ("ner", "pos"), ()) == {"ner": ("spans",), "pos": ("tags",)}
    assert chosen(registry, ("ner", "pos"), ("partial", "tags", "spans")) == {
        "ner": ("spans", "partial", "tags"),
        "pos": ("tags",),
    }
    assert chosen(registry, ("ner", "pos"), (), strict=True) == {"ner": ("spans-strict",), "pos": ("tags",)}
    assert chosen(registry, ("ner",), ("spans",), strict=True) == {"ner": ("spans-strict", "spans")}


def test_a_metric_or_a_switch_that_suits_no_task_is_an_error(registry: Registry):
    with pytest.raises(PolytagError, match="'partial' needs spans, and none of these tasks has any: pos"):
        chosen(registry, ("pos",), ("partial",))
    with pytest.raises(PolytagError, match="--strict applies to metrics of spans"):
        chosen(registry, ("pos",), (), strict=True)
    with pytest.raises(PolytagError, match="Did you mean 'partial'"):
        chosen(registry, ("ner",), ("partail",))


class Fake:
    """A tagger that knows the predictions already."""

    runtime = "numpy"

    def __init__(self, predicted: dict[str, list[list[str]]], registry: Registry):
        self.predicted = predicted
        self.heads = {task: TaskHead((), registry.tasks[task].scheme, "first") for task in predicted}
        self.decoders = {
            task: SimpleNamespace(
                scheme=registry.schemes[head.scheme], sentences=lambda tags, features: [list(row) for row in tags]
            )
            for task, head in self.heads.items()
        }

    def predict(self, sentences, documents):
        assert len(sentences) == len(next(iter(self.predicted.values())))
        sure = np.ones(sum(map(len, sentences)), dtype=np.float32)
        return None, {task: Prediction(tags, sure, sure, 1 - sure) for task, tags in self.predicted.items()}


CORPUS = TWO_SENTENCES + "\nParis\tNNP\tB-LOC\n"


@pytest.fixture
def evaluated(tmp_path, registry: Registry, monkeypatch):
    """Evaluate fixed predictions on a corpus of three sentences."""
    corpus = tmp_path / "test.conll"
    corpus.write_text(CORPUS)
    predicted = {
        "ner": [["B-PER", "O", "O", "O", "B-ORG"], ["B-PER", "O", "B-LOC"], ["B-LOC"]],
        "pos": [["NNP", "VBZ", "IN", "NNP", "NNP"], ["NNP", "VBZ", "NN"], ["NNP"]],
    }
    fake = Fake(predicted, registry)
    monkeypatch.setattr(evaluating, "open_folder", lambda folder, *_: (folder, SimpleNamespace(splitter="standard")))
    monkeypatch.setattr(evaluating, "choose_runtime", lambda *_: fake.runtime)
    monkeypatch.setattr(evaluating.Tagger, "load", lambda *_, **__: fake)

    def run(**options):
        return polytag.evaluate("fake", str(corpus), columns=["tokens", "pos_tags", "ner_tags"], **options)

    return run


def test_the_mistakes_file_has_every_wrong_sentence_side_by_side(evaluated, tmp_path):
    evaluated(errors=tmp_path / "errors.tsv")
    assert (
        (tmp_path / "errors.tsv").read_text()
        == """\
# test.conll:1 ner
Sylvain\tB-PER\tB-PER\t
works\tO\tO\t
at\tO\tO\t
Hugging\tB-ORG\tO\t*
Face\tI-ORG\tB-ORG\t*

# test.conll:7 ner
Brooklyn\tB-LOC\tB-PER\t*
is\tO\tO\t
big\tO\tB-LOC\t*

# test.conll:7 pos
Brooklyn\tNNP\tNNP\t
is\tVBZ\tVBZ\t
big\tJJ\tNN\t*

"""
    )


def test_a_mistakes_file_is_written_whole_or_not_at_all(evaluated, tmp_path, monkeypatch):
    target = tmp_path / "errors.tsv"
    target.write_text("old")
    with monkeypatch.context() as patch:
        patch.setattr(evaluating.Tagger, "load", lambda *_, **__: (_ for _ in ()).throw(PolytagError("broken")))
        with pytest.raises(PolytagError, match="broken"):
            evaluated(errors=target)
    with monkeypatch.context() as patch:
        patch.setattr(tagged_split, "write_mistakes", _fails_half_way)
        with pytest.raises(RuntimeError, match="half"):
            evaluated(errors=target)
    assert target.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["errors.tsv", "test.conll"]
    with pytest.raises(PolytagError, match="is a folder"):
        evaluated(errors=tmp_path)
    with pytest.raises(PolytagError, match="cannot be written"):
        evaluated(errors=tmp_path / "nowhere" / "errors.tsv")


def _fails_half_way(sink, *_):
    sink.write("half")
    raise RuntimeError("stopped half way")


def test_confusions_are_reported_for_each_task(evaluated):
    tasks = evaluated(confusions=2).tasks
    assert [(c.gold, c.predicted, c.kind, c.count) for c in tasks["ner"].confusions] == [
        ("LOC", "PER", "label", 1),
        ("O", "LOC", "spurious", 1),
    ]
    (tag,) = tasks["pos"].confusions
    assert (tag.gold, tag.predicted, tag.kind, tag.count) == ("JJ", "NN", "tag", 1)
    assert (tag.examples[0].text, tag.examples[0].location) == ("Brooklyn is [big]", "test.conll:7")
    assert evaluated().tasks["ner"].confusions == ()


def test_metrics_are_chosen_for_one_evaluation(evaluated):
    tasks = evaluated(metrics=["partial"], strict=True).tasks
    assert list(tasks["ner"].metrics) == ["spans-strict", "partial"]
    assert tasks["ner"].headline == "f1"
    assert list(tasks["pos"].metrics) == ["tags"]


def test_the_command_shows_intervals_ways_of_counting_and_confusions(evaluated, command, tmp_path):
    corpus = ("--corpus", tmp_path / "test.conll", "--columns", "tokens,pos_tags,ner_tags")
    options = ("--metric", "partial", "--confusions", 3, "--errors", tmp_path / "wrong.tsv")
    shown = command("evaluate", "fake", *corpus, *options)
    assert shown.status == 0, shown.err
    result = evaluated(metrics=["partial"], confusions=3)
    for task in result.tasks.values():
        low, high = task.interval
        assert f"{task.headline} {task.score:.4f} (95% interval {low:.4f} to {high:.4f})" in shown.out
    for text in ("strict", "exact", "type", "most frequent confusions", "Brooklyn is [big]", "boundary"):
        assert text in shown.out
    assert (tmp_path / "wrong.tsv").is_file()
    as_json = json.loads(command("evaluate", "fake", *corpus, *options, "--json").out)
    assert as_json == json.loads(json.dumps(result.to_dict()))
