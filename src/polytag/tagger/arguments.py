"""Check the arguments of a tagger once, before anything is computed."""

from __future__ import annotations

import itertools
import operator
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from polytag.errors import PolytagError, shorten

LOOK_AHEAD = 2048
"""Number of texts or sentences tagged together: enough to sort by length, few enough to limit memory."""


def check_min_score(value: object) -> None:
    """Check the lowest probability of spans.

    Raises:
        PolytagError: It is not a number from 0 to 1.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0 <= value <= 1:
        raise PolytagError(f"min_score is {value!r:.60}, and must be a number from 0 to 1: min_score=0.5")


def check_look_ahead(value: object) -> None:
    """Check the number of texts that are tagged together.

    Raises:
        PolytagError: It is not an integer of at least 1.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 1 <= value <= sys.maxsize:
        raise PolytagError(
            f"look_ahead is {value!r:.60}, and must be an integer of at least 1 and at most {sys.maxsize}."
        )


def check_alternatives(value: object) -> None:
    """Check the number of labels given for each word.

    Raises:
        PolytagError: It is not an integer of at least 0.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
        raise PolytagError(f"alternatives is {value!r:.60}, and must be an integer of at least 0.")


def sentences_of(sentences: Iterable[Any], documents: Iterable[Any] | None) -> Iterator[tuple[Sequence[str], int]]:
    """Sentences of words with the document of each; -1 if documents are not given.

    Raises:
        PolytagError: A sentence is not a list of strings, or `documents` has not one integer per sentence.
    """
    check_iterable(sentences, "sentences")
    numbers = itertools.repeat(-1) if documents is None else _numbers(documents)
    number = 0
    for number, words in enumerate(sentences, 1):
        if isinstance(words, str):
            raise PolytagError(
                f"Sentence number {number} is the string {shorten(words)!r}, not a list of words. Tag text with `tag`."
            )
        if not hasattr(words, "__len__") or isinstance(words, Mapping | set | frozenset | bytes):
            raise PolytagError(f"Sentence number {number} is not a list of words: it is {words!r:.60}.")
        try:
            "".join(words)
        except TypeError:
            place, word = next((place, word) for place, word in enumerate(words, 1) if not isinstance(word, str))
            raise PolytagError(
                f"Word number {place} of sentence number {number} is not a string: it is {word!r:.60}. Replace or "
                "leave out missing values."
            ) from None
        document = next(numbers, None)
        if document is None:
            raise PolytagError(f"Sentence number {number} has no document. Give `documents` one number per sentence.")
        yield words, document
    if documents is not None and next(numbers, None) is not None:
        raise PolytagError(f"`documents` has more numbers than the {number:,} sentences. Give one per sentence.")


def _numbers(documents: Iterable[Any]) -> Iterator[int]:
    check_iterable(documents, "documents")
    for number, document in enumerate(documents, 1):
        try:
            index = operator.index(None if isinstance(document, bool) else document)  # type: ignore[arg-type]
        except TypeError:
            raise PolytagError(
                f"The document of sentence number {number} is not an integer: it is {document!r:.60}."
            ) from None
        yield index


def check_iterable(given: object, name: str) -> None:
    """Check that an argument can be iterated over.

    Raises:
        PolytagError: It cannot.
    """
    try:
        iter(given)  # type: ignore[call-overload]  # NumPy's numbers have the method, and raise
    except TypeError:
        raise PolytagError(
            f"`{name}` is {given!r:.60}. Give a list, or anything else that gives them one by one."
        ) from None
