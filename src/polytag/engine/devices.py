"""What this processor is fast at: the precision to train in by default."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path

import tensorflow as tf

from polytag.plugin.encoder import Precision

_SHAPE = (512, 384, 1536)
_ROUNDS = 16
_PROCESSOR = Path("/proc/cpuinfo")
_WORTH_IT = 0.8
"""Share of float32's time above which bfloat16 gains too little to be the default."""


@cache
def time_of_bfloat16() -> float:
    """Processor time of a dense layer's product with operands in bfloat16, conversions counted, over that in float32.

    What a processor's list of instructions says is not enough: AMD's Zen 4 multiplies bfloat16 at nearly twice the rate
    of float32, and Intel's Sapphire Rapids, where its matrix unit is out of reach of a virtual machine, at half of it.
    The two take turns, and the fastest round of each counts. Time is that of the processor, not of the clock: other
    programs, which take the processor away, would tip the scales in one run and not in the next.
    """
    rows, inner, columns = _SHAPE
    left, right = tf.ones((rows, inner)), tf.ones((inner, columns))

    def seconds(dtype: tf.DType) -> float:
        began = time.process_time()
        tf.cast(tf.matmul(tf.cast(left, dtype), tf.cast(right, dtype)), tf.float32)
        return time.process_time() - began

    rounds = [(seconds(tf.bfloat16), seconds(tf.float32)) for _ in range(_ROUNDS)]
    return min(short for short, _ in rounds) / min(usual for _, usual in rounds)


def native_precision() -> Precision:
    """`bfloat16` on processors that multiply it faster than float32, `float32` on all others.

    It is timed where the processor has instructions for it (AVX-512 BF16, AMX).
    """
    try:
        flags = _PROCESSOR.read_text(encoding="utf-8").split()
    except OSError:  # not Linux
        return "float32"
    if not {"avx512_bf16", "amx_bf16"}.intersection(flags):
        return "float32"
    return "bfloat16" if time_of_bfloat16() < _WORTH_IT else "float32"
