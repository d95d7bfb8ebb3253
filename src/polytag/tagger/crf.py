"""Decode a linear-chain CRF: the probabilities of words, and the best labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from polytag.plugin.alignment import FloatArray
from polytag.plugin.head import FORBIDDEN, DecodedWords
from polytag.plugin.scheme import LabelScheme
from polytag.tagger.viterbi import SMALLEST, Transitions, decode_together

_MOST_SENTENCES = 512
_MOST_NUMBERS = 1 << 20
"""Maximum number of scores of the words that are computed together: 8 MiB an array."""
_CERTAIN = np.log(0.5) + 1e-6


class LearnedTransitions(NamedTuple):
    """The scores of transitions between labels, as logarithms; minus infinity for those that are forbidden.

    Attributes:
        between: float64 (labels, labels), from row to column.
        first, last: float64 (labels,), for the first and last word of a sentence.
    """

    between: NDArray[np.float64]
    first: NDArray[np.float64]
    last: NDArray[np.float64]

    @classmethod
    def of(cls, transitions: FloatArray) -> LearnedTransitions:
        """Transitions as they are saved: float32 (labels + 1, labels + 1), the edges of sentences last."""
        scores = np.where(transitions > FORBIDDEN / 2, transitions, -np.inf).astype(np.float64)
        return cls(scores[:-1, :-1], scores[-1, :-1], scores[:-1, -1])


def allowed_transitions(labels: Sequence[str], scheme: LabelScheme) -> FloatArray:
    """The transitions before training: 0 where the scheme allows them, FORBIDDEN elsewhere.

    Returns:
        float32 (labels + 1, labels + 1), as they are saved.

    Raises:
        PolytagError: There are too many labels for a table of all pairs.
    """
    allowed = Transitions(labels, scheme)
    found = np.zeros((len(labels) + 1, len(labels) + 1), dtype=np.float32)
    found[:-1, :-1], found[-1, :-1], found[:-1, -1] = allowed.between, allowed.first, allowed.last
    return np.maximum(found, np.float32(FORBIDDEN))


def decode_crf(scores: FloatArray, sentence_starts: NDArray[np.int64], transitions: FloatArray) -> DecodedWords:
    """The marginal probabilities of words, and the best sequence of labels of every sentence.

    Args:
        scores: float32 (words, labels), the softmax of each word's logits. The number that it takes off all
            logits of a word changes nothing in a CRF.
        sentence_starts: int64 (sentences + 1,), index of the first word of each sentence.
        transitions: float32 (labels + 1, labels + 1), as they are saved.
    """
    learned = LearnedTransitions.of(transitions)
    marginals, labels = scores.copy(), np.zeros(len(scores), dtype=np.int64)
    lengths = np.diff(sentence_starts)
    for chosen in _together(lengths, scores.shape[1]):
        starts, sizes = sentence_starts[chosen], lengths[chosen]
        doubtful = _sum_products(scores, starts, sizes, learned, marginals, labels)
        if len(doubtful):
            decode_together(scores, starts[doubtful], sizes[doubtful], learned, labels)
    return DecodedWords(marginals, labels)


def _together(lengths: NDArray[np.int64], n_labels: int) -> Iterator[NDArray[np.int64]]:
    """Sentences that are computed together, longest first; those without words are left out."""
    order = np.argsort(-lengths, kind="stable")
    order = order[lengths[order] > 0]
    start = 0
    while start < len(order):
        size = _MOST_NUMBERS // (int(lengths[order[start]]) * n_labels)
        size = min(max(size, 1), _MOST_SENTENCES)
        yield order[start : start + size]
        start += size


def _sum_products(
    scores: FloatArray,
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    learned: LearnedTransitions,
    marginals: FloatArray,
    labels: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Write the marginal probabilities of some sentences, longest first, and their most probable labels.

    The sums of the forward and backward passes are scaled to 1 for every word (Rabiner 1989, section V.A).

    Returns:
        The sentences in which another sequence than these labels may be more probable.
    """
    words, sentence, blocks = _order(starts, lengths)
    emissions = np.maximum(scores[words], SMALLEST, dtype=np.float64)
    between, first, last = map(np.exp, learned)
    forward, backward = np.empty_like(emissions), np.empty_like(emissions)
    scales, ones = np.empty(len(words)), np.ones(emissions.shape[1])
    with np.errstate(all="ignore"):
        reached = np.broadcast_to(first, (len(starts), len(first)))
        for start, end in blocks:
            now = np.multiply(reached[: end - start], emissions[start:end], out=forward[start:end])
            now /= np.matmul(now, ones, out=scales[start:end])[:, None]
            reached = now @ between
        follows, after = np.ascontiguousarray(between.T), np.tile(last, (len(starts), 1))
        for start, end in reversed(blocks):
            here = after[: end - start]
            backward[start:end] = here
            weighted = here * emissions[start:end]
            weighted /= (weighted @ ones)[:, None]
            np.matmul(weighted, follows, out=here)
        forward *= backward
        totals = forward @ ones
        forward /= totals[:, None]
        impossible = ~(totals > 0)  # no sequence is allowed, or all are too improbable for these numbers
        forward[impossible] = scores[words[impossible]]
        best = forward.argmax(axis=1)
        # The probability of these labels, from which all other sequences have to differ.
        of_words = np.log(emissions[np.arange(len(words)), best] / scales)
        later, before = np.arange(len(starts), len(words)), _words_before(sentence, blocks)
        of_words[later] += learned.between[best[before], best[later]]
        probability = np.bincount(sentence, of_words, len(starts)) + learned.first[best[: len(starts)]]
        ends = np.array([start for start, _ in blocks])[lengths - 1] + np.arange(len(starts))
        probability += learned.last[best[ends]] - np.log(totals[ends])
    labels[words] = best
    marginals[words] = forward
    return np.flatnonzero(~(probability > _CERTAIN))


class _Order(NamedTuple):
    """Words of several sentences, ordered by their position in the sentence.

    Attributes:
        words: int64 (words,), their indices.
        sentence: int64 (words,), the number of each word's sentence.
        blocks: For each position, the first word there and the one after the last.
    """

    words: NDArray[np.int64]
    sentence: NDArray[np.int64]
    blocks: list[tuple[int, int]]


def _order(starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> _Order:
    positions = np.arange(int(lengths[0]))
    counts = np.searchsorted(-lengths, -positions, side="left")  # sentences with a word at a position
    ends = np.cumsum(counts)
    sentence = np.arange(ends[-1]) - np.repeat(ends - counts, counts)
    words = starts[sentence] + np.repeat(positions, counts)
    return _Order(words, sentence, list(zip((ends - counts).tolist(), ends.tolist(), strict=True)))


def _words_before(sentence: NDArray[np.int64], blocks: list[tuple[int, int]]) -> NDArray[np.int64]:
    """The word before each word that is not the first of its sentence."""
    sizes = [end - start for start, end in blocks[1:]]
    starts = np.repeat(np.array([start for start, _ in blocks[:-1]], dtype=np.int64), sizes)
    return starts + sentence[blocks[0][1] :]
