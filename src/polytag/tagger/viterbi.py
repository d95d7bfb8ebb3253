"""Decode word scores into tags: by argmax, or by Viterbi constrained by the label scheme."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from polytag.errors import PolytagError
from polytag.plugin.alignment import FloatArray
from polytag.plugin.head import ARGMAX, SOFTMAX, VITERBI
from polytag.plugin.scheme import LabelScheme

SMALLEST = np.float32(1e-30)
"""The probability that is used in place of smaller ones, whose logarithms would be too large."""
_CHUNK = 512
"""Maximum number of sentences that are decoded together."""
_MOST_SCORES = 1 << 24
"""Maximum number of scores of transitions that are compared at once: 128 MiB."""
_MOST_LABELS = 2048
"""All pairs of so many labels take 16 MiB, and seconds to find; of ten times as many, gigabytes and a quarter of an
hour."""


def decodings() -> list[str]:
    """The names of all decodings: of words' probabilities, and of the heads that plugins and polytag bring."""
    from polytag.plugin.registry import registry

    return [VITERBI, ARGMAX, *(name for name in registry().heads if name != SOFTMAX)]


def check_decoding(name: str | None) -> str | None:
    """Check the name of a decoding, and return it.

    Raises:
        PolytagError: No decoding has this name.
    """
    if name not in (None, VITERBI, ARGMAX) and name not in decodings():
        raise PolytagError(f"There is no decoding named {name!r}. Choose {listed(decodings())}.")
    return name


def listed(names: Sequence[str]) -> str:
    """Names as the alternatives of a message: `viterbi, argmax or crf`."""
    return f"{', '.join(names[:-1])} or {names[-1]}"


def head_of(decoding: str) -> str:
    """The name of the head that a run with this decoding trains."""
    return SOFTMAX if decoding in (VITERBI, ARGMAX) else decoding


class TransitionScores(Protocol):
    """The scores of transitions between labels, as logarithms; minus infinity for those that are forbidden."""

    @property
    def between(self) -> NDArray[Any]:
        """(labels, labels), from row to column."""

    @property
    def first(self) -> NDArray[Any]:
        """(labels,), for the first word of a sentence."""

    @property
    def last(self) -> NDArray[Any]:
        """(labels,), for the last word of a sentence."""


class Transitions:
    """The allowed transitions between labels, as log scores: 0 or minus infinity.

    Attributes:
        between: float32 (labels, labels), from row to column.
        first, last: float32 (labels,), for the first and last word of a sentence.

    Raises:
        PolytagError: There are too many labels for a table of all pairs.
    """

    def __init__(self, labels: Sequence[str], scheme: LabelScheme) -> None:
        if len(labels) > _MOST_LABELS:
            raise PolytagError(
                f"Viterbi decoding compares each label with each, and takes at most {_MOST_LABELS:,} of them: a task "
                f"has {len(labels):,}. Choose argmax: --decoding argmax, or decoding='argmax' in Python."
            )
        self.between = _log([[scheme.allows(before, after) for after in labels] for before in labels])
        self.first = _log([scheme.allows(None, label) for label in labels])
        self.last = _log([scheme.allows(label, None) for label in labels])


def argmax(scores: FloatArray) -> NDArray[np.int64]:
    """The best label of each word, int64 (words,), given scores, float32 (words, labels)."""
    best: NDArray[np.int64] = scores.argmax(axis=1)
    return best


def viterbi(scores: FloatArray, sentence_starts: NDArray[np.int64], transitions: Transitions) -> NDArray[np.int64]:
    """The best labels that form a valid sequence in every sentence.

    The score of a sequence is the product of its words' probabilities (Forney 1973, with transitions that are either
    allowed or forbidden). Sentences of similar length are decoded together. If no sequence of the labels is valid for a
    sentence, its argmax is used.

    Args:
        scores: float32 (words, labels), probabilities.
        sentence_starts: int64 (sentences + 1,), index of the first word of each sentence.
        transitions: The transitions that the scheme allows, for labels in id order.

    Returns:
        int64 (words,), label ids.
    """
    decoded = argmax(scores)
    lengths = np.diff(sentence_starts)
    suspects = _invalid_sentences(decoded, sentence_starts, transitions)
    suspects = suspects[np.argsort(-lengths[suspects], kind="stable")]
    together = min(_CHUNK, max(_MOST_SCORES // scores.shape[1] ** 2, 1))
    for start in range(0, len(suspects), together):
        chosen = suspects[start : start + together]
        decode_together(scores, sentence_starts[chosen], lengths[chosen], transitions, decoded)
    return decoded


def _invalid_sentences(
    decoded: NDArray[np.int64], sentence_starts: NDArray[np.int64], transitions: Transitions
) -> NDArray[np.int64]:
    """Sentences whose argmax violates the scheme: elsewhere the argmax is already the best valid sequence."""
    n_words = len(decoded)
    broken = np.zeros(n_words, dtype=bool)
    if n_words == 0:
        return np.zeros(0, dtype=np.int64)
    full = np.flatnonzero(np.diff(sentence_starts))
    starts, ends = sentence_starts[full], sentence_starts[full + 1] - 1
    broken[1:] = np.isinf(transitions.between[decoded[:-1], decoded[1:]])
    broken[starts] = np.isinf(transitions.first[decoded[starts]])
    broken[ends] |= np.isinf(transitions.last[decoded[ends]])
    return full[np.add.reduceat(broken, starts) > 0]


def decode_together(
    scores: FloatArray,
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    transitions: TransitionScores,
    decoded: NDArray[np.int64],
) -> None:
    """Decode sentences, longest first, and write the best valid sequences into `decoded`."""
    n_labels = scores.shape[1]
    longest = int(lengths[0])
    best = np.log(np.maximum(scores[starts], SMALLEST), dtype=np.float64) + transitions.first
    back = np.zeros((longest, len(starts), n_labels), dtype=np.int16)
    active = np.searchsorted(-lengths, -np.arange(longest), side="left")  # sentences with a word there
    for position in range(1, longest):
        going_on = int(active[position])
        through = best[:going_on, :, None] + transitions.between[None]
        back[position, :going_on] = through.argmax(axis=1)
        emission = np.log(np.maximum(scores[starts[:going_on] + position], SMALLEST), dtype=np.float64)
        best[:going_on] = through.max(axis=1) + emission
    final = best + transitions.last
    label = final.argmax(axis=1)
    valid = np.isfinite(final.max(axis=1))
    for position in range(longest - 1, -1, -1):
        going_on = int(active[position])
        here = valid[:going_on]
        decoded[starts[:going_on][here] + position] = label[:going_on][here]
        label[:going_on] = back[position, np.arange(going_on), label[:going_on]]


def _log(allowed: Sequence[bool] | Sequence[Sequence[bool]]) -> NDArray[np.float32]:
    return np.where(np.array(allowed), np.float32(0), np.float32(-np.inf))
