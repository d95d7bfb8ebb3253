"""Probabilities for all units of a split, in order."""

from __future__ import annotations

from collections.abc import Callable
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
"""Number of batches in parallel: while one waits for memory or Python, the others compute."""

_CALL_UNITS = {"word": 256, "subword": 48}
"""Units that take as long as what is done once a batch, here and in TensorFlow: measured with `compact` and MiniLM."""


class Predictor:
    """Runs a model over features.

    Args:
        network: Encoder and heads.
    """

    def __init__(self, network: TaggerModel) -> None:
        self.network = network
        self._probabilities = tf.function(
            self._forward,
            autograph=False,
            input_signature=[
                tf.TensorSpec((None, None, network.encoder.n_features), tf.int32),
                tf.TensorSpec((None, None), tf.bool),
                tf.TensorSpec((None,), tf.int32),
            ],
        )

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
        return unit_scores(self._run, features, self.encoder, labels, wanted, on_batch, BATCHES_AT_ONCE, call_units)

    def _run(self, batch: Batch) -> dict[str, FloatArray]:
        wanted = np.flatnonzero(batch.units >= 0).astype(np.int32)
        found = self._probabilities(batch.ids, batch.mask, wanted)
        return {task: values.numpy() for task, values in found.items()}

    def _forward(self, ids: Any, mask: Any, wanted: Any) -> dict[str, Any]:
        logits = self.network.at(ids, mask, wanted)
        return {task: tf.nn.softmax(values) for task, values in logits.items()}
