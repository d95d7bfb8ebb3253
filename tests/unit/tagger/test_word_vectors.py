"""`compact` with vectors of words: which rows a word has, and the same tags in every runtime, saved and loaded."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

import polytag
from polytag import Tagger, TaggerError
from polytag.encoding.coders import N_HASHES, SubwordCoder
from polytag.encoding.word_vectors import MOST_PARTS, VectorWords, WordVectors, read_words
from polytag.engine.encoders.compact import CompactEncoder
from polytag.engine.loop import seed_everything
from polytag.engine.model import TaggerModel
from polytag.tagger.heads import TaskHead

SENTENCES = [["Anna", "Keller", "left", "Lima", "."], ["unheard", "of"], ["Lima"], ["a" * 40, "\ud83d", ""]]
LABELS = ("O", "B-PER", "I-PER", "B-LOC")
PIECES = ["[UNK]", "anna", "kel", "##ler", *("##" + letter for letter in "abn"), "a", "li", "##ma"]


def subword_coder() -> SubwordCoder:
    vocabulary = {piece: number for number, piece in enumerate(PIECES)}
    backend = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=100))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    return SubwordCoder(backend, (), (), 0, 0, 100)


def word_vectors(subwords: bool, words: tuple[str, ...] = ("Lima", "left", "keller")) -> WordVectors:
    lookup = VectorWords("some.vec", words, 5, *((subword_coder(), len(PIECES)) if subwords else ()))
    return WordVectors.of(lookup, np.random.default_rng(0).normal(size=(lookup.n_rows - 1, 5)).astype(np.float32))


def tagger_with(vectors: WordVectors) -> Tagger:
    head = TaskHead(LABELS, "iob2", "first")
    seed_everything(0)
    encoder = CompactEncoder()
    encoder.use_vectors(vectors)
    model = TaggerModel(encoder, {"ner": LABELS})
    # Heads begin with weights so small that hardly anything would be seen of the vectors.
    model.heads["ner"].kernel.assign(np.random.default_rng(1).normal(scale=0.2, size=(encoder.width, len(LABELS))))
    return Tagger(model, {"ner": head})


@pytest.fixture(scope="module", params=[False, True], ids=["words", "subwords"])
def saved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vectors") / "tagger"
    tagger_with(word_vectors(request.param)).save(folder)
    return folder


def test_a_word_as_it_is_written_comes_before_lower_case_and_both_before_subwords() -> None:
    lookup = VectorWords("some.vec", ("Lima", "lima", "kel"), 5, subword_coder(), len(PIECES))
    found = lookup.find(["Lima", "LIMA", "kel", "anna", "keller", "nothing", "a" * 40])
    first = 1 + 3
    assert found.dtype == np.int32
    assert found.shape == (7, MOST_PARTS)
    assert found[:4, 0].tolist() == [1, 2, 3, first + PIECES.index("anna")]
    assert not found[:4, 1:].any()
    assert found[4, :3].tolist() == [first + PIECES.index("kel"), first + PIECES.index("##ler"), 0]
    assert found[5, 0] == first + PIECES.index("[UNK]")
    assert found[6].all(), "of a long word, the first subwords count"


def test_without_subwords_other_words_have_no_vector() -> None:
    assert VectorWords("some.vec", ("Lima",), 5).find(["lima", "Lima", ""]).tolist() == [[0], [1], [0]]


def test_eight_bits_keep_the_vectors_nearly() -> None:
    vectors = np.random.default_rng(0).normal(size=(50, 8)).astype(np.float32)
    vectors[3] = 0
    found = WordVectors.of(VectorWords("some.vec", tuple(map(str, range(50))), 8), vectors)
    assert found.rows.dtype == np.int8
    assert not found.values[0].any()
    largest = np.abs(vectors).max(axis=1, keepdims=True)
    assert (np.abs(found.values[1:] - vectors) <= largest / 127 / 2 * 1.001).all()


@pytest.mark.parametrize("runtime", ["numpy", "tensorflow"])
def test_a_saved_tagger_tags_as_before(saved: Path, runtime: str) -> None:
    subwords = (saved / "tokenizer.json").exists()
    expected = tagger_with(word_vectors(subwords))
    expected.network.assign(Tagger.load(saved, runtime="tensorflow").network.tensors())
    found = Tagger.load(saved, runtime=runtime)
    for one, other in zip(found.tag_words(SENTENCES), expected.tag_words(SENTENCES), strict=True):
        assert one.tags == other.tags
        np.testing.assert_allclose(one.scores["ner"], other.scores["ner"], atol=1e-4)


def test_vectors_matter(saved: Path) -> None:
    tagger = Tagger.load(saved, runtime="numpy")
    ids = tagger.encoder.encode(["Lima"]).ids[None]
    network, mask, first = tagger.model._vectors, np.ones((1, 1), dtype=bool), np.zeros(1, dtype=np.int64)
    with_vector = network(ids, mask, first)
    ids[:, :, N_HASHES:] = 0
    assert np.abs(with_vector - network(ids, mask, first)).max() > 0.1


def test_many_words_have_the_vectors_that_they_have_alone(saved: Path) -> None:
    tagger = Tagger.load(saved, runtime="numpy")
    words = ["Anna", "Keller", "Lima", "left", "unheard"] * 40
    ids = tagger.encoder.encode(words).ids
    network = tagger.model._vectors
    many = network(ids[:, None], np.ones((len(words), 1), dtype=bool), np.arange(len(words)))
    alone = network(ids[:5, None], np.ones((5, 1), dtype=bool), np.arange(5))
    np.testing.assert_allclose(many, np.tile(alone, (40, 1)), atol=1e-5)


def test_a_copy_of_a_loaded_tagger_has_the_same_files(saved: Path, tmp_path: Path) -> None:
    Tagger.load(saved).save(tmp_path / "copy")
    for file in ("model.safetensors", "vectors.json"):
        assert (tmp_path / "copy" / file).read_bytes() == (saved / file).read_bytes()


@pytest.mark.parametrize("runtime", ["numpy", "tensorflow"])
def test_words_of_another_tagger_are_refused(saved: Path, tmp_path: Path, runtime: str) -> None:
    shutil.copytree(saved, tmp_path / "bad")
    content = json.loads((saved / "vectors.json").read_text())
    more = {**content, "words": [f"word-{number}" for number in range(100)], "width": 5}
    (tmp_path / "bad/vectors.json").write_text(json.dumps(more))
    with pytest.raises(TaggerError, match=r"no tensor 'encoder\.vectors'|words with vectors in the folder do not"):
        Tagger.load(tmp_path / "bad", runtime=runtime).predict_tags([["word-99", "a"]])


@pytest.mark.parametrize("change", [{"width": 2**31 - 1}, {"width": 6}, {"words": ["a"]}, {"words": ["a"] * 9}])
@pytest.mark.parametrize("runtime", ["numpy", "tensorflow"])
def test_a_table_of_another_shape_is_refused_before_there_is_memory_for_it(
    saved: Path, tmp_path: Path, runtime: str, change: dict[str, object]
) -> None:
    shutil.copytree(saved, tmp_path / "bad")
    content = json.loads((saved / "vectors.json").read_text())
    (tmp_path / "bad/vectors.json").write_text(json.dumps(content | change))
    with pytest.raises(TaggerError, match="words with vectors in the folder do not belong to its weights"):
        Tagger.load(tmp_path / "bad", runtime=runtime)


def test_a_pipe_in_the_place_of_the_subwords_is_refused(tmp_path: Path) -> None:
    subword_coder().save_coder(tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    os.mkfifo(tmp_path / "tokenizer.json")
    with pytest.raises(TaggerError, match=r"lacks a complete tokenizer\.json"):
        SubwordCoder.load(tmp_path)


@pytest.mark.parametrize("runtime", ["numpy", "tensorflow"])
def test_a_folder_without_its_words_is_refused(saved: Path, tmp_path: Path, runtime: str) -> None:
    shutil.copytree(saved, tmp_path / "bad")
    (tmp_path / "bad/vectors.json").unlink()
    with pytest.raises(TaggerError, match=r"no tensor 'encoder.mix.kernel'|words with vectors in the folder do not"):
        Tagger.load(tmp_path / "bad", runtime=runtime).predict_tags([["Lima"]])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"words": 3}, "'words' is no list of words"),
        ({"words": [3]}, "'words' is no list of words"),
        ({"width": -1}, "'width' is -1"),
        ({"subwords": True}, "'subwords' is True"),
        ({"source": None}, "'source' is None"),
    ],
)
def test_damaged_words_are_named(tmp_path: Path, change: dict[str, object], message: str) -> None:
    VectorWords("some.vec", ("a",), 3).save(tmp_path)
    content = json.loads((tmp_path / "vectors.json").read_text())
    (tmp_path / "vectors.json").write_text(json.dumps(content | change))
    with pytest.raises(TaggerError, match=message):
        read_words(tmp_path)


def test_a_table_that_is_not_of_eight_bits_is_refused(tmp_path: Path) -> None:
    tensors = CompactEncoder(word_vectors(False)).tensors()
    encoder = CompactEncoder(word_vectors(False))
    with pytest.raises(TaggerError, match=r"'encoder\.vectors' has the type float32"):
        encoder.assign(tensors | {"encoder.vectors": tensors["encoder.vectors"].astype(np.float32)})
    with pytest.raises(TaggerError, match=r"no tensor 'encoder.vector_scales' of shape \(4,\)"):
        encoder.assign({name: values for name, values in tensors.items() if name != "encoder.vector_scales"})


def test_words_have_rows_of_hashes_and_then_of_vectors() -> None:
    encoder = CompactEncoder(word_vectors(False))
    assert encoder.n_features == N_HASHES + 1
    assert encoder.encode(["Lima", "other"]).ids[:, N_HASHES:].tolist() == [[1], [0]]


def test_other_encoders_take_no_vectors(tmp_path: Path) -> None:
    (tmp_path / "some.vec").write_text("a 1 2\n")
    with pytest.raises(polytag.PolytagError, match="cannot use --vectors"):
        polytag.train(
            task="ner",
            corpus="sample",
            encoder="some/checkpoint",
            vectors=str(tmp_path / "some.vec"),
            output=tmp_path / "o",
        )
