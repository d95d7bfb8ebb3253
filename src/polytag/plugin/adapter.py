"""Weights that are trained instead of the weights of a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class AdapterWeights(NamedTuple):
    """Changes of the weights of a checkpoint by products of two small matrices (LoRA, Hu et al. 2021).

    Attributes:
        base: The checkpoint: a folder or a hub name.
        revision: The commit of the checkpoint on the hub; None for a folder, or if it is not known.
        base_weights: The fingerprint of its weights.
        rank: The common size of the two matrices.
        scale: The factor of their product.
        changes: For each changed tensor, by its saved name: float32 (rank, inputs) and float32 (outputs, rank). The
            product of the second and the first, times `scale`, is added to the tensor, (outputs, inputs).
        new: Saved names of tensors that the checkpoint lacks.
    """

    base: str
    revision: str | None
    base_weights: str
    rank: int
    scale: float
    changes: Mapping[str, tuple[NDArray[np.float32], NDArray[np.float32]]]
    new: frozenset[str] = frozenset()
