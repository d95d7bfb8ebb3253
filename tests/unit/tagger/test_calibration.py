"""Temperatures and the calibration error."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polytag.evaluation.calibration import expected_calibration_error
from polytag.plugin.alignment import IGNORE
from polytag.tagger.calibration import fit_temperature, tempered
from polytag.tagger.viterbi import Transitions, viterbi


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def test_tempering_divides_the_logits():
    logits = np.random.default_rng(1).normal(size=(50, 7))
    np.testing.assert_allclose(tempered(softmax(logits), 2.5), softmax(logits / 2.5), rtol=1e-4)


@pytest.mark.filterwarnings("error")
def test_extreme_temperatures_give_probabilities():
    scores = softmax(np.array([[3.0, 1.0, -60.0], [0.0, 2.0, 1.0]]))
    for coldest in (1e-320, 1e-40):
        np.testing.assert_array_equal(tempered(scores, coldest), [[1, 0, 0], [0, 1, 0]])
    np.testing.assert_allclose(tempered(scores, 1e308), np.full((2, 3), 1 / 3), rtol=1e-5)


@given(seed=st.integers(0, 10**6), temperature=st.floats(0.3, 5))
def test_a_temperature_changes_neither_the_best_label_nor_the_best_sequence(seed, temperature, registry):
    labels = ("O", "B-A", "I-A", "B-B", "I-B")
    scores = softmax(np.random.default_rng(seed).normal(size=(12, len(labels))) * 3)
    changed = tempered(scores, temperature)
    assert (changed.argmax(axis=1) == scores.argmax(axis=1)).all()
    np.testing.assert_allclose(changed.sum(axis=1), 1, rtol=1e-5)
    starts, transitions = np.array([0, 5, 12]), Transitions(labels, registry.schemes["iob2"])
    assert (viterbi(changed, starts, transitions) == viterbi(scores, starts, transitions)).all()


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_made_the_labels_is_found(temperature):
    random = np.random.default_rng(3)
    logits = random.normal(size=(40_000, 4)) * 2
    truth = softmax(logits / temperature)
    labels = np.array([random.choice(4, p=row / row.sum()) for row in truth.astype(np.float64)], dtype=np.int32)
    labels[:100] = IGNORE
    assert fit_temperature(softmax(logits), labels) == pytest.approx(temperature, rel=0.05)


def test_without_a_label_the_temperature_is_one():
    assert fit_temperature(softmax(np.ones((3, 2))), np.full(3, IGNORE, dtype=np.int32)) == 1.0


def test_calibration_error_by_hand():
    confidences = np.array([0.95, 0.95, 0.95, 0.95, 0.55, 0.55], dtype=np.float32)
    correct = np.array([True, True, True, False, True, False])
    # In the upper bin 0.95 against 3 of 4, in the lower one 0.55 against 1 of 2.
    assert expected_calibration_error(confidences, correct) == pytest.approx((4 * 0.2 + 2 * 0.05) / 6, abs=1e-6)


def test_confidence_that_holds_has_no_error():
    assert expected_calibration_error(np.ones(5, dtype=np.float32), np.ones(5, dtype=bool)) == 0
    assert expected_calibration_error(np.zeros(0, dtype=np.float32), np.zeros(0, dtype=bool)) == 0
