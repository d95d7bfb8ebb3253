"""Networks written operator by operator: variants of the families, weights of eight bits, what a file consists of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx  # noqa: TID253
import onnxruntime  # noqa: TID253
import pytest

from polytag import Encoder
from polytag.encoding.word_vectors import VectorWords, WordVectors
from polytag.engine.encoders.compact import CompactEncoder
from polytag.engine.encoders.pretrained import create
from polytag.engine.loop import seed_everything
from polytag.engine.model import TaggerModel
from polytag.exporting.onnx.write import write_onnx
from polytag.plugin.onnx_graph import OnnxGraph
from support.checkpoints import FAMILIES, make_checkpoint, read_checkpoint, write_tensors

LABELS = {"ner": ("O", "B-PER", "I-PER")}
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "approximate GELU": ("bert", {"hidden_act": "gelu_new"}),
    "ReLU": ("distilbert", {"activation": "relu"}),
    "another epsilon": ("roberta", {"layer_norm_eps": 0.1}),
    "embeddings of full width": ("electra", {"embedding_size": 16}),
    "two groups of two blocks": ("albert", {"num_hidden_layers": 4, "num_hidden_groups": 2, "inner_group_num": 2}),
    "a group of two layers and one of one": ("albert", {"num_hidden_layers": 3, "num_hidden_groups": 2}),
    "padding with another id": ("roberta", {"pad_token_id": 3}),
    "many buckets": ("deberta-v2", {"position_buckets": 32}),
    "SiLU": ("bert", {"hidden_act": "silu"}),
    "rotary, with biases and other activations": (
        "modernbert",
        {
            **dict.fromkeys(("norm_bias", "attention_bias", "mlp_bias", "classifier_bias"), True),
            **{"hidden_activation": "relu", "classifier_activation": "silu", "num_hidden_layers": 4},
        },
    ),
    "rotary, local attention to each position itself": ("modernbert", {"local_attention": 1}),
    "rotary, a second name of local attention": ("modernbert", {"sliding_window": 2}),
    "rotary, a field of another family": ("modernbert", {"num_key_value_heads": 1}),
    "rotary, wide heads that share nothing": ("eurobert", {"num_key_value_heads": 2, "head_dim": 12}),
    "another limit of positions": ("deberta-v2", {"max_relative_positions": 20}),
}


def compact_with_vectors() -> Encoder:
    lookup = VectorWords("some.vec", ("EU", "German"), 5)
    encoder = CompactEncoder()
    encoder.use_vectors(WordVectors.of(lookup, np.random.default_rng(0).normal(size=(2, 5)).astype(np.float32)))
    return encoder


def with_capitals(folder: Path) -> Encoder:
    encoder = create(str(make_checkpoint(folder, "bert", uncased=True)))
    encoder.see_capitals()
    encoder.network.capitals.set_weights([np.random.default_rng(0).normal(size=(3, 16))])
    return encoder


def inputs(session: Any, *values: Any) -> dict[str, Any]:
    """The inputs of a network: ids, mask, and segments, which are 0, if it takes them."""
    names = [given.name for given in session.get_inputs()]
    given = (*values, np.zeros_like(values[1]))[: len(names)]
    return dict(zip(names, (value.astype(np.int64) for value in given), strict=True))


def largest_difference(encoder: Encoder, folder: Path, eight_bits: bool = False) -> float:
    """Of logits, between the network and its ONNX model, as a part of the deviation of logits."""
    seed_everything(0)
    model = TaggerModel(encoder, LABELS)
    model.heads["ner"].kernel.assign(np.random.default_rng(0).normal(size=(encoder.width, 3)))
    write_onnx(model, folder / "model.onnx", {"ner": "logits"}, eight_bits)
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    words = ["EU", "rejects", "German", "call", "EU", "!"]
    ids = encoder.encode(words).ids[:20]
    length = len(ids)
    ids = np.stack([ids, ids[::-1]])
    mask = np.arange(length) < np.array([[length], [length // 2]])
    squeezed = ids[..., 0] if encoder.n_features == 1 else ids
    given = inputs(session, squeezed, mask)
    found, expected = session.run(None, given)[0], np.asarray(model(ids, mask, training=False)["ner"])
    return float(np.abs(found - expected)[mask].max() / expected[mask].std())


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_form_of_a_family_is_written(tmp_path: Path, variant: str) -> None:
    family, config = VARIANTS[variant]
    encoder = create(str(make_checkpoint(tmp_path / "checkpoint", family, **config)))
    assert largest_difference(encoder, tmp_path) < 1e-4


def test_capitals_and_vectors_of_words_are_part_of_the_network(tmp_path: Path) -> None:
    assert largest_difference(with_capitals(tmp_path / "checkpoint"), tmp_path) < 1e-4
    assert largest_difference(compact_with_vectors(), tmp_path) < 1e-4


@pytest.mark.parametrize("family", ["bert", "deberta-v2", "compact"])
def test_eight_bits_change_little(tmp_path: Path, family: str) -> None:
    encoder = compact_with_vectors() if family == "compact" else create(str(make_checkpoint(tmp_path / family, family)))
    assert 0 < largest_difference(encoder, tmp_path, eight_bits=True) < 0.2


def test_a_file_has_standard_operators_only_and_shared_weights_once(tmp_path: Path) -> None:
    encoder = create(str(make_checkpoint(tmp_path / "albert", "albert", num_hidden_layers=6)))
    write_onnx(TaggerModel(encoder, LABELS), tmp_path / "model.onnx")
    written = onnx.load(tmp_path / "model.onnx")
    onnx.checker.check_model(written, full_check=True)
    assert [(opset.domain, opset.version) for opset in written.opset_import] == [("", 20)]
    operators = [node.op_type for node in written.graph.node]
    assert (operators.count("LayerNormalization"), operators.count("Gelu")) == (13, 6)
    shapes = [tuple(tensor.dims) for tensor in written.graph.initializer]
    assert shapes.count((16, 24)) == 1


@pytest.mark.parametrize("family", FAMILIES)
def test_inputs_and_outputs_are_as_optimum_writes_them(tmp_path: Path, family: str) -> None:
    encoder = create(str(make_checkpoint(tmp_path / family, family)))
    write_onnx(TaggerModel(encoder, LABELS), tmp_path / "model.onnx", {"ner": "logits"})
    graph = onnx.load(tmp_path / "model.onnx").graph
    expected = ["input_ids", "attention_mask", "token_type_ids"][: 3 if family in ("bert", "albert", "electra") else 2]
    assert [given.name for given in graph.input] == expected
    assert [found.name for found in graph.output] == ["logits"]
    assert {given.type.tensor_type.elem_type for given in graph.input} == {onnx.TensorProto.INT64}
    assert [found.type.tensor_type.elem_type for found in graph.output] == [onnx.TensorProto.FLOAT]
    for value in (*graph.input, *graph.output):
        axes = [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim]
        assert axes == ["batch", "length", 3][: len(axes)]


def test_the_second_segment_of_a_pair_has_its_own_embedding(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path / "bert", "bert")
    tensors = read_checkpoint(folder)
    name = "bert.embeddings.token_type_embeddings.weight"
    sessions = []
    for table in (tensors[name], tensors[name][::-1].copy()):
        write_tensors(folder, tensors | {name: table})
        seed_everything(0)
        write_onnx(TaggerModel(create(str(folder)), LABELS), tmp_path / "model.onnx", {"ner": "logits"})
        sessions.append(onnxruntime.InferenceSession(tmp_path / "model.onnx"))
    given = inputs(sessions[0], np.array([[2, 7, 9, 3]]), np.ones((1, 4)))
    second = given | {"token_type_ids": np.ones((1, 4), np.int64)}
    found, swapped = sessions[0].run(None, second)[0], sessions[1].run(None, given)[0]
    np.testing.assert_allclose(found, swapped, atol=1e-5)


def test_rows_of_large_numbers_leave_the_others_their_precision() -> None:
    random = np.random.default_rng(0)
    kernel, x = random.normal(size=(32, 8)).astype(np.float32), random.random((1, 5, 32)).astype(np.float32)
    x[0, 0] *= 1000
    worst = {}
    for activated in (False, True):
        graph = OnnxGraph(1, eight_bits=True)
        vectors = graph.embed(graph.ids, np.zeros((1, 32)))  # what depends on no input is computed beforehand
        hidden = graph.add("Add", vectors, graph.constant(x, np.float32))
        graph.set_output("vectors", graph.dense(hidden, kernel, np.zeros(8), activated=activated), 8)
        session = onnxruntime.InferenceSession(graph.serialize())
        found = session.run(None, dict.fromkeys((graph.ids, graph.mask), np.zeros((1, 5), np.int64)))[0]
        worst[activated] = np.abs(found - x @ kernel)[0, 1:].max()
    assert worst[True] < 0.1 < 2 < worst[False]
