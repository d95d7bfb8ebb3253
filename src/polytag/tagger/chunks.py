"""Group sentences that are tagged together, so that documents stay whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, takewhile


def sentence_chunks(
    sentences: Iterable[tuple[Sequence[str], int]], size: int, whole_documents: bool
) -> Iterator[list[tuple[Sequence[str], int]]]:
    """Up to `size` sentences at a time with their documents; only a document of more sentences is split."""
    iterator = iter(sentences)
    begun: list[tuple[Sequence[str], int]] = []
    while chunk := begun + list(islice(iterator, size - len(begun))):
        begun = []
        if whole_documents and len(chunk) == size:
            last = chunk[-1][1]
            begun = list(takewhile(lambda pair: pair[1] == last, reversed(chunk)))[::-1]  # noqa: B023  # used at once
            begun = begun if len(begun) < size else []
        yield chunk[: len(chunk) - len(begun)]
