"""Taggers in NumPy, without TensorFlow."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from polytag.encoding.batches import Batch, unit_scores
from polytag.encoding.features import Features
from polytag.encoding.tensors import head_tensors, read_tensors
from polytag.plugin.alignment import FloatArray
from polytag.plugin.encoder import EncoderProvider, head_prefix
from polytag.plugin.encoder_choice import make_coder, make_encoder
from polytag.plugin.registry import registry
from polytag.tagger.calibration import softmax
from polytag.tagger.forks import check_tensorflow
from polytag.tagger.heads import TaskHead, saved_parameters
from polytag.tagger.runtimes import PortableModel, threads

if TYPE_CHECKING:
    from polytag.engine.model import TaggerModel


class NumpyModel(PortableModel):
    """Encoder and heads in NumPy.

    Args:
        folder: The tagger.
        provider: Name of the encoder's provider, which has a network in NumPy.
        reference: The name of the encoder that the user gave.
        heads: The head of each task.
        weights: Fingerprint of the file with the weights; None to accept any.

    Raises:
        TaggerError: The weights are missing, damaged, or do not fit the labels.
    """

    runtime = "numpy"

    def __init__(
        self,
        folder: Path,
        provider: str,
        reference: str,
        heads: Mapping[str, TaskHead],
        weights: str | None = None,
    ) -> None:
        self.provider, self.reference = provider, reference
        coder = make_coder(self._provider, lambda: self._provider.restore_coder(folder))
        super().__init__(coder, {task: len(head.labels) for task, head in heads.items()})
        self._folder = folder
        self._task_heads = dict(heads)
        self._tensors = read_tensors(folder, weights)
        make = self._provider.numpy_network()
        assert make is not None, provider
        self._vectors = make(self._tensors)
        self._heads = {
            task: head_tensors(self._tensors, head_prefix(task, len(heads)), len(head.labels), self._vectors.width)
            for task, head in heads.items()
        }
        self.head_parameters = saved_parameters(heads, lambda: self._tensors)

    def predict(
        self,
        features: Features,
        wanted: NDArray[np.bool_] | None = None,
        on_batch: Callable[[int], None] | None = None,
    ) -> dict[str, FloatArray]:
        """Probabilities of each task, as `Scorer.predict` describes them."""
        with _ONE_BLAS_THREAD:
            return super().predict(features, wanted, on_batch)

    def vectors(self, features: Features) -> FloatArray:
        """The encoder's vectors of units, as `VectorScorer.vectors` describes them."""

        def run(batch: Batch) -> dict[str, FloatArray]:
            return {"": self._vectors(batch.ids, batch.mask, np.flatnonzero(batch.units >= 0))}

        with _ONE_BLAS_THREAD:
            return unit_scores(run, features, self.encoder, {"": self._vectors.width}, at_once=threads())[""]

    @property
    def encoder_name(self) -> str:
        """The name of the encoder that the user gave."""
        return self.reference

    @property
    def n_parameters(self) -> int:
        """Number of weights."""
        return sum(tensor.size for tensor in self._tensors.values())

    def _at_once(self) -> int:
        return threads()

    def _in_tensorflow(self) -> TaggerModel:
        return tensorflow_model(self._provider, self._folder, self.reference, self._task_heads, self._tensors)

    def _rows(self, batch: Batch) -> dict[str, FloatArray]:
        vectors = self._vectors(batch.ids, batch.mask, np.flatnonzero(batch.units >= 0))
        found = {}
        for task, (weight, bias) in self._heads.items():
            scores = vectors @ weight.T
            scores += bias
            found[task] = softmax(scores)
        return found

    @property
    def _provider(self) -> EncoderProvider:
        return registry().encoders[self.provider]


def tensorflow_model(
    provider: EncoderProvider,
    folder: Path,
    reference: str,
    heads: Mapping[str, TaskHead],
    tensors: Mapping[str, NDArray[Any]],
) -> TaggerModel:
    """Encoder and heads in TensorFlow.

    Args:
        provider: The encoder's provider.
        folder: The tagger.
        reference: The name of the encoder that the user gave, which is not the path of the folder.
        heads: The head of each task.
        tensors: The weights.

    Raises:
        TaggerError: A tensor is missing or has the wrong shape, or TensorFlow cannot compute in this process.
    """
    check_tensorflow()
    from polytag.engine.model import TaggerModel

    encoder = make_encoder(provider, lambda: provider.restore(folder))
    for task, head in heads.items():  # before heads of these sizes are made
        head_tensors(tensors, head_prefix(task, len(heads)), len(head.labels), encoder.width)
    labels = {task: head.labels for task, head in heads.items()}
    model = TaggerModel(encoder, labels, saved_parameters(heads, lambda: tensors))
    model.assign(tensors)
    model.encoder.reference = reference
    return model


class _OneBlasThread:
    """A context in which BLAS computes only in the thread that calls it, in the whole process.

    Batches are computed in parallel instead. The threads of BLAS wait for each other without sleeping: if other
    processes need the processor as well, its matrix products take up to ten times as long.
    """

    def __init__(self) -> None:
        self._limit: Any = None
        self.reset()

    def reset(self) -> None:
        """Forget the threads that compute now: in a forked process, they do not exist."""
        self._lock = threading.Lock()
        self._users = 0

    def __enter__(self) -> None:
        with self._lock:
            if self._users == 0:
                _let_any_thread_limit()
                self._limit = _blas().limit(limits=1, user_api="blas")
            self._users += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0:
                _let_any_thread_limit()  # another thread may have set the limit
                self._limit.restore_original_limits()
                _let_any_thread_limit()


_ONE_BLAS_THREAD = _OneBlasThread()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_ONE_BLAS_THREAD.reset)


@cache
def _blas() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def _let_any_thread_limit() -> None:
    """Make the next limit count: threadpoolctl ignores threads other than the first one that set a limit and lives."""
    from threadpoolctl import OpenBLASController

    OpenBLASController.clear_controlling_thread(force=True)
