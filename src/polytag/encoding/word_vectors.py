"""Vectors of words in addition to the hashed features of `compact`: which rows of their table a word has."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from polytag.encoding.coders import SubwordCoder
from polytag.encoding.compact_layout import MISFIT, ROWS_NAME
from polytag.encoding.json_values import read_json
from polytag.encoding.tensors import has_weights, read_shapes
from polytag.errors import TaggerError, shorten

VECTORS_FILE = "vectors.json"
"""The words that have vectors, and where they come from."""

MOST_PARTS = 6
"""Maximum number of subwords of a word whose vectors are averaged."""

_AGAIN = "Train the tagger again, or restore it from a copy."
_LARGEST = 2**31
_ROWS, _SCALES = "vector-rows.npy", "vector-scales.npy"


@dataclass(frozen=True, eq=False)
class VectorWords:
    """The rows of a table of vectors that a word has. Row 0 is for words without a vector: zeros.

    Attributes:
        source: The file or checkpoint of the vectors, as the user named it.
        words: The words with a vector of their own, in the order of their rows, from 1.
        subwords: Splits all other words into subwords, whose rows follow; None if these words have no vector.
        n_subwords: The number of subwords.
        width: The width of the vectors.
    """

    source: str
    words: Sequence[str]
    width: int
    subwords: SubwordCoder | None = None
    n_subwords: int = 0

    @property
    def n_rows(self) -> int:
        """The number of rows of the table."""
        return 1 + len(self.words) + self.n_subwords

    @property
    def parts(self) -> int:
        """The number of rows that a word can have."""
        return 1 if self.subwords is None else MOST_PARTS

    def find(self, words: Sequence[str]) -> NDArray[np.int32]:
        """The rows of words, int32 (words, parts), filled up with 0.

        A word as it is written comes before the same in lower case, and both before its subwords.
        """
        found = np.zeros((len(words), self.parts), dtype=np.int32)
        rows = self._rows
        found[:, 0] = [rows.get(word) or rows.get(word.lower(), 0) for word in words]
        if self.subwords is None:
            return found
        others = np.flatnonzero(found[:, 0] == 0)
        units = self.subwords.encode([words[index] for index in others.tolist()])
        starts = np.cumsum(units.counts) - units.counts
        place = np.arange(len(units.ids)) - np.repeat(starts, units.counts)
        taken = place < self.parts
        first = 1 + len(self.words)
        found[np.repeat(others, units.counts)[taken], place[taken]] = first + units.ids[taken, 0]
        return found

    def save(self, folder: Path) -> None:
        """Write the files that `read_words` needs."""
        content = {"source": self.source, "width": self.width, "subwords": self.n_subwords, "words": list(self.words)}
        (folder / VECTORS_FILE).write_text(json.dumps(content) + "\n", encoding="utf-8")
        if self.subwords:
            self.subwords.save_coder(folder)

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {word: row for row, word in enumerate(self.words, 1)}


@dataclass(frozen=True, eq=False)
class WordVectors:
    """A table of vectors, in eight bits.

    Attributes:
        lookup: The rows of each word.
        rows: int8 (rows, width); row 0 is zeros.
        scales: float32 (rows,), by which the numbers of a row are multiplied.
        fingerprint: SHA-256 of what they were made from; empty in a saved tagger.
    """

    lookup: VectorWords
    rows: NDArray[np.int8]
    scales: NDArray[np.float32]
    fingerprint: str = ""

    @classmethod
    def of(cls, lookup: VectorWords, vectors: NDArray[np.float32], fingerprint: str = "") -> WordVectors:
        """Vectors, float32 (rows - 1, width), in eight bits: the largest number of a row becomes 127."""
        vectors = np.concatenate([np.zeros((1, vectors.shape[1]), dtype=np.float32), vectors])
        scales = (np.abs(vectors).max(axis=1) / 127).astype(np.float32)
        rows = np.rint(vectors / np.where(scales > 0, scales, 1)[:, None]).astype(np.int8)
        return cls(lookup, rows, scales, fingerprint)

    @classmethod
    def empty(cls, lookup: VectorWords) -> WordVectors:
        """A table of zeros, whose values are set later."""
        rows = np.zeros((lookup.n_rows, lookup.width), dtype=np.int8)
        return cls(lookup, rows, np.zeros(lookup.n_rows, dtype=np.float32))

    def save(self, folder: Path) -> None:
        """Write words and vectors into a folder, for `load`."""
        self.lookup.save(folder)
        np.save(folder / _ROWS, self.rows)
        np.save(folder / _SCALES, self.scales)

    @classmethod
    def load(cls, folder: Path) -> WordVectors | None:
        """The words and vectors that `save` wrote; None if the folder has none."""
        lookup = read_words(folder)
        if lookup is None:
            return None
        rows, scales = (open_memmap(folder / name, mode="r") for name in (_ROWS, _SCALES))
        return cls(lookup, rows, scales)

    @property
    def values(self) -> NDArray[np.float32]:
        """The vectors, float32 (rows, width)."""
        found: NDArray[np.float32] = self.rows * self.scales[:, None]
        return found


@runtime_checkable
class UsesVectors(Protocol):
    """An encoder that `--vectors` is for."""

    def use_vectors(self, vectors: WordVectors) -> None:
        """Use vectors of words in addition to other features; called before the network is made."""


def read_words(folder: Path) -> VectorWords | None:
    """The words with vectors of a tagger's folder or of an export; None if it has no vectors.

    Raises:
        TaggerError: A file is missing or damaged, or the weights in the folder have other vectors.
    """
    path = folder / VECTORS_FILE
    if not path.exists():
        return None
    content = read_json(path, _AGAIN, TaggerError)
    words, source = content.get("words"), content.get("source")
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise TaggerError(f"{path} is damaged: 'words' is no list of words. {_AGAIN}")
    if not isinstance(source, str):
        raise TaggerError(f"{path} is damaged: 'source' is {shorten(repr(source))}. {_AGAIN}")
    width, n_subwords = _count(path, content, "width", 1), _count(path, content, "subwords", 0)
    subwords = SubwordCoder.load(folder) if n_subwords else None
    found = VectorWords(source, words, width, subwords, n_subwords)
    # Before there is memory for a table of this size.
    if has_weights(folder) and read_shapes(folder).get(ROWS_NAME) != (found.n_rows, width):
        raise TaggerError(MISFIT)
    return found


def _count(path: Path, content: Mapping[str, Any], name: str, smallest: int) -> int:
    value = content.get(name)
    if type(value) is not int or not smallest <= value < _LARGEST:
        raise TaggerError(f"{path} is damaged: {name!r} is {shorten(repr(value))}. {_AGAIN}")
    return value
