"""Choose the runtime of a tagger; run exported networks in ONNX Runtime and LiteRT."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from polytag.encoding.batches import Batch, NetworkFunction, unit_scores
from polytag.encoding.features import Features
from polytag.errors import PolytagError, TaggerError
from polytag.plugin.alignment import FloatArray
from polytag.plugin.encoder import WordCoder
from polytag.plugin.registry import registry
from polytag.tagger.description import TaggerDescription

if TYPE_CHECKING:
    from polytag.engine.model import TaggerModel

RUNTIMES = ("tensorflow", "onnx", "numpy")
ONNX_FILE, LITERT_FILE = "model.onnx", "model.tflite"
_EXTRAS = {"onnxruntime": "onnx", "tf2onnx": "onnx", "onnx": "onnx", "ai_edge_litert": "litert"}


class Scorer(Protocol):
    """Computes the probabilities of a tagger's labels, in any runtime."""

    @property
    def encoder(self) -> WordCoder:
        """Converts words into units."""

    @property
    def network(self) -> TaggerModel:
        """Encoder and heads in TensorFlow.

        Raises:
            PolytagError: The network is an export.
        """

    def predict(
        self,
        features: Features,
        wanted: NDArray[np.bool_] | None = None,
        on_batch: Callable[[int], None] | None = None,
    ) -> dict[str, FloatArray]:
        """Probabilities of each task, float32 (units, labels), in the order of the units.

        Args:
            features: The features of the text.
            wanted: bool (units,), False for units that are not needed, which get probabilities of 0; all by default.
            on_batch: Called after each batch with the number of its windows.
        """


class ExportedModel:
    """A network in another runtime, with the part of the encoder that makes its inputs.

    Args:
        encoder: Converts words into units.
        labels: Number of labels per task.
        run: The network.
    """

    runtime: ClassVar[str] = "onnx"

    def __init__(self, encoder: WordCoder, labels: Mapping[str, int], run: NetworkFunction) -> None:
        self.encoder = encoder
        self._labels = dict(labels)
        self._run = run

    def scorer(self) -> ExportedModel:
        """The object itself."""
        return self

    @property
    def network(self) -> TaggerModel:
        """Not available.

        Raises:
            PolytagError: Always.
        """
        raise PolytagError("An export can be neither saved nor exported again. Name the tagger it was made from.")

    def predict(
        self,
        features: Features,
        wanted: NDArray[np.bool_] | None = None,
        on_batch: Callable[[int], None] | None = None,
    ) -> dict[str, FloatArray]:
        """Probabilities of each task, float32 (units, labels), in the order of the units.

        Args:
            features: The features of the text.
            wanted: bool (units,), False for units that are not needed, which get probabilities of 0; all by default.
            on_batch: Called after each batch with the number of its windows.
        """
        return unit_scores(self._rows, features, self.encoder, self._labels, wanted, on_batch)

    def _rows(self, batch: Batch) -> dict[str, FloatArray]:
        return {task: scores[batch.units >= 0] for task, scores in self._run(batch.ids, batch.mask).items()}


def choose_runtime(folder: Path, description: TaggerDescription, wanted: str | None) -> str:
    """The runtime in which a folder runs.

    An export to ONNX runs in ONNX Runtime; any other tagger in NumPy if its encoder can, else in TensorFlow.

    Args:
        folder: The folder.
        description: Its description.
        wanted: The requested runtime; None for the first in this order that can run the folder.

    Raises:
        PolytagError: The runtime does not exist, or cannot run the folder.
    """
    if wanted not in (None, *RUNTIMES):
        raise PolytagError(f"There is no runtime named {wanted!r}. Choose one of: {', '.join(RUNTIMES)}.")
    possible = _possible(folder, description)
    if wanted is None:
        return possible[0]
    if wanted not in possible:
        raise TaggerError(_why_not(folder, description, wanted))
    return wanted


def _possible(folder: Path, description: TaggerDescription) -> list[str]:
    """The runtimes that can run a folder, the best one first."""
    if description.export is not None:
        if description.export.to != "onnx":
            raise TaggerError(
                f"{str(folder)!r} is an export for {description.export.to}, which polytag does not load; its "
                "example.py shows how to run it. Name the tagger it was made from, or an export for onnx."
            )
        return ["onnx"]
    provider = registry().encoders[description.encoder.provider]
    return ["tensorflow"] if provider.numpy_network() is None else ["numpy", "tensorflow"]


def _why_not(folder: Path, description: TaggerDescription, wanted: str) -> str:
    if description.export is not None:
        name = {"tensorflow": "TensorFlow", "numpy": "NumPy"}[wanted]
        return f"{str(folder)!r} is an export for onnx, and {name} cannot run it. Name the tagger it was made from."
    if wanted == "onnx":
        return (
            f"The tagger {str(folder)!r} has no ONNX model. Write one with `polytag export {folder} "
            f"{folder}-onnx --to onnx`, and name that folder."
        )
    return (
        f"The tagger {str(folder)!r} cannot run in NumPy: its encoder, {description.encoder.provider}, has no network "
        "there. Choose the runtime tensorflow, or leave it out."
    )


def open_onnx(path: Path, logits: Mapping[str, str] | None = None) -> NetworkFunction:
    """An ONNX model as a function of arrays.

    Args:
        path: The file.
        logits: For each task the name of the output with its logits; None for a model with an output of probabilities
            for each task, named after it.

    Raises:
        PolytagError: ONNX Runtime is not installed, or the file is damaged.
    """
    require_extra("onnxruntime")
    import onnxruntime

    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions have no other common base
        raise TaggerError(f"{path} cannot be loaded: {error}. Export the tagger again.") from error
    ids_name, mask_name = (given.name for given in session.get_inputs())
    outputs = logits or {found.name: found.name for found in session.get_outputs()}

    def run(ids: NDArray[np.int32], mask: NDArray[np.bool_]) -> dict[str, FloatArray]:
        given = {ids_name: _squeezed(ids).astype(np.int64), mask_name: mask.astype(np.int64)}
        found = dict(zip(outputs, session.run(list(outputs.values()), given), strict=True))
        return {task: _softmax(values) for task, values in found.items()} if logits else found

    return run


def _softmax(logits: FloatArray) -> FloatArray:
    """Probabilities of logits, float32 (..., labels)."""
    powers: FloatArray = np.exp(logits - logits.max(axis=-1, keepdims=True))
    powers /= powers.sum(axis=-1, keepdims=True)
    return powers


def open_litert(path: Path) -> NetworkFunction:
    """A LiteRT model as a function of arrays.

    Raises:
        PolytagError: LiteRT is not installed.
    """
    require_extra("ai_edge_litert")
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(str(path)).get_signature_runner()
    ids_name = next(name for name in runner.get_input_details() if name.endswith("_ids"))

    def run(ids: NDArray[np.int32], mask: NDArray[np.bool_]) -> dict[str, FloatArray]:
        given = {ids_name: _squeezed(ids), "attention_mask": mask.astype(np.int32)}
        found: dict[str, FloatArray] = runner(**given)
        return found

    return run


def require_extra(*modules: str) -> None:
    """Check that packages of an extra are installed.

    Raises:
        PolytagError: A package is missing; the message names the extra that installs it.
    """
    for module in modules:
        if importlib.util.find_spec(module) is None:
            raise PolytagError(
                f"The package {module.replace('_', '-')} is not installed. Install it: pip install "
                f"'polytag[{_EXTRAS[module]}]'"
            )


def _squeezed(ids: NDArray[np.int32]) -> NDArray[np.int32]:
    """Ids in the shape of the network's input: subwords (batch, length), features (batch, length, n_features)."""
    return ids[:, :, 0] if ids.shape[2] == 1 else ids
