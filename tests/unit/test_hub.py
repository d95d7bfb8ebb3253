"""Names on the hub: where they are taken, and what is none. Downloads themselves are tested in tests/integration."""

from pathlib import Path

import pytest

import polytag
from polytag import Tagger, hub
from polytag.runner import TrainResult


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, ner_run: TrainResult) -> list[str]:
    """What the hub is asked for; it has one tagger, under every name."""
    names: list[str] = []

    def snapshot(reference: str, what: str) -> Path:
        names.append(reference)
        return ner_run.output

    monkeypatch.setattr(hub, "snapshot", snapshot)
    return names


def test_a_name_stands_for_the_folder_of_a_tagger(asked, ner_run):
    text = "She moved to Paris."
    assert Tagger.load("acme/ner@v1").tag(text) == ner_run.tagger.tag(text)
    assert polytag.evaluate("acme/ner", "sample", "test").headlines == ner_run.test.headlines
    compared = polytag.compare("acme/ner", str(ner_run.output), "sample", "test")
    assert compared.tasks["ner"].difference == 0
    assert asked == ["acme/ner@v1", "acme/ner", "acme/ner"]


@pytest.mark.parametrize(
    "reference", ["my-tager", "./acme/ner", "../ner", "a/b/c", "/acme/ner", "acme/", Path("acme/ner")]
)
def test_what_is_no_name_is_a_folder(reference, asked):
    with pytest.raises(polytag.TaggerError, match="is not a tagger: it does not exist"):
        Tagger.load(reference)
    assert asked == []


@pytest.mark.parametrize("reference", ["x" * 300, f"./{'x' * 300}", Path("x" * 300)])
def test_what_is_too_long_for_a_path_is_no_tagger(reference, asked):
    with pytest.raises(polytag.TaggerError, match=r"The tagger '.*xxx' cannot be read: File name too long\. Check"):
        Tagger.load(reference)
    assert asked == []


def test_what_is_too_long_for_a_name_is_no_tagger():
    with pytest.raises(polytag.PolytagError, match="xxx' is neither a folder nor the name of a model on the hub"):
        Tagger.load(f"acme/{'x' * 300}")


def test_metadata_of_a_card_that_is_not_there_or_cannot_be_read_is_empty(tmp_path):
    assert hub.metadata(str(tmp_path)) == {}
    (tmp_path / "README.md").write_text("---\nlicense: [mit\n---\n")
    assert hub.metadata(str(tmp_path)) == {}
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\n")
    assert hub.metadata(str(tmp_path)) == {"license": "mit"}
    assert hub.metadata("no name") == {}
