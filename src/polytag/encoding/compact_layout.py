"""The weights of `compact`, as each of its implementations reads them: names, order, shapes and constants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from polytag.encoding.coders import BLOCKS, WINDOW
from polytag.encoding.tensors import check_values
from polytag.encoding.word_hashes import ROWS
from polytag.errors import TaggerError

EMBEDDING_WIDTH = 96
WIDTH = 192

EPSILON = 1e-3
"""Added to the variance in layer norms."""

_NORM: dict[str, tuple[int, ...]] = {"gamma": (WIDTH,), "beta": (WIDTH,)}
_LAYERS: dict[str, dict[str, tuple[int, ...]]] = {
    "mix": {"kernel": (len(ROWS) * EMBEDDING_WIDTH, WIDTH), "bias": (WIDTH,)},
    "mix_norm": _NORM,
}
for _index in range(BLOCKS):
    _LAYERS[f"convolution_{_index}"] = {"kernel": (WINDOW, WIDTH, WIDTH), "bias": (WIDTH,)}
    _LAYERS[f"norm_{_index}"] = _NORM

SHAPES: dict[str, tuple[int, ...]] = {
    "encoder.table": (sum(ROWS.values()), EMBEDDING_WIDTH),
    **{f"encoder.{layer}.{part}": shape for layer, parts in _LAYERS.items() for part, shape in parts.items()},
}
"""The shape of each saved tensor by name, in the order in which the network applies them."""


def check_tensors(tensors: Mapping[str, NDArray[Any]]) -> None:
    """Check that tensors hold all weights.

    Raises:
        TaggerError: A tensor is missing, has the wrong shape, or has values that are not numbers.
    """
    for name, shape in SHAPES.items():
        if name not in tensors or tuple(tensors[name].shape) != shape:
            raise TaggerError(
                f"The saved weights have no tensor {name!r} of shape {shape}: the folder is damaged or was written by "
                "another version of polytag. Train or download it again."
            )
        check_values(name, tensors[name])
