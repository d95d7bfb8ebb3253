"""The devices that compute, and the default precision, chosen by timing the processor."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import tensorflow as tf

from polytag.encoding.device_names import check_device
from polytag.errors import PolytagError
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


def choose_devices(wanted: str, part: int = 0, parts: int = 1) -> None:
    """Choose the devices of this process, before TensorFlow uses any.

    Args:
        wanted: `auto` for all GPUs, or the processor if there are none; `cpu`; `gpu`; or GPUs by number: `gpu:0,1`.
        part: The part of the GPUs that this process takes, from 0.
        parts: Number of processes that share the GPUs.

    Raises:
        PolytagError: A device does not exist, or TensorFlow has begun to use other ones.
    """
    chosen = _chosen_gpus(wanted)[part::parts]
    if parts > 1 and len(_chosen_gpus(wanted)) % parts:
        raise PolytagError(
            f"{parts} workers on this machine cannot share {len(_chosen_gpus(wanted))} GPUs equally. Choose another "
            "number of --workers, name the GPUs as in --device gpu:0,1, or train on the processor with --device cpu."
        )
    if chosen != tf.config.get_visible_devices("GPU"):
        try:
            tf.config.set_visible_devices(chosen, "GPU")
        except RuntimeError as error:
            raise PolytagError(
                f"TensorFlow uses other devices in this process already, and cannot change to {wanted!r}. Start a new "
                "process, or leave out --device."
            ) from error
    for gpu in chosen:
        with suppress(RuntimeError):  # it is in use already, in the same way
            tf.config.experimental.set_memory_growth(gpu, True)


def _chosen_gpus(wanted: str) -> list[Any]:
    kind, indices = check_device(wanted)
    gpus = tf.config.list_physical_devices("GPU")
    if kind == "cpu":
        return []
    if kind == "gpu" and not gpus:
        raise PolytagError(
            f"--device {wanted} was chosen, and TensorFlow finds no GPU on this machine. Check that `nvidia-smi` lists "
            "one and that the CUDA libraries are installed (`pip install 'tensorflow[and-cuda]'`), or leave out "
            "--device."
        )
    if not indices:
        return list(gpus)
    if missing := [index for index in indices if index >= len(gpus)]:
        raise PolytagError(
            f"--device {wanted}: this machine has no GPU {missing[0]}. TensorFlow finds {len(gpus)}: gpu:"
            f"{','.join(map(str, range(len(gpus))))}."
        )
    return [gpus[index] for index in indices]


def logical_devices() -> tuple[str, ...]:
    """The devices that this process computes on: its GPUs, or the processor. TensorFlow starts to use them."""
    for kind in ("GPU", "CPU"):
        if found := tf.config.list_logical_devices(kind):
            return tuple(f"{kind}:{index}" for index in range(len(found)))
    return ()


def device(workers: int = 1) -> str:
    """Name of the devices that train: `the processor (2 cores)`, or the GPUs; in each worker, if there are several."""
    each = f", in each of {workers} workers" if workers > 1 else ""
    if gpus := tf.config.get_visible_devices("GPU"):
        name = tf.config.experimental.get_device_details(gpus[0]).get("device_name", gpus[0].name)
        return (f"the GPU {name}" if len(gpus) == 1 else f"{len(gpus)} GPUs ({name})") + each
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return f"the processor ({cores} core{'s' if cores > 1 else ''}){each}"


def native_precision() -> Precision:
    """The fastest precision that loses no quality, of this process's GPUs or of the processor.

    GPUs with units for short numbers use them: `bfloat16` from compute capability 8.0, `float16` from 7.0. Processors
    use `bfloat16` if they multiply it faster than float32, which is timed only if the processor has instructions for it
    (AVX-512 BF16, AMX).
    """
    if gpus := tf.config.get_visible_devices("GPU"):
        details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
        lowest = min(found.get("compute_capability", (0, 0)) for found in details)
        return "bfloat16" if lowest >= (8, 0) else "float16" if lowest >= (7, 0) else "float32"
    try:
        flags = _PROCESSOR.read_text(encoding="utf-8").split()
    except OSError:  # not Linux
        return "float32"
    if not {"avx512_bf16", "amx_bf16"}.intersection(flags):
        return "float32"
    return "bfloat16" if time_of_bfloat16() < _WORTH_IT else "float32"
