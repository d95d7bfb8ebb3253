"""The networks of checkpoints, from their configuration and their tensors in the layout of transformers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polytag.encoding.block_names import block_names, block_path, groups_of_blocks, order_of_blocks
from polytag.encoding.families import field_name, tensor_prefix, unused_positions, with_defaults
from polytag.exporting.onnx.activation import activated
from polytag.exporting.onnx.disentangled import RelativePositions
from polytag.exporting.onnx.rotary import ROTARY, RotaryNetwork
from polytag.plugin.onnx_graph import OnnxGraph

_MASKED = -1e9
"""Bias on the attention scores of padding."""


_SEGMENTED = ("bert", "albert", "electra")
"""Families whose tokenizers give segments."""


def write_transformer(graph: OnnxGraph, config: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> str:
    """Write the network of a checkpoint, and return its vectors, float32 (batch, length, width).

    Args:
        graph: The graph.
        config: The configuration of the checkpoint.
        tensors: Its tensors, named as in a task model.
    """
    network = RotaryNetwork if config["model_type"] in ROTARY else _Network
    return network(graph, config, tensors).write()


class _Network:
    def __init__(self, graph: OnnxGraph, config: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> None:
        self._graph = graph
        self._config = with_defaults(config)
        self._family: str = config["model_type"]
        self._tensors = tensors
        self._prefix = tensor_prefix(self._family)
        self._epsilon = float(self._config.get("layer_norm_eps", 1e-12))
        self._heads = int(self._config[field_name(self._family, "num_attention_heads")])
        self._activation: str = self._config[field_name(self._family, "hidden_act")]
        self._names = block_names(self._family)

    def write(self) -> str:
        graph = self._graph
        is_unit = graph.cast(graph.add("Unsqueeze", graph.mask, graph.constant([1, 2])), np.bool_)
        mask = graph.add("Where", is_unit, graph.number(0), graph.number(_MASKED))
        length = graph.add("Shape", graph.ids, start=1, end=2)
        x = self._embeddings(length)
        positions = None
        if self._family == "deberta-v2":
            relative = self._layer_normed(self._tensor("encoder.rel_embeddings.weight"), "encoder.LayerNorm")
            positions = RelativePositions(graph, self._config, relative, length)
        for block in self._blocks():
            x = self._block(x, mask, block, positions)
        return x

    def _embeddings(self, length: str) -> str:
        graph = self._graph
        x = graph.embed(graph.ids, self._tensor("embeddings.word_embeddings.weight"))
        if self._family != "deberta-v2":
            table = self._tensor("embeddings.position_embeddings.weight")[unused_positions(self._config) :]
            segments = self._tensor_or_none("embeddings.token_type_embeddings.weight")
            if graph.segments and self._family in _SEGMENTED and segments is not None:
                x = graph.add("Add", x, graph.add("Gather", graph.constant(segments, np.float32), graph.segments))
            elif segments is not None:
                table = table + segments[0]  # a sentence is one segment
            zero = graph.constant([0])
            x = graph.add("Add", x, graph.add("Slice", graph.constant(table, np.float32), zero, length, zero))
        x = self._norm(x, "embeddings.LayerNorm")
        for name in ("embeddings_project", "encoder.embedding_hidden_mapping_in"):
            if self._tensor_or_none(f"{name}.weight") is not None:
                x = graph.dense(x, *self._weights(name))
        return x

    def _blocks(self) -> Iterator[str]:
        """The names of the blocks, in the order in which they are computed."""
        layers = self._config[field_name(self._family, "num_hidden_layers")]
        groups, group_size = groups_of_blocks(self._config)
        for number in order_of_blocks(layers, groups, group_size):
            yield block_path(self._family, number, group_size)

    def _block(self, x: str, mask: str, block: str, positions: RelativePositions | None) -> str:
        graph = self._graph
        query, key, value, attended, attention_norm, inner, outer, output_norm = (
            f"{block}.{name}" for name in self._names
        )
        kernel, bias = self._weights(query)
        size = kernel.shape[1] // self._heads
        scale = 1 / math.sqrt(size * (3 if positions else 1))  # DeBERTa's scores are sums of three products
        of_queries, of_keys = (kernel * scale, bias * scale), self._weights(key)
        queries, keys, values = (
            graph.add("Transpose", graph.reshape(graph.dense(x, *weights), [0, 0, self._heads, -1]), perm=[0, 2, 1, 3])
            for weights in (of_queries, of_keys, self._weights(value))
        )
        scores = graph.add("MatMul", queries, graph.add("Transpose", keys, perm=[0, 1, 3, 2]))
        if positions:
            scores = graph.add("Add", scores, positions.scores(queries, keys, of_queries, of_keys))
        weights = graph.add("Softmax", graph.add("Add", scores, mask), axis=-1)
        context = graph.add("Transpose", graph.add("MatMul", weights, values), perm=[0, 2, 1, 3])
        change = graph.dense(graph.reshape(context, [0, 0, kernel.shape[1]]), *self._weights(attended))
        x = self._norm(graph.add("Add", change, x), attention_norm)
        hidden = activated(graph, graph.dense(x, *self._weights(inner)), self._activation)
        change = graph.dense(hidden, *self._weights(outer), activated=True)
        return self._norm(graph.add("Add", change, x), output_norm)

    def _norm(self, x: str, name: str) -> str:
        gamma, beta = self._tensor(f"{name}.weight"), self._tensor(f"{name}.bias")
        return self._graph.layer_norm(x, gamma, beta, self._epsilon)

    def _layer_normed(self, x: NDArray[Any], name: str) -> NDArray[Any]:
        deviation = np.sqrt(x.var(axis=-1, keepdims=True) + self._epsilon)
        normal = (x - x.mean(axis=-1, keepdims=True)) / deviation
        return np.asarray(normal * self._tensor(f"{name}.weight") + self._tensor(f"{name}.bias"))

    def _weights(self, name: str) -> tuple[NDArray[Any], NDArray[Any]]:
        """The kernel (inputs, outputs) and the bias of a dense layer."""
        return self._tensor(f"{name}.weight").T, self._tensor(f"{name}.bias")

    def _tensor(self, name: str) -> NDArray[Any]:
        return self._tensors[self._prefix + name]

    def _tensor_or_none(self, name: str) -> NDArray[Any] | None:
        return self._tensors.get(self._prefix + name)
