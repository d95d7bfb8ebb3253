"""Prediction: in order, the same in any company, and through windows as through one."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polytag.encoding import batches
from polytag.encoding.batches import BatchBuilder
from polytag.encoding.features import featurise
from polytag.engine.encoders.compact import CompactEncoder
from polytag.engine.loop import layers_in, seed_everything
from polytag.engine.model import TaggerModel
from polytag.engine.prediction import Predictor
from support.tiny_model import tiny_model

WORDS = [
    "EU",
    "rejects",
    "German",
    "call",
    "to",
    "boycott",
    "British",
    "lamb",
    ".",
    "Peter",
    "Blackburn",
    "1996-08-22",
    "€5",
    "naïve",
    "😀",
]

sentences = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=14), min_size=1, max_size=10)


@pytest.fixture(scope="module")
def compact() -> Predictor:
    seed_everything(0)
    return Predictor(TaggerModel(CompactEncoder(), {"ner": list("OAB"), "pos": list("VWXYZ")}))


@pytest.fixture(scope="module")
def compact_models() -> dict[str, TaggerModel]:
    seed_everything(0)
    models = {}
    for precision in ("float32", "bfloat16"):
        with layers_in(precision):
            models[precision] = TaggerModel(CompactEncoder(), {"ner": list("OAB"), "pos": list("VWXYZ")})
    return models


def predict(predictor: Predictor, words: list[list[str]], max_units: int | None = None) -> dict[str, np.ndarray]:
    return predictor.predict(featurise(CompactEncoder(), words, None, max_units))


@settings(max_examples=30)
@given(sentences=sentences, precision=st.sampled_from(["float32", "bfloat16"]), data=st.data())
def test_words_looked_up_once_a_batch_are_those_looked_up_each_time(
    compact_models: dict[str, TaggerModel], sentences: list[list[str]], precision: str, data: st.DataObject
) -> None:
    model = compact_models[precision]
    features = featurise(CompactEncoder(), sentences)
    ids, mask, *_ = BatchBuilder(features, CompactEncoder()).build(np.arange(len(sentences)))
    wanted = np.array(data.draw(st.lists(st.sampled_from(np.flatnonzero(mask)), unique=True)), dtype=np.int32)
    for task, logits in model(ids, mask, training=False).items():
        rows = np.reshape(logits, (mask.size, -1))[wanted]
        np.testing.assert_allclose(model.at(ids, mask, wanted)[task], rows, atol=1e-5)


@settings(max_examples=30)
@given(sentences=sentences, data=st.data())
def test_a_sentence_is_tagged_the_same_alone_and_among_others(
    compact: Predictor, sentences: list[list[str]], data: st.DataObject
) -> None:
    together = predict(compact, sentences)
    chosen = data.draw(st.integers(0, len(sentences) - 1))
    start = sum(map(len, sentences[:chosen]))
    alone = predict(compact, [sentences[chosen]])
    for task, scores in alone.items():
        np.testing.assert_allclose(scores, together[task][start : start + len(scores)], atol=1e-5)


def test_scores_come_in_the_order_of_the_words_and_are_probabilities(compact: Predictor) -> None:
    words = [[WORDS[i % len(WORDS)]] * (1 + i % 7) for i in range(40)]
    scores = predict(compact, words)
    assert {task: values.shape for task, values in scores.items()} == {"ner": (155, 3), "pos": (155, 5)}
    np.testing.assert_allclose(scores["pos"].sum(axis=1), 1, atol=1e-5)
    backwards = predict(compact, words[::-1])
    starts = np.cumsum([0, *map(len, words)])
    for i, (start, end) in enumerate(pairwise(starts)):
        mirrored = 155 - end
        np.testing.assert_allclose(
            scores["ner"][start:end], backwards["ner"][mirrored : mirrored + len(words[i])], atol=1e-5
        )


def test_a_long_sentence_is_tagged_the_same_through_many_windows_as_through_one(compact: Predictor) -> None:
    """Each word is read with four words on both sides, and further the convolutions do not reach."""
    random = np.random.default_rng(0)
    sentence = [WORDS[i] for i in random.integers(0, len(WORDS), 400)]
    whole, pieces = predict(compact, [sentence]), predict(compact, [sentence], max_units=24)
    for task in whole:
        np.testing.assert_allclose(whole[task], pieces[task], atol=1e-5)
    halves = predict(compact, [sentence[:200], sentence[200:]])
    assert not np.allclose(whole["pos"][199:201], halves["pos"][199:201], atol=1e-5)


def test_small_batches_give_what_large_ones_give(compact: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    words = [[word] * length for length, word in enumerate(WORDS, start=1)]
    sizes: list[int] = []
    large = predict(compact, words)
    monkeypatch.setitem(batches.UNIT_BUDGET, "word", 16)
    small = compact.predict(featurise(CompactEncoder(), words), on_batch=sizes.append)
    assert len(sizes) > 5
    assert sum(sizes) == len(words)
    np.testing.assert_allclose(large["ner"], small["ner"], atol=1e-5)


def test_scores_are_the_softmax_of_each_task_s_logits() -> None:
    model = tiny_model("one", "two")
    features = featurise(model.encoder, [["A", "B", "C"]])
    logits = model(features.ids[None], np.ones((1, 3), bool))
    for task, scores in Predictor(model).predict(features).items():
        powers = np.exp(np.asarray(logits[task])[0])
        np.testing.assert_allclose(scores, powers / powers.sum(axis=1, keepdims=True), atol=1e-6)


@pytest.mark.parametrize("encoder", ["tiny", "compact"])
def test_only_what_is_wanted_is_predicted(compact: Predictor, encoder: str) -> None:
    predictor = Predictor(tiny_model()) if encoder == "tiny" else compact
    features = featurise(predictor.encoder, [list("ABC"), list("DE"), list("F")])
    wanted = np.array([True, False, True, False, True, False])
    for task, scores in predictor.predict(features).items():
        some = predictor.predict(features, wanted)[task]
        np.testing.assert_allclose(some[wanted], scores[wanted], atol=1e-6)
        assert not some[~wanted].any()


def test_nothing_is_predicted_for_no_words(compact: Predictor) -> None:
    assert predict(compact, [])["ner"].shape == (0, 3)
    assert predict(compact, [[], []])["pos"].shape == (0, 5)
