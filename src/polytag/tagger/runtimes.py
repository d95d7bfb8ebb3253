"""Networks that run elsewhere than in TensorFlow: exported ones, in ONNX Runtime and LiteRT."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from polytag.encoding.batches import Batch, NetworkFunction, unit_scores
from polytag.encoding.features import Features
from polytag.errors import PolytagError, TaggerError
from polytag.plugin.alignment import FloatArray
from polytag.plugin.encoder import WordCoder

if TYPE_CHECKING:
    from polytag.engine.model import TaggerModel

RUNTIMES = ("tensorflow", "onnx")
ONNX_FILE, LITERT_FILE = "model.onnx", "model.tflite"
_EXTRAS = {"onnxruntime": "onnx", "tf2onnx": "onnx", "onnx": "onnx", "ai_edge_litert": "litert"}


class Scorer(Protocol):
    """What computes the probabilities of a tagger's labels, in whatever runtime."""

    @property
    def encoder(self) -> WordCoder:
        """What turns words into units."""

    @property
    def network(self) -> TaggerModel:
        """Encoder and heads in TensorFlow.

        Raises:
            PolytagError: They are elsewhere.
        """

    def predict(
        self,
        features: Features,
        wanted: NDArray[np.bool_] | None = None,
        on_batch: Callable[[int], None] | None = None,
    ) -> dict[str, FloatArray]:
        """Probabilities of each task, float32 (units, labels), in the order of the units.

        Args:
            features: What to predict for.
            wanted: bool (units,), False where they need not be known and are 0; all of them by default.
            on_batch: Called after each batch with the number of its windows.
        """


class ExportedModel:
    """A network in another runtime, with the half of the encoder that makes its inputs.

    Args:
        encoder: What turns words into units.
        labels: For each task, how many labels it has.
        run: The network.
    """

    def __init__(self, encoder: WordCoder, labels: Mapping[str, int], run: NetworkFunction) -> None:
        self.encoder = encoder
        self._labels = dict(labels)
        self._run = run

    def scorer(self) -> ExportedModel:
        """What computes the probabilities of labels: itself."""
        return self

    @property
    def network(self) -> TaggerModel:
        """None in TensorFlow.

        Raises:
            PolytagError: Always.
        """
        raise PolytagError("An export can neither be saved nor exported again. Name the tagger it was made from.")

    def predict(
        self,
        features: Features,
        wanted: NDArray[np.bool_] | None = None,
        on_batch: Callable[[int], None] | None = None,
    ) -> dict[str, FloatArray]:
        """Probabilities of each task, float32 (units, labels), in the order of the units.

        Args:
            features: What to predict for.
            wanted: bool (units,), False where they need not be known and are 0; all of them by default.
            on_batch: Called after each batch with the number of its windows.
        """
        return unit_scores(self._rows, features, self.encoder, self._labels, wanted, on_batch)

    def _rows(self, batch: Batch) -> dict[str, FloatArray]:
        return {task: scores[batch.units >= 0] for task, scores in self._run(batch.ids, batch.mask).items()}


def check_runtime(folder: Path, exported: str | None, wanted: str | None) -> str:
    """The runtime a folder is for.

    Args:
        folder: The folder.
        exported: The format of an export; None for a tagger as training writes it.
        wanted: The runtime that was asked for; None for whatever the folder is for.

    Raises:
        PolytagError: There is no such runtime, or the folder is not for it.
    """
    if wanted not in (None, *RUNTIMES):
        raise PolytagError(f"There is no runtime named {wanted!r}. Choose {' or '.join(RUNTIMES)}.")
    if exported is None:
        if wanted == "onnx":
            raise TaggerError(
                f"The tagger {str(folder)!r} holds no ONNX model. Write one with `polytag export {folder} "
                f"{folder}-onnx --to onnx`, and name that folder."
            )
        return "tensorflow"
    if exported != "onnx":
        raise TaggerError(
            f"{str(folder)!r} is an export for {exported}, which polytag does not load; example.py in it shows "
            "how to run it. Name the tagger it was made from, or an export for onnx."
        )
    if wanted == "tensorflow":
        raise TaggerError(
            f"{str(folder)!r} is an export for onnx, and TensorFlow cannot run it. Name the tagger it was made from."
        )
    return "onnx"


def open_onnx(path: Path) -> NetworkFunction:
    """An ONNX model as a function of arrays.

    Raises:
        PolytagError: ONNX Runtime is not installed, or the file is damaged.
    """
    require_extra("onnxruntime")
    import onnxruntime

    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions have no common base but this
        raise TaggerError(f"{path} cannot be loaded: {error}. Export the tagger again.") from error
    ids_name, mask_name = (given.name for given in session.get_inputs())
    tasks = [found.name for found in session.get_outputs()]

    def run(ids: NDArray[np.int32], mask: NDArray[np.bool_]) -> dict[str, FloatArray]:
        found = session.run(tasks, {ids_name: _squeezed(ids).astype(np.int64), mask_name: mask.astype(np.int64)})
        return dict(zip(tasks, found, strict=True))

    return run


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
    """Make sure that packages of an extra are installed.

    Raises:
        PolytagError: One is not; the message says which extra brings it.
    """
    for module in modules:
        if importlib.util.find_spec(module) is None:
            raise PolytagError(
                f"The package {module.replace('_', '-')} is not installed. Install it: pip install "
                f"'polytag[{_EXTRAS[module]}]'"
            )


def _squeezed(ids: NDArray[np.int32]) -> NDArray[np.int32]:
    """Subword ids are (batch, length), feature ids (batch, length, n_features)."""
    return ids[:, :, 0] if ids.shape[2] == 1 else ids
