"""Capital letters for uncased checkpoints: the vocabulary that grows, what it leaves alone, and a whole run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import polytag
from polytag import PolytagError, Tagger
from polytag.encoding.capitals import add_capitals
from polytag.engine.encoders.pretrained import PretrainedEncoder, create
from support.checkpoints import make_checkpoint, read_checkpoint

WORD_PIECE = ("bert", "distilbert", "electra")
pytestmark = pytest.mark.usefixtures("uncompiled")

TEXT = "Peter peter PETER Blackburn met 3.5 Élan in BERLIN ."


@pytest.fixture(params=WORD_PIECE)
def uncased(request: pytest.FixtureRequest, tmp_path: Path) -> PretrainedEncoder:
    return create(str(make_checkpoint(tmp_path / "uncased", request.param, uncased=True)))


def pieces(encoder: PretrainedEncoder, words: list[str], folder: Path) -> list[str]:
    encoder.save_coder(folder)
    names = {row: entry for entry, row in json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"].items()}
    return [names[row] for row in encoder.encode(words).ids[:, 0].tolist()]


def test_words_are_cut_where_they_were_and_keep_their_capitals(uncased: PretrainedEncoder, tmp_path: Path) -> None:
    words = TEXT.split()
    before, counts = pieces(uncased, words, tmp_path), uncased.encode(words).counts
    uncased.see_capitals()
    after = pieces(uncased, words, tmp_path)
    assert [piece.lower() for piece in after] == before
    assert "".join(after).replace("##", "") == "PeterpeterPETERBlackburnmet3.5ElaninBERLIN."
    np.testing.assert_array_equal(uncased.encode(words).counts, counts)


def test_before_training_capitals_change_no_vector(uncased: PretrainedEncoder) -> None:
    words = TEXT.split()

    def vectors() -> np.ndarray:
        ids = uncased.encode(words).ids[None]
        return np.asarray(uncased.network(ids, np.ones(ids.shape[:2], dtype=bool)))

    before = vectors()
    uncased.see_capitals()
    np.testing.assert_array_equal(vectors(), before)


def test_a_trained_tagger_is_an_ordinary_checkpoint_and_tells_capitals(
    uncased: PretrainedEncoder, tmp_path: Path, tiny_corpus: Path
) -> None:
    options = {"task": "pos", "corpus": str(tiny_corpus), "encoder": uncased.reference, "learning_rate": 3e-3}
    result = polytag.train(**options, cased=True, epochs=2, output=tmp_path / "tagger", quiet=True)
    config = json.loads((result.output / "config.json").read_text())
    tensors = read_checkpoint(result.output)
    (words,) = (tensor for name, tensor in tensors.items() if name.endswith("word_embeddings.weight"))
    assert len(words) == config["vocab_size"] > len(np.asarray(uncased.network.words.embeddings))

    sentences = [TEXT.split(), TEXT.lower().split()]
    loaded = Tagger.load(result.output)
    (expected,), (found,) = (tagger.predict(sentences)[1].values() for tagger in (result.tagger, loaded))
    np.testing.assert_array_equal(found.scores, expected.scores)
    capitals, lower = np.split(found.scores, 2)
    assert not np.allclose(capitals, lower)


def test_no_entry_gets_the_id_of_another(uncased: PretrainedEncoder, tmp_path: Path) -> None:
    uncased.save_coder(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text("{}")
    path = tmp_path / "tokenizer.json"
    described = json.loads(path.read_text(encoding="utf-8"))
    vocabulary = described["model"]["vocab"]
    size = len(vocabulary)
    vocabulary["gap"] = size + 3
    added = {"content": "<url>", "id": size + 5, "special": False, "normalized": False}
    described["added_tokens"].append({**added, "lstrip": False, "rstrip": False, "single_word": False})
    path.write_text(json.dumps(described), encoding="utf-8")
    casing = add_capitals(tmp_path, "here")
    grown = json.loads(path.read_text(encoding="utf-8"))["model"]["vocab"]
    assert len(set(grown.values())) == len(grown)
    assert max(grown.values()) + 1 == len(casing.base) == len(casing.cases)
    assert [casing.base[grown[entry]] for entry in ("gap", "Gap", "GAP", "<url>")] == [size + 3] * 3 + [size + 5]


def test_a_run_that_goes_on_takes_the_vocabulary_as_it_is(tmp_path: Path, tiny_corpus: Path) -> None:
    encoder = str(make_checkpoint(tmp_path / "uncased", "bert", uncased=True))
    options = {"task": "pos", "corpus": str(tiny_corpus), "epochs": 1, "quiet": True}
    first = polytag.train(**options, encoder=encoder, cased=True, output=tmp_path / "first")
    second = polytag.train(**options, from_=str(first.output), output=tmp_path / "second")
    assert [len(read_checkpoint(run.output)["bert.embeddings.word_embeddings.weight"]) for run in (first, second)] == [
        json.loads((first.output / "config.json").read_text())["vocab_size"]
    ] * 2
    with pytest.raises(PolytagError, match=r"cannot use --cased"):
        polytag.train(**options, from_=str(first.output), cased=True, output=tmp_path / "third")
    assert not (tmp_path / "third").exists()


def test_a_run_with_capitals_in_short_numbers_is_saved_in_float32(tmp_path: Path, tiny_corpus: Path) -> None:
    encoder = str(make_checkpoint(tmp_path / "uncased", "bert", uncased=True))
    options = {"task": "pos", "corpus": str(tiny_corpus), "encoder": encoder, "epochs": 1, "quiet": True}
    run = polytag.train(**options, cased=True, precision="float16", output=tmp_path / "tagger")
    words = [TEXT.split()]
    assert run.tagger.tag_words(words) == Tagger.load(run.output).tag_words(words)


@pytest.mark.parametrize("family", ["roberta", "albert"])
def test_other_tokenizers_are_refused(family: str, tmp_path: Path) -> None:
    encoder = create(str(make_checkpoint(tmp_path / family, family)))
    with pytest.raises(PolytagError, match="only uncased checkpoints with BERT"):
        encoder.see_capitals()


def test_compact_sees_capitals_by_itself(tmp_path: Path) -> None:
    with pytest.raises(PolytagError, match="'compact' cannot use --cased"):
        polytag.train(task="ner", corpus="sample", cased=True, output=tmp_path / "tagger", quiet=True)
