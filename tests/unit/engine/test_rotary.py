"""Rotary positions, local attention and normalisations, against their plain forms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from polytag import PolytagError
from polytag.engine.encoders.layers import Norm
from polytag.engine.encoders.pretrained import create
from polytag.engine.encoders.rotary_attention import attend, attend_nearby, rotated
from support.checkpoints import HEAD, make_checkpoint, read_checkpoint, write_tensors

import tensorflow as tf  # isort: skip  # noqa: TID253  # the engine first: it says how TensorFlow is to work

NEARBY = 3


def random_parts(length: int) -> tuple[Any, ...]:
    """Query, key and value of two windows, and a mask that pads the second one."""
    parts = np.random.default_rng(length).normal(size=(3, 2, 2, length, 4)).astype(np.float32)
    is_unit = np.arange(length) < np.array([[length], [max(1, length // 3)]])
    return *(tf.constant(part) for part in parts), tf.constant(is_unit)


@pytest.mark.parametrize("length", [1, 2, 3, 4, 7, 12, 13, 30])
def test_attention_by_blocks_is_attention_to_nearby_positions(length: int) -> None:
    parts = random_parts(length)
    is_unit = np.asarray(parts[-1])
    expected = np.swapaxes(attend(*parts, tf.nn.softmax, NEARBY), 1, 2)[is_unit]
    found = np.swapaxes(attend_nearby(*parts, tf.nn.softmax, NEARBY), 1, 2)[is_unit]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_far_positions_are_not_attended_to() -> None:
    query, key, value, is_unit = random_parts(30)
    changed = tf.concat([value[:, :, :20], value[:, :, 20:] + 100], axis=2)
    before, after = (np.asarray(attend_nearby(query, key, v, is_unit, tf.nn.softmax, NEARBY)) for v in (value, changed))
    same = np.abs(after - before)[0].max(axis=(0, 2)) < 1e-6
    assert same.tolist() == [position < 20 - NEARBY for position in range(30)]


def test_scores_of_rotated_vectors_depend_on_the_distance() -> None:
    query, key = np.random.default_rng(0).normal(size=(2, 8)).astype(np.float32)
    turned = [
        np.asarray(rotated(tf.tile(part[None, None, None], (1, 1, 40, 1)), 40, 100.0))[0, 0] for part in (query, key)
    ]
    scores = turned[0] @ turned[1].T
    for distance in range(-5, 6):
        np.testing.assert_allclose(np.diag(scores, distance), np.diag(scores, distance)[0], atol=1e-5)
    assert np.ptp(scores[0]) > 0.1


@pytest.mark.parametrize("centred", [True, False])
def test_the_gradient_of_a_normalisation_is_that_of_its_formula(centred: bool) -> None:
    random = np.random.default_rng(1)
    x, upstream = (tf.constant(random.normal(size=(2, 5, 8)), tf.float32) for _ in range(2))
    norm = Norm(8, 0.1, "norm", "float32", centred=centred)
    norm.gamma.assign(random.normal(size=8))
    norm.beta.assign(random.normal(size=8))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        gamma, beta = tf.convert_to_tensor(norm.gamma), tf.convert_to_tensor(norm.beta)
        tape.watch([gamma, beta])
        shifted = x - tf.reduce_mean(x, axis=-1, keepdims=True) if centred else x
        plain = gamma * shifted / tf.sqrt(tf.reduce_mean(shifted**2, axis=-1, keepdims=True) + 0.1) + beta
        found = norm(x)
        losses = [tf.reduce_sum(values * upstream) for values in (plain, found)]
    np.testing.assert_allclose(found, plain, atol=1e-5)
    np.testing.assert_allclose(tape.gradient(losses[1], x), tape.gradient(losses[0], x), atol=1e-5)
    for own, other in ((norm.gamma, gamma), (norm.beta, beta)):
        np.testing.assert_allclose(tape.gradient(losses[1], own.value), tape.gradient(losses[0], other), atol=1e-5)


def test_a_bare_encoder_gets_a_head_that_is_saved(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path, "modernbert")
    tensors = read_checkpoint(folder)
    write_tensors(folder, {name: values for name, values in tensors.items() if not name.startswith(HEAD)})
    saved = create(str(folder)).tensors()
    assert saved.keys() == tensors.keys()
    assert saved["head.norm.weight"].tolist() == [1] * 16
    assert 0.01 < saved["head.dense.weight"].std() < 0.03


def test_a_part_of_a_head_is_not_taken_for_a_bare_encoder(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path, "modernbert")
    tensors = read_checkpoint(folder)
    del tensors["head.norm.weight"]
    write_tensors(folder, tensors)
    with pytest.raises(PolytagError, match=r"has no tensor 'head\.norm\.weight'"):
        create(str(folder))


def test_a_checkpoint_of_8192_positions_is_read_whole(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path, "modernbert", max_position_embeddings=8192)
    encoder = create(str(folder))
    ids = np.random.default_rng(0).integers(5, 100, (1, 8192, 1)).astype(np.int32)
    mask = np.ones((1, 8192), bool)
    assert np.isfinite(np.asarray(encoder.network(ids, mask))).all()


@pytest.mark.parametrize(
    ("family", "changes", "problem"),
    [
        ("modernbert", {"layer_types": ["full_attention"]}, "layer_types is .* must be a list of 2 names"),
        ("modernbert", {"local_attention": 0}, "local_attention is 0, and must be an integer of at least 1"),
        ("modernbert", {"sliding_window": "wide"}, "sliding_window is 'wide', and must be an integer of at least 1"),
        ("modernbert", {"num_attention_heads": 16}, "num_attention_heads is 16, and must be such that positions"),
        ("modernbert", {"norm_bias": "no"}, "norm_bias is 'no', and must be true or false"),
        ("modernbert", {"classifier_activation": "mish"}, "activation 'mish' is not supported"),
        ("eurobert", {"rope_parameters": {"rope_type": "yarn"}}, "positions in the way 'yarn'"),
        ("eurobert", {"rope_parameters": {"rope_theta": -1}}, "rope_theta is -1, and must be a number above 1"),
        ("eurobert", {"rope_parameters": 3}, "rope_parameters is 3, and must be an object"),
        ("eurobert", {"num_key_value_heads": 3}, "num_key_value_heads is 3, and must be a divisor of"),
        ("eurobert", {"head_dim": 4}, "the tensor of q_proj has 8 rows, and it has 16"),
        ("eurobert", {"head_dim": 3}, "head_dim is 3, and must be an even number"),
        ("eurobert", {"head_dim": "wide"}, "head_dim is 'wide', and must be an integer of at least 1"),
    ],
)
def test_a_damaged_configuration_is_named(tmp_path: Path, family: str, changes: dict[str, Any], problem: str) -> None:
    folder = make_checkpoint(tmp_path, family)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))
    with pytest.raises(PolytagError, match=problem):
        create(str(folder))
