"""Networks in ONNX Runtime."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polytag.encoding.tensors import fingerprint
from polytag.errors import PolytagError, TaggerError, in_brief
from polytag.plugin.alignment import FloatArray, IntArray
from polytag.plugin.onnx_graph import SEGMENTS
from polytag.tagger.calibration import softmax
from polytag.tagger.forks import keep_garbage
from polytag.tagger.runtimes import cores, squeezed

_IDS, _SCORES = "tensor(int64)", "tensor(float)"
"""Types of the inputs and outputs of a network."""


class OnnxNetwork:
    """An ONNX model as a function of arrays: a `NetworkFunction`. It can be pickled, and used after a fork.

    Args:
        path: The file.
        labels: Number of labels per task.
        logits: For each task the name of the output with its logits; None for a model with an output of probabilities
            for each task, named after it.
        content: Fingerprint of the file, which must be the same when it is opened again; None to accept any.
        one_thread: Whether a call uses one thread instead of all cores: better for small networks, in which threads
            would wait for each other after every operation. It can be called in several threads at once.

    Raises:
        PolytagError: ONNX Runtime is not installed, the file is damaged, or its outputs do not fit the tasks.
    """

    def __init__(
        self,
        path: Path,
        labels: Mapping[str, int],
        logits: Mapping[str, str] | None = None,
        content: str | None = None,
        one_thread: bool = False,
    ) -> None:
        self._path = path.absolute()
        self._labels = dict(labels)
        self._outputs = dict(logits) if logits else {task: task for task in labels}
        self._gives_logits = logits is not None
        self._content = content
        self._one_thread = one_thread
        self._session = self._opened()
        self._process = os.getpid()

    def __call__(self, ids: IntArray, mask: NDArray[np.bool_]) -> dict[str, FloatArray]:
        """Probabilities of each task, float32 (batch, length, labels); arguments as for `NetworkFunction`."""
        with _OPENING:
            if self._process != os.getpid():  # the threads of a session do not survive a fork
                self._open_again()
        ids_name, mask_name, *others = (given.name for given in self._session.get_inputs())
        given = {ids_name: squeezed(ids).astype(np.int64), mask_name: mask.astype(np.int64)}
        given |= {name: np.zeros(mask.shape, np.int64) for name in others}  # a sentence is one segment
        try:
            outputs = self._session.run(list(self._outputs.values()), given)
        except Exception as error:  # its exceptions have no other common base
            raise TaggerError(
                f"{self._path} fails: {in_brief(error)}. It does not fit the other files of the tagger: export"
                " the tagger again."
            ) from error
        found = dict(zip(self._outputs, outputs, strict=True))
        for task, values in found.items():
            if values.shape != (*mask.shape, self._labels[task]):
                raise TaggerError(
                    f"{self._path} gives scores of shape {values.shape} for {mask.shape[0]} windows of {mask.shape[1]} "
                    "units. It does not fit the other files of the tagger: export the tagger again."
                )
        return {task: softmax(values) for task, values in found.items()} if self._gives_logits else found

    def _open_again(self) -> None:
        if self._content is not None and (not self._path.is_file() or fingerprint(self._path) != self._content):
            raise TaggerError(f"{self._path} has changed since the tagger was loaded. Load the tagger again.")
        self._session, self._process = self._opened(), os.getpid()

    def _opened(self) -> Any:
        try:
            import onnxruntime
        except ModuleNotFoundError as error:
            raise PolytagError(
                f"{self._path} runs in ONNX Runtime, which is not installed. Install it: pip install onnxruntime"
            ) from error
        options = onnxruntime.SessionOptions()
        # By itself ONNX Runtime takes a thread for each core of the machine (0), also in a process that may use a few.
        several = cores() if cores() < (os.cpu_count() or 1) else 0
        options.intra_op_num_threads = 1 if self._one_thread else several
        try:
            session = onnxruntime.InferenceSession(str(self._path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its exceptions have no other common base
            raise TaggerError(f"{self._path} cannot be loaded: {in_brief(error)}. Export the tagger again.") from error
        inputs, outputs = session.get_inputs(), session.get_outputs()
        further = [given.name for given in inputs[2:]]
        if (
            len(inputs) < 2
            or further not in ([], [SEGMENTS])
            or any(given.type != _IDS for given in inputs)
            or any(given.type != _SCORES for given in outputs)
        ):
            raise TaggerError(
                f"{self._path} is not a model that polytag wrote: it must have two inputs of integers, or {SEGMENTS} "
                "as a third one, and outputs of floating-point numbers. Export the tagger again."
            )
        found = {output.name: output.shape[-1] if output.shape else None for output in outputs}
        if found != {self._outputs[task]: size for task, size in self._labels.items()}:
            raise TaggerError(
                f"{self._path} has other tasks or labels than polytag.json: one of them was edited. Export the tagger "
                "again."
            )
        _SESSIONS.add(session)
        return session

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_session": None, "_process": None}


_SESSIONS: weakref.WeakSet[Any] = weakref.WeakSet()
_OPENING = threading.Lock()


def _after_fork() -> None:
    """Keep ONNX Runtime in a forked process from waiting for its threads, which do not exist there.

    It waits when a session is freed, and at exit, where its destructors run if the process ends other than by
    `os._exit`, as the workers of servers do. So sessions are never freed, and the last step of the exit of Python comes
    before these destructors.
    """
    global _OPENING  # a thread of the parent may hold it for ever
    _OPENING = threading.Lock()
    for session in _SESSIONS:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(session))
    if "onnxruntime" in sys.modules:
        keep_garbage()
        system = ctypes.CDLL(None)
        if hasattr(system, "on_exit"):  # in glibc; it calls what was registered last first, with the exit status
            system.on_exit(system._exit, None)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
