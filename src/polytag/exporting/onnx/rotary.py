"""The networks of ModernBERT and EuroBERT: rotary positions, pre-normalised blocks, gated feed-forward layers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from polytag.encoding.families import field_name, tensor_name, with_defaults
from polytag.encoding.rotary_config import angle_base, attends_nearby, farthest
from polytag.exporting.onnx.activation import activated
from polytag.plugin.onnx_graph import OnnxGraph

ROTARY = ("modernbert", "eurobert")

_MASKED = -1e9
"""Bias on the attention scores of what is not attended to."""


class _Names(NamedTuple):
    """The names of tensors: of the network, and below the name of a block."""

    words: str
    final_norm: str
    attention_norm: str
    joint: tuple[str, ...]
    attended: str
    inner_norm: str
    gated: tuple[str, ...]
    outer: str


_NAMES = {
    "modernbert": _Names(
        words="embeddings.tok_embeddings",
        final_norm="final_norm",
        attention_norm="attn_norm",
        joint=("attn.Wqkv",),
        attended="attn.Wo",
        inner_norm="mlp_norm",
        gated=("mlp.Wi",),
        outer="mlp.Wo",
    ),
    "eurobert": _Names(
        words="embed_tokens",
        final_norm="norm",
        attention_norm="input_layernorm",
        joint=("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
        attended="self_attn.o_proj",
        inner_norm="post_attention_layernorm",
        gated=("mlp.gate_proj", "mlp.up_proj"),
        outer="mlp.down_proj",
    ),
}


class RotaryNetwork:
    """A network that is written; arguments as for `write_transformer`."""

    def __init__(self, graph: OnnxGraph, config: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> None:
        self._graph, self._tensors = graph, tensors
        self._config = with_defaults(config)
        self._family: str = config["model_type"]
        self._names = _NAMES[self._family]
        self._is_modernbert = self._family == "modernbert"
        self._epsilon = self._config["norm_eps" if self._is_modernbert else "rms_norm_eps"]
        self._heads: int = self._config["num_attention_heads"]
        of_heads: Mapping[str, Any] = {} if self._is_modernbert else self._config  # fields of EuroBERT alone
        self._shared: int = of_heads.get("num_key_value_heads") or self._heads
        self._size: int = of_heads.get("head_dim") or self._config["hidden_size"] // self._heads
        self._length = graph.add("Shape", graph.ids, start=1, end=2)

    def write(self) -> str:
        """Write it, and return its vectors, float32 (batch, length, width)."""
        graph, config, names = self._graph, self._config, self._names
        near = attends_nearby(config) if self._is_modernbert else [False] * config["num_hidden_layers"]
        kinds = {is_near: (self._mask(is_near), self._angles(self._base(is_near))) for is_near in sorted(set(near))}
        x = graph.embed(graph.ids, self._tensor(f"{names.words}.weight"))
        if self._is_modernbert:
            x = self._norm(x, "embeddings.norm")
        for number, is_near in enumerate(near):
            x = self._block(x, f"layers.{number}", *kinds[is_near])
        x = self._norm(x, names.final_norm)
        if self._is_modernbert:
            head = activated(graph, graph.dense(x, *self._weights("head.dense")), config["classifier_activation"])
            x = self._norm(head, "head.norm")
        return x

    def _base(self, is_near: bool) -> float:
        kind = "sliding_attention" if is_near else "full_attention"
        return angle_base(self._config, kind if self._is_modernbert else None)

    def _mask(self, is_near: bool) -> str:
        """Bias on attention scores, float32 (batch, 1, 1 or length, length)."""
        graph = self._graph
        is_unit = graph.cast(graph.add("Unsqueeze", graph.mask, graph.constant([1, 2])), np.bool_)
        if is_near:
            positions = self._positions()
            rows, columns = (graph.add("Unsqueeze", positions, graph.constant([axis])) for axis in (1, 0))
            distance = graph.add("Abs", graph.add("Sub", rows, columns))
            limit = graph.constant(farthest(self._config))
            is_unit = graph.add("And", is_unit, graph.add("LessOrEqual", distance, limit))
        return graph.add("Where", is_unit, graph.number(0), graph.number(_MASKED))

    def _positions(self) -> str:
        """0, 1, … up to the length of the input, int64 (length,)."""
        graph = self._graph
        end = graph.add("Squeeze", self._length, graph.constant([0]))
        return graph.add("Range", graph.constant(0), end, graph.constant(1))

    def _angles(self, base: float) -> tuple[str, str]:
        """Cosines and sines of the angles of each position, float32 (length, half of a head)."""
        graph, half = self._graph, self._size // 2
        speeds = np.float32(base) ** (-np.arange(half, dtype=np.float32) / np.float32(half))
        positions = graph.add("Unsqueeze", graph.cast(self._positions(), np.float32), graph.constant([1]))
        angles = graph.add("Mul", positions, graph.constant(speeds, np.float32))
        return graph.add("Cos", angles), graph.add("Sin", angles)

    def _block(self, x: str, block: str, mask: str, angles: tuple[str, str]) -> str:
        graph, names = self._graph, self._names
        has_norm = not self._is_modernbert or block != "layers.0"
        normal = self._norm(x, f"{block}.{names.attention_norm}") if has_norm else x
        kernel, bias = self._weights(*(f"{block}.{name}" for name in names.joint))
        scale = np.ones(kernel.shape[1], np.float32)
        scale[: self._heads * self._size] = 1 / math.sqrt(self._size)  # of queries
        parts = graph.reshape(graph.dense(normal, kernel * scale, bias * scale), [0, 0, -1, self._size])
        parts = graph.add("Transpose", parts, perm=[0, 2, 1, 3])
        turned = self._turned(graph.columns(parts, 0, self._heads + self._shared), *angles)
        queries, keys = graph.columns(turned, 0, self._heads), graph.columns(turned, self._heads)
        values = graph.columns(parts, self._heads + self._shared)
        if self._shared != self._heads:
            which = graph.constant(np.repeat(np.arange(self._shared), self._heads // self._shared))
            keys, values = (graph.add("Gather", part, which, axis=1) for part in (keys, values))
        scores = graph.add("MatMul", queries, graph.add("Transpose", keys, perm=[0, 1, 3, 2]))
        weights = graph.add("Softmax", graph.add("Add", scores, mask), axis=-1)
        context = graph.add("Transpose", graph.add("MatMul", weights, values), perm=[0, 2, 1, 3])
        context = graph.reshape(context, [0, 0, self._heads * self._size])
        x = graph.add("Add", x, graph.dense(context, *self._weights(f"{block}.{names.attended}")))

        normal = self._norm(x, f"{block}.{names.inner_norm}")
        gated = graph.dense(normal, *self._weights(*(f"{block}.{name}" for name in names.gated)))
        inner = self._config["intermediate_size"]
        activation = self._config[field_name(self._family, "hidden_act")]
        left = activated(graph, graph.columns(gated, 0, inner, axis=2), activation)
        hidden = graph.add("Mul", left, graph.columns(gated, inner, axis=2))
        return graph.add("Add", x, graph.dense(hidden, *self._weights(f"{block}.{names.outer}")))

    def _turned(self, parts: str, cosines: str, sines: str) -> str:
        """Pairs of numbers, half a head apart, turned by the angle of their position."""
        graph, half = self._graph, self._size // 2
        first, second = graph.columns(parts, 0, half, axis=3), graph.columns(parts, half, axis=3)
        left = graph.add("Sub", graph.add("Mul", first, cosines), graph.add("Mul", second, sines))
        right = graph.add("Add", graph.add("Mul", second, cosines), graph.add("Mul", first, sines))
        return graph.add("Concat", left, right, axis=-1)

    def _norm(self, x: str, name: str) -> str:
        graph, gamma = self._graph, self._tensor(f"{name}.weight")
        if self._is_modernbert:
            return graph.layer_norm(x, gamma, self._bias(name, len(gamma)), self._epsilon)
        mean = graph.add("ReduceMean", graph.add("Mul", x, x), graph.constant([-1]), keepdims=1)
        deviation = graph.add("Sqrt", graph.add("Add", mean, graph.number(self._epsilon)))
        return graph.add("Mul", graph.add("Div", x, deviation), graph.constant(gamma, np.float32))

    def _weights(self, *names: str) -> tuple[NDArray[Any], NDArray[Any]]:
        """The kernel (inputs, outputs) and the bias of dense layers, side by side."""
        kernels = [self._tensor(f"{name}.weight").T for name in names]
        biases = [self._bias(name, kernel.shape[1]) for name, kernel in zip(names, kernels, strict=True)]
        return np.concatenate(kernels, axis=1), np.concatenate(biases)

    def _bias(self, name: str, width: int) -> NDArray[Any]:
        found = self._tensors.get(tensor_name(self._family, f"{name}.bias"))
        return np.zeros(width, np.float32) if found is None else found

    def _tensor(self, name: str) -> NDArray[Any]:
        return self._tensors[tensor_name(self._family, name)]
