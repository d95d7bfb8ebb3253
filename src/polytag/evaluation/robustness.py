"""Robustness figures for the model card: unseen words and lower-cased text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from polytag.corpus.splits import Split
from polytag.evaluation.scoring import evaluate_tags
from polytag.plugin.scheme import UNANNOTATED
from polytag.plugin.surroundings import for_plugin
from polytag.plugin.task import Task
from polytag.tagger.tagger import Tagger

SENTENCES = 500
"""Maximum number of sentences to measure on."""


@dataclass(frozen=True, slots=True)
class Robustness:
    """Robustness figures, measured on the first sentences of the validation split.

    Attributes:
        sentences: Number of these sentences.
        sees_case: Whether the encoder distinguishes upper and lower case.
        small: Headline score of each task on the original text and on lower-cased text.
        unseen: Share of words that do not occur in training, 0..1.
        accuracy: Tag accuracy of each task on words that occur in training, and on unseen words, 0..1.
    """

    sentences: int
    sees_case: bool
    small: Mapping[str, tuple[float, float]]
    unseen: float
    accuracy: Mapping[str, tuple[float, float]]


def measure(tagger: Tagger, training: Split, validation: Split, tasks: Mapping[str, Task]) -> Robustness | None:
    """Measure robustness; None unless validation has both seen and unseen words.

    Args:
        tagger: The tagger.
        training, validation: The splits, their tags in the schemes of the tagger.
        tasks: The tasks of the tagger.
    """
    some = validation.select(range(min(SENTENCES, len(validation.sentences))))
    known = {word for words in training.sentences for word in words}
    seen = np.array([word in known for words in some.sentences for word in words], dtype=bool)
    if seen.all() or not seen.any():
        return None
    small = replace(some, sentences=[[word.lower() for word in words] for words in some.sentences])
    with for_plugin():
        both = [tagger.predict_tags(split.sentences, split.documents) for split in (some, small)]
    scores, accuracy = {}, {}
    for name, task in tasks.items():
        gold, scheme = some.tags[name], tagger.decoders[name].scheme
        as_written, in_small = (evaluate_tags(gold, tags[name], scheme, task.metrics[:1]).score for tags in both)
        scores[name] = (as_written, in_small)
        pairs = [pair for sides in zip(gold, both[0][name], strict=True) for pair in zip(*sides, strict=True)]
        right = np.array([tag == found for tag, found in pairs], dtype=bool)
        counted = np.array([tag != UNANNOTATED for tag, _ in pairs], dtype=bool)
        accuracy[name] = (_mean(right[counted & seen]), _mean(right[counted & ~seen]))
    upper, lower = (tagger.encoder.encode([word]).ids for word in ("Paris", "paris"))
    return Robustness(len(some.sentences), not np.array_equal(upper, lower), scores, float(1 - seen.mean()), accuracy)


def _mean(values: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> float:
    return float(values.mean()) if len(values) else float("nan")
