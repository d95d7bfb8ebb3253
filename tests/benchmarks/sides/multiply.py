"""Multiplies matrices: how many floating-point operations a second the machine can do at most."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import numpy as np
from turns import pause, versions

import polytag.engine  # noqa: F401  # TensorFlow without the lines it prints
from polytag.engine.devices import native_precision

import tensorflow as tf  # isort: skip


def rate(multiply: Callable[[], object], operations: int, seconds: float) -> float:
    """Operations a second: the best of some short stretches, as what disturbs the machine only ever slows it."""
    multiply()
    best = 0.0
    for _ in range(5):
        count, began = 0, time.perf_counter()
        while time.perf_counter() - began < seconds / 5:
            multiply()
            count += 1
        best = max(best, count * operations / (time.perf_counter() - began))
    return best


def main() -> None:
    command = pause(versions=versions("tensorflow", "numpy"))
    random = np.random.default_rng(0)
    while True:
        *batch, rows, inner, columns = command["shape"]
        left = random.standard_normal((*batch, rows, inner), dtype=np.float32)
        right = random.standard_normal((*batch, inner, columns), dtype=np.float32)
        tensors = tf.constant(left), tf.constant(right)
        multiply: dict[str, Callable[[], object]] = {"numpy": partial(np.matmul, left, right)}
        multiply["tensorflow"] = partial(tf.matmul, *tensors)
        if native_precision() == "bfloat16":
            multiply["bfloat16"] = partial(tf.matmul, *(tf.cast(tensor, tf.bfloat16) for tensor in tensors))
        operations = 2 * int(np.prod(command["shape"]))
        command = pause(**{name: rate(call, operations, command["seconds"]) for name, call in multiply.items()})


main()
