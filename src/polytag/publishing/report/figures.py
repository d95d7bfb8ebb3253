"""The figures of a report, as plain data: the page shows these, and the JSON file has them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from operator import ne
from typing import Any

import numpy as np

from polytag.corpus.splits import Split
from polytag.evaluation.buckets import (
    NEEDS_DOCUMENTS,
    NEEDS_TRAINING,
    Item,
    bucket_differences,
    bucket_scores,
    by_label,
    dimensions,
    sides_of,
)
from polytag.evaluation.calibration import reliability_bins
from polytag.evaluation.compare import compare_tags
from polytag.evaluation.confidence import threshold_curve
from polytag.evaluation.evaluate import ScoredSplit
from polytag.evaluation.mistakes import Mistake, mistakes_of
from polytag.evaluation.results import Tags, TaskEvaluation
from polytag.plugin.scheme import UNANNOTATED

NO_LABEL = "_"
"""The name that metrics give to spans without a label."""

FORMAT = 1
"""Version of the form of the JSON file."""


@dataclass(frozen=True, slots=True)
class Background:
    """The parts of a report that do not follow from the tags.

    Attributes:
        name: The name of the tagger as the user gave it.
        options: The options of its run, by name; empty if unknown.
        history: The epochs of its run; empty if unknown.
        training: The training split; None if it cannot be read.
        remark: Why buckets that need the training split are missing, or what is doubtful about them; may be empty.
        description: The figures of the corpus.
        findings: What the check of the corpus found.
    """

    name: str
    options: Mapping[str, Any]
    history: Sequence[Mapping[str, Any]]
    training: Split | None
    remark: str
    description: Mapping[str, Any]
    findings: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Other:
    """The system that a tagger is compared with: its name, and its tags of each task that both have."""

    name: str
    tags: Mapping[str, Tags]


def report_figures(scored: ScoredSplit, background: Background, other: Other | None, seed: int) -> dict[str, Any]:
    """All figures of a report.

    Args:
        scored: The tagged split.
        background: The tagger's run and the corpus.
        other: The system to compare with, if any.
        seed: Seed of the intervals and the p value.
    """
    scored = scored.with_confusions(scored.data.n_words)
    tasks, against = {}, {}
    for name in scored.schemes:
        task = _Task(scored, name, background.training, seed)
        tasks[name] = task.figures(background.remark)
        if other and name in other.tags:
            against[name] = task.against(other.tags[name])
    tagger = scored.tagger
    heads = {name: asdict(head) for name, head in tagger.heads.items()}
    return {
        "format": FORMAT,
        "tagger": {
            "name": background.name,
            "runtime": tagger.runtime,
            "tasks": heads,
            "context": tagger.context,
            "window": tagger.window,
            "splitter": tagger.splitter,
            "details": tagger.details,
        },
        "evaluation": scored.evaluation.to_dict(),
        "tasks": tasks,
        "against": {"name": other.name, "tasks": against} if other else None,
        "training": {"options": dict(background.options), "history": list(background.history)},
        "corpus": {"description": background.description, "findings": list(background.findings)},
    }


class _Task:
    """The figures of one task."""

    def __init__(self, scored: ScoredSplit, name: str, training: Split | None, seed: int) -> None:
        self._scored, self._name, self._seed = scored, name, seed
        self._scheme, self._data = scored.schemes[name], scored.data
        self._gold, self._predicted = scored.data.tags[name], scored.tags[name]
        self._sides = sides_of(self._gold, self._predicted, self._scheme)
        known = (training, training.tags[name]) if training else None
        self._dimensions = dimensions(scored.data, self._scheme, known)

    def figures(self, remark: str) -> dict[str, Any]:
        mistakes = [list(mistakes_of(*sides, self._scheme)) for sides in zip(self._gold, self._predicted, strict=True)]
        return {
            "spans": self._scheme.encodes_spans,
            "inventory": list(self._scored.tagger.decoders[self._name].shown_labels),
            "labels": self._labels(self._scored.evaluation.tasks[self._name]),
            "confusion": self._confusion(mistakes),
            "confidence": self._confidence(),
            "buckets": [
                asdict(bucket)
                for dimension in self._dimensions
                for bucket in bucket_scores(self._sides, dimension, self._seed)
            ],
            "remarks": self._remarks(remark),
            "mistakes": self._mistakes(mistakes),
        }

    def _labels(self, scores: TaskEvaluation) -> list[dict[str, Any]]:
        """The label scores of the main metric; with an interval if their F1 is of whole spans or words."""
        metric = next(iter(scores.metrics.values()))
        buckets = {
            bucket.name or "_": bucket for bucket in bucket_scores(self._sides, by_label(self._sides), self._seed)
        }
        rows = []
        for label, values in metric.per_label.items():
            bucket = buckets.get(label)
            same = bucket is not None and abs(values.get("f1", -1.0) - bucket.score) < 1e-9
            rows.append({"label": label, **values, "interval": bucket.interval if bucket and same else None})
        return rows

    def _confusion(self, mistakes: Sequence[Sequence[Mistake]]) -> dict[str, Any]:
        """The confusion matrix, as its cells that are not 0.

        Every gold item is in one cell, and every spurious span: `correct`, or one of the kinds of mistakes.
        """
        every = [one for some in mistakes for one in some]
        kinds = Counter[tuple[str, str, str]]((one.gold, one.predicted, one.kind) for one in every)
        gold = Counter(item.label for item in self._sides.gold)
        wrong = Counter(one.gold for one in every if one.gold_span)
        kinds.update({(label, label, "correct"): gold[label] - wrong[label] for label in gold})
        cells = [
            {"gold": right, "predicted": found, "kind": kind, "count": count}
            for (right, found, kind), count in sorted(kinds.items())
            if count
        ]
        return {"labels": sorted({item.label for item in (*self._sides.gold, *self._sides.predicted)}), "cells": cells}

    def _confidence(self) -> dict[str, Any]:
        prediction = self._scored.predictions[self._name]
        flat_gold = [tag for tags in self._gold for tag in tags]
        flat_predicted = [tag for tags in self._predicted for tag in tags]
        annotated = np.array([tag != UNANNOTATED for tag in flat_gold], dtype=bool)
        correct = np.array([right == tag for right, tag in zip(flat_gold, flat_predicted, strict=True)], dtype=bool)
        before, after = (
            asdict(reliability_bins(scores[annotated], correct[annotated]))
            for scores in (prediction.uncalibrated, prediction.scores)
        )
        bounds = np.cumsum([0, *map(len, self._gold)]).tolist()
        probabilities = prediction.scores.tolist()
        scores = [probabilities[start:end] for start, end in pairwise(bounds)]
        curve = threshold_curve(self._sides, scores)
        return {"before": before, "after": after, "curve": asdict(curve)}

    def _remarks(self, remark: str) -> list[str]:
        names = {dimension.name for dimension in self._dimensions}
        missing = NEEDS_DOCUMENTS not in names
        remarks = [f"There are no buckets by {NEEDS_DOCUMENTS}: the documents are not known."] if missing else []
        if NEEDS_TRAINING[0] not in names:
            remark = f"There are no buckets by words seen in training, and by their frequency there: {remark}"
        return [*remarks, remark] if remark else remarks

    def _mistakes(self, mistakes: Sequence[Sequence[Mistake]]) -> list[dict[str, Any]]:
        """The sentences with a mistake."""
        return [
            {
                "sentence": index,
                "location": self._scored.places[index],
                "words": list(self._data.sentences[index]),
                "gold": self._marks(self._gold[index]),
                "predicted": self._marks(self._predicted[index]),
                "mistakes": [self._plain(index, one) for one in some],
            }
            for index, some in enumerate(mistakes)
            if some
        ]

    def _marks(self, tags: Sequence[str]) -> list[Any]:
        """Spans as lists of start, end and label; without spans, the tags themselves."""
        return [list(span) for span in self._scheme.spans(tags)] if self._scheme.encodes_spans else list(tags)

    def _plain(self, index: int, mistake: Mistake) -> dict[str, Any]:
        span = mistake.gold_span or mistake.predicted_span
        assert span is not None
        item = Item(index, *span)
        return {
            **asdict(mistake),
            "buckets": {dimension.name: dimension.buckets[dimension.place(item)] for dimension in self._dimensions},
        }

    def against(self, tags: Tags) -> dict[str, Any]:
        """The comparison with the tags of another system, which is A; the tagger is B."""
        scored = self._scored
        metric = next(iter(scored.evaluation.tasks[self._name].metrics))
        both = tags, self._predicted
        found = asdict(compare_tags(metric, self._data, self._name, self._scheme, both, scored.places, 0, self._seed))
        theirs = sides_of(self._gold, tags, self._scheme)
        labels = by_label(self._sides._replace(predicted=[*self._sides.predicted, *theirs.predicted]))
        found["buckets"] = [
            asdict(bucket)
            for dimension in [labels, *self._dimensions]
            for bucket in bucket_differences(theirs, self._sides, dimension, self._seed)
        ]
        found["sentences"] = list(self._wins_and_losses(tags))
        return found

    def _wins_and_losses(self, tags: Tags) -> Iterator[dict[str, Any]]:
        """The sentences in which the two systems tag different numbers of words wrong."""
        for index, (gold, a, b) in enumerate(zip(self._gold, tags, self._predicted, strict=True)):
            wrong = [sum(map(ne, gold, side)) for side in (a, b)]
            if wrong[0] != wrong[1]:
                yield {
                    "sentence": index,
                    "location": self._scored.places[index],
                    "words": list(self._data.sentences[index]),
                    "gold": self._marks(gold),
                    "a": self._marks(a),
                    "b": self._marks(b),
                    "wrong": wrong,
                }
