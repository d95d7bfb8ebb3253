"""Plan windows, the sequences of words that an encoder sees at once, so that every word is covered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Context = Literal["sentence", "document"]
WordIndex = NDArray[np.int64]


class Windows(NamedTuple):
    """Windows over the words of a split, as four int64 (windows,) arrays of word indices.

    Attributes:
        start, end: The words that the encoder sees, end exclusive.
        read_start, read_end: The words that are trained on and predicted in this window. Over all windows, these
            ranges cover every word exactly once, in order.
    """

    start: WordIndex
    end: WordIndex
    read_start: WordIndex
    read_end: WordIndex


def plan_windows(
    unit_starts: NDArray[np.int64],
    sentence_starts: NDArray[np.int64],
    max_units: int,
    overlap: int,
    documents: Sequence[int] | None = None,
) -> Windows:
    """Cover every word by windows of at most `max_units` units.

    A sentence that fits has its own window, or with `documents` shares one with neighbouring sentences of its document.
    A longer sentence is covered by overlapping windows, and each word is read from the window with most context on both
    sides: the boundary is in the middle of the overlap.

    Args:
        unit_starts: int64 (words + 1,): the first unit of each word; no word has more than `max_units`.
        sentence_starts: int64 (sentences + 1,): the first word of each sentence.
        max_units: Maximum number of units per window.
        overlap: Units of context on each side of the words that a window of a long sentence reads; less than half of
            `max_units`.
        documents: int (sentences,): the document of each sentence, to pack sentences of one document.
    """
    bounds = unit_starts[sentence_starts]
    if documents is None:
        spans = zip(sentence_starts[:-1].tolist(), sentence_starts[1:].tolist(), strict=True)
        groups = [(start, end) for start, end in spans if end > start]
    else:
        groups = _pack(sentence_starts, bounds, max_units, documents)
    rows: list[tuple[int, int, int, int]] = []
    for start, end in groups:
        if unit_starts[end] - unit_starts[start] <= max_units:
            rows.append((start, end, start, end))
        else:
            rows.extend(_overlapping(unit_starts, start, end, max_units, overlap))
    columns = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    return Windows(*columns)


def _pack(
    sentence_starts: NDArray[np.int64], bounds: NDArray[np.int64], max_units: int, documents: Sequence[int]
) -> list[tuple[int, int]]:
    groups: list[tuple[int, int]] = []
    begin = 0
    for index in range(1, len(documents) + 1):
        full = index < len(documents) and bounds[index + 1] - bounds[begin] > max_units
        if index == len(documents) or documents[index] != documents[begin] or full:
            start, end = int(sentence_starts[begin]), int(sentence_starts[index])
            if end > start:
                groups.append((start, end))
            begin = index
    return groups


def _overlapping(
    unit_starts: NDArray[np.int64], start: int, end: int, max_units: int, overlap: int
) -> list[tuple[int, int, int, int]]:
    rows = []
    read_start = start
    while read_start < end:
        first = max(start, int(np.searchsorted(unit_starts, unit_starts[read_start] - overlap)))
        # The first word to be read has to fit in addition to its left context.
        first = max(first, int(np.searchsorted(unit_starts, unit_starts[read_start + 1] - max_units)))
        last = min(end, int(np.searchsorted(unit_starts, unit_starts[first] + max_units, side="right")) - 1)
        read_end = end
        if last < end:
            inside = int(np.searchsorted(unit_starts, unit_starts[last] - overlap, side="right")) - 1
            read_end = max(inside, read_start + 1)
        rows.append((first, last, read_start, read_end))
        read_start = read_end
    return rows
