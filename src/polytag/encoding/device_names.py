"""Names of devices, as users give them; they are checked without TensorFlow."""

from __future__ import annotations

import re

from polytag.errors import PolytagError

_NUMBERS = re.compile("[0-9]{1,4}(,[0-9]{1,4})*")


def check_device(name: str) -> tuple[str, tuple[int, ...]]:
    """The kind of device, `auto`, `cpu` or `gpu`, and the numbers of the GPUs if some are named.

    Raises:
        PolytagError: This is no device, or names a GPU twice.
    """
    kind, colon, numbers = name.partition(":")
    if kind not in ("auto", "cpu", "gpu") or (colon and (kind != "gpu" or not _NUMBERS.fullmatch(numbers))):
        raise PolytagError(
            f"--device {name!r} is no device. Choose auto, cpu, gpu for all GPUs, or some by number: gpu:0,1."
        )
    indices = tuple(map(int, numbers.split(","))) if numbers else ()
    if len(set(indices)) < len(indices):
        raise PolytagError(f"--device {name} names a GPU twice.")
    return kind, indices
