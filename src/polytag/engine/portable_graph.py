"""A tagger's network as one TensorFlow graph for other runtimes.

Weights become constants, and some parts are rewritten into the forms that converters and runtimes recognise: GELU, new
axes and signs of integers, which LiteRT supports in no other form, and layer norms and dense layers, so that each runs
as one fast operation. A part that is not recognised stays unchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from polytag.engine.borrowed import borrowed
from polytag.engine.model import TaggerModel

with borrowed("tensorflow"):
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

MASK = "attention_mask"
"""Name of the input that marks padding."""


def ids_name(n_features: int) -> str:
    """Name of the other input: ids of subwords, or of hashed features."""
    return "input_ids" if n_features == 1 else "feature_ids"


def serving_function(model: TaggerModel, dtype: Any, logits: bool = False, in_bulk: bool = False) -> Any:
    """The network as a `tf.function` of two named inputs.

    Args:
        model: Encoder and heads.
        dtype: Integer type of the inputs.
        logits: Whether the function returns logits instead of probabilities.
        in_bulk: Whether it calls `model.in_bulk`, which is faster, with operations that not every converter knows.

    Returns:
        A function of `input_ids`, (batch, length), or `feature_ids`, (batch, length, n_features), and `attention_mask`,
        (batch, length), 0 at padding. It returns, for each task, probabilities, float32 (batch, length, labels).
    """
    n_features = model.encoder.n_features
    shape = (None, None) if n_features == 1 else (None, None, n_features)

    @tf.function(  # type: ignore[untyped-decorator]  # TensorFlow has no types
        input_signature=[
            tf.TensorSpec(shape, dtype, name=ids_name(n_features)),
            tf.TensorSpec((None, None), dtype, name=MASK),
        ],
        autograph=False,
    )
    def scores(ids: Any, mask: Any) -> dict[str, Any]:
        ids = tf.cast(ids, tf.int32)
        ids, is_unit = tf.expand_dims(ids, -1) if n_features == 1 else ids, mask > 0
        found: dict[str, Any] = model.in_bulk(ids, is_unit) if in_bulk else model(ids, is_unit, training=False)
        return found if logits else {task: tf.nn.softmax(values) for task, values in found.items()}

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
                self._rewrite_normalisation(node)
            elif node.op == "AddV2":
                self._rewrite_layer_norm(node)
            elif node.op == "Reshape":
                self._rewrite_dense(node)
            elif node.op == "StridedSlice":
                self._rewrite_new_axes(node)
            elif node.op in ("Abs", "Sign") and node.attr["T"].type == tf.int64.as_datatype_enum:
                self._rewrite_integers(node)

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

    def _rewrite_normalisation(self, node: Any) -> None:
        """x rsqrt(mean(square(x)) + epsilon) as x / sqrt(mean(x ** 2) + epsilon)."""
        if not (found := self._match(node, ("Sub", "Rsqrt"))):
            return
        if not (spread := self._match(self._source(found[1].input[0]), ("Mean", "Const"))):
            return
        squares = self._source(spread[0].input[0])
        if squares.op != "Square" or self._source(squares.input[0]) is not found[0]:
            return
        self._replace(squares, "Pow", [squares.input[0], self._constant(squares, "two", np.float32(2))])
        deviation = self._new(node, "deviation", "Sqrt", [found[1].input[0]])
        self._replace(node, "RealDiv", [node.input[0], deviation])

    def _rewrite_layer_norm(self, node: Any) -> None:
        """x m + (beta - mean m), m = gamma rsqrt(variance + epsilon), as (x - mean) / sqrt(...) gamma + beta."""
        if not (found := self._match(node, ("Mul", "AddV2"))):
            return
        if not (shift := self._match(found[1], ("Mul", "Reshape"))):
            return
        if not (negative := self._match(shift[0], ("Neg", "Mul"))):
            return
        if not (scale := self._match(negative[1], ("Rsqrt", "Reshape"))):
            return
        total = self._source(scale[0].input[0])
        if not (spread := self._match(total, ("Mean", "Const"))):
            return
        squares = self._source(spread[0].input[0])
        if squares.op != "SquaredDifference" or self._source(found[0].input[1]) is not negative[1]:
            return
        centred = self._new(node, "centred", "Sub", [squares.input[0], negative[0].input[0]])
        power = self._new(node, "squares", "Pow", [centred, self._constant(node, "two", np.float32(2))])
        variance = self._new(node, "variance", "Mean", [power, spread[0].input[1]], like=spread[0])
        positive = self._new(node, "positive", "AddV2", [variance, total.input[1]])
        deviation = self._new(node, "deviation", "Sqrt", [positive])
        normal = self._new(node, "normal", "RealDiv", [centred, deviation])
        weighted = self._new(node, "weighted", "Mul", [normal, scale[1].input[0]])
        self._replace(node, "AddV2", [weighted, shift[1].input[0]])

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

    def _rewrite_integers(self, node: Any) -> None:
        """|x| as max(x, -x), and the sign of x as x between -1 and 1: LiteRT has neither for long integers."""
        (x,) = node.input
        if node.op == "Abs":
            self._replace(node, "Maximum", [x, self._new(node, "negative", "Neg", [x], like=node)])
        else:
            bounded = self._new(node, "bounded", "Maximum", [x, self._constant(node, "least", np.int64(-1))], like=node)
            self._replace(node, "Minimum", [bounded, self._constant(node, "most", np.int64(1))])

    def _match(self, node: Any, operations: Sequence[str]) -> list[Any]:
        """The inputs of a node, if it consists of these operations; else an empty list."""
        sources = [self._source(name) for name in node.input]
        return sources if [source.op for source in sources] == list(operations) else []

    def _source(self, name: str) -> Any:
        name, _, output = name.partition(":")
        node = self._nodes[name]
        passed = node.op in ("Identity", "IdentityN", "StopGradient")
        return self._source(node.input[int(output or 0)]) if passed else node

    def _new(self, owner: Any, name: str, operation: str, inputs: Sequence[str], like: Any = None) -> str:
        node = self.definition.node.add()
        if like is None:
            node.attr["T"].type = tf.float32.as_datatype_enum
        else:
            node.CopyFrom(like)
            node.ClearField("input")
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
