"""Weights of checkpoints: read into Keras and written again, they are the same bits under the same names."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from polytag.encoding.tensors import read_tensors
from polytag.engine.encoders.pretrained import create, restore
from polytag.errors import TaggerError
from support.checkpoints import FAMILIES, make_checkpoint, prefix_of, read_checkpoint, write_tensors

Tensors = dict[str, NDArray[Any]]

each_family = pytest.mark.parametrize("family", FAMILIES)

SEGMENTS = "roberta.embeddings.token_type_embeddings.weight"
POSITIONS = "roberta.embeddings.position_embeddings.weight"


def assert_same(found: Tensors, expected: Tensors) -> None:
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        assert found[name].dtype == np.float32
        assert np.array_equal(found[name], values), name


def with_segments_folded(tensors: Tensors) -> Tensors:
    """RoBERTa has one segment, whose embedding every position has: it may as well be part of the positions."""
    positions = tensors[POSITIONS].copy()
    positions[2:] += tensors[SEGMENTS][0]  # the first two stand for padding
    return tensors | {POSITIONS: positions, SEGMENTS: np.zeros_like(tensors[SEGMENTS])}


@each_family
def test_what_is_read_is_written_bit_for_bit(tmp_path: Path, family: str) -> None:
    encoder = create(str(make_checkpoint(tmp_path, family)))
    written = encoder.tensors()
    assert_same(written, read_checkpoint(tmp_path))
    write_tensors(tmp_path, written)
    assert_same(create(str(tmp_path)).tensors(), written)


@each_family
def test_names_without_prefix_and_poolers_make_no_difference(tmp_path: Path, family: str) -> None:
    bare = make_checkpoint(tmp_path / "bare", family, prefix=False, pooler=True)
    whole = make_checkpoint(tmp_path / "whole", family)
    start = prefix_of(family)
    tensors = read_checkpoint(whole)
    write_tensors(bare, read_checkpoint(bare) | {name.removeprefix(start): values for name, values in tensors.items()})
    assert_same(create(str(bare)).tensors(), create(str(whole)).tensors())


def test_layer_norms_may_have_their_names_of_2018(tmp_path: Path) -> None:
    tensors = read_checkpoint(make_checkpoint(tmp_path, "bert"))
    old = {
        re.sub(
            r"LayerNorm\.(weight|bias)$", lambda m: f"LayerNorm.{ {'weight': 'gamma', 'bias': 'beta'}[m[1]] }", name
        ): v
        for name, v in tensors.items()
    }
    assert sum(name.endswith("gamma") for name in old) == 5
    write_tensors(tmp_path, old)
    assert_same(create(str(tmp_path)).tensors(), tensors)


@pytest.mark.parametrize("family", ["roberta", "xlm-roberta"])
def test_the_segment_embedding_reaches_every_position(tmp_path: Path, family: str) -> None:
    """A checkpoint whose segment embedding is moved into its positions by hand gives the same vectors."""
    tensors = read_checkpoint(make_checkpoint(tmp_path / "one", family))
    assert np.abs(tensors[SEGMENTS]).max() > 0.1
    folder = make_checkpoint(tmp_path / "other", family)
    write_tensors(folder, with_segments_folded(tensors))
    ids, mask = np.array([[[0], [7], [8], [2]]], np.int32), np.ones((1, 4), bool)
    one, other = (np.asarray(create(str(tmp_path / name)).network(ids, mask)) for name in ("one", "other"))
    np.testing.assert_allclose(one, other, atol=1e-6)
    write_tensors(folder, tensors | {SEGMENTS: np.zeros_like(tensors[SEGMENTS])})
    assert not np.allclose(one, np.asarray(create(str(folder)).network(ids, mask)), atol=1e-3)


def test_weights_in_several_files_are_read_together(tmp_path: Path) -> None:
    tensors = read_checkpoint(make_checkpoint(tmp_path, "bert"))
    (tmp_path / "model.safetensors").unlink()
    names = sorted(tensors)
    parts = {"model-00001-of-00002.safetensors": names[::2], "model-00002-of-00002.safetensors": names[1::2]}
    for file, part in parts.items():
        write_tensors(tmp_path, {name: tensors[name] for name in part}, file)
    weight_map = {name: file for file, part in parts.items() for name in part}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    assert_same(create(str(tmp_path)).tensors(), tensors)
    (tmp_path / "model-00002-of-00002.safetensors").unlink()
    assert "has no model-00002-of-00002.safetensors" in refusal(tmp_path)


def test_checkpoints_in_half_precision_are_read_exactly(tmp_path: Path) -> None:
    import ml_dtypes

    tensors = read_checkpoint(make_checkpoint(tmp_path, "roberta"))
    for dtype in (np.float16, ml_dtypes.bfloat16):
        short = {name: values.astype(dtype) for name, values in tensors.items()}
        write_tensors(tmp_path, short)
        written = create(str(tmp_path)).tensors()
        assert_same(written, {name: values.astype(np.float32) for name, values in short.items()})


def refusal(folder: Path) -> str:
    with pytest.raises(TaggerError) as caught:
        create(str(folder))
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_weights_that_are_not_there_or_damaged_are_named(tmp_path: Path) -> None:
    weights = make_checkpoint(tmp_path, "bert") / "model.safetensors"
    whole = weights.read_bytes()
    for damaged in (b"", b"not safetensors", whole[:1000], whole[:-100]):
        weights.write_bytes(damaged)
        assert "model.safetensors is damaged" in refusal(tmp_path)
    weights.unlink()
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickled")
    assert "has no model.safetensors. Its pytorch_model.bin is a pickle" in refusal(tmp_path)


@pytest.mark.parametrize("text", ["{", "{}", "[]", '{"weight_map": 3}'])
def test_a_damaged_index_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "model.safetensors.index.json").write_text(text)
    with pytest.raises(TaggerError, match=r"model\.safetensors\.index\.json is damaged"):
        read_tensors(tmp_path)


@each_family
def test_a_missing_tensor_is_named(tmp_path: Path, family: str) -> None:
    tensors = read_checkpoint(make_checkpoint(tmp_path, family))
    ends = "norm.weight" if family in ("modernbert", "eurobert") else "bias"
    missing = max(name for name in tensors if name.endswith(ends))
    write_tensors(tmp_path, {name: values for name, values in tensors.items() if name != missing})
    assert f"no tensor {missing!r}" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("family", "name", "shape"),
    [
        ("bert", "bert.encoder.layer.1.output.dense.bias", (3,)),
        ("bert", "bert.encoder.layer.0.attention.self.query.weight", (3, 16)),
        ("bert", "bert.encoder.layer.0.intermediate.dense.weight", (24,)),
        ("bert", "bert.embeddings.position_embeddings.weight", (100, 16)),
        ("distilbert", "distilbert.embeddings.word_embeddings.weight", (3, 16)),
        ("roberta", POSITIONS, (40, 16)),
        ("roberta", SEGMENTS, (1, 8)),
        ("xlm-roberta", POSITIONS, (40, 16)),
        ("albert", "albert.encoder.embedding_hidden_mapping_in.weight", (8, 8)),
    ],
)
def test_a_tensor_of_a_wrong_shape_is_named(tmp_path: Path, family: str, name: str, shape: tuple[int, ...]) -> None:
    tensors = read_checkpoint(make_checkpoint(tmp_path, family))
    assert name in tensors
    write_tensors(tmp_path, tensors | {name: np.zeros(shape, np.float32)})
    assert f"tensor {name!r} has shape {shape}, which does not fit its config.json" in refusal(tmp_path)


def test_an_encoder_that_is_restored_takes_the_weights_of_another(tmp_path: Path) -> None:
    encoder = create(str(make_checkpoint(tmp_path, "albert")))
    (tmp_path / "model.safetensors").unlink()
    other = restore(tmp_path)
    other.assign(encoder.tensors())
    assert_same(other.tensors(), encoder.tensors())
