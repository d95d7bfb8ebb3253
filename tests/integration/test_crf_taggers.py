"""A tagger with a CRF is trained, saved, loaded in every runtime, exported, and resumed like any other."""

import importlib.util
import json
import pickle
import runpy
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polytag
from polytag import PolytagError, Reporter, Tagger
from polytag.encoding.tensors import read_tensors
from polytag.runner import TrainResult
from support.checkpoints import make_checkpoint

SENTENCES = [["Peter", "Blackburn", "lives", "in", "New", "York", "."], ["EU"], ["He", "sleeps", "."]]
FORBIDDEN = -10_000

needs_onnx = pytest.mark.skipif(importlib.util.find_spec("onnxruntime") is None, reason="the extra onnx is missing")


def options(corpus: Path, output: Path, **more: Any) -> dict[str, Any]:
    given = {"task": ("ner", "pos"), "corpus": str(corpus), "output": output, "decoding": "crf", "quiet": True}
    return {**given, "epochs": 2, "batch_size": 8, "learning_rate": 5e-3, "precision": "float32", **more}


@pytest.fixture(scope="module")
def run(tiny_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainResult:
    return polytag.train(**options(tiny_corpus, tmp_path_factory.mktemp("crf") / "tagger", checkpoint_every=3))


def same(one: Tagger, other: Tagger) -> None:
    for first, second in zip(one.tag_words(SENTENCES), other.tag_words(SENTENCES), strict=True):
        assert first.tags == second.tags
        for task, scores in first.scores.items():
            assert scores == pytest.approx(second.scores[task], abs=1e-4)


def test_transitions_are_learned_where_the_scheme_allows_them(run: TrainResult) -> None:
    tensors, heads = read_tensors(run.output), run.tagger.heads
    for task, head in heads.items():
        transitions = tensors[f"classifiers.{task}.transitions"]
        assert transitions.shape == (len(head.labels) + 1,) * 2
        allowed = transitions > FORBIDDEN / 2
        assert (transitions[~allowed] == FORBIDDEN).all()
        assert np.count_nonzero(transitions[allowed]) > 0.9 * (allowed.sum() - 1)
    ner, labels = tensors["classifiers.ner.transitions"], heads["ner"].labels
    assert ner[labels.index("O"), labels.index("I-PER")] == ner[-1, labels.index("I-PER")] == FORBIDDEN
    assert (tensors["classifiers.pos.transitions"] > FORBIDDEN / 2).all()


def test_every_runtime_gives_its_tags_and_probabilities(run: TrainResult) -> None:
    loaded = Tagger.load(run.output, runtime="numpy")
    assert {head.decoding for head in loaded.heads.values()} == {"crf"}
    same(run.tagger, loaded)
    in_tensorflow = Tagger.load(run.output, runtime="tensorflow")
    same(loaded, in_tensorflow)
    same(loaded, pickle.loads(pickle.dumps(in_tensorflow)))
    (evaluation, *_) = polytag.evaluate(loaded, run.tagger.details["corpus"]["reference"], "test").tasks.values()
    assert run.test is not None
    assert evaluation.score == run.test.tasks["ner"].score


@needs_onnx
def test_exports_decode_with_the_transitions(run: TrainResult, tmp_path: Path) -> None:
    expected = Tagger.load(run.output)
    done = polytag.export(run.output, tmp_path / "onnx")
    assert set(done.agreement.values()) == {1.0}
    same(expected, Tagger.load(tmp_path / "onnx"))
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(tmp_path / "onnx")
        example = runpy.run_path(str(tmp_path / "onnx" / "example.py"))
        sys.modules.pop("word_hashes", None)
    assert "the most probable sequence of labels" in example["__doc__"]
    tagged = expected.predict_tags(SENTENCES)
    assert [example["tags"](words) for words in SENTENCES] == [
        {task: rows[number] for task, rows in tagged.items()} for number in range(len(SENTENCES))
    ]
    (tmp_path / "onnx" / "heads.json").write_text("{}")
    with pytest.raises(PolytagError, match=r"no tensor 'classifiers\.ner\.transitions'"):
        Tagger.load(tmp_path / "onnx")


def test_words_can_be_decoded_by_their_probabilities_alone(run: TrainResult, ner_run: TrainResult) -> None:
    argmax = Tagger.load(run.output, "argmax")
    (found,) = argmax.tag_words(SENTENCES[:1], alternatives=1)
    assert found.alternatives is not None
    for task, tags in found.tags.items():
        assert tags == [label for ((label, _),) in found.alternatives[task]]
    with pytest.raises(PolytagError, match=r"not trained to be decoded by 'crf'. Choose viterbi or argmax, or train"):
        Tagger.load(ner_run.output, "crf")


class Stop(Reporter):
    """Ends a run in the middle."""

    def step(self, progress: polytag.Progress) -> None:
        if (progress.epoch, progress.step) == (2, 5):
            raise RuntimeError


def test_a_resumed_run_ends_like_one_that_was_never_interrupted(
    run: TrainResult, tiny_corpus: Path, tmp_path: Path
) -> None:
    again = options(tiny_corpus, tmp_path / "tagger", checkpoint_every=3)
    with pytest.raises(RuntimeError):
        polytag.train(**again, callbacks=[Stop()])
    polytag.train(**again, resume=True)
    for name in ("model.safetensors", "polytag.json"):
        assert (tmp_path / "tagger" / name).read_bytes() == (run.output / name).read_bytes()


@pytest.mark.usefixtures("uncompiled")
def test_a_run_goes_on_from_the_transitions_of_a_tagger(run: TrainResult, tiny_corpus: Path, tmp_path: Path) -> None:
    given = options(tiny_corpus, tmp_path / "tagger", epochs=1, learning_rate=1e-12, from_=str(run.output), task="ner")
    polytag.train(**given)
    old, new = read_tensors(run.output), read_tensors(tmp_path / "tagger")
    assert np.allclose(old["classifiers.ner.transitions"], new["classifier.transitions"], atol=1e-6)


@pytest.mark.usefixtures("uncompiled")
def test_transitions_that_are_not_kept_are_said(run: TrainResult, tiny_corpus: Path, tmp_path: Path) -> None:
    said: list[str] = []

    class Listener(Reporter):
        def message(self, text: str) -> None:
            said.append(text)

    given = options(tiny_corpus, tmp_path / "tagger", epochs=1, from_=str(run.output), task="ner", decoding="viterbi")
    polytag.train(**given, callbacks=[Listener()])
    (kept,) = (text for text in said if "The head of ner is kept" in text)
    assert kept.endswith("like its encoder; what its decoding 'crf' learnt in addition is not.")


@pytest.mark.usefixtures("uncompiled")
def test_sentences_longer_than_a_window_and_packed_ones_are_trained_on(tiny_corpus: Path, tmp_path: Path) -> None:
    for context in ("sentence", "document"):
        given = options(tiny_corpus, tmp_path / context, epochs=1, window=12, context=context, task="ner", accumulate=2)
        result = polytag.train(**given)
        assert result.history[0].loss < 3
        json.loads((result.output / "scores.json").read_text())


@pytest.mark.usefixtures("uncompiled")
@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"alignment": "all"}, "'crf' learns sequences of words, and needs one subword for each word"),
        ({"alignment": "mean"}, "'mean' trains on several, or reads several. Choose first or last"),
        ({"loss_weights": "balanced"}, "the loss of 'crf' is of whole sentences. Leave out --loss-weights"),
    ],
)
def test_what_a_crf_cannot_learn_is_said(tiny_corpus: Path, tmp_path: Path, more: dict[str, str], problem: str) -> None:
    checkpoint = make_checkpoint(tmp_path / "bert", "bert")
    with pytest.raises(PolytagError, match=problem):
        polytag.train(**options(tiny_corpus, tmp_path / "tagger", encoder=str(checkpoint), epochs=1, **more))
