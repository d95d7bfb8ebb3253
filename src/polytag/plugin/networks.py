"""Protocols of networks: what core asks an encoder's network for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from polytag.plugin.onnx_graph import OnnxGraph


@runtime_checkable
class AtPositions(Protocol):
    """A network that computes the vectors of some positions faster than all vectors: see `Encoder.network`."""

    def at(self, ids: Any, mask: Any, wanted: Any, training: bool) -> Any:
        """Vectors at the positions `wanted`, float (n, width)."""


@runtime_checkable
class InBulk(Protocol):
    """A network that computes vectors faster if no gradient is needed: see `Encoder.network`."""

    def in_bulk(self, ids: Any, mask: Any) -> Any:
        """Vectors, float (batch, length, width)."""


@runtime_checkable
class WithTables(Protocol):
    """A network with variables that are read by row: see `Encoder.network`."""

    tables: Sequence[Any]


class NumpyNetwork(Protocol):
    """A network without TensorFlow: see `EncoderProvider.numpy_network`.

    It can be pickled, and called in several threads at once.
    """

    @property
    def width(self) -> int:
        """The width of its vectors."""

    def __call__(
        self, ids: NDArray[np.int32], mask: NDArray[np.bool_], wanted: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Vectors at some positions.

        Args:
            ids: int32 (batch, length, n_features).
            mask: bool (batch, length), False at padding.
            wanted: int64 (n,), distinct positions among batch * length, none of them padding.

        Returns:
            float32 (n, width).
        """


OnnxNetwork = Callable[[OnnxGraph, Mapping[str, Any], Mapping[str, NDArray[Any]]], str]
"""(graph, configuration, saved tensors) -> vectors, float32 (batch, length, width); see
`EncoderProvider.onnx_network`."""
