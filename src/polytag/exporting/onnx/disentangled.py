"""Attention to relative positions, as DeBERTa has it (He et al. 2021, https://arxiv.org/abs/2006.03654).

The score of a query at i and a key at j has two further terms: the product of the query with the vector of a position,
and the product of the key with another. The position is the bucket of i - j. Here, each term is a product with a vector
for each distance in a window, shifted row by row. The vectors of buckets depend on no input: they are computed when the
model is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polytag.encoding.families import longest_input
from polytag.encoding.relative_positions import bucket_of
from polytag.plugin.onnx_graph import END, OnnxGraph

_Dense = tuple[NDArray[Any], NDArray[Any]]


class RelativePositions:
    """The relative positions of a network.

    Args:
        graph: The graph.
        config: The configuration of the checkpoint, with all fields.
        embeddings: The embedding of each bucket, normalised, float32 (2 position_buckets, width).
        length: The length of the input, int64 (1,).
    """

    def __init__(self, graph: OnnxGraph, config: Mapping[str, Any], embeddings: NDArray[Any], length: str) -> None:
        self._graph = graph
        self._embeddings = embeddings
        self._heads = config["num_attention_heads"]
        self._length = length
        longest = longest_input(config)
        first = graph.add("Sub", graph.constant([longest]), length)
        last = graph.add("Add", graph.constant([longest]), length)
        rising = np.arange(-longest, longest)
        # The buckets of the distances from -length to length - 1, and of the same with the other sign.
        self._rising, self._falling = (
            graph.add("Slice", graph.constant(buckets), first, last, graph.constant([0]))
            for buckets in (bucket_of(sign * rising, config["position_buckets"], longest) for sign in (1, -1))
        )

    def scores(self, queries: str, keys: str, of_queries: _Dense, of_keys: _Dense) -> str:
        """The terms of positions in the scores of a block, float32 (batch, heads, length, length).

        Args:
            queries, keys: float32 (batch, heads, length, size).
            of_queries, of_keys: Kernel and bias of the layers that make them, which positions share.
        """
        graph = self._graph
        to_keys = self._shifted(graph.add("MatMul", queries, self._vectors(of_keys, self._falling)))
        to_queries = self._shifted(graph.add("MatMul", keys, self._vectors(of_queries, self._rising)))
        return graph.add("Add", to_keys, graph.add("Transpose", to_queries, perm=[0, 1, 3, 2]))

    def _vectors(self, dense: _Dense, buckets: str) -> str:
        """The vector of each distance, float32 (heads, size, 2 length)."""
        graph = self._graph
        kernel, bias = dense
        table = graph.embed(buckets, self._embeddings @ kernel + bias)
        return graph.add("Transpose", graph.reshape(table, [0, self._heads, -1]), perm=[1, 2, 0])

    def _shifted(self, x: str) -> str:
        """Row i of x, (..., length, 2 length), from column length - i on: float32 (..., length, length).

        Read as rows that are shorter by one, each row begins one place further to the left in the row above.
        """
        graph = self._graph
        end, last_axis = graph.constant([END]), graph.constant([-1])
        flat = graph.add("Slice", graph.reshape(x, [0, 0, -1]), self._length, end, last_axis)
        shape = graph.add("Concat", graph.constant([0, 0]), self._length, graph.constant([-1]), axis=0)
        rows = graph.add("Reshape", flat, shape)
        return graph.add("Slice", rows, graph.constant([0]), self._length, last_axis)
