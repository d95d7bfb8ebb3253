"""Files are read, described, checked, converted and scored with few packages; what needs more says so."""

import json
import sys
from pathlib import Path

import pytest

import polytag

ABSENT = {
    "datasets",
    "keras",
    "nervaluate",
    "pandas",
    "pyarrow",
    "scipy",
    "seqeval",
    "sklearn",
    "tensorflow",
    "transformers",
}
COLUMNS = "tokens,pos_tags,chunk_tags,ner_tags"
GOLD = [["B-PER", "I-PER", "O", "B-LOC"], ["B-ORG", "O", "B-LOC"]]
FOUND = [["B-PER", "I-PER", "O", "B-ORG"], ["B-ORG", "O", "B-LOC"]]
SCORED = {"scheme": "iob2", "metrics": ("spans", "spans-strict", "tags")}


@pytest.fixture
def small(monkeypatch):
    """None of the packages can be imported in this test, also where another test has imported them before."""
    loaded = {name for name in sys.modules if name.partition(".")[0] in ABSENT}
    for name in ABSENT | loaded:
        monkeypatch.setitem(sys.modules, name, None)


def column_files(corpus: Path, folder: Path, command) -> Path:
    done = command("corpus", "convert", corpus, folder, "--format", "column")
    assert done.status == 0, done.err
    return folder


@pytest.mark.usefixtures("small")
def test_corpora_in_files_are_described_checked_and_converted(command, polytag_corpus, tmp_path):
    columns = column_files(polytag_corpus, tmp_path / "columns", command)
    described = command("corpus", "describe", columns, "--columns", COLUMNS, "--json")
    assert json.loads(described.out)["columns"]["ner_tags"]["scheme"] == "iob2", described.err
    assert command("corpus", "check", columns, "--columns", COLUMNS).status == 0
    done = command("corpus", "convert", columns, tmp_path / "lines", "--columns", COLUMNS, "--format", "jsonl")
    assert done.status == 0, done.err
    again = polytag.load_corpus(str(tmp_path / "lines"))
    assert again.fingerprint == polytag.load_corpus(str(polytag_corpus)).fingerprint


@pytest.mark.usefixtures("small")
def test_predictions_in_files_are_compared(command, polytag_corpus, tmp_path):
    perfect = column_files(polytag_corpus, tmp_path / "columns", command) / "test.conll"
    other = tmp_path / "other.conll"
    other.write_text(perfect.read_text().replace(" B-PER", " B-LOC"))
    tasks = ("--task", "pos", "--task", "chunk", "--task", "ner")
    compared = command("compare", perfect, other, "--corpus", polytag_corpus, *tasks, "--json")
    assert compared.status == 0, compared.err
    found = json.loads(compared.out)["tasks"]
    assert {name: task["a"] for name, task in found.items()} == {"ner": 1.0, "pos": 1.0, "chunk": 1.0}
    assert found["ner"]["b"] < found["pos"]["b"] == 1.0


def test_scores_are_those_of_the_full_environment(request):
    full = polytag.score(GOLD, FOUND, **SCORED)
    request.getfixturevalue("small")
    assert polytag.score(GOLD, FOUND, **SCORED) == full
    assert full.metrics["spans"].per_label["LOC"] == {"precision": 1.0, "recall": 0.5, "f1": 2 / 3, "support": 2}


@pytest.mark.usefixtures("small")
def test_a_metric_that_needs_a_package_names_it():
    expected = (
        r"'partial' is counted by the package nervaluate, which is not installed\. Install it: pip install polytag"
    )
    with pytest.raises(polytag.PolytagError, match=expected):
        polytag.score(GOLD, FOUND, metrics="partial")


@pytest.mark.usefixtures("small")
def test_a_format_that_needs_a_package_names_it(command, polytag_corpus, tmp_path):
    (tmp_path / "train.parquet").write_bytes(b"PAR1")
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved/dataset_dict.json").write_text('{"splits": ["train"]}')
    expected = "need the package datasets, which is not installed. Install it: pip install polytag\n"
    for source, format in (
        (tmp_path / "train.parquet", "Parquet files"),
        (tmp_path / "saved", "Saved datasets"),
        ("acme/news", "Datasets of the hub"),
    ):
        described = command("corpus", "describe", source)
        assert (described.status, described.err) == (2, f"polytag: {format} {expected}")
    for name, format in (("parquet", "Parquet files"), ("dataset", "Saved datasets")):
        converted = command("corpus", "convert", polytag_corpus, tmp_path / "out", "--format", name)
        assert (converted.status, converted.err) == (2, f"polytag: {format} {expected}")
    assert not (tmp_path / "out").exists()
