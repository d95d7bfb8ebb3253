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

ROWS_NAME, SCALES_NAME = "encoder.vectors", "encoder.vector_scales"
"""Names of the tensors of the vectors of words, int8 (rows, width), and of the scale of each row, float32 (rows,)."""

SHAPES: dict[str, tuple[int, ...]] = {
    "encoder.table": (sum(ROWS.values()), EMBEDDING_WIDTH),
    **{f"encoder.{layer}.{part}": shape for layer, parts in _LAYERS.items() for part, shape in parts.items()},
}
"""The shape of each saved tensor by name, in the order in which the network applies them, without vectors of words."""

_MIX = "encoder.mix.kernel"

MISFIT = (
    "The words with vectors in the folder do not belong to its weights: a file was replaced. Restore the folder from a "
    "copy, or train or download the tagger again."
)
"""The message about vectors of another tagger."""


def shapes(vector_width: int) -> dict[str, tuple[int, ...]]:
    """The shape of each weight by name, with vectors of words of this width, or without them: 0."""
    inputs, outputs = SHAPES[_MIX]
    return {**SHAPES, _MIX: (inputs + vector_width, outputs)}


def check_tensors(tensors: Mapping[str, NDArray[Any]], rows: tuple[int, int] | None = None) -> None:
    """Check that tensors hold all weights.

    Args:
        tensors: The tensors of a tagger.
        rows: The expected shape of the table of vectors, (0, 0) for none; by default, any is accepted.

    Raises:
        TaggerError: A tensor is missing, has the wrong shape, or has values that are not numbers.
    """
    found = tuple(tensors[ROWS_NAME].shape) if ROWS_NAME in tensors else (0, 0)
    if rows is None:
        rows = found if len(found) == 2 else (1, 1)
    for name, shape in shapes(rows[1]).items():
        _check_shape(tensors, name, shape)
        check_values(name, tensors[name])
    if found == rows == (0, 0):
        return
    _check_shape(tensors, ROWS_NAME, rows)
    _check_shape(tensors, SCALES_NAME, rows[:1])
    check_values(SCALES_NAME, tensors[SCALES_NAME])
    if tensors[ROWS_NAME].dtype.name != "int8":
        raise TaggerError(
            f"The saved tensor {ROWS_NAME!r} has the type {tensors[ROWS_NAME].dtype.name}, and vectors of words are "
            "int8: the folder is damaged. Train or download it again."
        )


def _check_shape(tensors: Mapping[str, NDArray[Any]], name: str, shape: tuple[int, ...]) -> None:
    if name not in tensors or tuple(tensors[name].shape) != shape:
        raise TaggerError(
            f"The saved weights have no tensor {name!r} of shape {shape}: the folder is damaged or was written by "
            "another version of polytag. Train or download it again."
        )
