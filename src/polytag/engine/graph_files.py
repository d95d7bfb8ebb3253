"""Write a tagger's network for other runtimes as TensorFlow converts it: SavedModel, LiteRT.

Each takes the ids of units and a mask, and returns for each task the probabilities of its labels, float32 (batch,
length, labels), before calibration; batch and length are free.
"""

from __future__ import annotations

import errno
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tensorflow as tf

from polytag.encoding.batches import NetworkFunction
from polytag.engine.borrowed import borrowed
from polytag.engine.model import TaggerModel
from polytag.engine.portable_graph import PortableGraph, serving_function
from polytag.errors import PolytagError
from polytag.plugin.alignment import FloatArray
from polytag.plugin.onnx_graph import MASK, ids_name

with borrowed("tensorflow"):
    from tensorflow.lite.python.convert_phase import ConverterError

SIGNATURE = "serving_default"
_OPTIONS = tf.saved_model.SaveOptions(experimental_custom_gradients=False)  # nothing is trained after an export


def write_savedmodel(model: TaggerModel, folder: Path) -> None:
    """Write a SavedModel with the signature `serving_default`; its inputs are int32.

    Raises:
        OSError: It cannot be written, for example because the disk is full.
    """
    module = tf.Module()
    function = serving_function(model)
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


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Keep TensorFlow from warning that a SavedModel it reads lacks gradients: nobody trains an export."""
    logger = logging.getLogger("absl")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def open_savedmodel(folder: Path) -> NetworkFunction:
    """The signature of a SavedModel as a function of arrays."""
    with _without_warnings():
        loaded = tf.saved_model.load(str(folder))
    signature = loaded.signatures[SIGNATURE]

    def run(ids: Any, mask: Any) -> dict[str, FloatArray]:
        squeezed = ids[:, :, 0] if ids.shape[2] == 1 else ids
        given = {ids_name(ids.shape[2]): tf.constant(squeezed, tf.int32), MASK: tf.constant(mask, tf.int32)}
        return {task: values.numpy() for task, values in signature(**given).items()}

    run.__dict__["loaded"] = loaded  # a signature does not keep its variables alive
    return run


def write_litert(model: TaggerModel, path: Path) -> None:
    """Write a LiteRT model with the signature `serving_default`; its inputs are int32.

    Raises:
        PolytagError: LiteRT lacks an operation that the network needs.
        OSError: It cannot be written, for example because the disk is full.
    """
    portable = PortableGraph(serving_function(model))
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
            with _without_warnings():
                path.write_bytes(tf.lite.TFLiteConverter.from_saved_model(folder).convert())
        except ConverterError as error:
            raise PolytagError(
                "LiteRT lacks operations that this encoder's network needs. Export to onnx or savedmodel."
            ) from error
