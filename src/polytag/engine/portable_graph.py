"""A tagger's network as one TensorFlow graph for LiteRT.

Weights become constants, and some parts are rewritten: GELU and new axes, which LiteRT supports in no other form, and
dense layers, so that each runs as one fast operation. A part that is not recognised stays unchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from polytag.engine.borrowed import borrowed
from polytag.engine.model import TaggerModel
from polytag.plugin.onnx_graph import MASK, ids_name

with borrowed("tensorflow"):
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2


def serving_function(model: TaggerModel) -> Any:
    """The network as a `tf.function` of two named inputs.

    Args:
        model: Encoder and heads.

    Returns:
        A function of `input_ids`, int32 (batch, length), or `feature_ids`, int32 (batch, length, n_features), and
        `attention_mask`, int32 (batch, length), 0 at padding. It returns, for each task, probabilities, float32
        (batch, length, labels).
    """
    n_features = model.encoder.n_features
    shape = (None, None) if n_features == 1 else (None, None, n_features)

    @tf.function(  # type: ignore[untyped-decorator]  # TensorFlow has no types
        input_signature=[
            tf.TensorSpec(shape, tf.int32, name=ids_name(n_features)),
            tf.TensorSpec((None, None), tf.int32, name=MASK),
        ],
        autograph=False,
    )
    def scores(ids: Any, mask: Any) -> dict[str, Any]:
        found = model(tf.expand_dims(ids, -1) if n_features == 1 else ids, mask > 0, training=False)
        return {task: tf.nn.softmax(values) for task, values in found.items()}

    return scores


class PortableGraph:
    """The graph of a serving function, without variables.

    Args:
        function: A function from `serving_function`.

    Attributes:
        definition: The GraphDef.
        inputs, outputs: Names of tensors; outputs in the order of `tasks`.
        tasks: Names of the tasks.
    """

    def __init__(self, function: Any) -> None:
        concrete = function.get_concrete_function()
        frozen = convert_variables_to_constants_v2(concrete)
        self.tasks: list[str] = sorted(concrete.structured_outputs)  # the order in which tf.nest flattens a dict
        self.inputs = [tensor.name for tensor in frozen.inputs]
        self.outputs = [tensor.name for tensor in frozen.outputs]
        self.definition = frozen.graph.as_graph_def()
        self._nodes = {node.name: node for node in self.definition.node}
        for node in list(self.definition.node):
            if node.op == "Mul":
                self._rewrite_gelu(node)
            elif node.op == "Reshape":
                self._rewrite_dense(node)
            elif node.op == "StridedSlice":
                self._rewrite_new_axes(node)

    def function(self) -> Any:
        """The graph as a concrete function of its inputs."""
        wrapped = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(self.definition, name=""), [])
        graph = wrapped.graph
        return wrapped.prune(
            [graph.as_graph_element(name) for name in self.inputs],
            [graph.as_graph_element(name) for name in self.outputs],
        )

    def _rewrite_gelu(self, node: Any) -> None:
        """x (erf(x c) / 2 + 1 / 2) as (x / 2) (erf(x / (1 / c)) + 1)."""
        half = self._source(node.input[1])
        if half.op != "AddV2" or not (erf := self._match(half, ("Mul", "Const"))):
            return
        if not (erf := self._match(erf[0], ("Const", "Erf"))):
            return
        scaled = self._source(erf[1].input[0])
        divisor = 1 / tf.make_ndarray(self._source(scaled.input[1]).attr["value"].tensor)
        quotient = self._new(node, "quotient", "RealDiv", [scaled.input[0], self._constant(node, "divisor", divisor)])
        positive = self._new(node, "erf", "Erf", [quotient])
        total = self._new(node, "total", "AddV2", [positive, self._constant(node, "one", np.float32(1))])
        halved = self._new(node, "halved", "Mul", [node.input[0], self._constant(node, "half", np.float32(0.5))])
        self._replace(node, "Mul", [halved, total])

    def _rewrite_dense(self, node: Any) -> None:
        """A matrix product on the last axis, without the reshaping around it."""
        product = self._source(node.input[0])
        if not node.name.endswith("/Tensordot") or product.op != "MatMul":
            return
        flat = self._source(product.input[0])
        transposed = self._source(flat.input[0])
        if flat.op != "Reshape" or transposed.op != "Transpose":
            return
        self._replace(node, "BatchMatMulV2", [transposed.input[0], product.input[1]])

    def _rewrite_new_axes(self, node: Any) -> None:
        """x[:, None, :] as a single operation."""
        new, kept = node.attr["new_axis_mask"].i, node.attr["begin_mask"].i
        whole = kept == node.attr["end_mask"].i and not node.attr["shrink_axis_mask"].i
        axes = [axis for axis in range(8) if new >> axis & 1]
        if not axes or not whole or node.attr["ellipsis_mask"].i or (new | kept) & ((new | kept) + 1):
            return
        kind, source = node.attr["T"], node.input[0]
        for axis in axes:
            where = self._constant(node, f"axis_{axis}", np.int32(axis))
            if axis == axes[-1]:
                self._replace(node, "ExpandDims", [source, where])
            else:
                source = self._new(node, f"expanded_{axis}", "ExpandDims", [source, where])
                self._nodes[source].attr["T"].CopyFrom(kind)

    def _match(self, node: Any, operations: Sequence[str]) -> list[Any]:
        """The inputs of a node, if it consists of these operations; else an empty list."""
        sources = [self._source(name) for name in node.input]
        return sources if [source.op for source in sources] == list(operations) else []

    def _source(self, name: str) -> Any:
        name, _, output = name.partition(":")
        node = self._nodes[name]
        passed = node.op in ("Identity", "IdentityN", "StopGradient")
        return self._source(node.input[int(output or 0)]) if passed else node

    def _new(self, owner: Any, name: str, operation: str, inputs: Sequence[str]) -> str:
        node = self.definition.node.add()
        node.attr["T"].type = tf.float32.as_datatype_enum
        node.name, node.op = f"{owner.name}/portable/{name}", operation
        node.input.extend(inputs)
        self._nodes[node.name] = node
        return str(node.name)

    def _constant(self, owner: Any, name: str, value: Any) -> str:
        node = self.definition.node.add()
        node.name, node.op = f"{owner.name}/portable/{name}", "Const"
        node.attr["dtype"].type = tf.as_dtype(value.dtype).as_datatype_enum
        node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))
        self._nodes[node.name] = node
        return str(node.name)

    def _replace(self, node: Any, operation: str, inputs: Sequence[str]) -> None:
        for name in set(node.attr) - {"T"}:
            del node.attr[name]
        node.op = operation
        node.ClearField("input")
        node.input.extend(inputs)
