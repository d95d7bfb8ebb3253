"""`compact` in NumPy gives what it gives in TensorFlow."""

import math
import random
import shutil
from dataclasses import replace

import numpy as np
import pytest

import polytag
from polytag import Tagger, TaggerError
from polytag.tagger import compact_network
from polytag.tagger.compact_network import CompactNetwork, gelu
from support.fuzz import forget_checksum

SENTENCES = [
    *polytag.load_corpus("sample").words("test")[:150],
    ["Paris"],
    ["Zürich", "\u200b", "日本", "un" * 400, "."],
    random.Random(1).choices(["Anna", "Keller", "left", "Lima", "for", "the", "Bank", "of", "Ghana", "."], k=1200),
]
DOCUMENTS = [index // 20 for index in range(len(SENTENCES))]


@pytest.fixture(scope="module")
def numpy(joint_run) -> Tagger:
    return Tagger.load(joint_run.output, runtime="numpy")


@pytest.fixture(scope="module")
def tensorflow(joint_run) -> Tagger:
    return Tagger.load(joint_run.output, runtime="tensorflow")


@pytest.mark.parametrize("context", ["sentence", "document"])
def test_tags_are_equal_and_scores_nearly(numpy, tensorflow, context):
    one, other = (replace(tagger, context=context).tag_words(SENTENCES, DOCUMENTS) for tagger in (numpy, tensorflow))
    for found, expected in zip(one, other, strict=True):
        assert found.tags == expected.tags
        for task, scores in found.scores.items():
            np.testing.assert_allclose(scores, expected.scores[task], atol=1e-5)


def test_vectors_of_some_words_do_not_depend_on_the_batch(numpy):
    network = numpy.model._vectors
    rng = np.random.default_rng(0)
    lengths = np.array([7, 300, 1, 12, 300])
    mask = np.arange(300) < lengths[:, None]
    ids = rng.integers(55_000, size=(5, 300, 10), dtype=np.int32)
    ids[3, :12] = ids[1, :12]  # words that occur twice
    wanted = rng.permutation(np.flatnonzero(mask))[:200]
    some = network(ids, mask, wanted)
    for row, length in enumerate(lengths):
        alone = network(ids[row : row + 1, :length], np.ones((1, length), dtype=bool), np.arange(length))
        here = wanted // 300 == row
        np.testing.assert_allclose(some[here], alone[wanted[here] % 300], atol=1e-5)
    assert network(ids, mask, np.zeros(0, dtype=np.int64)).shape == (0, network.width)


def test_words_with_the_same_key_keep_their_own_vectors(numpy, monkeypatch):
    expected = numpy.predict_tags(SENTENCES)
    monkeypatch.setattr(compact_network, "_KEY", np.zeros_like(compact_network._KEY))
    assert numpy.predict_tags(SENTENCES) == expected


def test_gelu_is_exact_to_rounding():
    x = np.linspace(-12, 12, 24_001, dtype=np.float32)
    exact = [value * 0.5 * math.erfc(-value / math.sqrt(2)) for value in x.tolist()]
    gelu(x, np.empty((2, *x.shape), dtype=np.float32))
    np.testing.assert_allclose(x, exact, rtol=2e-7, atol=5e-7)


@pytest.mark.parametrize("runtime", ["numpy", "tensorflow"])
@pytest.mark.parametrize("name", ["encoder.norm_3.gamma", "classifiers.pos.bias"])
def test_a_tensor_that_is_missing_or_does_not_fit_is_named(joint_run, tmp_path, runtime, name):
    from safetensors.numpy import load_file, save_file

    shutil.copytree(joint_run.output, tmp_path / "bad")
    forget_checksum(tmp_path / "bad")
    weights = tmp_path / "bad/model.safetensors"
    tensors = load_file(weights)
    expected = rf"The saved weights have no tensor '{name}' of shape \({len(tensors[name])},\): the folder is damaged"
    for wrong in (tensors[name][1:], None):
        save_file({key: value for key, value in {**tensors, name: wrong}.items() if value is not None}, weights)
        with pytest.raises(TaggerError, match=expected):
            Tagger.load(tmp_path / "bad", runtime=runtime)


def test_weights_in_another_format_are_read_as_float32(numpy):
    tensors = {name: values.astype(np.float64) for name, values in numpy.model._tensors.items()}
    ids, mask = np.arange(30, dtype=np.int32).reshape(1, 3, 10), np.ones((1, 3), dtype=bool)
    vectors = CompactNetwork(tensors)(ids, mask, np.arange(3))
    assert vectors.dtype == np.float32
    np.testing.assert_array_equal(vectors, numpy.model._vectors(ids, mask, np.arange(3)))
