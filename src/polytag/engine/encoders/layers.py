"""The layers that all backbones share: dense layers and normalisations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from polytag.engine.encoders.adapter import SCALE, Adapter
from polytag.engine.encoders.operations import dense, exact_gelu, gelu, scaled_norm

Function = Callable[[Any], Any]


class Norm(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Layer normalisation (Ba et al. 2016), or root mean square normalisation (Zhang and Sennrich 2019), of rows.

    Args:
        width: Of a row.
        epsilon: Added to variances.
        name: Its name.
        dtype: Its dtype policy.
        centred: Whether it subtracts the mean (layer norm), or only divides (root mean square).
        bias: Whether it adds a bias.

    Attributes:
        gamma, beta: The weights, (width,), and the bias or None.
    """

    def __init__(
        self, width: int, epsilon: float, name: str, dtype: Any, *, centred: bool = True, bias: bool = True
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self._epsilon, self._centred = epsilon, centred
        self.gamma = self.add_weight((width,), "ones", name="gamma")
        self.beta = self.add_weight((width,), "zeros", name="beta") if bias else None
        self.built = True

    def call(self, rows: Any) -> Any:
        """The normalised rows, float (..., width)."""
        gamma, beta = (
            None if weight is None else tf.cast(tf.convert_to_tensor(weight), tf.float32)
            for weight in (self.gamma, self.beta)
        )
        return tf.cast(scaled_norm(tf.cast(rows, tf.float32), gamma, beta, self._epsilon, self._centred), rows.dtype)


class Linear(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """A matrix product and, where there is one, a bias.

    Attributes:
        kernel, bias: The weights, (inputs, outputs), and (outputs,) or None.
        operands: The dtype of the operands of the product in training.
        adapter: Changes the kernel, if there is one.
    """

    operands = "float32"
    adapter: Adapter | None = None

    def __init__(self, inputs: int, outputs: int, bias: bool, name: str, dtype: Any, kernel: Any = "zeros") -> None:
        super().__init__(name=name, dtype=dtype)
        self.kernel = self.add_weight((inputs, outputs), kernel, name="kernel")
        self.bias = self.add_weight((outputs,), "zeros", name="bias") if bias else None
        self.built = True

    def call(self, rows: Any, training: bool = False) -> Any:
        """The product, float (n, outputs), of rows, float (n, inputs)."""
        adapter, short = self.adapter, self.operands
        bias = None if self.bias is None else tf.convert_to_tensor(self.bias)
        with_gradients = training and rows.dtype == tf.float32
        if adapter is not None and with_gradients:
            # The adapter apart: the gradient of the large kernel is not needed, nor computed.
            narrow = dense(rows, tf.convert_to_tensor(adapter.down), None, short)
            change = SCALE * dense(narrow, tf.convert_to_tensor(adapter.up), None, short)
            return dense(rows, tf.convert_to_tensor(self.kernel), bias, short) + change
        kernel = tf.convert_to_tensor(self.kernel) if adapter is None else adapter.changed()
        if with_gradients:
            return dense(rows, kernel, bias, short)
        # Without gradients, TensorFlow fuses these two, and the activation after them.
        product = tf.matmul(rows, kernel)
        return product if bias is None else tf.nn.bias_add(product, bias)


class Columns:
    """Some columns of a variable, which a tensor of a checkpoint fills.

    Attributes:
        whole: The variable.
        columns: The columns.
        shape: The shape of these columns.
    """

    def __init__(self, whole: Any, first: int, count: int) -> None:
        self.whole = whole
        self.columns = slice(first, first + count)
        self.shape = (*whole.shape[:-1], count)

    def assign(self, values: NDArray[Any]) -> None:
        """Set them.

        Raises:
            ValueError: The values have another shape.
        """
        if values.shape != self.shape:
            raise ValueError(f"{values.shape} is not {self.shape}")
        # TensorFlow copies a variable on every read once a part of it was assigned.
        whole = np.array(self.whole)
        whole[..., self.columns] = values
        self.whole.assign(whole)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """The values, float32."""
        return np.asarray(self.whole)[..., self.columns].astype(dtype or np.float32)


def in_training(activation: Function) -> Function:
    """The same function with a gradient that computes less."""
    return gelu if activation is exact_gelu else activation


def transposed(tensor: NDArray[Any], shape: list[int]) -> NDArray[Any]:
    """The kernel of a `Linear`, (inputs, outputs), of the weight of a dense layer in PyTorch."""
    return np.transpose(tensor)
