"""Probabilities for all units of a split, in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from polytag.alignment import FloatArray
from polytag.encoding.batches import BatchBuilder, prediction_plan
from polytag.encoding.features import Features
from polytag.engine.model import TaggerModel

UNIT_BUDGET = {"word": 8192, "subword": 1024}
"""Units in a batch, padding counted: enough to keep the processor busy, few enough to stay in its cache."""


class Predictor:
    """Runs a model over features.

    Args:
        model: Encoder and heads.
    """

    def __init__(self, model: TaggerModel) -> None:
        self._model = model
        self._probabilities = tf.function(
            self._forward,
            input_signature=[
                tf.TensorSpec((None, None, model.encoder.n_features), tf.int32),
                tf.TensorSpec((None, None), tf.bool),
            ],
        )

    def predict(self, features: Features, on_batch: Callable[[int], None] | None = None) -> dict[str, FloatArray]:
        """Probabilities of each task, float32 (units, labels), in the order of the units.

        Args:
            features: What to predict for.
            on_batch: Called after each batch with the number of its windows.
        """
        encoder = self._model.encoder
        builder = BatchBuilder(features, encoder)
        found = {
            task: np.zeros((len(features.ids), head.units), dtype=np.float32)
            for task, head in self._model.heads.items()
        }
        for chosen in prediction_plan(features.lengths, UNIT_BUDGET[encoder.unit]):
            batch = builder.build(chosen)
            scores = self._probabilities(batch.ids, batch.mask)
            read = batch.units >= 0
            units = batch.units[read]
            for task, values in scores.items():
                found[task][units] = values.numpy()[read]
            if on_batch:
                on_batch(len(chosen))
        return found

    def _forward(self, ids: Any, mask: Any) -> dict[str, Any]:
        logits = self._model(ids, mask, training=False)
        return {task: tf.nn.softmax(values) for task, values in logits.items()}
