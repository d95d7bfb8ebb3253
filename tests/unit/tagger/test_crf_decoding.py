"""A CRF is decoded into the probabilities and the best labels of all sequences."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from polytag import PolytagError
from polytag.plugin.registry import Registry
from polytag.tagger.crf import allowed_transitions, decode_crf
from polytag.tagger.viterbi import Transitions, viterbi
from support.sequences import IMPOSSIBLE, random_transitions, sequences

seeds = st.integers(0, 2**32 - 1)
LABELS = ["O", "B-A", "I-A", "B-B", "I-B"]


def starts_of(lengths: list[int]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])


@settings(max_examples=150, deadline=None)
@given(
    seed=seeds,
    lengths=st.lists(st.integers(0, 5), min_size=1, max_size=4),
    labels=st.integers(1, 4),
    forbidden=st.sampled_from([0.0, 0.3]),
    scale=st.sampled_from([0.3, 3.0]),
)
def test_probabilities_and_labels_are_those_of_all_sequences(
    seed: int, lengths: list[int], labels: int, forbidden: float, scale: float
) -> None:
    random = np.random.default_rng(seed)
    starts, transitions = starts_of(lengths), random_transitions(random, labels, forbidden)
    logits = random.normal(scale=scale, size=(starts[-1], labels))
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    found = decode_crf(scores.astype(np.float32), starts, transitions)
    for start, end in pairwise(starts):
        if end > start:
            expected = sequences(np.log(scores[start:end]), transitions.astype(float))
            assume(expected.total > IMPOSSIBLE)
            np.testing.assert_allclose(found.probabilities[start:end], expected.marginals, atol=1e-5)
            assert found.labels is not None
            assert found.labels[start:end].tolist() == expected.best


@given(seed=seeds, lengths=st.lists(st.integers(0, 30), min_size=1, max_size=40))
def test_before_training_the_best_labels_are_those_of_viterbi(
    registry: Registry, seed: int, lengths: list[int]
) -> None:
    scheme, starts = registry.schemes["iob2"], starts_of(lengths)
    scores = np.random.default_rng(seed).dirichlet(np.ones(5), starts[-1]).astype(np.float32)
    found = decode_crf(scores, starts, allowed_transitions(LABELS, scheme))
    assert np.array_equal(found.labels, viterbi(scores, starts, Transitions(LABELS, scheme)))
    assert np.allclose(found.probabilities.sum(axis=1), 1, atol=1e-5)


@given(seed=seeds, length=st.integers(1, 60))
def test_certain_scores_do_not_break_it(registry: Registry, seed: int, length: int) -> None:
    """A softmax gives 0 and 1 where logits are far apart, also for labels that the scheme forbids."""
    scheme = registry.schemes["iob2"]
    scores = np.eye(5, dtype=np.float32)[np.random.default_rng(seed).integers(0, 5, length)]
    found = decode_crf(scores, starts_of([length]), allowed_transitions(LABELS, scheme))
    assert found.labels is not None
    assert not scheme.violations([LABELS[label] for label in found.labels])
    assert np.isfinite(found.probabilities).all()


def test_without_any_valid_sequence_the_scores_stay() -> None:
    transitions = np.full((3, 3), -10_000, dtype=np.float32)
    scores = np.array([[0.6, 0.4], [0.2, 0.8]], dtype=np.float32)
    found = decode_crf(scores, starts_of([2]), transitions)
    assert found.probabilities.tolist() == scores.tolist()
    assert found.labels is not None
    assert found.labels.tolist() == [0, 1]


def test_too_many_labels_for_all_pairs_are_refused(registry: Registry) -> None:
    labels = ["O", *(f"B-{number}" for number in range(2100))]
    with pytest.raises(PolytagError, match=r"takes at most 2,048 of them: a task has 2,101\. Choose argmax"):
        allowed_transitions(labels, registry.schemes["iob2"])
