"""The graph of an ONNX model, as it is written: operators in the order in which they are computed."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

OPSET = 20
"""Version of the operators: the first with GELU."""

MASK = "attention_mask"
"""Name of the input that marks padding."""

SEGMENTS = "token_type_ids"
"""Name of the input with the segments of a text."""

END = int(np.iinfo(np.int64).max)
"""A bound of a part of an axis, for all that remains."""

_LARGEST_WEIGHT = 64
"""Seven bits: with eight, processors without VNNI overflow when two products are added."""
_LARGEST_ENTRY = 127
_LEAST_DIVISOR = 1.0
"""For rows of small numbers: GELU goes down to -0.17, which must stay small after the division, too."""
_TINY = 1e-9
"""The least scale of weights: of zeros."""


def ids_name(n_features: int) -> str:
    """Name of the input with ids: of subwords, or of units with several features."""
    return "input_ids" if n_features == 1 else "feature_ids"


class OnnxGraph:
    """Operators and weights of a network; a value is the name of the output of an operator, or of a weight.

    Args:
        n_features: Number of ids per unit.
        eight_bits: Whether the weights of dense layers and embeddings have eight bits instead of 32.
        with_segments: Whether the model may have an input of segments.

    Attributes:
        n_features: Number of ids per unit.
        ids: The input of ids, int64 (batch, length), or (batch, length, n_features) if a unit has several.
        mask: The input that marks padding with 0, int64 (batch, length).
        segments: The input of segments, int64 (batch, length), 0 for a single text; None if the model may have none. It
            becomes an input of the model if an operator uses it.
    """

    def __init__(self, n_features: int, eight_bits: bool = False, with_segments: bool = False) -> None:
        self.ids, self.mask = ids_name(n_features), MASK
        self.segments = SEGMENTS if with_segments else None
        self.n_features = n_features
        self._eight_bits = eight_bits
        from onnx import ModelProto

        # Weights are written into the model at once: each further copy of them counts where memory is short.
        self._model = ModelProto(producer_name="polytag")
        self._graph = self._model.graph
        self._names: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self._outputs: dict[str, int] = {}

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add an operator of ONNX, and return its output; an empty name means that an input is left out."""
        return self.add_several(operator, *inputs, n_outputs=1, **attributes)[0]

    def add_several(self, operator: str, *inputs: str, n_outputs: int, **attributes: Any) -> list[str]:
        """Add an operator with several outputs, and return them."""
        from onnx import helper

        name = f"{operator}_{len(self._graph.node)}"
        outputs = [f"{name}_{number}" for number in range(n_outputs)]
        self._graph.node.append(helper.make_node(operator, inputs, outputs, name, **attributes))
        return outputs

    def constant(self, values: Any, dtype: Any = np.int64) -> str:
        """A weight or another constant; equal ones are written once."""
        from onnx import helper

        array = np.asarray(values, dtype=dtype)
        content = array.tobytes()
        key = array.dtype.str, array.shape, sha256(content).digest()
        if key not in self._names:
            self._names[key] = f"constant_{len(self._names)}"
            kind = helper.np_dtype_to_tensor_dtype(array.dtype)
            self._graph.initializer.add(name=self._names[key], data_type=kind, dims=array.shape, raw_data=content)
        return self._names[key]

    def number(self, value: float) -> str:
        """A single number, float32."""
        return self.constant(value, np.float32)

    def cast(self, x: str, dtype: Any) -> str:
        """The values in another type of numbers."""
        from onnx import helper

        return self.add("Cast", x, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def reshape(self, x: str, shape: Sequence[int]) -> str:
        """The values in another shape: 0 keeps the size of an axis, -1 is what remains."""
        return self.add("Reshape", x, self.constant(shape))

    def columns(self, x: str, start: int, stop: int = END, step: int = 1, axis: int = 1) -> str:
        """A part of the values, along an axis."""
        return self.add("Slice", x, *(self.constant([number]) for number in (start, stop, axis, step)))

    def linear(self, x: str, kernel: NDArray[Any], bias: NDArray[Any]) -> str:
        """A product with a matrix (inputs, outputs), and a bias, always in 32 bits."""
        product = self.add("MatMul", x, self.constant(kernel, np.float32))
        return self.add("Add", product, self.constant(bias, np.float32))

    def dense(self, x: str, kernel: NDArray[Any], bias: NDArray[Any], activated: bool = False) -> str:
        """A dense layer: a product with a matrix (inputs, outputs), and a bias.

        With eight bits, the inputs are rounded on the fly, to 256 steps between the least and the greatest of all.

        Args:
            x: float32 (..., inputs).
            kernel, bias: The weights.
            activated: Whether the inputs are the output of GELU or ReLU. With eight bits, each row is then divided by
                its greatest number before: a few units, such as the first of a sentence, have numbers so large that
                they would leave the others few steps.
        """
        if not self._eight_bits:
            return self.linear(x, kernel, bias)
        if activated:
            greatest = self.add("ReduceMax", x, self.constant([-1]), keepdims=1)
            greatest = self.add("Max", greatest, self.number(_LEAST_DIVISOR))
            x = self.add("Mul", x, self.add("Reciprocal", greatest))  # faster than a division
        weights, scales = _rounded(kernel, _LARGEST_WEIGHT, axis=0)
        # ONNX Runtime computes these as one operator, with the bias if it follows.
        rounded, scale, zero = self.add_several("DynamicQuantizeLinear", x, n_outputs=3)
        product = self.cast(self.add("MatMulInteger", rounded, self.constant(weights, np.int8), zero), np.float32)
        product = self.add("Mul", product, self.add("Mul", scale, self.constant(scales, np.float32)))
        if activated:
            product = self.add("Mul", product, greatest)
        return self.add("Add", product, self.constant(bias, np.float32))

    def embed(self, ids: str, table: NDArray[Any]) -> str:
        """Rows of a table (rows, width), float32 (..., width)."""
        if not self._eight_bits:
            return self.add("Gather", self.constant(table, np.float32), ids)
        rows, scales = _rounded(table, _LARGEST_ENTRY, axis=1)
        return self.embed_rounded(ids, rows, scales)

    def embed_rounded(self, ids: str, rows: NDArray[Any], scales: NDArray[Any]) -> str:
        """Rows of a table of int8 (rows, width), times the scale of each, float32 (rows,)."""
        values = self.cast(self.add("Gather", self.constant(rows, np.int8), ids), np.float32)
        return self.add("Mul", values, self.add("Gather", self.constant(scales.reshape(-1, 1), np.float32), ids))

    def layer_norm(self, x: str, gamma: NDArray[Any], beta: NDArray[Any], epsilon: float) -> str:
        """Layer normalisation over the last axis."""
        weights = (self.constant(values, np.float32) for values in (gamma, beta))
        return self.add("LayerNormalization", x, *weights, axis=-1, epsilon=epsilon)

    def set_output(self, name: str, x: str, width: int) -> None:
        """Make a value, float32 (batch, length, width), an output of the model."""
        from onnx import helper

        self._graph.node.append(helper.make_node("Identity", [x], [name], f"output_{name}"))
        self._outputs[name] = width

    def serialize(self) -> bytes:
        """The content of a file with the model."""
        from onnx import TensorProto, helper

        def declare(values: Any, kind: int, axes: dict[str, list[str | int]]) -> None:
            del values[:]
            values.extend(helper.make_tensor_value_info(name, kind, own) for name, own in axes.items())

        shape: list[str | int] = ["batch", "length"]
        inputs = {self.ids: shape if self.n_features == 1 else [*shape, self.n_features], self.mask: shape}
        if any(self.segments in node.input for node in self._graph.node):
            inputs[SEGMENTS] = shape
        declare(self._graph.input, TensorProto.INT64, inputs)
        outputs = {name: [*shape, width] for name, width in self._outputs.items()}
        declare(self._graph.output, TensorProto.FLOAT, outputs)
        self._graph.name = "polytag"
        opsets = [helper.make_opsetid("", OPSET)]
        del self._model.opset_import[:]
        self._model.opset_import.extend(opsets)
        self._model.ir_version = helper.find_min_ir_version_for(opsets)  # the oldest, for older runtimes
        content: bytes = self._model.SerializeToString()
        return content


def _rounded(values: NDArray[Any], largest: int, axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Values as whole numbers up to `largest`, times a scale for each place along the other axis."""
    scales = np.maximum(np.abs(values).max(axis=axis, keepdims=True), _TINY) / largest
    return np.rint(values / scales).astype(np.int8), scales.astype(np.float32).reshape(-1)
