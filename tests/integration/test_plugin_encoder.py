"""A plugin's encoder over checkpoints gets all that core's own gets: nothing in core asks for an encoder by name."""

from __future__ import annotations

import json
import re
import runpy
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

import polytag
from polytag import Encoder, EncoderProvider
from polytag.builtin import PretrainedProvider
from polytag.corpus.check.check import check
from polytag.engine.encoders.pretrained import PretrainedEncoder
from polytag.plugin.manager import PluginManager, isolated
from polytag.plugin.registry import registry
from polytag.runner import TrainResult
from polytag.testing import cases
from polytag.testing.contracts import Workbench
from support.checkpoints import make_checkpoint, make_classifier
from support.letters import LetterEncoder

ROOT = Path(polytag.__file__).parent
MARK = "of-acme"
"""The plugin takes what has this in its name, and leaves the rest to others."""

WORDS = ["EU", "rejects", "German", "call", "to", "boycott", "British", "lamb", "."]


class AcmeEncoder(PretrainedEncoder):
    provider: ClassVar[str] = "acme.checkpoints"


class AcmeProvider(PretrainedProvider):
    name: ClassVar[str] = "acme.checkpoints"
    summary: ClassVar[str] = "checkpoints as Acme reads them"

    def accepts(self, reference: str) -> bool:
        return MARK in reference

    def create(self, reference: str) -> Encoder:
        return owned(super().create(reference))

    def restore(self, folder: Path) -> Encoder:
        return owned(super().restore(folder))

    def restores_transformers(self, folder: Path) -> bool:
        return MARK in folder.name


def owned(encoder: Encoder) -> Encoder:
    encoder.__class__ = AcmeEncoder
    return encoder


class Acme:
    @polytag.hookimpl
    def polytag_encoders(self) -> Sequence[EncoderProvider]:
        return [AcmeProvider()]


@pytest.fixture(scope="module", autouse=True)
def plugin() -> Iterator[None]:
    """Every test has the plugin installed."""
    with isolated(PluginManager(environ={})) as manager:
        manager.register(Acme(), "acme", "acme", "1.0")
        yield


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_checkpoint(tmp_path_factory.mktemp("checkpoints") / f"bert-{MARK}", "bert")


@pytest.fixture(scope="module")
def run(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory, tiny_corpus: Path) -> TrainResult:
    return polytag.train(
        task="ner",
        corpus=str(tiny_corpus),
        encoder=str(checkpoint),
        output=tmp_path_factory.mktemp("taggers") / "ner",
        epochs=1,
        quiet=True,
    )


def test_its_tagger_is_saved_and_loaded(run: TrainResult) -> None:
    saved = json.loads((run.output / "polytag.json").read_text())
    assert saved["encoder"]["provider"] == "acme.checkpoints"
    again = polytag.Tagger.load(run.output)
    assert type(again.encoder) is AcmeEncoder
    assert again.predict_tags([WORDS]) == run.tagger.predict_tags([WORDS])


def test_its_tagger_is_exported_to_transformers(run: TrainResult, tmp_path: Path) -> None:
    export = polytag.export(run.output, tmp_path / "out", "transformers")
    assert export.agreement == {"ner": 1.0}
    assert json.loads((tmp_path / "out" / "config.json").read_text())["architectures"] == ["BertForTokenClassification"]
    assert "pipeline(" in (tmp_path / "out" / "example.py").read_text()


def test_its_export_to_onnx_encodes_words_with_and_without_polytag(run: TrainResult, tmp_path: Path) -> None:
    polytag.export(run.output, tmp_path / "out", "onnx")
    (expected,) = run.tagger.decoded_by("argmax").predict_tags([WORDS])["ner"]
    there = polytag.Tagger.load(tmp_path / "out", decoding="argmax")
    assert there.predict_tags([WORDS])["ner"] == [expected]
    assert runpy.run_path(str(tmp_path / "out" / "example.py"))["tags"](WORDS)["ner"] == expected


def test_its_card_is_that_of_a_transformers_checkpoint(run: TrainResult) -> None:
    card = (run.output / "README.md").read_text()
    assert "library_name: transformers" in card
    assert "fine-tuned" in card
    assert "AutoModelForTokenClassification" in card or "pipeline(" in card


def test_its_tokenizer_is_asked_when_a_corpus_is_checked(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AcmeProvider, "create", None)  # no network is needed
    monkeypatch.setattr(PretrainedProvider, "coder", core_is_not_asked(PretrainedProvider.coder))
    path = tmp_path / "train.conll"
    path.write_text("EU B-ORG\n\x01 O\n日 O\n", encoding="utf-8")
    found = {finding.code: finding.count for finding in check(polytag.load_corpus(str(path)), encoder=str(checkpoint))}
    assert found["no-subwords"] == 1
    assert found["unknown-to-encoder"] == 1


def core_is_not_asked(coder: Any) -> Any:
    def own(provider: PretrainedProvider, reference: str) -> Any:
        assert type(provider) is AcmeProvider
        return coder(provider, reference)

    return own


def test_an_encoder_that_cannot_tell_what_it_reads_is_noted(
    checkpoint: Path, tiny_corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AcmeProvider, "coder", lambda *_: LetterEncoder())
    found = check(polytag.load_corpus(str(tiny_corpus)), encoder=str(checkpoint))
    assert "encoder-not-checked" in {finding.code for finding in found}


@pytest.mark.parametrize(("name", "provider"), [(f"bert-{MARK}", "acme.checkpoints"), ("bert", "pretrained")])
def test_a_token_classifier_is_restored_by_the_plugin_that_knows_it(tmp_path: Path, name: str, provider: str) -> None:
    labels = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
    folder = make_classifier(tmp_path / name, "bert", labels)
    assert polytag.Tagger.load(folder).network.encoder.provider == provider


def test_an_encoder_over_checkpoints_keeps_its_contracts(checkpoint: Path, tmp_path: Path) -> None:
    promises = {"its declared properties are correct", "an export encodes words in the same way"}
    of_encoder = [case for case in cases("acme") if case.contract.promise in promises]
    assert len(of_encoder) == len(promises)
    for case in of_encoder:
        case.run(Workbench(registry(), tmp_path, encoders={"acme.checkpoints": str(checkpoint)}))


def test_core_asks_for_no_encoder_by_name() -> None:
    registered = ("builtin.py", "engine/encoders/")
    default = ("training/config.py",)
    named = [
        name
        for path in ROOT.rglob("*.py")
        if not (name := path.relative_to(ROOT).as_posix()).startswith((*registered, *default))
        and re.search("[\"'](pretrained|compact)[\"']", path.read_text(encoding="utf-8"))
    ]
    assert named == []
