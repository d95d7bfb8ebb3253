"""Hash words to rows of the embedding table of `compact`.

This module needs only the standard library, because an exported tagger includes a copy of it.
"""

from __future__ import annotations

import hashlib
import struct
from functools import lru_cache
from itertools import accumulate

ROWS = {"lower": 20_000, "form": 20_000, "prefix": 5_000, "suffix": 8_000, "shape": 2_000}
"""Rows of each feature's part of the embedding table."""
HASHES = 2
_FIRST_ROWS = dict(zip(ROWS, accumulate(ROWS.values(), initial=0), strict=False))

_SHAPE_LIMIT = 8
_PREFIX, _SUFFIX = 3, 3


def shape_of(word: str) -> str:
    """The shape of a word: `Xxxx` for `Paris`, `dd.d` for `12.5`; runs are truncated to four."""
    shape: list[str] = []
    for character in word[: 4 * _SHAPE_LIMIT]:
        kind = "X" if character.isupper() else "x" if character.isalpha() else "d" if character.isdigit() else character
        if shape[-4:] != [kind] * 4:
            shape.append(kind)
    return "".join(shape[:_SHAPE_LIMIT])


def hash_word(word: str) -> tuple[int, ...]:
    """Rows of the embedding table for one word: two for each of the five features.

    The hash is BLAKE2b, the same on every platform, split into 32-bit numbers.
    """
    lower = word.lower()
    return (
        *_rows_of("lower", lower),
        *_rows_of("form", word),
        *_known_rows_of("prefix", lower[:_PREFIX]),
        *_known_rows_of("suffix", lower[-_SUFFIX:]),
        *_known_rows_of("shape", shape_of(word)),
    )


def _rows_of(feature: str, text: str) -> tuple[int, ...]:
    data = f"{feature}:{text}".encode("utf-8", "surrogatepass")
    digest = hashlib.blake2b(data, digest_size=4 * HASHES).digest()
    first, rows = _FIRST_ROWS[feature], ROWS[feature]
    return tuple([first + number % rows for number in struct.unpack(f"<{HASHES}I", digest)])


_known_rows_of = lru_cache(maxsize=1 << 14)(_rows_of)  # most new words begin and end like known ones
