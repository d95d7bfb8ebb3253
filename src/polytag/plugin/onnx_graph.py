"""The graph of an ONNX model, as it is written: operators in the order in which they are computed."""

from __future__ import annotations

from collections.abc import Sequence
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
        self._nodes: list[Any] = []
        self._weights: list[Any] = []
        self._names: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self._outputs: dict[str, int] = {}

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add an operator of ONNX, and return its output; an empty name means that an input is left out."""
        return self.add_several(operator, *inputs, n_outputs=1, **attributes)[0]

    def add_several(self, operator: str, *inputs: str, n_outputs: int, **attributes: Any) -> list[str]:
        """Add an operator with several outputs, and return them."""
        from onnx import helper

        name = f"{operator}_{len(self._nodes)}"
        outputs = [f"{name}_{number}" for number in range(n_outputs)]
        self._nodes.append(helper.make_node(operator, inputs, outputs, name, **attributes))
        return outputs

    def constant(self, values: Any, dtype: Any = np.int64) -> str:
        """A weight or another constant; equal ones are written once."""
        from onnx import TensorProto, helper

        array = np.asarray(values, dtype=dtype)
        key = array.dtype.str, array.shape, array.tobytes()
        if key not in self._names:
            self._names[key] = f"constant_{len(self._names)}"
            kind = helper.np_dtype_to_tensor_dtype(array.dtype)
            tensor = TensorProto(name=self._names[key], data_type=kind, dims=array.shape, raw_data=key[2])
            self._weights.append(tensor)
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

        self._nodes.append(helper.make_node("Identity", [x], [name], f"output_{name}"))
        self._outputs[name] = width

    def serialize(self) -> bytes:
        """The content of a file with the model."""
        from onnx import TensorProto, helper

        shape = ["batch", "length"]
        features = [] if self.n_features == 1 else [self.n_features]
        inputs = [
            helper.make_tensor_value_info(self.ids, TensorProto.INT64, shape + features),
            helper.make_tensor_value_info(self.mask, TensorProto.INT64, shape),
        ]
        if any(self.segments in node.input for node in self._nodes):
            inputs.append(helper.make_tensor_value_info(SEGMENTS, TensorProto.INT64, shape))
        outputs = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [*shape, width])
            for name, width in self._outputs.items()
        ]
        graph = helper.make_graph(self._nodes, "polytag", inputs, outputs, self._weights)
        opsets = [helper.make_opsetid("", OPSET)]
        version = helper.find_min_ir_version_for(opsets)  # the oldest, for older runtimes
        model = helper.make_model(graph, opset_imports=opsets, ir_version=version, producer_name="polytag")
        content: bytes = model.SerializeToString()
        return content


def _rounded(values: NDArray[Any], largest: int, axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Values as whole numbers up to `largest`, times a scale for each place along the other axis."""
    scales = np.maximum(np.abs(values).max(axis=axis, keepdims=True), _TINY) / largest
    return np.rint(values / scales).astype(np.int8), scales.astype(np.float32).reshape(-1)
