"""Training a part of a checkpoint: frozen lower blocks, and adapters over one base."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polytag
from polytag import PolytagError, Tagger, TaggerError
from polytag.encoding.weights import read_weights, save_adapter
from polytag.engine.encoders.pretrained import PretrainedEncoder, create
from support.checkpoints import FAMILIES, make_checkpoint, read_checkpoint, write_tensors

pytestmark = pytest.mark.usefixtures("uncompiled")

each_family = pytest.mark.parametrize("family", FAMILIES)
WORDS = ["Peter", "Blackburn", "met", "her", "in", "Berlin", "."]


def trained(tmp_path: Path, corpus: Path, family: str = "bert", **options: Any) -> tuple[Path, Path]:
    """A checkpoint, and a tagger that was trained on it for two epochs."""
    base = tmp_path / "base"
    if not base.exists():
        make_checkpoint(base, family)
    options = {"task": "ner", "corpus": str(corpus), "epochs": 2, "learning_rate": 3e-3, "quiet": True} | options
    return base, polytag.train(encoder=str(base), output=tmp_path / "tagger", **options).output


def changed(base: Path, tagger: Path) -> set[str]:
    """The names of the tensors of a checkpoint that training changed."""
    before, after = read_weights(base), read_weights(tagger)
    found = {name: next(own for own in after if own in (name, f"{own.partition('.')[0]}.{name}")) for name in before}
    return {name for name, own in found.items() if not np.array_equal(before[name], after[own])}


def vectors(encoder: PretrainedEncoder) -> np.ndarray:
    ids = encoder.encode(WORDS).ids[None]
    return np.asarray(encoder.network(ids, np.ones(ids.shape[:2], dtype=bool)))


class Stop(polytag.Reporter):
    """Interrupts the run after its first epoch."""

    def epoch(self, epoch: polytag.Epoch) -> None:
        raise KeyboardInterrupt


# Frozen blocks


@pytest.mark.parametrize("family", [family for family in FAMILIES if family != "albert"])
def test_the_embeddings_and_the_lowest_blocks_stay_as_they_are(family: str, tmp_path: Path, tiny_corpus: Path) -> None:
    base, tagger = trained(tmp_path, tiny_corpus, family, freeze=1)
    names = changed(base, tagger)
    assert names
    outside = {"final_norm.weight", "norm.weight", "head.dense.weight", "head.norm.weight"}
    for name in names:
        assert ".1." in name or name.removeprefix("model.") in outside, name


def test_all_blocks_can_stay_so_that_only_the_head_is_trained(tmp_path: Path, tiny_corpus: Path) -> None:
    base = make_checkpoint(tmp_path / "base", "bert")
    options = {"task": "ner", "corpus": str(tiny_corpus), "epochs": 3, "learning_rate": 3e-2, "quiet": True}
    result = polytag.train(**options, encoder=str(base), freeze=2, output=tmp_path / "tagger")
    assert not changed(base, result.output)
    assert result.history[-1].loss < result.history[0].loss


@pytest.mark.parametrize("family", ["bert", "deberta-v2", "modernbert"])
def test_frozen_blocks_are_computed_without_dropout(family: str, tmp_path: Path) -> None:
    rates = dict.fromkeys(("hidden_dropout_prob", "attention_dropout", "mlp_dropout", "embedding_dropout"), 0.5)
    encoder = create(str(make_checkpoint(tmp_path, family, **rates)))
    ids = encoder.encode(WORDS).ids[None]
    mask = np.ones(ids.shape[:2], dtype=bool)
    expected = vectors(encoder)
    assert not np.allclose(encoder.network(ids, mask, training=True), expected)
    encoder.freeze(2)
    np.testing.assert_allclose(encoder.network(ids, mask, training=True), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "file"), [({"freeze": 1}, "model.safetensors"), ({"lora": 2}, "adapter_model.safetensors")]
)
def test_an_interrupted_run_goes_on(options: dict[str, Any], file: str, tmp_path: Path, tiny_corpus: Path) -> None:
    _, whole = trained(tmp_path, tiny_corpus, **options)
    expected = (whole / file).read_bytes()
    shutil.rmtree(whole)

    with pytest.raises(PolytagError, match="Interrupted"):
        trained(tmp_path, tiny_corpus, **options, reporter=Stop())
    _, resumed = trained(tmp_path, tiny_corpus, **options, resume=True)
    assert (resumed / file).read_bytes() == expected


@pytest.mark.parametrize(
    ("family", "options", "message"),
    [
        ("bert", {"freeze": 3}, "has 2 blocks, and --freeze 3 asks for more. Choose at most 2"),
        ("albert", {"freeze": 1}, "All blocks .* share their weights"),
        ("bert", {"freeze": 1, "cased": True}, "Leave out one of them"),
        ("bert", {"lora": 2, "cased": True}, "Leave out one of them"),
        ("bert", {"lora": 2, "precision": "float16"}, "--lora trains in float32 or bfloat16"),
        ("bert", {"lora": 17}, "at most the rank 16, and --lora 17 asks for more"),
        ("bert", {"freeze": 2, "lora": 2}, "--lora 2 has none to adapt. Choose at most --freeze 1"),
        ("bert", {"lora": 2, "push": "acme/ner"}, "is an adapter of .*base.*nobody can load it from the hub"),
    ],
)
def test_what_cannot_be_is_refused(
    family: str, options: dict[str, Any], message: str, tmp_path: Path, tiny_corpus: Path
) -> None:
    make_checkpoint(tmp_path / "base", family, uncased=family == "bert")
    with pytest.raises(PolytagError, match=message):
        trained(tmp_path, tiny_corpus, family, **options)
    assert not (tmp_path / "tagger").exists()


@pytest.mark.parametrize(("option", "value"), [("freeze", 1), ("lora", 2)])
def test_compact_has_nothing_to_keep(option: str, value: int, tmp_path: Path) -> None:
    with pytest.raises(PolytagError, match=f"'compact' cannot use --{option}"):
        polytag.train(task="ner", corpus="sample", output=tmp_path / "tagger", quiet=True, **{option: value})


# Adapters


@each_family
def test_an_adapter_changes_nothing_before_training(family: str, tmp_path: Path) -> None:
    encoder = create(str(make_checkpoint(tmp_path, family)))
    expected = vectors(encoder)
    encoder.adapt(2)
    np.testing.assert_array_equal(vectors(encoder), expected)


@each_family
def test_the_saved_adapter_and_its_base_are_the_trained_tagger(family: str, tmp_path: Path, tiny_corpus: Path) -> None:
    base, tagger = trained(tmp_path, tiny_corpus, family, lora=2)
    names = changed(base, tagger)
    assert names
    assert all(read_weights(base)[name].ndim == 2 for name in names)
    assert not (tagger / "model.safetensors").exists()

    result = Tagger.load(tagger)
    expected = result.model.encoder
    random = np.random.default_rng(0)
    for name, tensor in expected.tensors().items():
        np.testing.assert_allclose(tensor, read_weights(tagger)[name], atol=1e-6, err_msg=name)
    encoder = create(str(base))
    encoder.adapt(2)
    for variable in encoder.network.trainable_variables:
        variable.assign(random.normal(size=variable.shape))
    other = create(str(base))
    other.assign(encoder.tensors())  # the merged weights
    np.testing.assert_allclose(vectors(other), vectors(encoder), atol=2e-4)
    assert not np.allclose(vectors(other), vectors(create(str(base))), atol=0.1)


def test_a_loaded_adapter_tags_as_when_it_was_trained(tmp_path: Path, tiny_corpus: Path) -> None:
    base = make_checkpoint(tmp_path / "base", "bert")
    options = {"task": ["ner", "pos"], "corpus": str(tiny_corpus), "encoder": str(base), "epochs": 1, "quiet": True}
    result = polytag.train(**options, lora=4, freeze=1, output=tmp_path / "tagger")
    loaded = Tagger.load(result.output)
    for found, expected in zip(
        *(tagger.predict([WORDS])[1].values() for tagger in (loaded, result.tagger)), strict=True
    ):
        np.testing.assert_allclose(found.scores, expected.scores, atol=1e-6)


def test_only_adapters_and_heads_are_in_the_folder(tmp_path: Path, tiny_corpus: Path) -> None:
    _, tagger = trained(tmp_path, tiny_corpus, "bert", lora=2, freeze=1)
    saved = read_checkpoint(tagger, "adapter_model.safetensors")
    prefix = "base_model.model."
    assert {name for name in saved if "lora" not in name} == {f"{prefix}classifier.{of}" for of in ("weight", "bias")}
    query = f"{prefix}bert.encoder.layer.1.attention.self.query"
    assert saved[f"{query}.lora_A.weight"].shape == (2, 16)
    assert saved[f"{query}.lora_B.weight"].shape == (16, 2)
    assert not any("layer.0" in name for name in saved)
    assert "It is an adapter (LoRA)" in (tagger / "README.md").read_text()
    config = json.loads((tagger / "adapter_config.json").read_text())
    assert (config["r"], config["lora_alpha"], config["modules_to_save"]) == (2, 4.0, ["classifier"])


def test_an_adapter_exports_to_onnx_and_to_a_whole_checkpoint(tmp_path: Path, tiny_corpus: Path) -> None:
    _, folder = trained(tmp_path, tiny_corpus, lora=2)
    expected = Tagger.load(folder).tag_words([WORDS])
    polytag.export(folder, in_place=True)
    onnx = Tagger.load(folder, runtime="onnx")
    assert [text.spans for text in onnx.tag_words([WORDS])] == [text.spans for text in expected]
    polytag.export(folder, tmp_path / "whole", to="transformers")
    assert read_checkpoint(tmp_path / "whole").keys() == read_weights(folder).keys() - {
        name for name in read_weights(folder) if "pooler" in name
    }


def test_the_base_must_be_there_and_be_the_same(tmp_path: Path, tiny_corpus: Path) -> None:
    base, tagger = trained(tmp_path, tiny_corpus, lora=2)
    base.rename(tmp_path / "elsewhere")
    with pytest.raises(TaggerError, match=r"is an adapter of .*base.*write its place into .*adapter_config\.json"):
        Tagger.load(tagger)
    path = tagger / "adapter_config.json"
    path.write_text(path.read_text().replace(str(base), str(tmp_path / "elsewhere")))
    assert Tagger.load(tagger)
    write_tensors(
        tmp_path / "elsewhere", {name: tensor + 1 for name, tensor in read_checkpoint(tmp_path / "elsewhere").items()}
    )
    with pytest.raises(TaggerError, match="does not have the weights that it had"):
        Tagger.load(tagger)


def test_an_adapter_is_saved_to_the_same_bits(tmp_path: Path) -> None:
    encoder = create(str(make_checkpoint(tmp_path / "base", "bert")))
    encoder.adapt(2)
    adapter = encoder.adapter()
    assert adapter
    contents = set()
    for _ in range(8):
        save_adapter(tmp_path, adapter, {})
        contents.add((tmp_path / "adapter_model.safetensors").read_bytes())
    assert len(contents) == 1


def test_an_interrupted_run_does_not_go_on_over_another_base(tmp_path: Path, tiny_corpus: Path) -> None:
    with pytest.raises(PolytagError, match="Interrupted"):
        trained(tmp_path, tiny_corpus, lora=2, reporter=Stop())
    make_checkpoint(tmp_path / "base", "bert", seed=1)
    with pytest.raises(PolytagError, match="cannot be resumed after changes: fingerprint of the encoder was"):
        trained(tmp_path, tiny_corpus, lora=2, resume=True)


@pytest.mark.parametrize("name", ["first", "link"])
def test_the_base_of_an_adapter_is_not_overwritten(name: str, tmp_path: Path, tiny_corpus: Path) -> None:
    base = make_checkpoint(tmp_path / "base", "bert")
    options = {"task": "ner", "corpus": str(tiny_corpus), "epochs": 1, "quiet": True}
    first = polytag.train(**options, encoder=str(base), export=None, output=tmp_path / "first").output
    (tmp_path / "link").symlink_to(first)
    before = (first / "model.safetensors").read_bytes()
    with pytest.raises(PolytagError, match="is the output folder, and would be deleted"):
        polytag.train(**options, from_=str(tmp_path / name), lora=2, output=first, overwrite=True)
    with pytest.raises(PolytagError, match="is the output folder, and would be deleted"):
        polytag.train(**options, encoder=str(first), lora=2, output=tmp_path / name, overwrite=True)
    assert (first / "model.safetensors").read_bytes() == before


@pytest.mark.parametrize("decoding", ["viterbi", "crf"])
def test_an_onnx_model_of_an_adapter_needs_no_base(decoding: str, tmp_path: Path, tiny_corpus: Path) -> None:
    base, tagger = trained(tmp_path, tiny_corpus, lora=2, epochs=1, decoding=decoding)
    expected = Tagger.load(tagger).tag_words([WORDS])[0].tags
    polytag.export(tagger, in_place=True)
    shutil.rmtree(base)
    assert Tagger.load(tagger, runtime="onnx").tag_words([WORDS])[0].tags == expected


def test_an_adapter_of_a_folder_of_this_machine_is_not_pushed(tmp_path: Path, tiny_corpus: Path) -> None:
    _, tagger = trained(tmp_path, tiny_corpus, lora=2, epochs=1)
    with pytest.raises(PolytagError, match=r"is an adapter of .*base.*, a folder of this machine"):
        polytag.push(tagger, "acme/ner")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("peft_type", "IA3"),
        ("r", 0),
        ("r", True),
        ("lora_alpha", "two"),
        ("use_dora", True),
        ("rank_pattern", {"a": 1}),
    ],
)
def test_other_adapters_are_refused(field: str, value: object, tmp_path: Path, tiny_corpus: Path) -> None:
    _, tagger = trained(tmp_path, tiny_corpus, lora=2, epochs=1)
    path = tagger / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {field: value}))
    with pytest.raises(TaggerError, match=f"adapter_config.json is not a configuration of an adapter.*{field}"):
        Tagger.load(tagger)


def test_an_adapter_is_no_base_of_another_one(tmp_path: Path, tiny_corpus: Path) -> None:
    _, tagger = trained(tmp_path, tiny_corpus, lora=2, epochs=1)
    options = {"task": "ner", "corpus": str(tiny_corpus), "from_": str(tagger), "quiet": True, "epochs": 1}
    with pytest.raises(PolytagError, match="is an adapter itself"):
        polytag.train(**options, lora=2, output=tmp_path / "second")
    second = polytag.train(**options, output=tmp_path / "second").output
    assert (second / "model.safetensors").exists()
    path = tagger / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"base_model_name_or_path": str(tagger)}))
    with pytest.raises(TaggerError, match="does not have the weights"):
        Tagger.load(tagger)


QUERY = "base_model.model.bert.encoder.layer.0.attention.self.query"


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({f"{QUERY}.lora_A.weight": None}, "has a tensor 'bert.*query.lora_B.weight', which polytag cannot read"),
        ({f"{QUERY}.lora_B.weight": None}, "does not fit its base"),
        ({f"{QUERY}.lora_B.weight": np.zeros((15, 2), np.float32)}, "does not fit its base"),
        ({f"{QUERY}.lora_A.default.weight": np.zeros((2, 16), np.float32)}, "has a tensor .*lora_A.default.weight'"),
        ({f"{QUERY}.lora_B.bias": np.zeros(16, np.float32)}, "has a tensor .*lora_B.bias'"),
        ({f"{QUERY}.lora_A.weight": np.ones((2, 16), np.int32)}, "has the type int32"),
        ({f"{QUERY}.lora_A.weight": np.full((2, 16), np.nan, np.float32)}, "query.lora_A.weight' has values that are"),
        (
            {
                f"{QUERY}.lora_{part}.weight": np.zeros(shape, np.float32)
                for part, shape in zip("AB", ((1, 16), (16, 1)), strict=True)
            },
            "does not fit its base",
        ),
    ],
)
def test_an_adapter_that_cannot_be_added_to_its_base_is_refused(
    own: dict[str, Any], message: str, tmp_path: Path, tiny_corpus: Path
) -> None:
    _, tagger = trained(tmp_path, tiny_corpus, lora=2, epochs=1)
    saved = read_checkpoint(tagger, "adapter_model.safetensors") | own
    saved = {name: tensor for name, tensor in saved.items() if tensor is not None}
    write_tensors(tagger, saved, "adapter_model.safetensors")
    path = tagger / "polytag.json"
    path.write_text(json.dumps({key: value for key, value in json.loads(path.read_text()).items() if key != "weights"}))
    with pytest.raises(TaggerError, match=message):
        Tagger.load(tagger)
