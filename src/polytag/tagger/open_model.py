"""Open the network of a tagger's folder in a runtime."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from polytag.encoding.tensors import check_file, fingerprint
from polytag.encoding.weights import own_tensors, read_weights, weights_file
from polytag.errors import TaggerError
from polytag.plugin.encoder_choice import make_coder
from polytag.plugin.registry import registry
from polytag.tagger.description import TaggerDescription
from polytag.tagger.heads import TaskHead, exported_parameters, saved_parameters
from polytag.tagger.numpy_model import NumpyModel, tensorflow_model
from polytag.tagger.onnx_files import FILES, check_onnx, logits_names
from polytag.tagger.onnx_network import OnnxNetwork
from polytag.tagger.runtimes import ONNX_FILE, ExportedModel
from polytag.terminal import stage

if TYPE_CHECKING:
    from polytag.engine.model import TaggerModel


def open_model(
    folder: Path, description: TaggerDescription, runtime: str, heads: Mapping[str, TaskHead]
) -> TaggerModel | ExportedModel | NumpyModel:
    """The model in a folder.

    Args:
        folder: The folder of a tagger or of an export.
        description: Its `polytag.json`.
        runtime: The runtime, from `choose_runtime`.
        heads: The heads of the tasks.

    Raises:
        TaggerError: The folder is damaged, or its ONNX model was made from other weights.
    """
    stage(f"Loading {folder}", often_brief=True)
    provider, reference = description.encoder.provider, description.encoder.reference
    if runtime == "numpy":
        return NumpyModel(folder, provider, reference, heads, description.weights)
    restorer = registry().encoders[provider]
    sizes = {name: len(head.labels) for name, head in heads.items()}
    if description.export:
        coder = make_coder(restorer, lambda: restorer.restore_coder(folder))
        by_word = coder.unit == "word"
        check_file(folder / ONNX_FILE, description.weights)
        network = OnnxNetwork(folder / ONNX_FILE, sizes, content=description.weights, one_thread=by_word)
        return ExportedModel(coder, sizes, network, exported_parameters(folder, heads), in_parallel=by_word)
    if runtime in FILES:
        recorded = check_onnx(folder, description, runtime)
        coder = make_coder(restorer, lambda: restorer.restore_coder(folder))
        by_word = coder.unit == "word"
        network = OnnxNetwork(folder / FILES[runtime], sizes, logits_names(heads), recorded.content, by_word)
        origin = partial(_unchanged, folder, provider, reference, heads, recorded.weights)
        parameters = saved_parameters(heads, lambda: own_tensors(folder, recorded.weights))
        return ExportedModel(coder, sizes, network, parameters, runtime, origin, by_word)
    return _in_tensorflow(folder, provider, reference, heads, description.weights)


def _unchanged(folder: Path, provider: str, reference: str, heads: Mapping[str, TaskHead], weights: str) -> TaggerModel:
    file = folder / weights_file(folder)
    if not file.is_file() or fingerprint(file) != weights:
        raise TaggerError(f"{file} has changed since the tagger was loaded. Load the tagger again.")
    return _in_tensorflow(folder, provider, reference, heads)


def _in_tensorflow(
    folder: Path, provider: str, reference: str, heads: Mapping[str, TaskHead], weights: str | None = None
) -> TaggerModel:
    tensors = read_weights(folder, weights)
    stage("Starting TensorFlow")
    return tensorflow_model(registry().encoders[provider], folder, reference, heads, tensors)
