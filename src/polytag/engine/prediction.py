"""Probabilities for all units of a split, in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from queue import SimpleQueue
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from polytag.encoding.batches import Batch, unit_scores
from polytag.encoding.features import Features
from polytag.engine.model import TaggerModel
from polytag.plugin.alignment import FloatArray
from polytag.plugin.encoder import Encoder

BATCHES_AT_ONCE = 3
"""Number of batches in parallel on a device: while one waits for memory or Python, the others compute."""

_CALL_UNITS = {"word": 256, "subword": 48}
"""Units that take as long as what is done once a batch, here and in TensorFlow: measured with `compact` and MiniLM."""

Function = Callable[..., Mapping[str, Any]]


class Predictor:
    """Runs a model over features, on all devices that have a copy of it.

    Args:
        network: Encoder and heads.
    """

    def __init__(self, network: TaggerModel) -> None:
        self.network = network
        self._on_devices: SimpleQueue[Function] = SimpleQueue()
        self._at_once = BATCHES_AT_ONCE * (1 + len(network.copies))
        functions = [self._compiled(model) for model in (network, *network.copies)]
        for function in functions * BATCHES_AT_ONCE:
            self._on_devices.put(function)

    def _compiled(self, model: TaggerModel) -> Function:
        def probabilities(ids: Any, mask: Any, wanted: Any) -> dict[str, Any]:
            return {task: tf.nn.softmax(values) for task, values in model.at(ids, mask, wanted).items()}

        compiled: Function = tf.function(
            probabilities,
            autograph=False,
            input_signature=[
                tf.TensorSpec((None, None, model.encoder.n_features), tf.int32),
                tf.TensorSpec((None, None), tf.bool),
                tf.TensorSpec((None,), tf.int32),
            ],
        )
        if not self.network.copies:
            return compiled
        device = model.heads[next(iter(model.heads))].kernel.value.device

        def placed(*arrays: Any) -> Mapping[str, Any]:
            with tf.device(device):
                return compiled(*arrays)

        return placed

    @property
    def encoder(self) -> Encoder:
        """The encoder."""
        return self.network.encoder

    def predict(
        self,
        features: Features,
        wanted: NDArray[np.bool_] | None = None,
        on_batch: Callable[[int], None] | None = None,
    ) -> dict[str, FloatArray]:
        """Probabilities of each task, float32 (units, labels), in the order of the units.

        Args:
            features: The input.
            wanted: bool (units,), False for units that are not needed, whose probabilities are 0; all True by default.
            on_batch: Called after each batch with the number of its windows.
        """
        labels = {task: head.units for task, head in self.network.heads.items()}
        call_units = _CALL_UNITS[self.encoder.unit]
        return unit_scores(self._run, features, self.encoder, labels, wanted, on_batch, self._at_once, call_units)

    def vectors(self, features: Features) -> FloatArray:
        """The encoder's vectors of units, as `VectorScorer.vectors` describes them."""
        network, width = self.network.network, self.encoder.width

        def run(batch: Batch) -> dict[str, FloatArray]:
            found = network(batch.ids, batch.mask, training=False).numpy().reshape(-1, width)
            return {"": found[np.flatnonzero(batch.units >= 0)]}

        return unit_scores(run, features, self.encoder, {"": width}, call_units=_CALL_UNITS[self.encoder.unit])[""]

    def _run(self, batch: Batch) -> dict[str, FloatArray]:
        wanted = np.flatnonzero(batch.units >= 0).astype(np.int32)
        function = self._on_devices.get()
        try:
            found = function(batch.ids, batch.mask, wanted)
            return {task: values.numpy() for task, values in found.items()}
        finally:
            self._on_devices.put(function)
