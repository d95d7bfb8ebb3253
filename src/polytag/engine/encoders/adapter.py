"""A change of a matrix of weights by the product of two small matrices."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

SCALE = 2.0
"""Factor of the product: `lora_alpha` is twice the rank, so that the best learning rate depends less on the rank."""


def matrix_shape(layer: Any) -> tuple[int, int]:
    """The numbers of inputs and outputs of a layer, whose kernel may have more dimensions, as in attention."""
    shape = layer.kernel.shape
    outputs = shape[-1] if len(shape) == 2 else math.prod(layer.bias.shape)
    return math.prod(shape) // outputs, outputs


class Adapter:
    """Adds `SCALE * down @ up` to the kernel of a layer, which itself is not trained (LoRA, Hu et al. 2021).

    Args:
        layer: A layer with a kernel, whose numbers make a matrix (inputs, outputs).
        rank: The common size of the two matrices.

    Attributes:
        kernel: The variable that is changed, and stays as it is.
        down: Variable of shape (inputs, rank), random at first.
        up: Variable of shape (rank, outputs), zero at first, so that nothing changes before training.
    """

    def __init__(self, layer: Any, rank: int) -> None:
        self.kernel = layer.kernel
        inputs, outputs = matrix_shape(layer)
        layer._tracker.unlock()
        self.down = layer.add_weight((inputs, rank), keras.initializers.HeUniform(), "float32", name="down")
        self.up = layer.add_weight((rank, outputs), "zeros", "float32", name="up")
        layer._tracker.lock()

    def changed(self) -> Any:
        """The kernel after the change, as a tensor of the same shape."""
        down, up = tf.convert_to_tensor(self.down), tf.convert_to_tensor(self.up)
        return tf.convert_to_tensor(self.kernel) + SCALE * tf.reshape(tf.matmul(down, up), self.kernel.shape)

    def change(self) -> NDArray[np.float32]:
        """The change, float32 (inputs, outputs)."""
        return np.asarray(SCALE * (np.asarray(self.down) @ np.asarray(self.up)), np.float32)
