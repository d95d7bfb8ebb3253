"""The compact encoder: what it makes of words, and how its weights are kept."""

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from polytag.encoding import coders
from polytag.encoding.word_hashes import HASHES, ROWS, hash_word, shape_of
from polytag.engine.encoders.compact import CompactEncoder, CompactNetwork
from polytag.errors import TaggerError

PARIS = (8663, 18154, 22878, 35490, 42414, 41039, 50377, 49166, 53069, 53535)
NUMBER = (8623, 8415, 20190, 32053, 42939, 44462, 46590, 50764, 53919, 54098)

any_word = st.text(st.characters(exclude_categories=()), max_size=30)  # surrogates and control characters, too


def test_words_keep_their_rows_for_ever() -> None:
    """A tagger saved today looks the same rows up next year, on any machine."""
    assert hash_word("Paris") == PARIS
    assert hash_word("12.5") == NUMBER


@pytest.mark.parametrize(
    ("word", "shape"),
    [
        ("Paris", "Xxxxx"),
        ("paris", "xxxx"),
        ("IBM", "XXX"),
        ("12.5", "dd.d"),
        ("1996-08-22", "dddd-dd-"),
        ("internationalisation", "xxxx"),
        ("McDonald's", "XxXxxxx'"),
        ("Élysée", "Xxxxx"),
        ("東京", "xx"),
        ("😀", "😀"),
        ("!!!!!!!", "!!!!"),
        ("", ""),
    ],
)
def test_the_shape_of_a_word_shows_capitals_digits_and_signs(word: str, shape: str) -> None:
    assert shape_of(word) == shape


@example(word="\ud83d")
@example(word="\x00")
@given(word=any_word)
def test_any_string_has_two_rows_of_each_feature(word: str) -> None:
    rows = np.array(hash_word(word)).reshape(len(ROWS), 2)
    ends = np.cumsum(list(ROWS.values()))
    for feature, end, size in zip(rows, ends, ROWS.values(), strict=True):
        assert ((end - size <= feature) & (feature < end)).all()


def test_words_that_differ_in_case_share_what_case_does_not_touch() -> None:
    upper, lower = hash_word("PARIS"), hash_word("paris")
    assert upper[:2] == lower[:2]
    assert upper[2:4] != lower[2:4]
    assert upper[4:8] == lower[4:8]
    assert upper[8:] != lower[8:]


@given(words=st.lists(any_word, max_size=20))
def test_each_word_is_one_unit_whatever_it_is(words: list[str]) -> None:
    units = CompactEncoder().encode(words)
    assert units.counts.tolist() == [1] * len(words)
    assert units.ids.dtype == np.int32
    assert units.ids.tolist() == [list(hash_word(word)) for word in words]


def test_a_full_cache_is_emptied_and_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coders, "_CACHED_WORDS", 3)
    hashed: list[str] = []
    monkeypatch.setattr(coders, "hash_word", lambda word: (hashed.append(word), hash_word(word))[1])
    encoder = CompactEncoder()
    for words in (["a", "b", "a"], ["b", "c", "d"], ["a"], ["a", "e"], ["e"]):
        assert encoder.encode(words).ids.tolist() == [list(hash_word(word)) for word in words]
    assert sorted(hashed[:4]) == ["a", "b", "c", "d"], "a word in the cache is not hashed again"
    assert hashed.count("a") == 2, "the cache was emptied once"


def test_weights_written_and_read_again_are_the_same_bits() -> None:
    one, other = CompactEncoder(), CompactEncoder()
    tensors = one.tensors()
    assert "encoder.table" in tensors
    assert not np.array_equal(other.tensors()["encoder.table"], tensors["encoder.table"])
    other.assign(tensors)
    assert all(np.array_equal(values, tensors[name]) for name, values in other.tensors().items())


def test_missing_and_misshapen_weights_are_named() -> None:
    encoder = CompactEncoder()
    tensors = encoder.tensors()
    with pytest.raises(TaggerError, match=r"no tensor 'encoder\.table' of shape \(55000, 96\)"):
        encoder.assign({name: values for name, values in tensors.items() if name != "encoder.table"})
    with pytest.raises(TaggerError, match=r"no tensor 'encoder\.mix\.bias' of shape \(192,\)"):
        encoder.assign(tensors | {"encoder.mix.bias": np.zeros(3, np.float32)})


# Words never seen


def vectors_in_training(network: CompactNetwork, *words: str) -> NDArray[Any]:
    units = CompactEncoder().encode(words)
    return np.asarray(network(units.ids[:, None], np.ones((len(words), 1), bool), training=True))


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> CompactNetwork:
    """A network that in training drops the features of every whole word, and nothing else."""
    for name, share in (("form_dropout", 1.0), ("input_dropout", 0.0), ("block_dropout", 0.0)):
        monkeypatch.setattr(CompactNetwork, name, share)
    return CompactEncoder().network


def test_without_its_form_a_word_is_its_ends_and_its_shape(network):
    one, same, other = vectors_in_training(network, "Bertingen", "Berolingen", "Berlin")
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_for_a_student_other_words_stand_in_place_of_a_form_and_learn_nothing_from_it(network, monkeypatch):
    import tensorflow as tf

    monkeypatch.setattr(network, "strange_form", 1.0)
    with tf.GradientTape() as tape:
        tape.watch(network.table.value)
        ids = CompactEncoder().encode(["Bertingen"]).ids
        first = network(ids[:, None], np.ones((1, 1), bool), training=True)
    assert not np.array_equal(first, vectors_in_training(network, "Bertingen"))
    gradient = tf.convert_to_tensor(tape.gradient(first, network.table.value)).numpy()
    changed = np.flatnonzero(gradient.any(axis=1))
    assert set(changed) <= set(ids[0, 2 * HASHES :])


def test_only_a_student_practises_words_never_seen():
    encoder = CompactEncoder()
    assert encoder.network.strange_form == 0
    encoder.learn_from_teacher()
    assert encoder.network.strange_form > 0
