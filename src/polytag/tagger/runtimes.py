"""Choose the runtime of a tagger; run exported networks in ONNX Runtime and LiteRT."""

from __future__ import annotations

import importlib.util
import os
import threading
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from polytag.encoding.batches import Batch, NetworkFunction, unit_scores
from polytag.encoding.device_names import check_device
from polytag.encoding.features import Features
from polytag.errors import PolytagError, RuntimeHint, TaggerError, shorten
from polytag.plugin.alignment import FloatArray
from polytag.plugin.encoder import WordCoder
from polytag.plugin.registry import registry
from polytag.tagger.description import FILE, TaggerDescription
from polytag.tagger.heads import HeadParameters
from polytag.tagger.onnx_files import FILES as ONNX_FILES
from polytag.tagger.onnx_files import export_command
from polytag.terminal import stage

if TYPE_CHECKING:
    from polytag.engine.model import TaggerModel

RUNTIMES = ("tensorflow", "onnx", "onnx-int8", "numpy")
_CALL_UNITS = {"word": 256, "subword": 4}
"""Units that take as long as what is done once a batch: measured with `compact` and MiniLM."""

ONNX_FILE, LITERT_FILE = "model.onnx", "model.tflite"
_EXTRAS = {
    **dict.fromkeys(("onnxruntime", "onnx"), "onnx"),
    "ai_edge_litert": "litert",
    "ray": "ray",
    **dict.fromkeys(("fastapi", "fastapi_offline", "uvicorn", "httptools", "prometheus_client"), "serve"),
    **dict.fromkeys(("matplotlib", "jinja2"), "report"),
    "optuna": "search",
}
_HINTED = threading.Event()
_MOST_THREADS = 8


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


class PortableModel(ABC):
    """Encoder and heads outside TensorFlow; it can be pickled.

    Args:
        encoder: Converts words into units.
        labels: Number of labels per task.
    """

    runtime: str
    head_parameters: HeadParameters

    def __init__(self, encoder: WordCoder, labels: Mapping[str, int]) -> None:
        self.encoder = encoder
        self._sizes = dict(labels)

    @property
    def encoder_name(self) -> str:
        """The name of the encoder that the user gave; empty if it is not known."""
        return ""

    @property
    def n_parameters(self) -> int | None:
        """Number of weights, if it is known."""
        return None

    def scorer(self) -> Self:
        """The object itself."""
        return self

    @cached_property
    def network(self) -> TaggerModel:
        """Encoder and heads in TensorFlow, with the same weights; made when it is first needed.

        Raises:
            PolytagError: The model is an export without its tagger.
        """
        return self._in_tensorflow()

    def predict(
        self,
        features: Features,
        wanted: NDArray[np.bool_] | None = None,
        on_batch: Callable[[int], None] | None = None,
    ) -> dict[str, FloatArray]:
        """Probabilities of each task, as `Scorer.predict` describes them."""
        at_once, call_units = self._at_once(), _CALL_UNITS[self.encoder.unit]
        return unit_scores(self._rows, features, self.encoder, self._sizes, wanted, on_batch, at_once, call_units)

    def _at_once(self) -> int:
        """Number of batches that are processed in parallel."""
        return 1

    @abstractmethod
    def _rows(self, batch: Batch) -> dict[str, FloatArray]:
        """Probabilities of each task, float32 (n, labels), of the n units that a batch reads, in order."""

    @abstractmethod
    def _in_tensorflow(self) -> TaggerModel:
        """Make the network in TensorFlow."""

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "network"}


def threads() -> int:
    """Number of batches that are processed in parallel where each uses one thread."""
    return min(cores(), _MOST_THREADS)


def cores() -> int:
    """Number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class ExportedModel(PortableModel):
    """A network in another runtime, with the part of the encoder that makes its inputs.

    Args:
        encoder: Converts words into units.
        labels: Number of labels per task.
        run: The network.
        head_parameters: The parameters of the heads.
        runtime: Name of the runtime.
        origin: Makes the network in TensorFlow that it was exported from; None for an export without it.
        in_parallel: Whether several batches are processed at once, each call of `run` in a thread of its own.
    """

    def __init__(
        self,
        encoder: WordCoder,
        labels: Mapping[str, int],
        run: NetworkFunction,
        head_parameters: HeadParameters,
        runtime: str = "onnx",
        origin: Callable[[], TaggerModel] | None = None,
        in_parallel: bool = False,
    ) -> None:
        super().__init__(encoder, labels)
        self.runtime = runtime
        self.head_parameters = head_parameters
        self._run = run
        self._origin = origin
        self._in_parallel = in_parallel

    def _at_once(self) -> int:
        return threads() if self._in_parallel else 1

    def _in_tensorflow(self) -> TaggerModel:
        if self._origin is None:
            raise PolytagError("An export can be neither saved nor exported again. Name the tagger it was made from.")
        return self._origin()

    def _rows(self, batch: Batch) -> dict[str, FloatArray]:
        return {task: scores[batch.units >= 0] for task, scores in self._run(batch.ids, batch.mask).items()}


def choose_runtime(folder: Path, description: TaggerDescription, wanted: str | None) -> str:
    """The runtime in which a folder runs.

    An export to ONNX runs in ONNX Runtime. Any other tagger runs in NumPy if its encoder can; else in ONNX Runtime if
    that is installed and the folder has an `onnx/model.onnx` that the user asked for; else in TensorFlow, or, if that
    is not installed, in ONNX Runtime with any `onnx/model.onnx`.

    Args:
        folder: The folder.
        description: Its description.
        wanted: The requested runtime; None for the first in this order that can run the folder.

    Warns:
        RuntimeHint: The tagger could start faster in another runtime; once per process.

    Raises:
        PolytagError: The runtime does not exist, or cannot run the folder.
    """
    if wanted not in (None, *RUNTIMES):
        raise PolytagError(f"There is no runtime named {wanted!r}. Choose one of: {', '.join(RUNTIMES)}.")
    possible = _possible(folder, description)
    if wanted is None:
        if possible[0] == "tensorflow":
            _hint(folder, possible)
        return possible[0]
    if wanted not in possible:
        raise TaggerError(_why_not(folder, description, wanted))
    return wanted


def runtime_of_device(device: str | None, runtime: str | None) -> str | None:
    """The requested runtime, or TensorFlow for GPUs.

    Raises:
        PolytagError: This is no device, or GPUs are requested for another runtime.
    """
    if device is None or check_device(device)[0] != "gpu":
        return runtime
    if runtime not in (None, "tensorflow"):
        raise PolytagError(
            f"--device {device} is for the runtime tensorflow, and {runtime} computes on the processor. Leave out "
            "--device, or --runtime."
        )
    return "tensorflow"


def on_devices(device: str | None, runtime: str, make: Callable[[], Any]) -> Any:
    """A model that computes on the chosen devices, with a copy for each further one.

    Raises:
        PolytagError: A device does not exist, or TensorFlow has begun to use other ones.
    """
    if runtime != "tensorflow":
        return make()
    stage("Starting TensorFlow")
    from polytag.engine.devices import choose_devices, logical_devices
    from polytag.engine.distribution import copies_on

    if device is not None:
        choose_devices(device)
    return copies_on(logical_devices(), make)


def _hint(folder: Path, possible: Sequence[str]) -> None:
    """Say once how a tagger starts faster, or at all."""
    if "onnx" in possible and importlib.util.find_spec("onnxruntime") is not None:
        advice = "It has an ONNX model, in which it starts in a second: choose the runtime onnx."
    elif "onnx" in possible:
        advice = "Install ONNX Runtime, in which it starts faster: pip install onnxruntime"
    elif (folder / FILE).is_file():
        advice = (
            f"With an ONNX model, which is written where TensorFlow is installed, it starts in a second: "
            f"{export_command(folder, 'onnx')}"
        )
    else:
        return
    if importlib.util.find_spec("tensorflow") is None:
        if "onnx" in possible:
            advice = "It has an ONNX model: pip install onnxruntime"
        raise PolytagError(f"The tagger {str(folder)!r} needs TensorFlow, which is not installed. {advice}")
    if not _HINTED.is_set():
        _HINTED.set()
        warnings.warn(f"{str(folder)!r} runs in TensorFlow. {advice}", RuntimeHint, stacklevel=5)


def _possible(folder: Path, description: TaggerDescription) -> list[str]:
    """The runtimes that can run a folder, the best one first."""
    if description.export is not None:
        if description.export.to != "onnx":
            raise TaggerError(
                f"{str(folder)!r} is an export for {shorten(description.export.to)}, which polytag does not load; its "
                "example.py shows how to run it. Name the tagger it was made from, or an export for onnx."
            )
        return ["onnx"]
    onnx = [runtime for runtime, file in ONNX_FILES.items() if (folder / file).is_file() and (folder / FILE).is_file()]
    if registry().encoders[description.encoder.provider].numpy_network() is not None:
        return ["numpy", *onnx, "tensorflow"]
    if "onnx" in onnx and importlib.util.find_spec("onnxruntime") is not None:  # eight bits give other tags: by choice
        recorded = description.onnx.get(ONNX_FILES["onnx"])
        if recorded is None or recorded.preferred or importlib.util.find_spec("tensorflow") is None:
            return ["onnx", "tensorflow", *onnx]
    return ["tensorflow", *onnx]


def _why_not(folder: Path, description: TaggerDescription, wanted: str) -> str:
    if description.export is not None:
        name = {"tensorflow": "TensorFlow", "numpy": "NumPy"}.get(wanted, wanted)
        return f"{str(folder)!r} is an export for onnx, and {name} cannot run it. Name the tagger it was made from."
    if wanted in ONNX_FILES:
        return f"The tagger {str(folder)!r} has no {ONNX_FILES[wanted]}. Write it: {export_command(folder, wanted)}"
    return (
        f"The tagger {str(folder)!r} cannot run in NumPy: its encoder, {description.encoder.provider}, has no network "
        "there. Choose another runtime, or leave it out."
    )


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
        given = {ids_name: squeezed(ids), "attention_mask": mask.astype(np.int32)}
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


def squeezed(ids: NDArray[np.int32]) -> NDArray[np.int32]:
    """Ids in the shape of the network's input: subwords (batch, length), features (batch, length, n_features)."""
    return ids[:, :, 0] if ids.shape[2] == 1 else ids
