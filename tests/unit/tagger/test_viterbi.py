"""Decoding: Viterbi gives the best sequence that the label scheme allows."""

import time
import tracemalloc
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from polytag.errors import PolytagError
from polytag.plugin.registry import Registry, registry
from polytag.tagger.decoder import Decoder
from polytag.tagger.heads import TaskHead
from polytag.tagger.viterbi import Transitions, argmax, viterbi

INVENTORIES = {
    "iob1": "O I-A B-A I-B B-B",
    "iob2": "O B-A I-A B-B I-B",
    "ioe1": "O I-A E-A I-B E-B",
    "ioe2": "I-A E-A O I-B E-B",
    "iobes": "B-A I-A E-A S-A O",
    "bilou": "U-A O L-A B-A I-A",
}

each_scheme = pytest.mark.parametrize("scheme", INVENTORIES)
seeds = st.integers(0, 2**32 - 1)


def random_scores(seed: int, words: int, labels: int) -> NDArray[np.float32]:
    return np.random.default_rng(seed).dirichlet(np.ones(labels), words).astype(np.float32)


def decode(scores: NDArray[np.float32], lengths: list[int], scheme: str, labels: list[str]) -> list[list[str]]:
    starts = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    found = viterbi(scores, starts, Transitions(labels, registry().schemes[scheme]))
    return [[labels[label] for label in found[start:end]] for start, end in pairwise(starts)]


def best_valid(scores: NDArray[np.float32], scheme: str, labels: list[str]) -> list[str]:
    """The highest-scoring valid sequence, found by trying all."""
    rules = registry().schemes[scheme]
    logs = np.log(scores.astype(np.float64))
    valid = [
        ids
        for ids in product(range(len(labels)), repeat=len(scores))
        if not rules.violations([labels[label] for label in ids])
    ]
    best = max(valid, key=lambda ids: sum(logs[word, label] for word, label in enumerate(ids)))
    return [labels[label] for label in best]


@each_scheme
@settings(max_examples=25)
@given(seed=seeds, length=st.integers(1, 5))
def test_the_best_of_all_valid_sequences_is_found(scheme: str, seed: int, length: int) -> None:
    labels = INVENTORIES[scheme].split()
    scores = random_scores(seed, length, len(labels))
    assert decode(scores, [length], scheme, labels) == [best_valid(scores, scheme, labels)]


@each_scheme
@given(seed=seeds, lengths=st.lists(st.integers(0, 12), max_size=12))
def test_every_sentence_of_a_flat_batch_is_decoded_as_it_is_alone(scheme: str, seed: int, lengths: list[int]) -> None:
    labels = INVENTORIES[scheme].split()
    scores = random_scores(seed, sum(lengths), len(labels))
    together = decode(scores, lengths, scheme, labels)
    ends = np.cumsum(lengths, dtype=np.int64)
    for tags, length, end in zip(together, lengths, ends, strict=True):
        assert decode(scores[end - length : end], [length], scheme, labels) == [tags]
        assert len(tags) == length
        assert registry().schemes[scheme].violations(tags) == []


@given(seed=seeds, lengths=st.lists(st.integers(0, 4), max_size=30))
def test_a_valid_argmax_is_kept(registry: Registry, seed: int, lengths: list[int]) -> None:
    labels = INVENTORIES["iob2"].split()
    scores = random_scores(seed, sum(lengths), len(labels))
    names = [labels[label] for label in argmax(scores)]
    tags = decode(scores, lengths, "iob2", labels)
    ends = np.cumsum(lengths, dtype=np.int64)
    for decoded, length, end in zip(tags, lengths, ends, strict=True):
        if not registry.schemes["iob2"].violations(names[end - length : end]):
            assert decoded == names[end - length : end]


def test_an_inside_tag_after_outside_is_put_right() -> None:
    scores = np.array([[0.9, 0.05, 0.05], [0.1, 0.4, 0.5]], np.float32)
    assert argmax(scores).tolist() == [0, 2]
    assert decode(scores, [2], "iob2", ["O", "B-A", "I-A"]) == [["O", "B-A"]]
    assert decode(scores[[1, 0]], [1, 1], "iob2", ["O", "B-A", "I-A"]) == [["B-A"], ["O"]]


def test_where_no_sequence_is_valid_the_argmax_stays() -> None:
    """With inner tags only, no IOBES sequence is valid; the sentence beside it is none the worse for it."""
    scores = random_scores(3, 4, 2)
    best = [["I-A", "I-B"][label] for label in argmax(scores)]
    assert decode(scores, [4], "iobes", ["I-A", "I-B"]) == [best]
    # Only even sentences can be filled with B-A E-A.
    scores = np.tile(np.array([[0.4, 0.6]], np.float32), (5, 1))
    assert decode(scores, [3, 2], "iobes", ["B-A", "E-A"]) == [["E-A"] * 3, ["B-A", "E-A"]]


@given(seed=seeds, length=st.integers(1, 8))
def test_certain_scores_do_not_break_decoding(registry: Registry, seed: int, length: int) -> None:
    """Probabilities of exactly 0 and 1, as a softmax in float32 gives them."""
    labels = INVENTORIES["iobes"].split()
    certain = np.eye(len(labels), dtype=np.float32)[np.random.default_rng(seed).integers(0, len(labels), length)]
    (tags,) = decode(certain, [length], "iobes", labels)
    assert registry.schemes["iobes"].violations(tags) == []


def test_a_sentence_of_thirty_thousand_words_among_many_short_ones(registry: Registry) -> None:
    labels = INVENTORIES["iobes"].split()
    lengths = [3] * 400 + [30_000] + [5] * 400
    scores = random_scores(1, sum(lengths), len(labels))
    began = time.perf_counter()
    tags = decode(scores, lengths, "iobes", labels)
    assert time.perf_counter() - began < 20
    assert [len(sentence) for sentence in tags] == lengths
    assert all(registry.schemes["iobes"].violations(sentence) == [] for sentence in tags)


def test_many_labels_are_decoded_in_little_memory(registry: Registry) -> None:
    """Of 800 labels, all transitions in 100 sentences at once would take 512 MB."""
    labels = ["O", *(f"{prefix}-{number}" for number in range(200) for prefix in "BIES")]
    scores = random_scores(5, 400, len(labels))
    transitions = Transitions(labels, registry.schemes["iobes"])
    tracemalloc.start()
    together = viterbi(scores, np.arange(0, 401, 4), transitions)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 320 * 2**20
    assert registry.schemes["iobes"].violations([labels[label] for label in together[:4]]) == []
    assert np.array_equal(together[8:12], viterbi(scores[8:12], np.array([0, 4]), transitions))


def test_tens_of_thousands_of_labels_are_refused_before_a_table_is_made_of_them(registry: Registry) -> None:
    """Such a table would take gigabytes; argmax, and tags that encode no spans, need none."""
    labels = ("O", *(f"{prefix}-{number}" for number in range(16_000) for prefix in "BI"))
    with pytest.raises(PolytagError, match=r"at most 2,048 of them: a task has 32,001. Choose argmax: --dec"):
        Decoder(TaskHead(labels, "iob2", "first"))
    Decoder(TaskHead(labels, "iob2", "first", "argmax"))
    Decoder(TaskHead(labels, "flat", "first"))


def test_no_words_are_decoded_to_no_labels() -> None:
    labels = INVENTORIES["iob2"].split()
    assert decode(np.zeros((0, 5), np.float32), [], "iob2", labels) == []
    assert decode(np.zeros((0, 5), np.float32), [0, 0], "iob2", labels) == [[], []]
