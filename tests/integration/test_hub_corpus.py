"""Corpora of the Hugging Face hub, read from a server on this machine that speaks its protocol."""

import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from polytag import CorpusError, load_corpus
from polytag.corpus.corpus import Corpus
from support.hub_server import Hub, running_hub, use_hub

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
def load(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Corpus]:
    """Load a corpus; caches last as long as the test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)  # the client waits between its attempts to connect

    def load(reference: str, *, url: str = hub.url, offline: bool = False) -> Corpus:
        with monkeypatch.context() as patch:
            use_hub(patch, url, tmp_path / "home", offline=offline)
            return load_corpus(reference)

    return load


@pytest.fixture
def refusal(load: Callable[..., Corpus]) -> Callable[..., str]:
    """Why a corpus cannot be loaded."""

    def refusal(*arguments: str, **where: object) -> str:
        with pytest.raises(CorpusError) as raised:
            load(*arguments, **where)
        return str(raised.value)

    return refusal


def test_conll2003_is_read_from_its_parquet_copy_and_then_from_the_cache(load):
    corpus = load("conll2003")
    assert corpus.reader == "hub"
    assert corpus.splits == ("train", "validation", "test")
    assert corpus.columns == ("ner_tags",)
    assert corpus.words("train") == [["EU", "rejects", "Peter"]]
    assert corpus.tags("train", "ner_tags") == [["B-ORG", "O", "B-PER"]]
    assert list(corpus.labels("ner_tags")) == _NER
    assert load("eriktks/conll2003", offline=True).fingerprint == corpus.fingerprint


def test_a_name_that_nobody_has_is_neither_on_disk_nor_on_the_hub(refusal):
    error = refusal("acme/no-such-corpus")
    assert error.startswith("There is no corpus 'acme/no-such-corpus': neither a file or folder")


def test_a_configuration_follows_a_colon(load, refusal):
    assert load("acme/languages:en").words("train") == [["London"]]
    error = refusal("acme/languages")
    assert "has several configurations: write acme/languages:CONFIGURATION" in error
    assert "'de', 'en'" in error


def test_a_gated_dataset_asks_to_log_in(refusal):
    error = refusal("acme/closed")
    assert "'acme/closed' is gated" in error
    assert "hf auth login" in error


def test_a_script_is_not_executed(refusal):
    error = refusal("acme/script")
    assert "scripts are not executed" in error
    assert "acme/script@refs/convert/parquet" in error


def test_a_revision_that_does_not_exist_is_named_as_the_culprit(refusal):
    assert "no such revision" in refusal("lhoestq/conll2003@v9")


def test_offline_and_not_cached_says_which_variable_to_unset(refusal):
    assert "HF_HUB_OFFLINE=1 forbids" in refusal("conll2003", offline=True)


def test_no_connection_suggests_a_file(refusal):
    error = refusal("conll2003", url="http://127.0.0.1:9")
    assert error.startswith("The hub cannot be reached to read the dataset 'conll2003'")
    assert "give a file or folder" in error
