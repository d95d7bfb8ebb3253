"""Features: words become units with labels, and no word is lost."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polytag.encoding.batches import BatchBuilder
from polytag.encoding.features import featurise, label_ids
from polytag.plugin.alignment import IGNORE
from polytag.plugin.registry import Registry
from support.letters import LetterEncoder

words = st.text("abcdefgh", max_size=12)
sentences = st.lists(st.lists(words, max_size=25), max_size=8)

each_strategy = pytest.mark.parametrize("strategy", ["first", "last", "all", "mean"])


def test_units_of_words_stand_one_after_the_other() -> None:
    features = featurise(LetterEncoder(), [["ab", "c"], [], ["", "def"]])
    assert "".join(map(chr, features.ids[:, 0])) == "abc?def"
    assert features.unit_starts.tolist() == [0, 2, 3, 4, 7]
    assert features.sentence_starts.tolist() == [0, 2, 2, 4]
    assert features.word_ids.tolist() == [0, 0, 1, 2, 3, 3, 3]
    assert features.lengths.tolist() == [3, 4]


@each_strategy
@given(sentences=sentences, in_documents=st.booleans(), max_units=st.integers(4, 20), data=st.data())
def test_every_word_is_trained_on_in_exactly_one_window(
    registry: Registry,
    strategy: str,
    sentences: list[list[str]],
    in_documents: bool,
    max_units: int,
    data: st.DataObject,
) -> None:
    """Whatever the windows, batches hold the aligned label of every unit once, and nothing else."""
    encoder = LetterEncoder()
    documents = [0] * len(sentences) if in_documents else None
    features = featurise(encoder, sentences, documents, max_units)
    labels = np.array(data.draw(st.lists(st.integers(0, 2), min_size=features.n_words, max_size=features.n_words)))
    aligned = features.unit_labels(
        labels.astype(np.int32), registry.alignments[strategy], np.array([2, 1, 2], np.int32)
    )
    builder = BatchBuilder(features, encoder, {"task": aligned})
    trained = np.full(len(aligned), IGNORE)
    seen = np.zeros(len(aligned), dtype=int)
    for window in range(len(features.lengths)):
        batch = builder.build(np.array([window]))
        read = batch.units >= 0
        assert (batch.labels["task"][~read] == IGNORE).all()
        trained[batch.units[read]] = batch.labels["task"][read]
        np.add.at(seen, batch.units[read], 1)
    assert seen.tolist() == [1] * len(aligned)
    assert trained.tolist() == aligned.tolist()
    at_least_one = np.isin(np.arange(features.n_words), features.word_ids[trained != IGNORE])
    assert at_least_one.all()


@given(sentences=sentences, max_units=st.integers(1, 30))
def test_windows_are_no_wider_than_the_encoder_and_the_user_allow(sentences: list[list[str]], max_units: int) -> None:
    """Also where one word alone has more units than a window may hold."""
    features = featurise(LetterEncoder(max_units=10), sentences, None, max_units)
    assert (features.lengths <= min(max_units, 10)).all()
    assert (np.diff(features.unit_starts) >= 1).all()
    windows = features.windows
    read = [i for a, b in zip(windows.read_start, windows.read_end, strict=True) for i in range(a, b)]
    assert read == list(range(features.n_words))
    assert (windows.start <= windows.read_start).all()
    assert (windows.read_end <= windows.end).all()


def test_of_a_word_wider_than_the_window_what_fits_is_kept() -> None:
    features = featurise(LetterEncoder(), [["abc", "defghij", "k"]], None, 4)
    assert "".join(map(chr, features.ids[:, 0])) == "abcdefgk"
    assert np.diff(features.unit_starts).tolist() == [3, 4, 1]


def test_labels_are_numbered_and_unknown_tags_are_ignored() -> None:
    ids = label_ids([["B", "O"], [], ["X"]], ["O", "B"])
    assert ids.dtype == np.int32
    assert ids.tolist() == [1, 0, IGNORE]


def test_a_split_without_words() -> None:
    features = featurise(LetterEncoder(), [[], []])
    assert features.n_words == 0
    assert features.ids.shape == (0, 1)
    assert features.lengths.tolist() == []
