"""Networks in ONNX Runtime."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polytag.errors import PolytagError, TaggerError
from polytag.plugin.alignment import FloatArray, IntArray
from polytag.tagger.runtimes import squeezed


class OnnxNetwork:
    """An ONNX model as a function of arrays: a `NetworkFunction`. It can be pickled, and used after a fork.

    Args:
        path: The file.
        logits: For each task the name of the output with its logits; None for a model with an output of probabilities
            for each task, named after it.

    Raises:
        PolytagError: ONNX Runtime is not installed, or the file is damaged.
    """

    def __init__(self, path: Path, logits: Mapping[str, str] | None = None) -> None:
        self._path = path.absolute()
        self._logits = dict(logits) if logits else None
        self._session = self._opened()
        self._process = os.getpid()

    def __call__(self, ids: IntArray, mask: NDArray[np.bool_]) -> dict[str, FloatArray]:
        """Probabilities of each task, float32 (batch, length, labels); arguments as for `NetworkFunction`."""
        if self._process != os.getpid():  # the threads of a session do not survive a fork
            self._session, self._process = self._opened(), os.getpid()
        ids_name, mask_name = (given.name for given in self._session.get_inputs())
        given = {ids_name: squeezed(ids).astype(np.int64), mask_name: mask.astype(np.int64)}
        outputs = self._logits or {found.name: found.name for found in self._session.get_outputs()}
        found = dict(zip(outputs, self._session.run(list(outputs.values()), given), strict=True))
        return {task: _softmax(values) for task, values in found.items()} if self._logits else found

    def _opened(self) -> Any:
        try:
            import onnxruntime
        except ModuleNotFoundError as error:
            raise PolytagError(
                f"{self._path} runs in ONNX Runtime, which is not installed. Install it: pip install onnxruntime"
            ) from error

        try:
            return onnxruntime.InferenceSession(str(self._path), providers=["CPUExecutionProvider"])
        except Exception as error:  # its exceptions have no other common base
            raise TaggerError(f"{self._path} cannot be loaded: {error}. Export the tagger again.") from error

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_session": None, "_process": None}


def _softmax(logits: FloatArray) -> FloatArray:
    """Probabilities of logits, float32 (..., labels)."""
    powers: FloatArray = np.exp(logits - logits.max(axis=-1, keepdims=True))
    powers /= powers.sum(axis=-1, keepdims=True)
    return powers
