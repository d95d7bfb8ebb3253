"""The figures of a report: they are those of `evaluate` and `compare`, and add up."""

import json
from collections import Counter
from pathlib import Path

import pytest

import polytag
from polytag import PolytagError, Report
from polytag.runner import TrainResult


@pytest.fixture(scope="module")
def found(joint_run: TrainResult, ner_run: TrainResult, tmp_path_factory: pytest.TempPathFactory) -> Report:
    """A report on three tasks, one of which is compared with another tagger."""
    output = tmp_path_factory.mktemp("report") / "report.html"
    return polytag.report(joint_run.output, "sample", output=output, against=ner_run.output)


@pytest.fixture(scope="module")
def figures(found: Report):
    return json.loads(found.data.read_text(encoding="utf-8"))


def test_a_report_shown_in_a_notebook_is_short(found: Report) -> None:
    assert str(found.page) in repr(found)
    assert len(repr(found)) < 400 + 2 * len(str(found.page))


@pytest.fixture(scope="module")
def evaluation(joint_run: TrainResult):
    result = polytag.evaluate(joint_run.output, "sample", confusions=10_000)
    return json.loads(json.dumps(result.to_dict()))


def test_the_scores_are_those_of_evaluate(figures, evaluation):
    assert figures["evaluation"] == evaluation
    for name, task in figures["tasks"].items():
        main = next(iter(evaluation["tasks"][name]["metrics"].values()))
        rows = {row["label"]: row for row in task["labels"]}
        assert list(rows) == list(main["per_label"])
        for label, row in rows.items():
            assert row.items() >= main["per_label"][label].items()
            assert row["interval"] is None or row["interval"][0] <= row["f1"] <= row["interval"][1]
        assert any(row["interval"] for row in rows.values())


@pytest.mark.parametrize("name", ["ner", "pos", "chunk"])
def test_the_buckets_add_up_to_the_whole(figures, evaluation, name):
    scores = evaluation["tasks"][name]
    overall = next(iter(scores["metrics"].values()))["overall"]
    sums = {}
    for bucket in figures["tasks"][name]["buckets"]:
        total = sums.setdefault(bucket["dimension"], Counter())
        total.update({side: bucket[side] for side in ("gold", "predicted", "correct")})
        low, high = bucket["interval"] or (0, 1)
        assert low <= bucket["score"] <= high
    expected = {"sentence length", "seen in training", "frequency in training", "capitals", "position in the document"}
    assert set(sums) == (expected if name == "pos" else {*expected, "span length"})
    for total in sums.values():
        assert total["gold"] == overall["words" if name == "pos" else "support"]
        score = 2 * total["correct"] / (total["gold"] + total["predicted"])
        assert score == pytest.approx(overall[scores["headline"]], abs=1e-12)


@pytest.mark.parametrize("name", ["ner", "pos"])
def test_the_confusion_matrix_has_every_gold_item_once_and_every_mistake(figures, evaluation, name):
    task, scores = figures["tasks"][name], evaluation["tasks"][name]
    cells = task["confusion"]["cells"]
    rows, columns = Counter(), Counter()
    for cell in cells:
        rows[cell["gold"]] += cell["count"]
        columns[cell["predicted"]] += cell["count"]
    for row in task["labels"]:
        assert rows[row["label"]] == row["support"]
        if row["precision"]:
            right = sum(cell["count"] for cell in cells if (cell["gold"], cell["kind"]) == (row["label"], "correct"))
            assert columns[row["label"]] == pytest.approx(right / row["precision"])
    wrong = {(cell["gold"], cell["predicted"], cell["kind"]): cell["count"] for cell in cells}
    wrong = {key: count for key, count in wrong.items() if key[2] != "correct"}
    assert wrong == {(one["gold"], one["predicted"], one["kind"]): one["count"] for one in scores["confusions"]}
    every = [(one["gold"], one["predicted"], one["kind"]) for some in task["mistakes"] for one in some["mistakes"]]
    assert Counter(every) == wrong


def test_each_mistake_is_in_a_bucket_of_each_dimension(figures):
    for task in figures["tasks"].values():
        known = {(bucket["dimension"], bucket["name"]) for bucket in task["buckets"]}
        dimensions = {dimension for dimension, _ in known}
        for sentence in task["mistakes"]:
            for mistake in sentence["mistakes"]:
                assert set(mistake["buckets"]) == dimensions
                assert set(mistake["buckets"].items()) <= known


def test_the_reliability_diagram_has_every_word_and_the_calibration_error(figures, evaluation):
    for name, task in figures["tasks"].items():
        for side, error in evaluation["tasks"][name]["calibration"].items():
            bins = task["confidence"][side]
            assert sum(bins["words"]) == evaluation["words"]
            gaps = map(lambda sure, right: abs(sure - right), bins["confidence"], bins["correct"])
            assert sum(gaps) / evaluation["words"] == pytest.approx(error, abs=1e-9)


def test_a_threshold_keeps_what_predicting_with_it_keeps(figures, joint_run: TrainResult):
    curve = figures["tasks"]["ner"]["confidence"]["curve"]
    corpus = polytag.load_corpus("sample")
    words = corpus.words("test")
    for step in (0, 500, 900):
        tagger = polytag.Tagger.load(joint_run.output, min_score=step / 1000)
        tagged = tagger.tag_words(words, corpus.documents("test"))
        assert sum(span.task == "ner" for text in tagged for span in text.spans) == curve["kept"][step]


def test_the_comparison_is_that_of_compare(figures, ner_run: TrainResult, joint_run: TrainResult):
    expected = polytag.compare(ner_run.output, joint_run.output, "sample", sentences=10_000).tasks["ner"]
    assert list(figures["against"]["tasks"]) == ["ner"]
    found = figures["against"]["tasks"]["ner"]
    assert (found["a"], found["b"], found["difference"], found["p"], tuple(found["interval"])) == (
        *(expected.a, expected.b, expected.difference, expected.p, expected.interval),
    )
    outcomes = [(one.location, list(one.wrong)) for one in expected.sentences if one.wrong[0] != one.wrong[1]]
    assert sorted((one["location"], one["wrong"]) for one in found["sentences"]) == sorted(outcomes)
    rows = {row["label"]: row["f1"] for row in figures["tasks"]["ner"]["labels"]}
    labels = [bucket for bucket in found["buckets"] if bucket["dimension"] == "label"]
    assert {bucket["name"]: bucket["b"] for bucket in labels} == pytest.approx(rows, abs=1e-12)
    buckets = {(one["dimension"], one["name"]): one["score"] for one in figures["tasks"]["ner"]["buckets"]}
    others = {(one["dimension"], one["name"]): one["b"] for one in found["buckets"] if one["dimension"] != "label"}
    assert {key: others[key] for key in buckets} == buckets


def test_the_run_and_the_corpus_are_shown(figures, joint_run: TrainResult):
    assert figures["training"]["history"] == [epoch.to_dict() for epoch in joint_run.history]
    assert figures["training"]["options"]["task"] == ["ner", "pos", "chunk"]
    assert figures["corpus"]["description"]["splits"]["test"]["words"] == figures["evaluation"]["words"]
    assert figures["corpus"]["findings"] == [finding.to_dict() for finding in polytag.check("sample")]
    assert figures["tasks"]["ner"]["remarks"] == []


def test_without_a_training_split_it_says_what_is_missing(ner_run: TrainResult, tiny_corpus: Path, tmp_path: Path):
    files = f"test={tiny_corpus / 'test.conll'}"
    found = polytag.report(polytag.Tagger.load(ner_run.output), files, output=tmp_path / "here.html")
    (remark,) = found.figures["tasks"]["ner"]["remarks"]
    assert "has no training split" in remark
    assert {one["dimension"] for one in found.figures["tasks"]["ner"]["buckets"]}.isdisjoint(
        {"seen in training", "frequency in training"}
    )
    page = found.page.read_text(encoding="utf-8")
    assert "has no training split" in page
    assert "no learning curves" in page  # a loaded tagger does not know its folder


def test_another_training_split_is_mentioned(ner_run: TrainResult, tiny_corpus: Path, tmp_path: Path):
    found = polytag.report(ner_run.output, str(tiny_corpus), output=tmp_path / "here.html")
    (remark,) = found.figures["tasks"]["ner"]["remarks"]
    assert "trained on another corpus" in remark


def test_a_file_of_predictions_can_be_compared(ner_run: TrainResult, tiny_corpus: Path, tmp_path: Path):
    tagged = ner_run.tagger.tag_words(polytag.load_corpus(str(tiny_corpus)).words("test"))
    (tmp_path / "own.jsonl").write_text("".join(json.dumps(text.to_dict()) + "\n" for text in tagged))
    files = f"test={tiny_corpus / 'test.conll'}"
    found = polytag.report(ner_run.output, files, output=tmp_path / "here.html", against=tmp_path / "own.jsonl")
    comparison = found.figures["against"]["tasks"]["ner"]
    assert (comparison["difference"], comparison["sentences"]) == (0.0, [])


def test_a_system_without_a_common_task_is_refused(ner_run: TrainResult, tmp_path: Path):
    (tmp_path / "pos.jsonl").write_text('{"words": ["a"], "tags": {"pos": ["DT"]}}\n')
    with pytest.raises(PolytagError, match="has no task of the tagger"):
        polytag.report(ner_run.output, "sample", output=tmp_path / "here.html", against=tmp_path / "pos.jsonl")
    assert not list(tmp_path.glob("here*"))


def test_the_page_is_never_named_as_the_figures_are(ner_run: TrainResult, tmp_path: Path):
    with pytest.raises(PolytagError, match="is an HTML file"):
        polytag.report(ner_run.output, "sample", output=tmp_path / "report.json")


def test_a_report_replaces_a_report_and_no_other_file(ner_run: TrainResult, tiny_corpus: Path, tmp_path: Path):
    corpus = tmp_path / "own.json"
    corpus.write_text('{"tokens": ["Bonn"], "ner_tags": ["B-LOC"]}\n')
    before = corpus.read_bytes()
    with pytest.raises(PolytagError, match=r"would replace '.*own.json', which holds something else"):
        polytag.report(ner_run.output, f"test={corpus}", output=tmp_path / "own.html")
    assert [path.name for path in tmp_path.iterdir()] == ["own.json"]
    assert corpus.read_bytes() == before
    files = f"test={tiny_corpus / 'test.conll'}"
    for source in (f"test={corpus}", files):
        found = polytag.report(ner_run.output, source, output=tmp_path / "other.html")
    assert json.loads(found.data.read_text(encoding="utf-8"))["evaluation"]["corpus"] == files


@pytest.mark.parametrize("package", ["matplotlib", "jinja2"])
def test_a_missing_package_is_named_with_its_extra(ner_run: TrainResult, monkeypatch, package: str):
    import importlib.util

    usual = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == package else usual(name, *rest)
    )
    with pytest.raises(PolytagError, match=rf"{package} is not installed.*'polytag\[report\]'"):
        polytag.report(ner_run.output, "sample")


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("run.toml", "task = [", "run.toml is damaged"),
        ("scores.json", '{"history": [{"number": 1}]}', "no list of epochs"),
        ("scores.json", '{"history": [{"number": 1, "loss": "x", "scores": {}}]}', "no list of epochs"),
    ],
)
def test_a_damaged_record_of_the_run_is_said(ner_run: TrainResult, tmp_path: Path, name, content, problem):
    folder = tmp_path / "tagger"
    folder.mkdir()
    for path in ner_run.output.iterdir():
        (folder / path.name).symlink_to(path)
    (folder / name).unlink()
    (folder / name).write_text(content)
    with pytest.raises(PolytagError, match=problem):
        polytag.report(folder, "sample", output=tmp_path / "here.html")
