"""A model small enough to train in a moment: every word is looked up on its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import keras  # noqa: TID253
import numpy as np
from numpy.typing import NDArray

from polytag.engine.loop import Settings
from polytag.engine.model import TaggerModel
from polytag.plugin.encoder import Encoder, Tensors, Units

ROWS, WIDTH = 40, 8


class TinyNetwork(keras.layers.Layer):
    """One vector a word, and one dense layer; counts how often it is traced."""

    traces = 0

    def build(self, _: Any = None) -> None:
        self.table = self.add_weight(shape=(ROWS, WIDTH), initializer="normal", name="table")
        self.dense = keras.layers.Dense(WIDTH, activation="tanh", name="dense")
        self.dense.build((None, None, WIDTH))
        self.built = True

    def call(self, ids: Any, mask: Any, training: bool = False) -> Any:
        self.traces += 1
        return self.dense(keras.ops.take(self.table, ids[..., 0], axis=0))


class TinyEncoder(Encoder):
    provider: ClassVar[str] = "tiny"
    unit: ClassVar[str] = "word"
    reference = "tiny"
    n_features = 1
    before: tuple[int, ...] = ()
    after: tuple[int, ...] = ()
    padding = 0
    max_units = 100
    overlap = 4

    def __init__(self) -> None:
        self._network = TinyNetwork(name="tiny")
        self._network.build()

    def encode(self, words: Sequence[str]) -> Units:
        ids = [1 + sum(map(ord, word)) % (ROWS - 1) for word in words]
        return Units(np.array(ids, np.int32).reshape(-1, 1), np.ones(len(words), np.int32))

    @property
    def network(self) -> TinyNetwork:
        return self._network

    def tensors(self) -> Tensors:
        return {variable.path: variable.numpy() for variable in self._network.trainable_variables}

    def assign(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        for variable in self._network.trainable_variables:
            variable.assign(tensors[variable.path])

    def config(self) -> dict[str, Any]:
        return {"model_type": "tiny", "hidden_size": WIDTH}

    def architecture(self) -> str:
        return "Tiny"

    def save_files(self, folder: Path) -> None:
        pass


def tiny_model(*tasks: str, labels: Sequence[str] = ("O", "A", "B"), dropout: float = 0.0) -> TaggerModel:
    """A model of the same weights every time."""
    keras.utils.set_random_seed(7)
    model = TaggerModel(TinyEncoder(), dict.fromkeys(tasks or ("task",), labels))
    model.dropout.rate = dropout
    return model


def settings(**changes: Any) -> Settings:
    values: dict[str, Any] = {
        "epochs": 1,
        "batch_size": 8,
        "accumulate": 1,
        "learning_rate": 0.01,
        "warmup": 0.0,
        "weight_decay": 0.01,
        "clip": 1.0,
        "averaging": 0.0,
        "patience": 0,
        "seed": 0,
    }
    return Settings(**(values | changes))
