"""Write a tagger's network for other runtimes: SavedModel, ONNX, LiteRT.

Each takes the ids of units and a mask, and returns for each task the probabilities of its labels, float32 (batch,
length, labels), before calibration; batch and length are free.
"""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.lite.python.convert_phase import ConverterError

from polytag.encoding.batches import NetworkFunction
from polytag.engine.model import TaggerModel
from polytag.engine.portable_graph import MASK, PortableGraph, ids_name, serving_function
from polytag.errors import PolytagError
from polytag.plugin.alignment import FloatArray

SIGNATURE = "serving_default"
_OPTIONS = tf.saved_model.SaveOptions(experimental_custom_gradients=False)  # nothing is trained after an export
_OPSET = 17  # the first with LayerNormalization, into which ONNX Runtime fuses the output of `PortableGraph`
# Without optimizers that have no effect on a tagger, and those that turn means into pooling, which hides layer norms.
_OPTIMISERS = (
    "optimize_transpose",
    "fold_constants",
    "merge_duplication",
    "reshape_optimizer",
    "remove_identity",
    "remove_back_to_back",
)


def write_savedmodel(model: TaggerModel, folder: Path) -> None:
    """Write a SavedModel with the signature `serving_default`; its inputs are int32.

    Raises:
        OSError: It cannot be written, for example because the disk is full.
    """
    module = tf.Module()
    function = serving_function(model, tf.int32)
    concrete = function.get_concrete_function()
    module.tagger_variables = list(concrete.graph.variables)
    _save(module, folder, concrete)


def _save(module: tf.Module, folder: Path, signature: Any) -> None:
    with _raising_system_errors():
        tf.saved_model.save(module, str(folder), signatures={SIGNATURE: signature}, options=_OPTIONS)


@contextmanager
def _raising_system_errors() -> Iterator[None]:
    """Raise an error of TensorFlow in a file as the error of the system in its message."""
    try:
        yield
    except tf.errors.OpError as error:
        for number in errno.errorcode:
            if os.strerror(number) in error.message:
                raise OSError(number, os.strerror(number)) from error
        raise


def open_savedmodel(folder: Path) -> NetworkFunction:
    """The signature of a SavedModel as a function of arrays."""
    loaded = tf.saved_model.load(str(folder))
    signature = loaded.signatures[SIGNATURE]

    def run(ids: Any, mask: Any) -> dict[str, FloatArray]:
        squeezed = ids[:, :, 0] if ids.shape[2] == 1 else ids
        given = {ids_name(ids.shape[2]): tf.constant(squeezed, tf.int32), MASK: tf.constant(mask, tf.int32)}
        return {task: values.numpy() for task, values in signature(**given).items()}

    run.__dict__["loaded"] = loaded  # a signature does not keep its variables alive
    return run


def write_onnx(model: TaggerModel, path: Path, logits_as: Mapping[str, str] | None = None) -> None:
    """Write an ONNX model; its inputs are int64, its outputs the probabilities of each task.

    Args:
        model: Encoder and heads.
        path: The file.
        logits_as: For each task the name of an output of its logits, which are then written instead of probabilities.

    Raises:
        PolytagError: A task is named like an input.
    """
    from tf2onnx import optimizer, tfonnx

    # No constant folding by TensorFlow: it would undo these rewrites.
    portable = PortableGraph(serving_function(model, tf.int64, logits=logits_as is not None, in_bulk=True))
    names = dict(zip(portable.inputs, (ids_name(model.encoder.n_features), MASK), strict=True))
    outputs = [logits_as[task] for task in portable.tasks] if logits_as else portable.tasks
    for name in outputs:
        if name in names.values():
            raise PolytagError(
                f"The task {name!r} is named like an input of the network, and names in an ONNX model are unique. "
                "Train it under another name."
            )
    names |= dict(zip(portable.outputs, outputs, strict=True))
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(portable.definition, name="")
        converted = tfonnx.process_tf_graph(
            graph,
            opset=_OPSET,
            input_names=portable.inputs,
            output_names=portable.outputs,
            tensors_to_rename=names,
            custom_op_handlers={"UniqueV2": (_convert_unique, [])},
        )
    known = optimizer._get_optimizers()
    converted = optimizer.optimize_graph(
        converted, catch_errors=False, optimizers={name: known[name] for name in _OPTIMISERS}
    )
    proto = converted.make_model("polytag")
    _einsum_as_matmul(proto.graph)
    path.write_bytes(proto.SerializeToString())


def write_litert(model: TaggerModel, path: Path) -> None:
    """Write a LiteRT model with the signature `serving_default`; its inputs are int32.

    Raises:
        PolytagError: LiteRT lacks an operation that the network needs.
        OSError: It cannot be written, for example because the disk is full.
    """
    portable = PortableGraph(serving_function(model, tf.int32))
    inner = portable.function()
    n_features = model.encoder.n_features
    ids = tf.TensorSpec((None, None) if n_features == 1 else (None, None, n_features), tf.int32)

    class Frozen(tf.Module):  # type: ignore[misc]  # TensorFlow has no types
        graph = inner

        @tf.function(autograph=False)  # type: ignore[untyped-decorator]  # TensorFlow has no types
        def serve(self, **inputs: Any) -> dict[str, Any]:
            outputs = self.graph(inputs[ids_name(n_features)], inputs[MASK])
            return dict(zip(portable.tasks, outputs, strict=True))

    module = Frozen()
    inputs = {ids_name(n_features): ids, MASK: tf.TensorSpec((None, None), tf.int32)}
    signature = module.serve.get_concrete_function(
        **{name: tf.TensorSpec(spec.shape, spec.dtype, name=name) for name, spec in inputs.items()}
    )
    # In a folder that is removed as a whole if this process is killed.
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        _save(module, Path(folder), signature)
        try:
            path.write_bytes(tf.lite.TFLiteConverter.from_saved_model(folder).convert())
        except ConverterError as error:
            raise PolytagError(
                "LiteRT lacks operations that this encoder's network needs. Export to onnx or savedmodel."
            ) from error


def _convert_unique(context: Any, node: Any, *_: Any) -> None:
    """Distinct rows of integers, and for each row which one it is: tf2onnx converts only that of vectors."""
    from onnx import TensorProto

    axis = int(node.inputs[1].get_tensor_value(as_list=False).item())
    kind, index_kind = context.get_dtype(node.output[0]), node.get_attr_value("out_idx")
    context.remove_node(node.name)
    # ONNX Runtime finds distinct rows only of long integers.
    long = context.make_node("Cast", [node.input[0]], attr={"to": TensorProto.INT64}).output[0]
    distinct = context.make_node("Unique", [long], attr={"axis": axis, "sorted": 0}, output_count=4)
    context.make_node("Cast", [distinct.output[0]], attr={"to": kind}, outputs=[node.output[0]])
    context.make_node("Cast", [distinct.output[2]], attr={"to": index_kind}, outputs=[node.output[1]])


def _einsum_as_matmul(graph: Any) -> None:
    """Rewrite projections into and out of attention heads as matrix products, which are faster and can be quantised."""
    from onnx import helper, numpy_helper

    weights = {tensor.name: tensor for tensor in graph.initializer}
    nodes = []
    for node in graph.node:
        equation = node.attribute[0].s.decode() if node.op_type == "Einsum" else ""
        weight = weights.get(node.input[1]) if equation in ("abc,cde->abde", "abcd,cde->abe") else None
        if weight is None:
            nodes.append(node)
            continue
        value = numpy_helper.to_array(weight)
        into = equation == "abc,cde->abde"
        matrix = value.reshape(value.shape[0], -1) if into else value.reshape(-1, value.shape[2])
        shape = np.array([0, 0, *value.shape[1:]] if into else [0, 0, -1], dtype=np.int64)  # 0: unchanged
        name = node.name
        graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(matrix), f"{name}/matrix"))
        graph.initializer.append(numpy_helper.from_array(shape, f"{name}/shape"))
        if into:
            steps = [("MatMul", [node.input[0], f"{name}/matrix"]), ("Reshape", [f"{name}/flat", f"{name}/shape"])]
        else:
            steps = [("Reshape", [node.input[0], f"{name}/shape"]), ("MatMul", [f"{name}/flat", f"{name}/matrix"])]
        (first, first_inputs), (last, last_inputs) = steps
        nodes.append(helper.make_node(first, first_inputs, [f"{name}/flat"], name=f"{name}/{first}"))
        nodes.append(helper.make_node(last, last_inputs, list(node.output), name=f"{name}/{last}"))
    used = {name for node in nodes for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(kept)
