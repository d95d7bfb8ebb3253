"""Vectors of words that a run makes: from a file, or from a checkpoint."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import polytag
from polytag import PolytagError
from polytag.encoding.coders import N_HASHES
from polytag.plugin.reporter import Reporter
from polytag.training.config import RunConfig
from polytag.training.vectors import DEVIATION, WIDTH, check_reference, make_vectors, reduced
from support.checkpoints import make_checkpoint, read_checkpoint
from support.corpora import write_vectors

SENTENCES = [["The", "shop", "is", "far"], ["it", "is", "unheard-of"]]


class Messages(Reporter):
    def __init__(self) -> None:
        self.found: list[str] = []

    def message(self, text: str) -> None:
        self.found.append(text)


def test_a_file_gives_vectors_of_the_words_of_the_corpus_and_of_the_first_ones(tmp_path: Path) -> None:
    messages, path = Messages(), write_vectors(tmp_path / "words.vec")
    vectors = make_vectors(str(path), SENTENCES, 2, messages)
    assert vectors.lookup.words == ["the", ".", "is", "far", "shop", "it"]
    assert vectors.values[1:].std() == pytest.approx(DEVIATION, rel=0.02)
    assert messages.found == [
        f"{path} (word2vec or fastText, text): vectors of 5 of the 6 words of the training data, 6 in all"
    ]


def test_the_fingerprint_of_a_run_follows_from_the_vectors(tmp_path: Path) -> None:
    path = write_vectors(tmp_path / "words.vec")
    before = make_vectors(str(path), SENTENCES, 2, Reporter()).fingerprint
    assert make_vectors(str(path), SENTENCES, 2, Reporter()).fingerprint == before
    assert make_vectors(str(path), SENTENCES, 3, Reporter()).fingerprint != before
    path.write_text(path.read_text().replace("3 4 5 6", "3 4 5 7"))
    assert make_vectors(str(path), SENTENCES, 2, Reporter()).fingerprint != before


def test_a_checkpoint_gives_each_word_the_mean_of_its_subwords(tmp_path: Path) -> None:
    messages = Messages()
    folder = make_checkpoint(tmp_path / "bert", "bert")
    vectors = make_vectors(str(folder), SENTENCES, 2, messages)
    embeddings = read_checkpoint(folder)["bert.embeddings.word_embeddings.weight"]
    assert vectors.rows.shape == (1 + len(embeddings), embeddings.shape[1])
    np.testing.assert_allclose(vectors.values[1:], embeddings * DEVIATION / embeddings.std(), atol=0.02)
    rows = vectors.lookup.find(["far", "unheard-of", "\ud83d"])
    assert (rows[:, 0] > 0).all()
    assert f"vectors of {len(embeddings)} subwords" in messages.found[0]


def test_wide_vectors_are_reduced_and_keep_most_of_their_variance() -> None:
    rng = np.random.default_rng(0)
    vectors = (rng.normal(size=(500, 20)) @ rng.normal(size=(20, 300)) + 7).astype(np.float32)
    found = reduced(vectors, WIDTH)
    assert found.shape == (500, WIDTH)
    assert found.var(axis=0).sum() == pytest.approx(vectors.var(axis=0).sum(), rel=1e-3)
    distances = [np.linalg.norm(one[:250] - one[250:], axis=1) for one in (found, vectors)]
    np.testing.assert_allclose(*distances, rtol=1e-3)


@pytest.mark.parametrize("reference", ["none.vec", "no/such/file.txt.gz", "glove.6B.300d.txt"])
def test_a_file_that_does_not_exist_is_refused_before_any_work(reference: str) -> None:
    with pytest.raises(PolytagError, match=r"The file of vectors .* does not exist"):
        check_reference(reference)


def test_compact_has_no_vectors_to_give() -> None:
    with pytest.raises(PolytagError, match="takes a file of vectors or a pretrained checkpoint, and 'compact' is"):
        make_vectors("compact", SENTENCES, 2, Reporter())


def test_a_run_that_starts_from_a_tagger_takes_no_vectors() -> None:
    with pytest.raises(PolytagError, match="Leave out --vectors, or --from"):
        RunConfig.from_sources(
            None, {"task": "ner", "corpus": "sample", "output": "o", "from_": "tagger", "vectors": "words.vec"}
        )


@pytest.fixture
def trained(tmp_path: Path, uncompiled: None) -> Path:
    folder = make_checkpoint(tmp_path / "bert", "bert")
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for split in ("train", "validation", "test"):
        (corpus / f"{split}.conll").write_text("Anna B-PER\nleft O\nLima B-LOC\n\n" * 4)
    polytag.train(task="ner", corpus=str(corpus), vectors=str(folder), output=tmp_path / "out", epochs=1, quiet=True)
    return tmp_path / "out"


def test_a_trained_tagger_needs_its_checkpoint_no_longer(trained: Path) -> None:
    (trained.parent / "bert").rename(trained.parent / "moved")
    tagger = polytag.Tagger.load(trained)
    assert tagger.runtime == "numpy"
    assert tagger.encoder.encode(["unheard-of"]).ids[0, N_HASHES] > 0
    again = polytag.Tagger.load(trained, runtime="tensorflow")
    assert tagger.predict_tags(SENTENCES) == again.predict_tags(SENTENCES)
    described = json.loads((trained / "polytag.json").read_text())
    assert described["vectors"].endswith("bert")
    card = (trained / "README.md").read_text()
    assert "with vectors of words from `bert`" in card
    assert "does not know the licence" in card


def test_vectors_do_not_change_in_training(trained: Path) -> None:
    tagger = polytag.Tagger.load(trained, runtime="tensorflow")
    made = make_vectors(str(trained.parent / "bert"), SENTENCES, 0, Reporter())
    assert np.array_equal(tagger.network.tensors()["encoder.vectors"], made.rows)
