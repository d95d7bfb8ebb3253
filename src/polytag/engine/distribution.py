"""Several devices and several workers: each has a copy of the model and a part of every batch.

TensorFlow's strategies run the step on all of them and sum the gradients. The copies are plain models, each made on
its device, and not mirrored variables: Keras 3 changes the state of dropout's random numbers inside the step, which
mirrored variables do not allow, and the optimizer's compiled update needs the variables of its own device.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from polytag.engine.borrowed import borrowed
from polytag.engine.model import TaggerModel
from polytag.engine.optimizer import distinct_rows
from polytag.errors import TrainingError, shorten

Made = TypeVar("Made")


class Distribution:
    """The replicas of a run: one for each device of each worker.

    Args:
        strategy: The strategy of TensorFlow that runs the step and sums over the replicas.
        devices: The devices of this process.
        worker: The number of this worker, from 0; worker 0 is the chief, which evaluates and writes.
        workers: The number of workers.
    """

    def __init__(
        self, strategy: tf.distribute.Strategy, devices: Sequence[str], worker: int = 0, workers: int = 1
    ) -> None:
        self._strategy = strategy
        self.workers = workers
        self._broadcast: Any = None
        self.devices = tuple(devices)
        self.replicas = int(strategy.num_replicas_in_sync)
        first = worker * len(devices)
        self.mine = slice(first, first + len(devices))
        """The replicas of this process among all replicas."""
        # What a replica is told inside the step: its number among those of this process.
        self._numbers = strategy.experimental_distribute_values_from_function(
            lambda context: context.replica_id_in_sync_group - first
        )

    @property
    def is_chief(self) -> bool:
        """Whether this process evaluates and writes."""
        return self.mine.start == 0

    def on_each_device(self, make: Sequence[Callable[[], Made]]) -> list[Made]:
        """Call one function for each device of this process; what it makes is placed there."""
        made = []
        for device, function in zip(self.devices, make, strict=True):
            with tf.device(device):
                made.append(function())
        return made

    def run(self, step: Callable[[int], Any]) -> Any:
        """Run a step on the devices of this process, and return the result of the first one.

        Call it inside a `tf.function`.

        Args:
            step: Called with the number of the device, from 0.
        """
        results = self._strategy.run(step, args=(self._numbers,))
        return self._strategy.experimental_local_results(results)[0]

    def sum(self, values: Sequence[Any]) -> list[Any]:
        """Sums of tensors over all replicas; rows of a table (`tf.IndexedSlices`) stay rows. Call it inside a step."""
        # Rows that a batch reads twice are added up before they are sent.
        sent = [_with_distinct_rows(value) if isinstance(value, tf.IndexedSlices) else value for value in values]
        summed = tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, sent)
        return [_of_known_width(*pair) for pair in zip(summed, sent, strict=True)]

    def share(self, data: bytes | None) -> bytes:
        """Send bytes from the chief to all workers; each worker calls it, and only the chief has `data`.

        Raises:
            LostWorkerError: A worker no longer answers.
        """
        if self.workers == 1:
            return data or b""
        size = int(self._from_chief(_words(len(data or b"").to_bytes(8, "little"), 1))[0])
        words = -(-size // 8)
        parts = [
            self._from_chief(_words((data or b"")[8 * start : 8 * (start + _BLOCK)], _BLOCK))
            for start in range(0, words, _BLOCK)
        ]
        return b"".join(part.astype("<i8").tobytes() for part in parts)[:size]

    def share_arrays(self, arrays: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """Send arrays from the chief to all workers; others give arrays of the same shapes.

        Raises:
            LostWorkerError: A worker no longer answers.
        """
        if self.workers == 1:
            return list(arrays)
        return [
            np.frombuffer(self.share(array.tobytes() if self.is_chief else None), array.dtype).reshape(array.shape)
            for array in arrays
        ]

    def _from_chief(self, words: NDArray[np.int64]) -> NDArray[np.int64]:
        def own(number: int, sent: Any) -> Any:
            return tf.identity(sent) if self.is_chief and number == 0 else tf.zeros_like(sent)

        def send(sent: Any) -> Any:
            return self.run(lambda number: self.sum([own(number, sent)])[0])

        if self._broadcast is None:
            self._broadcast = tf.function(send, autograph=False, input_signature=[tf.TensorSpec((None,), tf.int64)])
        with self.watched():
            found: NDArray[np.int64] = self._broadcast(words).numpy()
        return found

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Turn the errors of TensorFlow about workers that are gone into one paragraph.

        Raises:
            LostWorkerError: A worker no longer answers.
        """
        try:
            yield
        except _GONE as error:
            if self.workers == 1:
                raise
            raise LostWorkerError from error


class LostWorkerError(TrainingError):
    """Another worker of the run no longer answers."""

    def __init__(self, why: str = "") -> None:
        super().__init__(why or "Another worker no longer answers: it has ended, or its machine cannot be reached.")


_GONE = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.InternalError,
)
SILENCE = 30
"""Seconds without a sign of life after which a worker counts as lost."""
_BLOCK = 1 << 17
"""Numbers that workers send at once: shapes that do not change are what TensorFlow sends most reliably."""


def _words(data: bytes, number: int) -> NDArray[np.int64]:
    return np.frombuffer(data.ljust(8 * number, b"\0"), "<i8").astype(np.int64)


def _expect_signs_of_life(workers: int) -> None:
    """Count a worker as lost after `SILENCE` seconds; after TensorFlow's ten, a busy machine would seem dead."""
    with borrowed("tensorflow"):
        from tensorflow.compiler.xla.tsl.protobuf import coordination_config_pb2
        from tensorflow.python.eager import context

    context.context().configure_coordination_service(
        service_type="standalone",
        service_leader="/job:worker/replica:0/task:0",
        coordinated_jobs=[coordination_config_pb2.CoordinatedJob(name="worker", num_tasks=workers)],
        heartbeat_timeout_in_ms=SILENCE * 1000,
    )


def join(addresses: Sequence[str], worker: int) -> Distribution:
    """Join the other workers of a run, which must have started; before TensorFlow does anything else.

    Args:
        addresses: `host:port` of each worker.
        worker: The number of this one.

    Raises:
        TrainingError: TensorFlow is in use already in this process, or cannot start its server.
    """
    before = signal.getsignal(signal.SIGTERM)
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
        tf.train.ClusterSpec({"worker": list(addresses)}), task_type="worker", task_id=worker, rpc_layer="grpc"
    )
    try:
        _expect_signs_of_life(len(addresses))
        strategy = tf.distribute.MultiWorkerMirroredStrategy(cluster_resolver=resolver)
    except RuntimeError as error:
        raise TrainingError(
            "TensorFlow is in use in this process already, and cannot join other workers. Start the run in a new "
            "process."
        ) from error
    except tf.errors.OpError as error:
        raise TrainingError(f"TensorFlow cannot join the other workers: {shorten(error.message, 300)}.") from error
    if threading.current_thread() is threading.main_thread() and before is not None:
        signal.signal(signal.SIGTERM, before)  # TensorFlow notes the signal and does not end
    return Distribution(strategy, strategy.extended.worker_devices, worker, len(addresses))


def _with_distinct_rows(gradient: tf.IndexedSlices) -> tf.IndexedSlices:
    rows, values = distinct_rows(gradient)
    return tf.IndexedSlices(values, rows, gradient.dense_shape)


def _of_known_width(summed: Any, sent: Any) -> Any:
    """Restore the width of rows, which TensorFlow forgets when it gathers them."""
    if not isinstance(sent, tf.IndexedSlices):
        return summed
    values = tf.ensure_shape(summed.values, (None, sent.values.shape[-1]))
    return tf.IndexedSlices(values, summed.indices, sent.dense_shape)


def over_devices(devices: Sequence[str]) -> Distribution | None:
    """The replicas on several devices of this process; None for a single device, which needs no strategy."""
    if len(devices) < 2:
        return None
    # Not the collective operations that TensorFlow would choose: within one process, they fail now and then if the
    # shape of a tensor differs from the previous step, as the number of rows does.
    on_gpus = all("GPU" in device for device in devices)
    sums = tf.distribute.NcclAllReduce() if on_gpus else tf.distribute.ReductionToOneDevice()
    return Distribution(tf.distribute.MirroredStrategy(list(devices), cross_device_ops=sums), devices)


def copies_on(devices: Sequence[str], make: Callable[[], TaggerModel]) -> TaggerModel:
    """A model, with a copy of it on each further device.

    Args:
        devices: Names of devices, such as `GPU:0`.
        make: Makes the model; called once for each device.
    """
    if len(devices) < 2:
        return make()
    models = []
    for device in devices:
        with tf.device(device):
            models.append(make())
    model, *copies = models
    for copy in copies:
        copy.copy_weights(model)
    model.set_copies(copies)
    return model
