"""Activations of feed-forward layers."""

from __future__ import annotations

from polytag.plugin.onnx_graph import OnnxGraph


def activated(graph: OnnxGraph, x: str, name: str) -> str:
    """The activation of values, by its name in a configuration."""
    if name == "relu":
        return graph.add("Relu", x)
    if name == "silu":
        return graph.add("Mul", x, graph.add("Sigmoid", x))
    return graph.add("Gelu", x, approximate="none" if name == "gelu" else "tanh")
