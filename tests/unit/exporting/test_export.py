"""Exports: every encoder in every runtime, the programs beside them, and what is refused."""

from __future__ import annotations

import importlib.util
import json
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import softmax

import polytag
from polytag import EncoderProvider, PolytagError, Tagger
from polytag.builtin import CompactProvider
from polytag.engine.encoders.compact import CompactEncoder
from polytag.engine.encoders.pretrained import create
from polytag.engine.graph_files import open_savedmodel
from polytag.engine.loop import seed_everything
from polytag.engine.model import TaggerModel
from polytag.exporting.export import Export
from polytag.runner import TrainResult
from polytag.tagger import runtimes
from polytag.tagger.heads import TaskHead
from polytag.tagger.onnx_network import OnnxNetwork
from support.checkpoints import FAMILIES, POSITIONS, make_checkpoint

ENCODERS = ("compact", *FAMILIES)
RUNTIMES = ("savedmodel", "onnx", "litert")
TASKS = {"ner": ("O", "B-PER", "I-PER", "B-LOC", "I-LOC"), "pos:fine": ("NN", "NNP", "VBZ", ".")}
WORDS = ["EU", "rejects", "German", "call", "to", "boycott", "British", "lamb", "in", "Liechtenstein", "."]
SHAPES = [(1, 1), (1, 7), (3, 12), (9, POSITIONS - 2)]

# These have the network of RoBERTa, and tokenizers of their own.
ROBERTAS = ("xlm-roberta", "camembert")
PAIRS = [(name, to) for name in ENCODERS for to in (("onnx",) if name in ROBERTAS else RUNTIMES)]

each_pair = pytest.mark.parametrize(("encoder", "to"), PAIRS)
each_runtime = pytest.mark.parametrize("to", RUNTIMES)


@pytest.fixture(scope="module")
def taggers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tagger]:
    """A tagger with two tasks and random weights over each encoder; decoding by argmax, as the programs do."""
    root = tmp_path_factory.mktemp("checkpoints")
    found = {}
    for name in ENCODERS:
        seed_everything(0)
        encoder = CompactEncoder() if name == "compact" else create(str(make_checkpoint(root / name, name)))
        model = TaggerModel(encoder, TASKS)
        for head in model.heads.values():
            head.kernel.assign(np.random.default_rng(0).normal(size=head.kernel.shape))
        schemes = {"ner": "iob2", "pos:fine": "flat"}
        heads = {task: TaskHead(labels, schemes[task], "first", "argmax") for task, labels in TASKS.items()}
        found[name] = Tagger(model, heads)
    return found


@pytest.fixture(scope="module")
def exported(taggers: dict[str, Tagger], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Export]:
    """Export each once, when it is asked for."""
    root, sample = tmp_path_factory.mktemp("exports"), polytag.load_corpus("sample")
    done: dict[tuple[str, str], Export] = {}

    def get(encoder: str, to: str) -> Export:
        if (encoder, to) not in done:
            done[encoder, to] = polytag.export(taggers[encoder], root / f"{encoder}-{to}", to, corpus=sample)
        return done[encoder, to]

    return get


@pytest.fixture(scope="module")
def onnx(exported: Callable[[str, str], Export]) -> Path:
    return exported("bert", "onnx").output


def open_run(export: Export) -> runtimes.Run:
    folder = export.output
    if export.to == "savedmodel":
        return open_savedmodel(folder / "1")
    if export.to == "onnx":
        return OnnxNetwork(folder / "model.onnx", {task: len(labels) for task, labels in TASKS.items()})
    return runtimes.open_litert(folder / "model.tflite")


# What comes out


@each_pair
def test_every_encoder_tags_the_same_in_every_runtime(
    exported: Callable[[str, str], Export], encoder: str, to: str
) -> None:
    export = exported(encoder, to)
    assert export.agreement == {"ner": 1.0, "pos:fine": 1.0}
    assert export.runtime == {"savedmodel": "TensorFlow", "onnx": "ONNX Runtime", "litert": "LiteRT"}[to]
    assert (export.corpus, export.sentences) == ("sample", 200)
    assert export.words > 1000


@each_pair
def test_batches_and_lengths_of_all_sizes_give_the_same_probabilities(
    taggers: dict[str, Tagger], exported: Callable[[str, str], Export], encoder: str, to: str
) -> None:
    run = open_run(exported(encoder, to))
    network = taggers[encoder].network
    random = np.random.default_rng(1)
    for batch, length in SHAPES:
        ids = random.integers(5, 80, (batch, length, network.encoder.n_features)).astype(np.int32)
        mask = np.arange(length) < random.integers(1, length + 1, (batch, 1))
        expected = network(ids, mask, training=False)
        found = run(ids, mask)
        assert set(found) == set(TASKS)
        for task, logits in expected.items():
            probabilities = softmax(np.asarray(logits), axis=-1)
            assert found[task].shape == (batch, length, len(TASKS[task]))
            np.testing.assert_allclose(found[task][mask], probabilities[mask], atol=1e-4)


def test_words_seen_twice_and_sentences_of_padding_are_no_exception(
    taggers: dict[str, Tagger], exported: Callable[[str, str], Export]
) -> None:
    """The ONNX model of `compact` embeds each distinct word once, and computes nothing for padding."""
    run, network = open_run(exported("compact", "onnx")), taggers["compact"].network
    ids = np.stack([network.encoder.encode(words).ids for words in (WORDS, ["EU"] * len(WORDS), WORDS[::-1])])
    for lengths in ([11, 4, 7], [0, 11, 1], [0, 0, 0]):
        mask = np.arange(len(WORDS)) < np.array(lengths)[:, None]
        expected, found = network(ids, mask, training=False), run(ids, mask)
        for task, logits in expected.items():
            assert found[task].shape == logits.shape
            np.testing.assert_allclose(found[task][mask], softmax(np.asarray(logits), axis=-1)[mask], atol=1e-5)


@pytest.mark.parametrize("encoder", ["compact", "bert", "roberta"])
@each_runtime
def test_the_program_beside_an_export_runs_it(
    taggers: dict[str, Tagger],
    exported: Callable[[str, str], Export],
    encoder: str,
    to: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = exported(encoder, to).output
    monkeypatch.syspath_prepend(folder)  # as Python does for a program
    program = runpy.run_path(str(folder / "example.py"))
    expected = taggers[encoder].predict_tags([WORDS])
    assert program["tags"](WORDS) == {task: tags[0] for task, tags in expected.items()}
    assert program["LABELS"] == {task: list(labels) for task, labels in TASKS.items()}


@pytest.mark.parametrize("to", ["savedmodel", "litert"])
def test_nobody_is_warned_of_gradients_that_an_export_lacks(
    taggers: dict[str, Tagger], tmp_path: Path, caplog: pytest.LogCaptureFixture, to: str
) -> None:
    polytag.export(taggers["bert"], tmp_path / to, to)
    assert caplog.messages == []


def test_the_program_can_be_started(taggers: dict[str, Tagger], onnx: Path) -> None:
    done = subprocess.run([sys.executable, onnx / "example.py", *WORDS], capture_output=True, text=True, check=True)
    tags = taggers["bert"].predict_tags([WORDS])
    expected = [" ".join([task, *map("/".join, zip(WORDS, row[0], strict=True))]) for task, row in tags.items()]
    assert sorted(done.stdout.splitlines()) == sorted(expected)


def test_a_savedmodel_has_the_layout_and_names_that_tensorflow_serving_wants(
    exported: Callable[[str, str], Export],
) -> None:
    import tensorflow as tf

    for encoder, ids in (("bert", "input_ids"), ("compact", "feature_ids")):
        loaded = tf.saved_model.load(str(exported(encoder, "savedmodel").output / "1"))
        signature = loaded.signatures["serving_default"]
        assert set(signature.structured_input_signature[1]) == {ids, "attention_mask"}
        assert set(signature.structured_outputs) == set(TASKS)


def test_one_task_of_several_can_be_exported(taggers: dict[str, Tagger], tmp_path: Path) -> None:
    export = polytag.export(taggers["compact"], tmp_path / "ner", "onnx", task="ner")
    assert export.agreement == {"ner": 1.0}
    assert list(Tagger.load(tmp_path / "ner").heads) == ["ner"]


def test_eight_bits_make_it_smaller_and_the_agreement_is_measured(
    ner_run: TrainResult, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = polytag.export(ner_run.tagger, tmp_path / "whole", "onnx")
    small = polytag.export(ner_run.output, tmp_path / "small", "onnx", quantize="int8", corpus="sample")
    assert caplog.messages == []
    sizes = [(export.output / "model.onnx").stat().st_size for export in (whole, small)]
    assert sizes[1] < sizes[0] / 3
    assert 0.95 < small.agreement["ner"] <= whole.agreement["ner"] == 1.0
    described = json.loads((small.output / "polytag.json").read_text())["export"]
    assert described["quantize"] == "int8"
    assert described["checked"]["agreement"] == small.agreement


# A tagger in ONNX Runtime


@pytest.mark.parametrize("encoder", ["compact", "bert", "roberta"])
def test_a_tagger_in_onnx_runtime_is_the_same_tagger(
    taggers: dict[str, Tagger], exported: Callable[[str, str], Export], encoder: str
) -> None:
    other = Tagger.load(exported(encoder, "onnx").output, runtime="onnx")
    sentences = [WORDS, WORDS * 9, [""], ["\x00", "😀", "x" * 900], ["EU"]]
    assert other.predict_tags(sentences) == taggers[encoder].predict_tags(sentences)
    text = "EU rejects German call. Peter Blackburn met Angela Merkel in Berlin on Thursday!"
    mine, yours = taggers[encoder].tag(text), other.tag(text)
    assert mine.tags == yours.tags
    assert mine.offsets == yours.offsets
    np.testing.assert_allclose(mine.scores["ner"], yours.scores["ner"], atol=1e-4)


def test_a_tagger_in_onnx_runtime_can_be_scored(ner_run: TrainResult, tmp_path: Path) -> None:
    polytag.export(ner_run.output, tmp_path / "onnx", "onnx")
    there = polytag.evaluate(tmp_path / "onnx", "sample", "test")
    here = polytag.evaluate(ner_run.tagger, "sample", "test")
    assert there.headlines == here.headlines


def test_tensorflow_is_not_loaded_for_it(onnx: Path) -> None:
    code = (
        "import sys, polytag; polytag.Tagger.load(sys.argv[1]).tag('Peter sleeps.');"
        "print(sorted({'tensorflow', 'keras', 'transformers', 'datasets'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, onnx], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("to", ["onnx", "litert"])
def test_what_is_too_large_for_one_file_is_refused(
    taggers: dict[str, Tagger], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: str
) -> None:
    monkeypatch.setattr("polytag.exporting.export.LARGEST_GRAPH", 1000)
    with pytest.raises(PolytagError, match=f"a file for {to} can have at most .* Export to savedmodel or transformers"):
        polytag.export(taggers["bert"], tmp_path / to, to)
    assert not list(tmp_path.iterdir())


def test_an_encoder_that_needs_polytag_to_encode_words_has_no_example(
    taggers: dict[str, Tagger], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(taggers["compact"].encoder), "example_inputs", None)
    polytag.export(taggers["compact"], tmp_path / "saved", "savedmodel")
    assert "example.py" not in {path.name for path in (tmp_path / "saved").iterdir()}


# Transformers checkpoints


def test_one_task_becomes_a_transformers_checkpoint_and_stays_a_tagger(
    taggers: dict[str, Tagger], tmp_path: Path
) -> None:
    for task in TASKS:
        export = polytag.export(taggers["bert"], tmp_path / task, "transformers", task=task)
        assert export.agreement == {task: 1.0}
        config = json.loads((tmp_path / task / "config.json").read_text())
        assert tuple(config["id2label"].values()) == TASKS[task]
        assert config["architectures"] == ["BertForTokenClassification"]
        again = Tagger.load(tmp_path / task)
        assert again.predict_tags([WORDS])[task] == taggers["bert"].predict_tags([WORDS])[task]
        assert 'aggregation_strategy="first"' in (tmp_path / task / "example.py").read_text()


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="transformers runs its models in PyTorch")
@pytest.mark.parametrize("family", FAMILIES)
def test_a_transformers_pipeline_tags_the_same(taggers: dict[str, Tagger], tmp_path: Path, family: str) -> None:
    from transformers import pipeline

    export = polytag.export(taggers[family], tmp_path / "ner", "transformers", task="ner")
    assert export.runtime == "PyTorch"  # which also means: no weight was missing, and none left over
    assert export.agreement == {"ner": 1.0}
    # Short enough not to be truncated by the pipeline. Ungrouped: in these small vocabularies a word can begin with a
    # lone "▁", behind which a group of "first" ends.
    words, found = WORDS[:6], {}
    text = " ".join(words)
    tag = pipeline("token-classification", model=str(tmp_path / "ner"), ignore_labels=[])
    for token in tag(text):
        part = text[token["start"] : token["end"]]
        found.setdefault(text[: token["start"]].count(" ") + part.startswith(" "), token["entity"])
    (expected,) = Tagger.load(tmp_path / "ner", decoding="argmax").predict_tags([words])["ner"]
    assert found == dict(enumerate(expected))
    grouped = runpy.run_path(str(tmp_path / "ner" / "example.py"))["tag"](text)
    assert all(span["entity_group"] in {"PER", "LOC"} for span in grouped)


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="transformers runs its models in PyTorch")
def test_transformers_draws_no_progress_bar(
    taggers: dict[str, Tagger], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert polytag.export(taggers["bert"], tmp_path / "ner", "transformers", task="ner").runtime == "PyTorch"
    assert "%|" not in capfd.readouterr().err


# What is refused


def fails(*arguments: Any, **options: Any) -> str:
    with pytest.raises(PolytagError) as error:
        polytag.export(*arguments, **options)
    return str(error.value)


def test_what_cannot_be_is_said(taggers: dict[str, Tagger], onnx: Path, tmp_path: Path) -> None:
    bert, compact, output = taggers["bert"], taggers["compact"], tmp_path / "out"
    assert "Did you mean 'savedmodel'" in fails(bert, output, "saved-model")
    assert "Only onnx can be quantised" in fails(bert, output, "litert", quantize="int8")
    assert "no quantisation 'int4'" in fails(bert, output, "onnx", quantize="int4")
    assert "Choose one with --task" in fails(bert, output, "transformers")
    assert "no task of this tagger named 'nre'" in fails(bert, output, "onnx", task="nre")
    assert "Choose savedmodel, onnx or litert" in fails(compact, output, "transformers", task="ner")
    assert "Name the tagger it was made from" in fails(onnx, output, "litert")
    assert "already has a tagger" in fails(bert, onnx, "onnx")
    assert "is not a tagger" in fails(tmp_path / "nowhere", output, "onnx")
    assert list(tmp_path.iterdir()) == []


def test_an_encoder_that_litert_has_no_operations_for_is_refused(
    taggers: dict[str, Tagger], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("polytag.engine.portable_graph.PortableGraph._rewrite_new_axes", lambda graph, node: None)
    assert "Export to onnx or savedmodel" in fails(taggers["deberta-v2"], tmp_path / "out", "litert")
    assert list(tmp_path.iterdir()) == []


def test_a_task_named_like_an_input_of_onnx_is_refused(tmp_path: Path) -> None:
    tasks = {"attention_mask": ("a", "b"), "pos": ("c", "d")}
    heads = {task: TaskHead(labels, "flat", "first", "argmax") for task, labels in tasks.items()}
    tagger = Tagger(TaggerModel(CompactEncoder(), tasks), heads)
    assert "'attention_mask' is named like an input of the network" in fails(tagger, tmp_path / "out", "onnx")
    assert not (tmp_path / "out").exists()


def test_an_encoder_without_a_network_in_onnx_is_refused(
    taggers: dict[str, Tagger], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CompactProvider, "onnx_network", EncoderProvider.onnx_network)
    message = fails(taggers["compact"], tmp_path / "out", "onnx")
    assert "'compact' has no network in ONNX: its plugin does not define EncoderProvider.onnx_network" in message
    assert list(tmp_path.iterdir()) == []


def test_an_export_is_replaced_when_that_is_asked_for(taggers: dict[str, Tagger], tmp_path: Path) -> None:
    polytag.export(taggers["compact"], tmp_path / "out", "savedmodel")
    polytag.export(taggers["compact"], tmp_path / "out", "onnx", overwrite=True)
    assert not (tmp_path / "out" / "1").exists()
    assert (tmp_path / "out" / "model.onnx").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_tilde_is_the_home_of_the_user(ner_run: TrainResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(PolytagError, match=f"'{tmp_path}' is not empty and has no tagger"):
        polytag.export(ner_run.output, "~", "savedmodel")


def test_an_export_that_disagrees_is_not_written(
    taggers: dict[str, Tagger], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(path: Path, labels: dict[str, int]) -> runtimes.Run:
        run = OnnxNetwork(path, labels)
        return lambda ids, mask: {task: scores[..., ::-1] for task, scores in run(ids, mask).items()}

    monkeypatch.setattr("polytag.exporting.writers.OnnxNetwork", wrong)
    message = fails(taggers["compact"], tmp_path / "out", "onnx")
    assert "disagrees" in message
    assert "99.9%" in message
    message = fails(taggers["compact"], tmp_path / "out", "onnx", quantize="int8")
    assert "95.0%" in message
    assert "Export without --quantize" in message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("to", "missing", "expected"),
    [
        ("onnx", "onnxruntime", "pip install 'polytag[onnx]'"),
        ("onnx", "onnx", "pip install 'polytag[onnx]'"),
        ("litert", "ai_edge_litert", "pip install 'polytag[litert]'"),
    ],
)
def test_a_missing_package_is_named_with_the_extra_that_brings_it(
    taggers: dict[str, Tagger], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: str, missing: str, expected: str
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == missing else find(name, *rest))
    message = fails(taggers["compact"], tmp_path / "out", to)
    assert missing.replace("_", "-") in message
    assert expected in message


def test_without_onnx_runtime_an_export_says_what_it_needs(onnx: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(PolytagError, match="pip install onnxruntime"):
        Tagger.load(onnx)


def test_a_folder_is_for_one_runtime(ner_run: TrainResult, exported: Callable[[str, str], Export], onnx: Path) -> None:
    for folder, runtime, message in (
        (ner_run.output, "onnx", "polytag export .* --in-place"),
        (onnx, "tensorflow", "TensorFlow cannot run it"),
        (onnx, "numpy", "NumPy cannot run it"),
        (onnx, "tensorrt", "Choose one of: tensorflow, onnx, onnx-int8, numpy"),
        (exported("compact", "litert").output, None, "export for litert, which polytag does not load"),
        (exported("compact", "savedmodel").output, "onnx", "export for savedmodel"),
    ):
        with pytest.raises(PolytagError, match=message):
            Tagger.load(folder, runtime=runtime)


def test_an_export_cannot_be_saved(onnx: Path, tmp_path: Path) -> None:
    with pytest.raises(PolytagError, match="be neither saved"):
        Tagger.load(onnx).save(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "units.json"])
def test_a_damaged_export_is_refused(onnx: Path, tmp_path: Path, name: str) -> None:
    for path in onnx.iterdir():
        (tmp_path / path.name).write_bytes(b"{" if path.name == name else path.read_bytes())
    advice = "Restore it from a copy" if name == "model.onnx" else "Export the tagger again"
    with pytest.raises(PolytagError, match=advice):
        Tagger.load(tmp_path)
