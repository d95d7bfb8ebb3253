"""Buckets of relative positions, as DeBERTa has them (He et al. 2021, https://arxiv.org/abs/2006.03654)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def bucket_of(distances: NDArray[np.int64], n_buckets: int, longest: int) -> NDArray[np.int64]:
    """The bucket of each distance: its own up to half of their number, and then by its logarithm.

    In float32 and in this order: at the edge of a bucket another order gives another bucket.

    Args:
        distances: int64; those that no input has are taken as the greatest that one has.
        n_buckets: Number of buckets of each sign.
        longest: Greatest length of an input.
    """
    middle = n_buckets // 2
    distances = np.clip(distances, 1 - longest, longest - 1)
    size = np.maximum(np.abs(distances), middle)
    with np.errstate(divide="ignore", invalid="ignore"):  # where no distance is greater than the middle: not used
        logarithms = np.log(size.astype(np.float32) / np.float32(middle))
        share = logarithms / np.log(np.float32(longest - 1) / np.float32(middle))
        by_logarithm = np.ceil(share * np.float32(middle - 1)) + middle
    bucket = np.where(size <= middle, distances, by_logarithm * np.sign(distances)).astype(np.int64)
    return np.clip(bucket + n_buckets, 0, 2 * n_buckets - 1)
