"""Heads: what a task adds to the network, the loss it is trained with, and how scores become tags."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from polytag.plugin.alignment import FloatArray
from polytag.plugin.scheme import LabelScheme

SOFTMAX = "softmax"
"""Name of the default head."""

CRF = "crf"
"""Name of the head with learned transitions."""

VITERBI, ARGMAX = "viterbi", "argmax"
"""Decodings of the probabilities of words, whatever the head of a task; no head has such a name."""

TRANSITIONS = "transitions"
"""Name of the parameter of a CRF."""

FORBIDDEN = -10_000.0
"""The log score of a transition that a label scheme forbids: finite, so that sums of it are numbers."""

Parameters = Mapping[str, Any]
"""The parameters of a head by name: arrays in prediction, tensors in training."""


class SentenceWords(NamedTuple):
    """The words of a batch by sentence, as tensors. A sentence that is longer than a window comes in several parts.

    Attributes:
        rows: int32 (sentences, words), the row of each word among the logits; -1 after the last word.
        begins: bool (sentences,), whether the first word is the first of its sentence, and not of a later part.
        ends: bool (sentences,), whether the last word is the last of its sentence.
    """

    rows: Any
    begins: Any
    ends: Any


class DecodedWords(NamedTuple):
    """Words, decoded by a head.

    Attributes:
        probabilities: float32 (words, labels), the probability of each label of each word, before calibration.
        labels: int64 (words,), the label ids chosen; None to choose the most probable sequence that the label scheme
            allows.
    """

    probabilities: FloatArray
    labels: NDArray[np.int64] | None = None


class Head(ABC):
    """A way to train the scores of labels, and to choose tags by them; its name is a value of `--decoding`.

    The scores themselves are linear in the encoder's vectors, so that every runtime and export format computes them.
    Further weights, as the transitions of a CRF, are its parameters; they are trained with the network and saved with
    the tagger.

    Attributes:
        name: The name in `--decoding` and in `polytag.json`.
        summary: A line for `polytag plugins`.
        by_sentence: Whether the loss is of sentences of words, and not of single units.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    by_sentence: ClassVar[bool] = False

    def parameters(self, labels: Sequence[str], scheme: LabelScheme) -> Mapping[str, FloatArray]:
        """The initial values of the parameters by name, float32; none by default.

        Args:
            labels: The labels of the task, in id order.
            scheme: Their label scheme.
        """
        return {}

    @abstractmethod
    def loss(self, logits: Any, gold: Any, parameters: Parameters, sentences: SentenceWords | None) -> Any:
        """The loss, computed by TensorFlow, which differentiates it; called inside a `tf.function`.

        Args:
            logits: float32 (n, labels): of the units with a label, or with `by_sentence` of all words of a batch.
            gold: int32 (n,), label ids; with `by_sentence`, IGNORE for words without annotation.
            parameters: The values of the parameters.
            sentences: With `by_sentence`, the rows of the words of each sentence; else None.

        Returns:
            float32: the loss of each unit, (n,), or with `by_sentence` of each sentence, (sentences,). A run minimises
            their sum, divided by the number of labels in the update.
        """

    def decode(self, scores: FloatArray, sentence_starts: NDArray[np.int64], parameters: Parameters) -> DecodedWords:
        """Turn scores into the probabilities and labels of words, in NumPy; by default, scores are the probabilities.

        The arrays that it is given cannot be written to.

        Args:
            scores: float32 (words, labels), the softmax of each word's logits.
            sentence_starts: int64 (sentences + 1,), the first word of each sentence.
            parameters: The values of the parameters, float32 arrays.
        """
        return DecodedWords(scores)
