"""The network of `compact`: the function of `CompactNetwork.in_bulk` in the engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polytag.encoding.coders import BLOCKS, N_HASHES, WINDOW
from polytag.encoding.compact_layout import EMBEDDING_WIDTH, EPSILON, ROWS_NAME, SCALES_NAME, WIDTH
from polytag.encoding.word_hashes import HASHES, ROWS
from polytag.plugin.onnx_graph import END, OnnxGraph


def write_compact(graph: OnnxGraph, config: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> str:
    """Write the network, and return its vectors, float32 (batch, length, 192), zeros for padding.

    Each distinct word of the batch is embedded once, and no time is spent on padding.

    Args:
        graph: The graph.
        config: The configuration of the encoder.
        tensors: Its tensors.
    """
    is_word = graph.reshape(graph.cast(graph.mask, np.bool_), [-1])
    words = graph.add("Compress", graph.reshape(graph.ids, [-1, graph.n_features]), is_word, axis=0)
    distinct, _, index, _ = graph.add_several("Unique", words, n_outputs=4, axis=0, sorted=0)
    x = graph.add("Gather", _embedded(graph, distinct, tensors), index)
    rows, neighbours = _rows(graph, is_word)
    zero = graph.constant(np.zeros((1, WIDTH)), np.float32)
    for block in range(BLOCKS):
        around = graph.add("Gather", graph.add("Concat", zero, x, axis=0), neighbours)
        kernel = tensors[f"encoder.convolution_{block}.kernel"].reshape(-1, WIDTH)
        inputs = graph.reshape(around, [-1, len(kernel)])
        y = graph.dense(inputs, kernel, tensors[f"encoder.convolution_{block}.bias"])
        x = graph.add("Add", x, _activated(graph, y, f"encoder.norm_{block}", tensors))
    return graph.add("Gather", graph.add("Concat", zero, x, axis=0), rows)


def _embedded(graph: OnnxGraph, ids: str, tensors: Mapping[str, NDArray[Any]]) -> str:
    """Vectors of words without context, float32 (words, 192), of ids, int64 (words, features)."""
    first, *others = (
        graph.embed(graph.columns(ids, part, N_HASHES, HASHES), tensors["encoder.table"]) for part in range(HASHES)
    )
    for other in others:
        first = graph.add("Add", first, other)
    x = graph.reshape(first, [-1, len(ROWS) * EMBEDDING_WIDTH])
    if ROWS_NAME in tensors:
        parts = graph.columns(ids, N_HASHES)
        found = graph.embed_rounded(parts, tensors[ROWS_NAME], tensors[SCALES_NAME])
        axis = graph.constant([1])
        total = graph.add("ReduceSum", found, axis, keepdims=0)
        present = graph.cast(graph.cast(parts, np.bool_), np.float32)  # row 0 is for no vector
        count = graph.add("Max", graph.add("ReduceSum", present, axis, keepdims=1), graph.number(1))
        x = graph.add("Concat", x, graph.add("Div", total, count), axis=1)
    x = graph.dense(x, tensors["encoder.mix.kernel"], tensors["encoder.mix.bias"])
    return _activated(graph, x, "encoder.mix_norm", tensors)


def _rows(graph: OnnxGraph, is_word: str) -> tuple[str, str]:
    """Rows of vectors of words below a row of zeros, which is for padding and all beyond the edges.

    Returns:
        The row of each position, int64 (batch, length), and the rows of each word and its neighbours, (words, 3).
    """
    count = graph.cast(is_word, np.int64)
    numbers = graph.add("Mul", graph.add("CumSum", count, graph.constant(0)), count)
    rows = graph.add("Reshape", numbers, graph.add("Shape", graph.mask))
    beyond = WINDOW // 2
    padded = graph.add("Pad", rows, graph.constant([0, beyond, 0, beyond]))
    around = [graph.columns(padded, offset, offset + 1 - WINDOW or END) for offset in range(WINDOW)]
    stacked = graph.add("Concat", *(graph.add("Unsqueeze", part, graph.constant([2])) for part in around), axis=2)
    return rows, graph.add("Compress", graph.reshape(stacked, [-1, WINDOW]), is_word, axis=0)


def _activated(graph: OnnxGraph, x: str, norm: str, tensors: Mapping[str, NDArray[Any]]) -> str:
    return graph.layer_norm(graph.add("Gelu", x), tensors[f"{norm}.gamma"], tensors[f"{norm}.beta"], EPSILON)
