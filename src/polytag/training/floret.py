"""The vectors of floret (https://github.com/explosion/floret): fastText's subword vectors in a small hashed table."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_WORD = 2**64 - 1
_C1, _C2 = 0x87C37B91114253D5, 0x4CF5AD432745937F
_MIX = 0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53


@dataclass(frozen=True, eq=False)
class FloretTable:
    """The table of a file of floret.

    Args:
        rows: float32 (buckets, width).
        shortest, longest: Characters of the parts of a word.
        hashes: Rows of each part.
        seed: Seed of the hash.
        begin, end: What stands before and after a word.
    """

    rows: NDArray[np.float32]
    shortest: int
    longest: int
    hashes: int
    seed: int
    begin: str
    end: str

    def vector(self, word: str) -> NDArray[np.float32]:
        """The vector of any word, float32 (width,): the mean of the rows of the word and of its parts."""
        rows = [
            number % len(self.rows)
            for part in self._parts(f"{self.begin}{word}{self.end}")
            for number in struct.unpack("<4I", murmur3(part.encode("utf-8", "replace"), self.seed))[: self.hashes]
        ]
        found: NDArray[np.float32] = self.rows[rows].mean(axis=0)
        return found

    def _parts(self, word: str) -> Iterator[str]:
        yield word
        for size in range(self.shortest, min(self.longest, len(word)) + 1):
            for start in range(len(word) - size + 1):
                yield word[start : start + size]


def murmur3(data: bytes, seed: int) -> bytes:
    """The hash MurmurHash3_x64_128 of Appleby, 16 bytes."""
    one = two = seed
    whole = len(data) // 16 * 16
    for first, second in struct.iter_unpack("<2Q", data[:whole]):
        one ^= _scrambled(first, _C1, 31, _C2)
        one = (_rotated(one, 27) + two) * 5 + 0x52DCE729 & _WORD
        two ^= _scrambled(second, _C2, 33, _C1)
        two = (_rotated(two, 31) + one) * 5 + 0x38495AB5 & _WORD
    first, second = struct.unpack("<2Q", data[whole:].ljust(16, b"\0"))
    one ^= _scrambled(first, _C1, 31, _C2) ^ len(data)
    two ^= _scrambled(second, _C2, 33, _C1) ^ len(data)
    one = one + two & _WORD
    two = two + one & _WORD
    one, two = _finished(one), _finished(two)
    one = one + two & _WORD
    return struct.pack("<2Q", one, two + one & _WORD)


def _scrambled(number: int, before: int, turn: int, after: int) -> int:
    return _rotated(number * before & _WORD, turn) * after & _WORD


def _rotated(number: int, by: int) -> int:
    return (number << by | number >> 64 - by) & _WORD


def _finished(number: int) -> int:
    for factor in _MIX:
        number = (number ^ number >> 33) * factor & _WORD
    return number ^ number >> 33
