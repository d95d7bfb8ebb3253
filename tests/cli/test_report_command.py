"""`polytag report`, and `polytag train --report`."""

import json
from pathlib import Path

import pytest

from polytag import runner
from polytag.runner import TrainResult


def test_the_command_writes_a_page_and_its_figures(ner_run: TrainResult, tiny_corpus: Path, tmp_path: Path, command):
    output = tmp_path / "here.html"
    arguments = ("report", ner_run.output, "--corpus", tiny_corpus, "--split", "validation", "--output", output)
    done = command(*arguments)
    assert (done.status, done.out) == (0, f"The report is in {output}, its figures in {output.with_suffix('.json')}.\n")
    assert output.read_text(encoding="utf-8").startswith("<!doctype html>")
    figures = json.loads(output.with_suffix(".json").read_text(encoding="utf-8"))
    scored = command("evaluate", ner_run.output, "--corpus", tiny_corpus, "--split", "validation", "--json")
    evaluation = json.loads(scored.out)
    for name in evaluation["tasks"]:
        evaluation["tasks"][name]["confusions"] = figures["evaluation"]["tasks"][name]["confusions"]
    assert figures["evaluation"] == evaluation
    shown = command(*arguments, "--json")
    assert json.loads(shown.out) == figures


@pytest.mark.parametrize(
    ("output", "problem"), [("report.json", "is an HTML file"), ("missing/report.html", "cannot be written")]
)
def test_a_bad_output_is_said(ner_run: TrainResult, tiny_corpus: Path, tmp_path: Path, command, output, problem):
    done = command("report", ner_run.output, "--corpus", tiny_corpus, "-o", tmp_path / output)
    assert done.status == 2
    assert problem in done.err
    assert list(tmp_path.iterdir()) == []


def test_training_writes_a_report_on_the_test_split(tiny_corpus: Path, tmp_path: Path, command, uncompiled):
    output = tmp_path / "tagger"
    done = command("train", "-t", "ner", "-c", tiny_corpus, "--epochs", 1, "-o", output, "--report")
    assert done.status == 0, done.err
    assert f"The report is in {output / 'report.html'}" in done.err
    figures = json.loads((output / "report.json").read_text(encoding="utf-8"))
    scores = json.loads((output / "scores.json").read_text(encoding="utf-8"))
    assert figures["evaluation"]["split"] == "test"
    assert figures["evaluation"]["tasks"]["ner"]["metrics"] == scores["test"]["tasks"]["ner"]["metrics"]
    assert figures["evaluation"]["tasks"]["ner"]["interval"] == scores["test"]["tasks"]["ner"]["interval"]
    assert figures["training"]["history"] == scores["history"]
    assert "report =" not in (output / "run.toml").read_text(encoding="utf-8")  # the tagger is the same without
    assert "seen in training" in {bucket["dimension"] for bucket in figures["tasks"]["ner"]["buckets"]}
    assert command("predict", output, "-", stdin=b"Anna sleeps.").status == 0


def test_without_a_test_split_it_is_on_what_was_held_out(tiny_corpus: Path, tmp_path: Path, command, uncompiled):
    output = tmp_path / "tagger"
    source = f"train={tiny_corpus / 'train.conll'}"
    assert command("train", "-t", "ner", "-c", source, "--epochs", 1, "-o", output, "--report").status == 0
    figures = json.loads((output / "report.json").read_text(encoding="utf-8"))
    assert figures["evaluation"]["split"] == "validation"
    places = [one["location"] for one in figures["tasks"]["ner"]["mistakes"]]
    assert places
    assert all(place.startswith("held-out sentence ") for place in places)


def test_without_its_extra_training_does_not_begin(tiny_corpus: Path, tmp_path: Path, command, monkeypatch):
    import importlib.util

    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "jinja2" else found(name, *rest)
    )
    monkeypatch.setattr(runner, "make_plan", None)
    done = command("train", "-t", "ner", "-c", tiny_corpus, "-o", tmp_path / "tagger", "--report")
    assert done.status == 2
    assert "pip install 'polytag[report]'" in done.err
