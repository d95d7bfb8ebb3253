"""Learning curves: parts of a corpus, and what more labels would bring."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

import polytag
from polytag import PolytagError
from polytag.corpus.splits import Split
from polytag.searching import learning_curve as module
from polytag.searching.power_law import forecast
from polytag.training.data import part_of

OPTIONS = {"task": "ner", "encoder": "compact", "epochs": 1, "quiet": True}


def test_smaller_parts_are_within_larger_ones_and_have_whole_documents():
    documents = [number for number in range(40) for _ in range(number % 3 + 1)]
    split = Split([[str(index)] for index in range(len(documents))], documents, {})
    parts = [part_of(split, share, seed=3) for share in (0.25, 0.5, 1.0)]
    kept = [{words[0] for words in part.sentences} for part in parts]
    assert kept[0] < kept[1] < kept[2] == {words[0] for words in split.sentences}
    for part in parts:
        assert all(part.documents.count(number) == number % 3 + 1 for number in part.documents)
    assert [len(part.sentences) / len(documents) for part in parts] == pytest.approx([0.25, 0.5, 1], abs=0.04)
    assert part_of(split, 0.25, seed=4) != parts[0]


def test_without_documents_parts_have_single_sentences():
    split = Split([[str(index)] for index in range(8)], None, {"ner": [["O"]] * 8})
    assert len(part_of(split, 0.25, seed=0).sentences) == 2


def test_a_power_law_is_found_again():
    sizes = [500, 1000, 1500, 2000]
    scores = [0.9 - 5 * size**-0.5 for size in sizes]
    sharp = forecast(sizes, scores, [(score - 1e-4, score + 1e-4) for score in scores], 4000)
    assert sharp.score == pytest.approx(0.9 - 5 * 4000**-0.5, abs=2e-3)
    assert sharp.gain == pytest.approx(sharp.score - scores[-1], abs=2e-3)
    unsure = forecast(sizes, scores, [(score - 0.02, score + 0.02) for score in scores], 4000)
    assert np.ptp(unsure.interval) > 5 * np.ptp(sharp.interval)
    assert unsure.interval[0] < sharp.score < unsure.interval[1]


def test_scores_that_no_longer_rise_promise_nothing():
    flat = forecast([100, 200, 300, 400], [0.9, 0.91, 0.9, 0.905], [(0.88, 0.93)] * 4, 800)
    assert flat.gain == pytest.approx(0, abs=0.01)
    assert flat.gain_interval[0] == pytest.approx(0, abs=1e-6)
    assert max(flat.interval) <= 1


def test_no_score_is_above_one():
    steep = forecast([100, 200, 300, 400], [0.5, 0.7, 0.85, 0.97], [(0.48, 0.99)] * 4, 100_000)
    assert 0.97 < steep.score <= 1
    assert max(steep.interval) <= 1


def test_shares_of_one_size_forecast_nothing(tmp_path):
    """A corpus with few sentences, or with one document, has the same part for several shares."""
    scores, intervals = {"ner f1": 0.5}, {"ner f1": (0.4, 0.6)}
    points = [module.CurvePoint(share, 1, 4, scores, intervals, 1.0, tmp_path) for share in (0.1, 0.2, 0.3)]
    assert module.LearningCurve("tiny", "test", tuple(points), "").forecasts() == {}
    more = [replace(point, sentences=number) for number, point in enumerate(points, 1)]
    assert module.LearningCurve("tiny", "test", tuple(more), "").forecasts().keys() == {"ner f1"}


@pytest.mark.usefixtures("uncompiled")
def test_a_curve_is_continued_and_not_trained_again(tiny_corpus, tmp_path, command, monkeypatch):
    trained = []
    usual = module.run
    monkeypatch.setattr(module, "run", lambda *given, **more: trained.append(more["share"]) or usual(*given, **more))
    run = {**OPTIONS, "corpus": str(tiny_corpus), "output": tmp_path / "curve"}
    begun = polytag.learning_curve(shares=[0.5, 1.0], **run)
    assert [point.sentences for point in begun.points] == [pytest.approx(32, abs=6), 64]
    assert begun.split == "test"
    assert not [*begun.outlook()], "two points are too few for a power law"
    arguments = ("--task", "ner", "--corpus", tiny_corpus, "--epochs", 1, "--output", tmp_path / "curve")
    done = command("learning-curve", *arguments, "--shares", "25%,50,100", "--json")
    assert done.status == 0, done.err
    assert trained == [0.5, 1.0, 0.25]
    found = json.loads(done.out)
    assert found["points"][1] == json.loads(json.dumps(asdict(begun.points[0]), default=str))
    assert found["forecasts"]["ner f1"]["sentences"] == 128
    assert polytag.Tagger.load(tmp_path / "curve/025").heads.keys() == {"ner"}
    shown = command("learning-curve", *arguments, "--shares", "25,50,100", environment={"COLUMNS": "120"})
    assert "ner f1: twice as many labels (128 sentences) would give about" in shown.out
    assert trained == [0.5, 1.0, 0.25]
    other = command("learning-curve", *arguments, "--batch-size", 8)
    assert other.status == 2
    assert "has a learning curve with other options: batch_size." in other.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shares": [0, 1]}, "percentages above 0 and at most 100"),
        ({"shares": [0.251, 0.252]}, "differ by less than 1%"),
        ({"workers": 2}, "trained in one process"),
        ({"push": "me/curve"}, "Push one of them afterwards"),
    ],
)
def test_what_cannot_be_trained_is_refused(tmp_path, options, message):
    with pytest.raises(PolytagError, match=message):
        polytag.learning_curve(**OPTIONS, corpus="sample", output=tmp_path / "curve", **options)
    assert not (tmp_path / "curve").exists()
