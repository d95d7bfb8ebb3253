"""The uncertainty of taggers about the tags of a sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from polytag.encoding.features import Features
from polytag.errors import PolytagError
from polytag.plugin.scheme import OUTSIDE
from polytag.tagger.decoder import Decoder, Prediction

Array = NDArray[np.float64]

DISAGREEMENT, RANDOM = "disagreement", "random"
_LEAST = 1e-12
"""The least probability that has a logarithm here."""


def margin(probabilities: Array) -> Array:
    """1 minus the difference of the two largest probabilities of each word: 0 if sure, 1 if undecided.

    Scheffer, Decomain and Wrobel, Active Hidden Markov Models for Information Extraction, IDA 2001.

    Args:
        probabilities: float64 (words, labels), the largest first.
    """
    if probabilities.shape[1] < 2:
        return np.zeros(len(probabilities))
    found: Array = 1 - (probabilities[:, 0] - probabilities[:, 1])
    return found


def entropy(probabilities: Array) -> Array:
    """The entropy of the labels of each word, in nats; arguments as for `margin`."""
    found: Array = -(probabilities * np.log(np.maximum(probabilities, _LEAST))).sum(axis=1)
    return found


MEASURES: Mapping[str, Callable[[Array], Array]] = {"margin": margin, "entropy": entropy}
"""Uncertainty of words, by the name of the strategy."""
STRATEGIES = (*MEASURES, DISAGREEMENT, RANDOM)


def of_words(strategy: str, predictions: Sequence[Prediction], decoders: Sequence[Decoder]) -> Array:
    """The uncertainty of one or several taggers about each word, float64 (words,).

    With `disagreement`, it is the mean Kullback-Leibler divergence of each tagger's probabilities from their mean, in
    nats (McCallum and Nigam, Employing EM and Pool-Based Active Learning for Text Classification, ICML 1998). The
    probabilities of the labels of a type of span are added, so that taggers of different label schemes can be compared.
    With other strategies, it is the mean of the taggers.

    Args:
        strategy: `margin`, `entropy` or `disagreement`.
        predictions: The prediction of each tagger, with all alternatives.
        decoders: The decoder of each tagger.
    """
    if strategy != DISAGREEMENT:
        measure = MEASURES[strategy]
        found: Array = np.mean([measure(_scores(prediction)) for prediction in predictions], axis=0)
        return found
    names = list(dict.fromkeys(name for decoder in decoders for name in _types(decoder)))
    each = [_of_types(*pair, names) for pair in zip(predictions, decoders, strict=True)]
    mean: Array = np.mean(each, axis=0)
    divergence: Array = entropy(mean) - np.mean([entropy(one) for one in each], axis=0)
    return np.maximum(divergence, 0)


def of_sentences(words: Array, features: Features) -> Array:
    """The uncertainty about each sentence, float64 (sentences,), which is the largest of its words.

    The sum of all words would prefer long sentences, and their mean short ones.
    """
    starts = features.sentence_starts
    found: Array = np.maximum.reduceat(words, starts[:-1]) if len(starts) > 1 else np.zeros(0)
    return found


def check_strategy(strategy: str, n_taggers: int) -> None:
    """Check the name of a strategy, and that it has the taggers that it needs.

    Raises:
        PolytagError: It does not exist, or needs several taggers, or only one.
    """
    if strategy not in STRATEGIES:
        raise PolytagError(f"There is no strategy {strategy!r}. Choose one of: {', '.join(STRATEGIES)}.")
    if strategy == DISAGREEMENT and n_taggers < 2:
        raise PolytagError(
            "The strategy disagreement compares several taggers. Name others with --also TAGGER: for instance the same "
            "training with another --seed."
        )


def _scores(prediction: Prediction) -> Array:
    assert prediction.alternatives is not None
    return prediction.alternatives.scores.astype(np.float64)


def _types(decoder: Decoder) -> list[str]:
    """The type of span of each label, in id order; the label itself if it is of none."""
    if not decoder.scheme.encodes_spans:
        return list(decoder.head.labels)
    spans = [decoder.scheme.spans([tag]) for tag in decoder.head.labels]
    return [found[0].label if found else OUTSIDE for found in spans]


def _of_types(prediction: Prediction, decoder: Decoder, names: Sequence[str]) -> Array:
    """The probabilities of types, float64 (words, types)."""
    assert prediction.alternatives is not None
    column = np.array([names.index(name) for name in _types(decoder)])
    found = np.zeros((len(prediction.labels), len(names)))
    rows = np.arange(len(found))[:, None]
    np.add.at(found, (rows, column[prediction.alternatives.labels]), _scores(prediction))
    return found
