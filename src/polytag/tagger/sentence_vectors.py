"""One vector for each sentence, from the encoder of a tagger."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from polytag.encoding.features import Features, featurise
from polytag.plugin.alignment import FloatArray
from polytag.tagger.tagger import Tagger


@runtime_checkable
class VectorScorer(Protocol):
    """A network that also gives the vectors of its encoder; exported ones do not."""

    def vectors(self, features: Features) -> FloatArray:
        """The encoder's vectors, float32 (units, width), in the order of the units."""


def sentence_vectors(tagger: Tagger, sentences: Sequence[Sequence[str]]) -> FloatArray:
    """The mean of the encoder's vectors of each sentence, scaled to length 1: float32 (sentences, width).

    Args:
        tagger: The tagger.
        sentences: Sentences of at least one word.

    Raises:
        PolytagError: The tagger is an export without the tagger that it was made from.
    """
    features = featurise(tagger.encoder, sentences, None, tagger.window)
    scorer = tagger.scorer if isinstance(tagger.scorer, VectorScorer) else tagger.network.scorer()
    firsts = features.unit_starts[features.sentence_starts]
    sums: FloatArray = np.add.reduceat(scorer.vectors(features), firsts[:-1])
    norms: FloatArray = np.linalg.norm(sums, axis=1, keepdims=True)
    scaled: FloatArray = (sums / np.maximum(norms, np.finfo(np.float32).tiny)).astype(np.float32, copy=False)
    return scaled
