from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from polytag import IGNORE, NO_WORD
from polytag.plugin.registry import Registry

STRATEGIES = ("first", "last", "all", "mean")

each_strategy = pytest.mark.parametrize("name", STRATEGIES)


class Batch(NamedTuple):
    labels: NDArray[np.int32]
    word_ids: NDArray[np.int32]
    continuation: NDArray[np.int32]
    scores: NDArray[np.float32]

    def units_of(self, word: int) -> list[int]:
        return np.flatnonzero(self.word_ids == word).tolist()


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    n_labels = draw(st.integers(1, 5))
    counts = draw(st.lists(st.integers(0, 9), max_size=10))
    label = st.one_of(st.just(IGNORE), st.integers(0, n_labels - 1))
    labels = draw(st.lists(label, min_size=len(counts), max_size=len(counts)))
    continuation = draw(st.lists(st.integers(0, n_labels - 1), min_size=n_labels, max_size=n_labels))
    word_ids: list[int] = []
    for word, count in enumerate(counts):
        word_ids += [NO_WORD] * draw(st.integers(0, 2)) + [word] * count
    word_ids += [NO_WORD] * draw(st.integers(0, 2))
    scores = np.random.default_rng(draw(st.integers(0, 99))).dirichlet(np.ones(n_labels), len(word_ids))
    return Batch(
        np.array(labels, np.int32),
        np.array(word_ids, np.int32),
        np.array(continuation, np.int32),
        scores.astype(np.float32).reshape(len(word_ids), n_labels),
    )


@each_strategy
@given(batch=batches())
def test_every_labelled_word_with_a_subword_is_trained_on(registry: Registry, name: str, batch: Batch) -> None:
    aligned = registry.alignments[name].to_subwords(batch.labels, batch.word_ids, batch.continuation)
    assert aligned.dtype == np.int32
    assert aligned.shape == batch.word_ids.shape
    for word, label in enumerate(batch.labels):
        if label != IGNORE and batch.units_of(word):
            assert label in aligned[batch.units_of(word)]


@each_strategy
@given(batch=batches())
def test_training_labels_stand_only_where_the_strategy_puts_them(registry: Registry, name: str, batch: Batch) -> None:
    expected = np.full(batch.word_ids.shape, IGNORE)
    for word, label in enumerate(batch.labels):
        units = batch.units_of(word)
        if label == IGNORE or not units:
            continue
        if name == "first":
            expected[units[0]] = label
        elif name == "last":
            expected[units[-1]] = label
        else:
            expected[units] = batch.continuation[label] if name == "all" else label
            expected[units[0]] = label
    aligned = registry.alignments[name].to_subwords(batch.labels, batch.word_ids, batch.continuation)
    assert aligned.tolist() == expected.tolist()


@each_strategy
@given(batch=batches())
def test_every_word_gets_one_prediction(registry: Registry, name: str, batch: Batch) -> None:
    n_words, n_labels = len(batch.labels), batch.scores.shape[1]
    words = registry.alignments[name].to_words(batch.scores, batch.word_ids, n_words)
    assert words.dtype == np.float32
    assert words.shape == (n_words, n_labels)
    for word in range(n_words):
        units = batch.units_of(word)
        if not units:
            expected = np.full(n_labels, 1 / n_labels)
        elif name == "mean":
            expected = batch.scores[units].mean(axis=0)
        else:
            expected = batch.scores[units[-1 if name == "last" else 0]]
        np.testing.assert_allclose(words[word], expected, rtol=1e-5)


@each_strategy
@given(batch=batches())
def test_inputs_are_left_as_they_are(registry: Registry, name: str, batch: Batch) -> None:
    copies = [array.copy() for array in batch]
    registry.alignments[name].to_subwords(batch.labels, batch.word_ids, batch.continuation)
    registry.alignments[name].to_words(batch.scores, batch.word_ids, len(batch.labels))
    assert all(np.array_equal(array, copy) for array, copy in zip(batch, copies, strict=True))


def align(registry: Registry, scheme: str, inventory: list[str], tag: str, subwords: int) -> list[str]:
    ids = [inventory.index(registry.schemes[scheme].continuation(label)) for label in inventory]
    aligned = registry.alignments["all"].to_subwords(
        np.array([inventory.index(tag)], np.int32), np.zeros(subwords, np.int32), np.array(ids, np.int32)
    )
    return [inventory[label] for label in aligned]


@pytest.mark.parametrize("tag", ["DT", "NN", "NNS", "VB"])
def test_all_subwords_of_a_noun_are_nouns_whatever_the_parity_of_its_id(registry: Registry, tag: str) -> None:
    assert align(registry, "flat", ["DT", "NN", "NNS", "VB"], tag, 3) == [tag] * 3


@pytest.mark.parametrize(
    "inventory",
    [
        ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"],
        ["B-LOC", "B-PER", "I-LOC", "I-PER", "O"],
        ["I-PER", "O", "I-LOC", "B-PER", "B-LOC"],
    ],
)
def test_all_follows_the_scheme_in_any_label_order(registry: Registry, inventory: list[str]) -> None:
    assert align(registry, "iob2", inventory, "B-PER", 3) == ["B-PER", "I-PER", "I-PER"]
    assert align(registry, "iob2", inventory, "I-LOC", 3) == ["I-LOC", "I-LOC", "I-LOC"]
    assert align(registry, "iob2", inventory, "O", 3) == ["O", "O", "O"]
