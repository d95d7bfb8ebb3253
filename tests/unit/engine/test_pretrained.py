"""Pretrained encoders: the checkpoint's own subwords, its errors in plain words, and a whole run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polytag
from polytag import PolytagError, Tagger
from polytag.builtin import PretrainedProvider
from polytag.encoding.batches import BatchBuilder
from polytag.encoding.features import featurise
from polytag.engine.encoders.pretrained import PretrainedEncoder, create
from polytag.engine.loop import layers_in
from polytag.engine.model import TaggerModel
from polytag.engine.prediction import Predictor
from polytag.tagger.heads import TaskHead
from support.absent import cannot_import
from support.checkpoints import (
    FAMILIES,
    HIDDEN,
    POSITIONS,
    SENTENCES,
    like_roberta,
    make_checkpoint,
    read_checkpoint,
    transformers_tokenizer,
)

each_family = pytest.mark.parametrize("family", FAMILIES)

WORDS = [word for sentence in SENTENCES for word in sentence.split()]


@pytest.fixture(scope="module")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, PretrainedEncoder]:
    root = tmp_path_factory.mktemp("checkpoints")
    return {family: create(str(make_checkpoint(root / family, family))) for family in FAMILIES}


def own_tokenizer(folder: str) -> Any:
    return transformers_tokenizer(folder, Path(folder).name)


def test_reading_a_checkpoint_leaves_the_drawing_of_weights_to_others(encoders: dict[str, PretrainedEncoder]) -> None:
    import keras

    assert encoders
    assert np.asarray(keras.initializers.TruncatedNormal()((4, 4))).all()


@each_family
def test_every_family_computes_in_short_numbers(family: str, tmp_path: Path) -> None:
    folder = str(make_checkpoint(tmp_path / family, family))
    with layers_in("float16"):
        short = create(folder)
    ids, mask = np.array([[[5], [6], [7]]], dtype=np.int32), np.ones((1, 3), dtype=bool)
    expected = np.asarray(create(folder).network(ids, mask))
    np.testing.assert_allclose(np.asarray(short.network(ids, mask)).astype(np.float32), expected, atol=0.02)


def test_reading_the_weights_copies_none(encoders: dict[str, PretrainedEncoder]) -> None:
    # TensorFlow copies a variable on every read once it was assigned to in part.
    for variable in encoders["bert"].network.trainable_variables:
        if "embedding" not in variable.path:
            first, second = (np.asarray(variable.value.read_value()) for _ in range(2))
            assert first.ctypes.data == second.ctypes.data, variable.path


@pytest.mark.parametrize("family", ["bert", "albert", "deberta-v2"])
def test_weights_are_taken_over_from_a_model_in_short_numbers(family: str, tmp_path: Path) -> None:
    folder = str(make_checkpoint(tmp_path, family, uncased=family == "bert"))

    def make(precision: str) -> TaggerModel:
        with layers_in(precision):
            encoder = create(folder)
            if family == "bert":
                encoder.see_capitals()
            return TaggerModel(encoder, {"ner": "OAB", "pos": "XY"})

    short, model = make("float16"), make("float32")
    random = np.random.default_rng(0)
    for variable in short.trainable_variables:
        variable.assign(random.normal(size=variable.shape))
    model.copy_weights(short)
    expected, found = short.tensors(), model.tensors()
    assert expected.keys() == found.keys()
    for name, tensor in expected.items():
        np.testing.assert_array_equal(found[name], tensor, err_msg=name)


# Words to subwords


@each_family
def test_subwords_are_those_of_the_checkpoint_s_own_tokenizer(
    encoders: dict[str, PretrainedEncoder], family: str
) -> None:
    encoder = encoders[family]
    tokenizer = own_tokenizer(encoder.reference)
    words = [*WORDS, "naïve", "EU", "1,200", "unseenword", "Peter"]
    expected = tokenizer(words, is_split_into_words=True, add_special_tokens=False)
    units = encoder.encode(words)
    assert units.ids[:, 0].tolist() == expected["input_ids"]
    assert np.repeat(np.arange(len(words)), units.counts).tolist() == expected.word_ids()
    assert len(units.ids) > len(words)


@each_family
def test_a_window_has_the_special_tokens_of_the_checkpoint(encoders: dict[str, PretrainedEncoder], family: str) -> None:
    encoder = encoders[family]
    expected = own_tokenizer(encoder.reference)(["Peter", "Blackburn"], is_split_into_words=True)["input_ids"]
    features = featurise(encoder, [["Peter", "Blackburn"], ["EU"]])
    batch = BatchBuilder(features, encoder).build(np.array([0, 1]))
    assert batch.ids[0, :, 0].tolist() == expected
    assert set(batch.ids[1, ~batch.mask[1], 0].tolist()) == {own_tokenizer(encoder.reference).pad_token_id}
    assert encoder.max_units == POSITIONS - 2 - 2 * like_roberta(family)


@each_family
@pytest.mark.parametrize("limit", [POSITIONS // 2, 1_000])
def test_the_coder_of_a_tagger_s_folder_is_that_of_its_encoder(
    encoders: dict[str, PretrainedEncoder], family: str, limit: int, tmp_path: Path
) -> None:
    folder = Path(encoders[family].reference)
    settings = json.loads((folder / "tokenizer_config.json").read_text()) | {"model_max_length": limit}
    shutil.copytree(folder, tmp_path / "checkpoint")
    (tmp_path / "checkpoint" / "tokenizer_config.json").write_text(json.dumps(settings))
    encoder = create(str(tmp_path / "checkpoint"))
    (saved := tmp_path / "tagger").mkdir()
    encoder.save_files(saved)
    (saved / "config.json").write_text(json.dumps(encoder.config()))
    coder = PretrainedProvider().restore_coder(saved)
    for name in ("before", "after", "padding", "max_units", "overlap", "n_features"):
        assert getattr(coder, name) == getattr(encoder, name), name
    words = [*WORDS, "", "naïve", "x" * 5_000]
    assert coder.encode(words).ids.tolist() == encoder.encode(words).ids.tolist()


def test_roberta_s_words_begin_with_a_space(encoders: dict[str, PretrainedEncoder]) -> None:
    encoder = encoders["roberta"]
    tokenizer = own_tokenizer(encoder.reference)
    for word in ("German", "zzz"):
        ids = encoder.encode([word]).ids[:, 0]
        assert tokenizer.decode(ids) == f" {word}"


@each_family
@pytest.mark.parametrize("word", ["", "\x00", "\u200b", " ", "😀", "x" * 5_000, "é" * 5_000])
def test_every_word_has_a_unit_and_fits_into_a_window(
    encoders: dict[str, PretrainedEncoder], family: str, word: str
) -> None:
    encoder = encoders[family]
    units = encoder.encode(["EU", word, "EU"])
    assert units.ids.shape == (units.counts.sum(), 1)
    assert 1 <= units.counts[1] <= encoder.max_units
    assert units.counts[0] == units.counts[2]
    features = featurise(encoder, [["EU", word, "EU"]])
    batch = BatchBuilder(features, encoder).build(np.arange(len(features.lengths)))
    assert np.isfinite(np.asarray(encoder.network(batch.ids, batch.mask))).all()


def test_half_a_surrogate_pair_is_a_word_like_any_other(encoders: dict[str, PretrainedEncoder]) -> None:
    for encoder in encoders.values():
        assert encoder.encode(["\ud83d", "EU"]).ids.tolist() == encoder.encode(["?", "EU"]).ids.tolist()


def test_a_word_that_is_nothing_to_the_tokenizer_is_one_unknown_token(encoders: dict[str, PretrainedEncoder]) -> None:
    for family in FAMILIES:
        units, tokenizer = encoders[family].encode([""]), own_tokenizer(encoders[family].reference)
        unknown = tokenizer.mask_token_id if family == "eurobert" else tokenizer.unk_token_id  # which EuroBERT lacks
        assert units.ids.tolist() == [[unknown]]


def test_a_full_cache_is_emptied_and_nothing_changes(
    encoders: dict[str, PretrainedEncoder], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = encoders["bert"].encode(WORDS)
    monkeypatch.setattr("polytag.encoding.coders._CACHED_WORDS", 3)
    for _ in range(3):
        found = encoders["bert"].encode(WORDS)
        assert found.ids.tolist() == expected.ids.tolist()
        assert found.counts.tolist() == expected.counts.tolist()
    assert encoders["bert"].encode([]).ids.shape == (0, 1)


def test_padding_and_truncation_in_tokenizer_json_are_switched_off(tmp_path: Path) -> None:
    make_checkpoint(tmp_path, "bert")
    description = json.loads((tmp_path / "tokenizer.json").read_text())
    description["truncation"] = {"max_length": 3, "strategy": "LongestFirst", "stride": 0, "direction": "Right"}
    description["padding"] = {
        "strategy": {"Fixed": 9},
        "direction": "Right",
        "pad_to_multiple_of": None,
        "pad_id": 0,
        "pad_type_id": 0,
        "pad_token": "[PAD]",
    }
    encoder = create(str(tmp_path))
    plain = encoder.encode(WORDS)
    (tmp_path / "tokenizer.json").write_text(json.dumps(description))
    padded = create(str(tmp_path))
    assert padded.encode(WORDS).ids.tolist() == plain.ids.tolist()
    assert (padded.before, padded.after) == (encoder.before, encoder.after)


# The network


@each_family
def test_vectors_do_not_depend_on_padding(encoders: dict[str, PretrainedEncoder], family: str) -> None:
    encoder = encoders[family]
    features = featurise(encoder, [["EU", "rejects"], WORDS[:9]])
    builder = BatchBuilder(features, encoder)
    together, alone = builder.build(np.array([0, 1])), builder.build(np.array([0]))
    length = alone.mask.shape[1]
    assert together.mask.shape[1] > length
    vectors = np.asarray(encoder.network(together.ids, together.mask))
    assert vectors.shape[2] == HIDDEN
    np.testing.assert_allclose(vectors[0, :length], np.asarray(encoder.network(alone.ids, alone.mask))[0], atol=1e-5)


@each_family
def test_vectors_at_some_positions_are_those_among_all(encoders: dict[str, PretrainedEncoder], family: str) -> None:
    network = encoders[family].network
    features = featurise(encoders[family], [["EU", "rejects"], WORDS[:9]])
    ids, mask, *_ = BatchBuilder(features, encoders[family]).build(np.array([0, 1]))
    vectors = np.asarray(network(ids, mask)).reshape(-1, HIDDEN)
    for wanted in (np.flatnonzero(mask)[::-2], np.array([], int)):
        found = network.at(ids, mask, wanted.astype(np.int32), training=False)
        np.testing.assert_allclose(found, vectors[wanted], atol=1e-5)
    assert (network.below is None) == (family == "albert")  # its blocks are one, called again and again


def test_vectors_at_some_positions_are_trained_with_dropout_in_all_blocks(
    encoders: dict[str, PretrainedEncoder], monkeypatch: pytest.MonkeyPatch
) -> None:
    network = encoders["bert"].network
    ids, mask = np.array([[[2], [9], [8], [3]]], np.int32), np.ones((1, 4), bool)
    first, second = (np.asarray(network.at(ids, mask, np.array([1, 2], np.int32), training=True)) for _ in range(2))
    assert not np.array_equal(first, second)
    monkeypatch.setattr(network.last, "frozen", True)
    first, second = (np.asarray(network.at(ids, mask, np.array([1, 2], np.int32), training=True)) for _ in range(2))
    assert not np.array_equal(first, second)


@each_family
def test_dropout_is_that_of_the_configuration(family: str, tmp_path: Path) -> None:
    fields = ("hidden_dropout_prob", "dropout", "attention_dropout", "embedding_dropout", "mlp_dropout")
    ids, mask = np.array([[[2], [9], [8], [3]]], np.int32), np.ones((1, 4), bool)
    for rate in (0.0, 0.5):
        network = create(str(make_checkpoint(tmp_path / str(rate), family, **dict.fromkeys(fields, rate)))).network
        first, second = (np.asarray(network(ids, mask, training=True)) for _ in range(2))
        assert np.array_equal(first, second) == (rate == 0.0)


def test_activation_and_epsilon_are_those_of_the_configuration(tmp_path: Path) -> None:
    vectors = {}
    ids, mask = np.array([[[2], [9], [8], [3]]], np.int32), np.ones((1, 4), bool)
    for name, changes in {
        "plain": {},
        "relu": {"hidden_act": "relu"},
        "epsilon": {"layer_norm_eps": 0.5},
    }.items():
        encoder = create(str(make_checkpoint(tmp_path / name, "bert", **changes)))
        vectors[name] = np.asarray(encoder.network(ids, mask))
    assert not np.allclose(vectors["plain"], vectors["relu"], atol=1e-3)
    assert not np.allclose(vectors["plain"], vectors["epsilon"], atol=1e-3)


# What cannot be used


def refusal(reference: object) -> str:
    with pytest.raises(PolytagError) as caught:
        create(str(reference))
    message = str(caught.value)
    assert "\n" not in message
    return message


def edited(**changes: Any) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text()) | changes
        (folder / "config.json").write_text(json.dumps(config))

    return edit


def written(name: str, text: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_text(text) and None


def without(*names: str) -> Callable[[Path], None]:
    return lambda folder: [(folder / name).unlink() for name in names] and None


def with_slow_tokenizer(folder: Path) -> None:
    """One that transformers has in Python only."""
    (folder / "tokenizer.json").unlink()
    settings = {"tokenizer_class": "BertJapaneseTokenizer", "word_tokenizer_type": "basic"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    (folder / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n")


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (without("config.json"), "is not a checkpoint: it has no config.json"),
        (written("config.json", "{"), "config.json is damaged: it is not JSON"),
        (written("config.json", "[]"), "config.json is damaged: it is not a JSON object"),
        (written("config.json", "{}"), "model type '(none)', which polytag cannot read"),
        (edited(model_type="mpnet"), "model type 'mpnet', which polytag cannot read. The BERT, "),
        (
            edited(model_type="deberta-v2"),
            "a DeBERTa whose architecture differs from DeBERTa-v3: relative_attention is False",
        ),
        (edited(model_type="llama"), "model type 'llama', which polytag cannot read"),
        (edited(model_type="gpt2", n_layer=2, n_head=2, n_embd=16, n_positions=48), "model type 'gpt2'"),
        (edited(model_type="vit"), "model type 'vit', which polytag cannot read"),
        (edited(hidden_size="many"), "config.json is damaged: hidden_size is 'many', and must be an integer"),
        (edited(hidden_act="mish"), "activation 'mish' is not supported"),
        (edited(is_decoder=True), "The checkpoint is a decoder (is_decoder in its config.json): each position"),
        (edited(position_embedding_type="relative_key"), "positions of the kind 'relative_key'"),
        (with_slow_tokenizer, "has no fast tokenizer"),
        (written("tokenizer.json", "{"), "has no fast tokenizer"),
        (without("tokenizer.json"), "has no tokenizer: none of its files has a vocabulary"),
        (without("tokenizer.json", "tokenizer_config.json"), "has no tokenizer: none of its files has a vocabulary"),
    ],
)
def test_what_is_wrong_with_a_checkpoint_is_said_in_one_paragraph(
    tmp_path: Path, spoil: Callable[[Path], None], expected: str
) -> None:
    spoil(make_checkpoint(tmp_path, "bert"))
    assert expected in refusal(tmp_path)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"pad_token_id": None}, "pad_token_id is None, and must be an integer of at least 0"),
        ({"pad_token_id": 48}, "max_position_embeddings is 48, and must be greater than 49"),
    ],
)
def test_positions_that_cannot_be_counted_from_the_id_of_padding_are_refused(
    tmp_path: Path, changes: dict[str, Any], expected: str
) -> None:
    make_checkpoint(tmp_path, "roberta", max_position_embeddings=POSITIONS)
    edited(**changes)(tmp_path)
    assert expected in refusal(tmp_path)


def test_a_model_that_is_not_in_the_cache_needs_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    message = refusal("someone/some-model")
    assert "'someone/some-model' is not a folder here, and not in the cache, and HF_HUB_OFFLINE is set" in message
    assert "neither a folder nor the name of a model" in refusal(tmp_path / "nowhere")


# A whole run


def test_a_joint_run_is_saved_and_loaded_with_equal_predictions(tmp_path: Path, uncompiled: None) -> None:
    checkpoint = make_checkpoint(tmp_path / "bert", "bert", pooler=True)
    lines = [
        "\n".join(f"{word} {'NNP' if word[0].isupper() else 'X'} O {'B-PER' if word == 'Peter' else 'O'}" for word in s)
        for s in [sentence.split() for sentence in SENTENCES] * 2
    ]
    corpus = tmp_path / "ten.conll"
    corpus.write_text("\n\n".join(lines) + "\n")
    result = polytag.train(
        task=("ner", "pos"),
        corpus=f"train={corpus},validation={corpus}",
        encoder=str(checkpoint),
        output=tmp_path / "tagger",
        epochs=2,
        batch_size=4,
        quiet=True,
    )
    sentences = [sentence.split() for sentence in SENTENCES] + [["Peter"] * 60, ["\x00"]]
    expected = result.tagger.predict_tags(sentences)
    assert [len(tags) for tags in expected["pos"]] == [len(sentence) for sentence in sentences]
    loaded = Tagger.load(result.output)
    assert loaded.predict_tags(sentences) == expected
    for task, prediction in result.tagger.predict(sentences)[1].items():
        np.testing.assert_allclose(prediction.scores, loaded.predict(sentences)[1][task].scores, atol=1e-6)

    tensors, begun = read_checkpoint(result.output), read_checkpoint(checkpoint)
    encoder = {name for name in begun if not name.startswith("bert.pooler")}
    heads = {f"classifiers.{task}.{part}" for task in ("ner", "pos") for part in ("weight", "bias")}
    assert set(tensors) == encoder | heads
    assert all(tensors[name].shape == begun[name].shape for name in encoder)
    assert not np.array_equal(tensors[query := "bert.encoder.layer.0.attention.self.query.weight"], begun[query])
    config = json.loads((result.output / "config.json").read_text())
    assert config["architectures"] == ["BertForTokenClassification"]
    assert own_tokenizer(str(result.output)).is_fast


def test_each_task_of_a_tagger_has_its_own_alignment(encoders: dict[str, PretrainedEncoder]) -> None:
    labels = ("O", "B-PER", "I-PER")
    heads = {name: TaskHead(labels, "iob2", name) for name in ("first", "last", "mean")}
    for names in (("first", "last"), ("last", "first"), ("first", "last", "mean")):
        model = TaggerModel(encoders["bert"], dict.fromkeys(names, labels))
        tagger = Tagger(model, {name: heads[name] for name in names})
        features, found = tagger.predict([WORDS])
        scores = Predictor(model).predict(features)
        for name, decoder in tagger.decoders.items():
            expected = decoder.decode(scores[name], features)
            assert found[name].labels.tolist() == expected.labels.tolist()
            np.testing.assert_allclose(found[name].scores, expected.scores, atol=1e-6)


def test_a_single_task_is_saved_as_transformers_saves_it(tmp_path: Path) -> None:
    checkpoint = make_checkpoint(tmp_path / "distilbert", "distilbert")
    labels = ("O", "B-PER", "I-PER")
    model = TaggerModel(create(str(checkpoint)), {"ner": labels})
    Tagger(model, {"ner": TaskHead(labels, "iob2", "first")}).save(tmp_path / "tagger")
    tensors = read_checkpoint(tmp_path / "tagger")
    assert set(tensors) == {*read_checkpoint(checkpoint), "classifier.weight", "classifier.bias"}
    assert tensors["classifier.weight"].shape == (3, HIDDEN)
    config = json.loads((tmp_path / "tagger" / "config.json").read_text())
    assert config["id2label"] == {"0": "O", "1": "B-PER", "2": "I-PER"}
    assert config["label2id"] == {"O": 0, "B-PER": 1, "I-PER": 2}
    assert config["architectures"] == ["DistilBertForTokenClassification"]


def test_neither_training_nor_tagging_needs_transformers(
    tmp_path: Path, tiny_corpus: Path, uncompiled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = make_checkpoint(tmp_path / "bert", "bert", uncased=True)
    cannot_import(monkeypatch, "transformers")
    result = polytag.train(
        task="ner",
        corpus=str(tiny_corpus),
        encoder=str(checkpoint),
        output=tmp_path / "tagger",
        cased=True,
        epochs=1,
        quiet=True,
    )
    assert Tagger.load(result.output).tag("Peter met Angela.") == result.tagger.tag("Peter met Angela.")


# Tokenizers of checkpoints that come without tokenizer.json


def subwords(encoder_of: Path) -> tuple[list[list[int]], tuple[int, ...], tuple[int, ...]]:
    encoder = create(str(encoder_of))
    units = encoder.encode(WORDS)
    return units.ids.tolist(), encoder.before, encoder.after


@pytest.mark.parametrize("family", ["bert", "distilbert", "electra", "roberta"])
def test_a_tokenizer_is_made_of_a_vocabulary(tmp_path: Path, family: str) -> None:
    folder = make_checkpoint(tmp_path, family)
    expected = subwords(folder)
    model = json.loads((folder / "tokenizer.json").read_text())["model"]
    (folder / "tokenizer.json").unlink()
    if family == "roberta":
        (folder / "vocab.json").write_text(json.dumps(model["vocab"]))
        merges = [" ".join(pair) for pair in model["merges"]]
        (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges, ""]))
    else:
        (folder / "vocab.txt").write_text(
            "".join(f"{word}\n" for word in sorted(model["vocab"], key=model["vocab"].get))
        )
    assert subwords(folder) == expected
    (saved := tmp_path / "saved").mkdir()
    encoder = create(str(folder))
    encoder.save_files(saved)
    (saved / "config.json").write_text(json.dumps(encoder.config()))
    ids = own_tokenizer(str(saved))(WORDS, is_split_into_words=True, add_special_tokens=False)["input_ids"]
    assert [[row] for row in ids] == expected[0]


@pytest.mark.parametrize(
    ("family", "file", "offset"),
    [
        # The ids of XLM-R are those of the SentencePiece model plus one, as there is a padding token before them.
        ("xlm-roberta", "sentencepiece.bpe.model", 1),
        ("albert", "spiece.model", 0),
        ("deberta-v2", "spm.model", 0),
    ],
)
def test_a_tokenizer_is_made_of_a_sentencepiece_model(tmp_path: Path, family: str, file: str, offset: int) -> None:
    import io

    import sentencepiece

    special = {"albert": ["[CLS]", "[SEP]", "[MASK]"], "deberta-v2": ["[CLS]", "[SEP]", "[MASK]"]}.get(family, [])
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES * 3),
        model_writer=written,
        vocab_size=90,
        hard_vocab_limit=False,
        normalization_rule_name="identity",
        control_symbols=special,
        minloglevel=2,
    )
    folder = make_checkpoint(tmp_path, family, vocab_size=200)
    (folder / "tokenizer.json").unlink()
    (folder / file).write_bytes(written.getvalue())
    model = sentencepiece.SentencePieceProcessor(model_proto=written.getvalue())
    assert len(model) + offset < 200
    encoder = create(str(folder))
    for word in ("German", "lamb", "European", "met", "in"):
        assert encoder.encode([word]).ids[:, 0].tolist() == [piece + offset for piece in model.encode(word)], word
    assert len(encoder.before) == len(encoder.after) == 1
