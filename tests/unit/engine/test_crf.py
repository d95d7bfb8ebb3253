"""The likelihood of a CRF, and its gradient, are those of all sequences of labels."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from polytag import IGNORE, SentenceWords
from polytag.engine.crf import sentence_losses
from support.sequences import IMPOSSIBLE, Sequences, random_transitions, sequences

seeds = st.integers(0, 2**32 - 1)
lengths = st.lists(st.integers(1, 4), min_size=1, max_size=3)


class Example(NamedTuple):
    """Parts of sentences, some of which do not begin or end one, and some of whose words have no annotation."""

    logits: NDArray[np.float32]
    transitions: NDArray[np.float32]
    gold: NDArray[np.int32]
    starts: NDArray[np.int64]
    words: SentenceWords

    def brute(self, logits: NDArray[np.float64], transitions: NDArray[np.float64]) -> list[Sequences]:
        edges = zip(self.words.begins, self.words.ends, strict=True)
        return [
            sequences(logits[start:end], transitions, *edge)
            for (start, end), edge in zip(pairwise(self.starts), edges, strict=True)
        ]

    def losses(self, logits: NDArray[np.float64], transitions: NDArray[np.float64]) -> NDArray[np.float64]:
        gold = [self.gold[start:end] for start, end in pairwise(self.starts)]
        found = zip(self.brute(logits, transitions), gold, strict=True)
        return np.array([-all_.likelihood(right) for all_, right in found])


def example(seed: int, sizes: list[int], labels: int, forbidden: float = 0.2) -> Example:
    random = np.random.default_rng(seed)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    logits = random.normal(scale=3, size=(starts[-1], labels)).astype(np.float32)
    gold = random.integers(0, labels, starts[-1]).astype(np.int32)
    gold[random.random(len(gold)) < 0.3] = IGNORE
    rows = np.full((len(sizes), max(sizes)), -1, np.int32)
    for number, (start, end) in enumerate(pairwise(starts)):
        rows[number, : end - start] = np.arange(start, end)
    begins, ends = random.random((2, len(sizes))) < 0.7
    words = SentenceWords(rows, begins, ends)
    return Example(logits, random_transitions(random, labels, forbidden), gold, starts, words)


def is_possible(found: Example) -> bool:
    """Whether every sentence has a sequence that is allowed, and one that agrees with its annotation."""
    exact = (found.logits.astype(float), found.transitions.astype(float))
    possible = all(all_.total > IMPOSSIBLE for all_ in found.brute(*exact))
    return possible and bool((found.losses(*exact) < -IMPOSSIBLE).all())


@settings(max_examples=60, deadline=None)
@given(seed=seeds, sizes=lengths, labels=st.integers(1, 4))
def test_the_loss_is_that_of_all_sequences(seed: int, sizes: list[int], labels: int) -> None:
    found = example(seed, sizes, labels)
    assume(is_possible(found))
    losses = sentence_losses(found.logits, found.gold, found.transitions, found.words)
    expected = found.losses(found.logits.astype(float), found.transitions.astype(float))
    np.testing.assert_allclose(losses, expected, atol=1e-5, rtol=1e-5)


@settings(max_examples=25, deadline=None)
@given(seed=seeds, sizes=st.lists(st.integers(1, 3), min_size=1, max_size=2), labels=st.integers(1, 3))
def test_the_gradient_is_that_of_all_sequences(seed: int, sizes: list[int], labels: int) -> None:
    import tensorflow as tf

    found = example(seed, sizes, labels)
    assume(is_possible(found))
    logits, transitions = tf.constant(found.logits), tf.constant(found.transitions)
    weights = np.random.default_rng(seed).random(len(sizes))  # as the losses of sentences have in the loss of a run
    with tf.GradientTape() as tape:
        tape.watch([logits, transitions])
        loss = tf.reduce_sum(weights * sentence_losses(logits, found.gold, transitions, found.words))
    gradients = tape.gradient(loss, [logits, transitions])
    exact = [found.logits.astype(float), found.transitions.astype(float)]
    for which, gradient in enumerate(tf.convert_to_tensor(values).numpy() for values in gradients):
        for place in np.ndindex(gradient.shape):
            step = np.zeros(gradient.shape)
            step[place] = 1e-4
            after, before = (
                weights
                @ found.losses(*(values + sign * step if values is exact[which] else values for values in exact))
                for sign in (1, -1)
            )
            np.testing.assert_allclose(gradient[place], (after - before) / 2e-4, atol=1e-5)


def test_transitions_that_are_forbidden_are_never_changed() -> None:
    import tensorflow as tf

    found = example(3, [4, 3, 2], 3)
    transitions = tf.constant(found.transitions)
    with tf.GradientTape() as tape:
        tape.watch(transitions)
        loss = sentence_losses(found.logits, found.gold, transitions, found.words)
    gradient = tape.gradient(loss, transitions).numpy()
    assert (gradient[found.transitions < IMPOSSIBLE] == 0).all()
    assert np.abs(gradient).max() > 0


def test_a_sentence_without_annotation_teaches_nothing() -> None:
    import tensorflow as tf

    found = example(5, [3, 2], 3)
    logits, unknown = tf.constant(found.logits), np.full_like(found.gold, IGNORE)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        losses = sentence_losses(logits, unknown, found.transitions, found.words)
    assert losses.numpy().tolist() == [0, 0]
    assert not tf.convert_to_tensor(tape.gradient(losses, logits)).numpy().any()


def test_tags_that_the_scheme_forbids_cost_much_and_leave_it_forbidden() -> None:
    import tensorflow as tf

    transitions = np.zeros((3, 3), np.float32)
    transitions[0, 1] = transitions[2, 1] = -10_000
    words, edge = np.array([[0, 1]], np.int32), np.array([True])
    logits, scores = tf.constant(np.zeros((2, 2), np.float32)), tf.constant(transitions)
    for gold in ([0, 1], [1, 1]):
        with tf.GradientTape() as tape:
            tape.watch([logits, scores])
            loss = sentence_losses(logits, np.array(gold, np.int32), scores, SentenceWords(words, edge, edge))
        to_logits, to_scores = (tf.convert_to_tensor(values) for values in tape.gradient(loss, [logits, scores]))
        assert 50 < float(loss[0]) < 200
        assert float(to_scores[0, 1]) == float(to_scores[2, 1]) == 0
        assert float(to_logits[1, 1]) < 0
