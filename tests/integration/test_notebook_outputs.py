"""What a notebook and a prompt show of taggers, corpora and results."""

import re
from html.parser import HTMLParser

import pytest

import polytag
from polytag.evaluation.results import Evaluation, TaskEvaluation
from polytag.plugin.metric import Scores

HOSTILE = "<script>alert(1)</script>\u202e"


class Cells(HTMLParser):
    """The texts of an HTML fragment, which has no element that runs anything."""

    def __init__(self, source):
        super().__init__()
        self.texts, self.tags = [], set()
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)

    def handle_data(self, data):
        self.texts.append(data)


def test_a_tagger_is_one_short_line(joint_run):
    assert re.fullmatch(
        r"Tagger\(ner: 9 labels, pos: \d+ labels, chunk: \d+ labels, compact, 5\.\dM parameters\)",
        repr(joint_run.tagger),
    )


def test_a_tagger_of_a_run_has_as_many_parameters_as_the_loaded_one(joint_run):
    model = joint_run.tagger.network
    assert model.n_parameters == joint_run.tagger.model.n_parameters


def test_a_tagger_is_called_with_text_as_tag_is(ner_run):
    text = "Anna lives in Oslo."
    assert ner_run.tagger(text) == ner_run.tagger.tag(text)
    assert ner_run.tagger([text], lines=True, alternatives=2) == ner_run.tagger.tag([text], lines=True, alternatives=2)


def test_a_run_shows_its_history_and_its_scores(ner_run):
    assert repr(ner_run).startswith(f"TrainResult({ner_run.output}, best epoch ")
    assert re.fullmatch(r"History\(2 epochs, best \d: ner f1 0\.\d{4}\)", repr(ner_run.history))
    assert repr(ner_run.test) == f"Evaluation(sample, test, 253 sentences: ner f1 {ner_run.test.score:.4f})"
    shown = ner_run._repr_html_()
    assert ner_run.history._repr_html_() in shown
    assert ner_run.test._repr_html_() in shown


def test_the_scores_of_an_evaluation_are_those_of_its_data(ner_run):
    cells = Cells(ner_run.test._repr_html_()).texts
    (task,) = ner_run.test.tasks.values()
    for label, scores in task.metrics["spans"].per_label.items():
        start = cells.index(label)
        expected = [f"{scores[name]:.4f}" for name in ("precision", "recall", "f1")] + [f"{scores['support']:,}"]
        assert cells[start + 1 : start + 5] == expected
    assert f"ner f1 {task.score:.4f}" in " ".join(cells)


def test_a_history_is_a_curve_and_a_table(ner_run):
    pytest.importorskip("matplotlib", reason="comes with the extra report")
    shown = ner_run.history._repr_html_()
    assert shown == ner_run.history._repr_html_()  # the same epochs give the same bytes
    cells = Cells(shown)
    assert "img" in cells.tags
    for epoch in ner_run.history:
        assert f"{epoch.loss:.4f}" in cells.texts


def test_without_matplotlib_a_history_is_a_table(ner_run, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert Cells(ner_run.history._repr_html_()).tags == {"table", "thead", "tbody", "tr", "th", "td"}


def test_a_corpus_shows_its_splits_and_labels():
    corpus = polytag.load_corpus("sample")
    assert repr(corpus) == (
        "Corpus(sample: train 1,608, validation 253, test 253 sentences; ner_tags, pos_tags, chunk_tags)"
    )
    assert repr(corpus["test"]) == "SentenceTable(253 sentences: tokens, ner_tags, pos_tags, chunk_tags)"
    cells = Cells(corpus._repr_html_()).texts
    assert cells[cells.index("train") : cells.index("train") + 4] == ["train", "192", "1,608", "15,863"]
    assert cells[cells.index("ner_tags") + 1] == "9"


def test_a_comparison_shows_the_difference(ner_run, joint_run):
    found = polytag.compare(ner_run.output, joint_run.output, "sample", "test", task=["ner"], sentences=2)
    (task,) = found.tasks.values()
    assert repr(found).endswith(f"sample, test: ner f1 {task.difference:+.4f})")
    cells = Cells(found._repr_html_()).texts
    assert f"{task.difference:+.4f}" in cells
    assert f"ner: the tags of {task.differing:,} sentences differ" in cells


def test_hostile_names_are_text():
    scores = Scores({"f1": 0.5, HOSTILE: 1.0}, {HOSTILE: {"f1": 0.5, "support": 2}})
    found = Evaluation(HOSTILE, HOSTILE, 1, 1, {HOSTILE: TaskEvaluation({HOSTILE: scores}, "f1")}, "numpy")
    cells = Cells(found._repr_html_())
    assert "script" not in cells.tags
    assert "\u202e" not in "".join(cells.texts)
    assert "<script>alert(1)</script>\\u202e" in cells.texts
