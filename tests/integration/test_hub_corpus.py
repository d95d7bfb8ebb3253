"""Corpora of the Hugging Face hub, read from a server on this machine that speaks its protocol."""

import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.hub_server import Hub, client_environment, running_hub

_LOAD = """
import json, sys, time
time.sleep = lambda seconds: None  # the client waits between its attempts to connect
from polytag import CorpusError, load_corpus
try:
    corpus = load_corpus(sys.argv[1])
except CorpusError as error:
    print(json.dumps({"error": str(error)}))
else:
    print(json.dumps({
        "reader": corpus.reader,
        "splits": corpus.splits,
        "columns": corpus.columns,
        "words": corpus.words("train"),
        "ner": corpus.tags("train", "ner_tags"),
        "labels": corpus.labels("ner_tags"),
    }))
"""
_CONFIGURATIONS = b"""\
---
configs:
- config_name: de
  data_files: de/train.parquet
- config_name: en
  data_files: en/train.parquet
---
"""
_NER = ["O", "B-PER", "I-PER", "B-ORG"]


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    with running_hub() as server:
        server.add(
            "datasets",
            "lhoestq/conll2003",
            {
                "README.md": b"# CoNLL-2003\n",
                "data/train-00000-of-00001.parquet": parquet(["EU", "rejects", "Peter"], [3, 0, 1]),
                "data/validation-00000-of-00001.parquet": parquet(["Blackburn"], [1]),
                "data/test-00000-of-00001.parquet": parquet(["Japan"], [0]),
            },
        )
        server.add(
            "datasets",
            "acme/languages",
            {
                "README.md": _CONFIGURATIONS,
                "de/train.parquet": parquet(["Bonn"], [3]),
                "en/train.parquet": parquet(["London"], [3]),
            },
        )
        server.add("datasets", "acme/closed", {}, gated=True)
        server.add("datasets", "acme/script", {"README.md": b"# Script\n", "script.py": b"raise SystemExit\n"})
        yield server


def parquet(words: list[str], tags: list[int]) -> bytes:
    import datasets

    features = datasets.Features(
        {
            "tokens": datasets.List(datasets.Value("string")),
            "ner_tags": datasets.List(datasets.ClassLabel(names=_NER)),
        }
    )
    file = io.BytesIO()
    datasets.Dataset.from_dict({"tokens": [words], "ner_tags": [tags]}, features=features).to_parquet(file)
    return file.getvalue()


@pytest.fixture
def load(hub: Hub, tmp_path: Path) -> Callable[..., dict[str, object]]:
    def load(reference: str, *, url: str = hub.url, offline: bool = False) -> dict[str, object]:
        done = subprocess.run(
            [sys.executable, "-c", _LOAD, reference],
            env=client_environment(url, tmp_path / "home", offline=offline),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        answer: dict[str, object] = json.loads(done.stdout)
        return answer

    return load


@pytest.mark.slow
def test_conll2003_is_read_from_its_parquet_copy_and_then_from_the_cache(load):
    corpus = load("conll2003")
    assert corpus == {
        "reader": "hub",
        "splits": ["train", "validation", "test"],
        "columns": ["ner_tags"],
        "words": [["EU", "rejects", "Peter"]],
        "ner": [["B-ORG", "O", "B-PER"]],
        "labels": _NER,
    }
    assert load("eriktks/conll2003", offline=True) == corpus


@pytest.mark.slow
def test_a_name_that_nobody_has_is_neither_on_disk_nor_on_the_hub(load):
    error = load("acme/no-such-corpus")["error"]
    assert error.startswith("There is no corpus 'acme/no-such-corpus': neither a file or folder")


@pytest.mark.slow
def test_a_configuration_follows_a_colon(load):
    assert load("acme/languages:en")["words"] == [["London"]]
    error = load("acme/languages")["error"]
    assert "has several configurations: write acme/languages:CONFIGURATION" in error
    assert "'de', 'en'" in error


@pytest.mark.slow
def test_a_gated_dataset_asks_to_log_in(load):
    error = load("acme/closed")["error"]
    assert "'acme/closed' is gated" in error
    assert "hf auth login" in error


@pytest.mark.slow
def test_a_script_is_not_executed(load):
    error = load("acme/script")["error"]
    assert "scripts are not executed" in error
    assert "acme/script@refs/convert/parquet" in error


@pytest.mark.slow
def test_a_revision_that_does_not_exist_is_named_as_the_culprit(load):
    assert "no such revision" in load("lhoestq/conll2003@v9")["error"]


@pytest.mark.slow
def test_offline_and_not_cached_says_which_variable_to_unset(load):
    assert "HF_HUB_OFFLINE=1 forbids" in load("conll2003", offline=True)["error"]


@pytest.mark.slow
def test_no_connection_suggests_a_file(load):
    error = load("conll2003", url="http://127.0.0.1:9")["error"]
    assert error.startswith("The hub cannot be reached to read the dataset 'conll2003'")
    assert "give a file or folder" in error
