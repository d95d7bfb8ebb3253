"""Decode scores of units into tags of words."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from polytag.encoding.features import Features, checked_result
from polytag.errors import TaggerError
from polytag.plugin.alignment import AlignmentStrategy, FloatArray, IntArray
from polytag.plugin.head import ARGMAX, SOFTMAX, DecodedWords, Head, Parameters
from polytag.plugin.registry import registry
from polytag.plugin.scheme import OUTSIDE, LabelScheme
from polytag.tagger.calibration import tempered
from polytag.tagger.heads import TaskHead, initial_parameters
from polytag.tagger.viterbi import Transitions, argmax, viterbi

Number = TypeVar("Number", bound=np.generic)


class Alternatives(NamedTuple):
    """The k most probable labels of each word of one task, best first; all labels if the task has fewer than k.

    Attributes:
        labels: int64 (words, k), label ids.
        scores: float32 (words, k), their calibrated probabilities.
    """

    labels: NDArray[np.int64]
    scores: FloatArray


class Prediction(NamedTuple):
    """Decoded tags of one task, flat over all words.

    Attributes:
        labels: int64 (words,), label ids.
        scores: float32 (words,), the probability of each of these labels.
        uncalibrated: float32 (words,), the same before calibration.
        outside: float32 (words,), the probability that a word is outside all spans; 0 if the labels do not include `O`.
        alternatives: The most probable labels of each word, if they were asked for.
    """

    labels: NDArray[np.int64]
    scores: FloatArray
    uncalibrated: FloatArray
    outside: FloatArray
    alternatives: Alternatives | None = None

    def part(self, start: int, end: int, alternatives: int) -> Prediction:
        """The prediction of the words from `start` to `end`, with fewer alternatives."""
        best = None
        if alternatives and self.alternatives is not None:
            labels, scores = self.alternatives
            best = Alternatives(labels[start:end, :alternatives], scores[start:end, :alternatives])
        return Prediction(
            self.labels[start:end], self.scores[start:end], self.uncalibrated[start:end], self.outside[start:end], best
        )


def units_needed(decoders: Iterable[Decoder], features: Features) -> NDArray[np.bool_]:
    """Mask of the units whose scores are used by any of the tasks: bool (units,)."""
    word_ids = features.word_ids
    read: NDArray[np.bool_] = np.any([decoder.reads(word_ids) for decoder in decoders], axis=0)
    return read


class Decoder:
    """Decodes scores of units into tags of words, for one task.

    Args:
        head: The labels of the task, and how its scores are decoded.
        parameters: The parameters of its head by name; the initial ones if None.

    Raises:
        PolytagError: A plugin for it is missing, or it has too many labels for its decoding.
    """

    def __init__(self, head: TaskHead, parameters: Parameters | None = None) -> None:
        self.head = head
        self._kind: Head = registry().heads.get(head.kind, "the tagger")
        self.scheme: LabelScheme = registry().schemes.get(head.scheme, "the tagger")
        self.strategy: AlignmentStrategy = registry().alignments.get(head.alignment, "the tagger")
        self.names = np.array(head.labels, dtype=object)
        if parameters is None:
            parameters = initial_parameters(head.kind, head.labels, self.scheme)
        self._parameters = {name: _unchangeable(values) for name, values in parameters.items()}
        constrained = head.decoding != ARGMAX and self.scheme.encodes_spans
        self._transitions = Transitions(head.labels, self.scheme) if constrained else None

    @property
    def shown_labels(self) -> tuple[str, ...]:
        """Labels of spans, or all tags if the scheme has no spans; in id order."""
        if not self.scheme.encodes_spans:
            return self.head.labels
        return tuple(dict.fromkeys(span.label for tag in self.head.labels for span in self.scheme.spans([tag])))

    def with_parameters(self, parameters: Parameters | None) -> Decoder:
        """The same decoder with other parameters of its head."""
        return Decoder(self.head, parameters) if parameters else self

    def word_scores(self, scores: FloatArray, features: Features) -> FloatArray:
        """Uncalibrated probabilities of words, float32 (words, labels), given scores, float32 (units, labels)."""
        return self._decoded(scores, features).probabilities

    def _decoded(self, scores: FloatArray, features: Features) -> DecodedWords:
        """Probabilities and labels of words, decoded by the head from scores, float32 (units, labels)."""
        words = self._words(scores, features)
        if self.head.kind == SOFTMAX:
            return DecodedWords(words)
        found = self._kind.decode(_unchangeable(words), _unchangeable(features.sentence_starts), self._parameters)
        if not _fits(found, words.shape):
            raise registry().heads.misfit(
                self.head.kind,
                f"{repr(found)[:60]} from decode(), and not DecodedWords with probabilities and labels of "
                f"{len(words)} words",
            )
        return found

    def _words(self, scores: FloatArray, features: Features) -> FloatArray:
        """The scores of words, float32 (words, labels)."""
        found = self.strategy.to_words(scores, features.word_ids, features.n_words)
        words = checked_result(self.strategy, found, (features.n_words, scores.shape[1]))
        if not np.isfinite(words).all():
            if np.isfinite(scores).all():
                raise registry().alignments.misfit(self.strategy.name, "scores that are not finite")
            raise TaggerError(
                "The network computes numbers that are not finite (NaN or infinite). Its weights or its encoder are "
                "damaged: load the tagger again, or train it again."
            )
        return words

    def reads(self, word_ids: IntArray) -> NDArray[np.bool_]:
        """The units whose scores are used, bool (units,)."""
        return checked_result(self.strategy, self.strategy.reads(word_ids), word_ids.shape).astype(bool, copy=False)

    def decode(self, scores: NDArray[np.float32], features: Features, alternatives: int = 0) -> Prediction:
        """Decode the tags of all words.

        Args:
            scores: float32 (units, labels), probabilities.
            features: The features that the scores were computed from.
            alternatives: Number of labels to give for each word, the most probable ones; 0 for none.

        Raises:
            TaggerError: A score is not a number.
        """
        decoded = self._decoded(scores, features)
        uncalibrated = decoded.probabilities
        if not np.isfinite(np.add.reduce(uncalibrated, axis=None)):
            raise TaggerError(
                "The network computes scores that are not numbers: its weights are damaged, or their training diverged."
                " Train or download the tagger again."
            )
        words = tempered(uncalibrated, self.head.temperature)
        found, labels = self._transitions, decoded.labels
        if labels is None or self.head.decoding != self.head.kind:
            labels = viterbi(words, features.sentence_starts, found) if found else argmax(words)
        rows = np.arange(len(words))
        outside = (
            words[:, self.head.labels.index(OUTSIDE)] if OUTSIDE in self.head.labels else np.zeros_like(words[:, 0])
        )
        best = _best(words, alternatives) if alternatives else None
        return Prediction(labels, words[rows, labels], uncalibrated[rows, labels], outside, best)

    def sentences(self, labels: NDArray[np.int64], features: Features) -> list[list[str]]:
        """The tags of each sentence, given label ids, int64 (words,)."""
        names = self.names[labels].tolist()
        starts = features.sentence_starts.tolist()
        return [names[start:end] for start, end in pairwise(starts)]


def _unchangeable(values: NDArray[Number]) -> NDArray[Number]:
    """A view of an array for a plugin, which shall not change what others read."""
    view = values.view()
    view.flags.writeable = False
    return view


def _fits(found: object, shape: tuple[int, ...]) -> bool:
    """Whether the result of `Head.decode` is of this shape, (words, labels)."""
    if not isinstance(found, DecodedWords):
        return False
    probabilities, labels = found
    fits = isinstance(probabilities, np.ndarray) and probabilities.dtype == np.float32 and probabilities.shape == shape
    # Numbers that are none are left to whoever sums them; sums of probabilities can be above 1 by rounding.
    fits = fits and not bool((probabilities < 0).any() or (probabilities > 1 + 1e-3).any())
    if not fits or labels is None:
        return fits
    inside = isinstance(labels, np.ndarray) and labels.dtype.kind == "i" and labels.shape == shape[:1]
    return inside and bool(((labels >= 0) & (labels < shape[1])).all())


def _best(words: FloatArray, count: int) -> Alternatives:
    # Stable, so that of equally probable labels the first in id order comes first, as in argmax.
    labels = np.argsort(-words, axis=1, kind="stable")[:, :count]
    return Alternatives(labels, np.take_along_axis(words, labels, axis=1))
