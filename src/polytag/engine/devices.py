"""The device that trains, and the default precision, chosen by timing the processor."""

from __future__ import annotations

import os
import time
from functools import cache
from pathlib import Path

import tensorflow as tf

from polytag.plugin.encoder import Precision

_SHAPE = (512, 384, 1536)
_ROUNDS = 16
_PROCESSOR = Path("/proc/cpuinfo")
_WORTH_IT = 0.8
"""Fraction of float32's time above which bfloat16 gains too little to be the default."""


@cache
def time_of_bfloat16() -> float:
    """Processor time of a dense layer's product with bfloat16 operands, conversions included, relative to float32.

    The instruction set does not predict the speed: AMD's Zen 4 multiplies bfloat16 at nearly twice the rate of float32,
    but Intel's Sapphire Rapids, in a virtual machine without access to its matrix unit, at half the rate. The two
    alternate, and the fastest round of each counts. Processor time is measured instead of wall-clock time, because
    other programs would change the result from run to run.
    """
    rows, inner, columns = _SHAPE
    left, right = tf.ones((rows, inner)), tf.ones((inner, columns))

    def seconds(dtype: tf.DType) -> float:
        began = time.process_time()
        tf.cast(tf.matmul(tf.cast(left, dtype), tf.cast(right, dtype)), tf.float32)
        return time.process_time() - began

    rounds = [(seconds(tf.bfloat16), seconds(tf.float32)) for _ in range(_ROUNDS)]
    return min(short for short, _ in rounds) / min(usual for _, usual in rounds)


def device() -> str:
    """The device that trains: `the processor (2 cores)`, or the GPU with its name."""
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        name = tf.config.experimental.get_device_details(gpus[0]).get("device_name", gpus[0].name)
        return f"the GPU {name}" if len(gpus) == 1 else f"the first of {len(gpus)} GPUs ({name})"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return f"the processor ({cores} core{'s' if cores > 1 else ''})"


def native_precision() -> Precision:
    """`bfloat16` on processors that multiply it faster than float32, `float32` on all others.

    It is timed only if the processor has instructions for it (AVX-512 BF16, AMX).
    """
    try:
        flags = _PROCESSOR.read_text(encoding="utf-8").split()
    except OSError:  # not Linux
        return "float32"
    if not {"avx512_bf16", "amx_bf16"}.intersection(flags):
        return "float32"
    return "bfloat16" if time_of_bfloat16() < _WORTH_IT else "float32"
