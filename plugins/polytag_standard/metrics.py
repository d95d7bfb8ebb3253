"""The usual metrics: `spans`, as the CoNLL shared tasks score them, and `tags`, word by word."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from operator import eq

import numpy as np
from numpy.typing import NDArray

from polytag import OUTSIDE, LabelScheme, Metric, PolytagError, Scores, Span

NO_LABEL = "_"
"""Under this name seqeval counts spans without a label, those written as `B` and `I` alone."""


class SpanScores(Metric):
    """Precision, recall and F1 of spans: a span is right when gold has one of the same words and label.

    Overall: `precision`, `recall` and `f1` over all spans, `macro_f1` (mean over the labels in gold or
    predicted spans), `accuracy` of word tags, `support` (gold spans), `words`. Per label: `precision`,
    `recall`, `f1`, `support`; spans without a label stand under `_`. A rate of nothing is 0.0.
    """

    name = "spans"
    summary = "Precision, recall and F1 of spans, counted by seqeval"
    headline = "f1"

    def compute(self, gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], scheme: LabelScheme) -> Scores:
        """Score the spans that `scheme` reads from the tags.

        Raises:
            PolytagError: The scheme encodes no spans, or gold and predicted tags differ in length.
        """
        if not scheme.encodes_spans:
            raise PolytagError(
                f"The metric 'spans' cannot score the scheme {scheme.name!r}, which encodes no spans. "
                "Use the metric 'tags', or a scheme that encodes spans."
            )
        _check_lengths(gold, predicted)
        words = sum(map(len, gold))
        right = sum(map(eq, chain.from_iterable(gold), chain.from_iterable(predicted)))
        gold_spans = [scheme.spans(tags) for tags in gold]
        predicted_spans = [scheme.spans(tags) for tags in predicted]
        found = list(chain.from_iterable(predicted_spans))
        labels = sorted({span.label or NO_LABEL for span in chain(chain.from_iterable(gold_spans), found)})
        if not labels:
            overall = dict.fromkeys(("precision", "recall", "f1", "macro_f1"), 0.0)
            return Scores({**overall, "accuracy": _ratio(right, words), "support": 0, "words": words})

        from seqeval.metrics.sequence_labeling import precision_recall_fscore_support

        precision, recall, f1, support = precision_recall_fscore_support(
            [_iob2(spans, len(tags)) for spans, tags in zip(gold_spans, gold, strict=True)],
            [_iob2(spans, len(tags)) for spans, tags in zip(predicted_spans, gold, strict=True)],
            average=None,
            zero_division=0,
        )
        # A second call with average="micro" would count everything again to divide these same three sums.
        matched = round(float(np.dot(recall, support)))
        overall = {
            "precision": _ratio(matched, len(found)),
            "recall": _ratio(matched, int(support.sum())),
            "f1": _ratio(2 * matched, len(found) + int(support.sum())),
            "macro_f1": float(f1.mean()),
            "accuracy": _ratio(right, words),
            "support": int(support.sum()),
            "words": words,
        }
        return Scores(overall, _per_label(labels, precision, recall, f1, support))


class TagScores(Metric):
    """Accuracy of word tags, and precision, recall and F1 of each tag.

    Overall: `accuracy`, `macro_f1` (mean over the tags that occur in gold or predicted), `words`. Per label:
    `precision`, `recall`, `f1`, `support`. A rate of nothing is 0.0.
    """

    name = "tags"
    summary = "Accuracy of tags, word by word"
    headline = "accuracy"

    def compute(self, gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], scheme: LabelScheme) -> Scores:
        """Score the tags as they are; the scheme plays no part.

        Raises:
            PolytagError: Gold and predicted tags differ in length.
        """
        _check_lengths(gold, predicted)
        labels = sorted({*chain.from_iterable(gold), *chain.from_iterable(predicted)})
        if not labels:
            return Scores({"accuracy": 0.0, "macro_f1": 0.0, "words": 0})
        ids = {label: number for number, label in enumerate(labels)}
        gold_ids = np.fromiter(map(ids.__getitem__, chain.from_iterable(gold)), np.int64)
        predicted_ids = np.fromiter(map(ids.__getitem__, chain.from_iterable(predicted)), np.int64)
        right = gold_ids == predicted_ids
        matched = np.bincount(gold_ids[right], minlength=len(labels))
        support = np.bincount(gold_ids, minlength=len(labels))
        found = np.bincount(predicted_ids, minlength=len(labels))
        # Where a denominator is 0 so is the numerator, and the ratio counts as 0.
        precision = matched / np.maximum(found, 1)
        recall = matched / np.maximum(support, 1)
        f1 = 2 * matched / (found + support)
        overall = {"accuracy": float(right.mean()), "macro_f1": float(f1.mean()), "words": gold_ids.size}
        return Scores(overall, _per_label(labels, precision, recall, f1, support))


def _iob2(spans: Iterable[Span], length: int) -> list[str]:
    """Tags that seqeval reads as exactly these spans, whatever scheme (or broken sequence) they come from."""
    tags = [OUTSIDE] * length
    for start, end, label in spans:
        suffix = f"-{label}" if label else ""
        tags[start:end] = [f"I{suffix}"] * (end - start)
        tags[start] = f"B{suffix}"
    return tags


def _per_label(
    labels: Sequence[str],
    precision: NDArray[np.float64],
    recall: NDArray[np.float64],
    f1: NDArray[np.float64],
    support: NDArray[np.int64],
) -> dict[str, dict[str, float]]:
    columns = (labels, precision.tolist(), recall.tolist(), f1.tolist(), support.tolist())
    return {
        label: {"precision": p, "recall": r, "f1": f, "support": n} for label, p, r, f, n in zip(*columns, strict=True)
    }


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _check_lengths(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> None:
    if len(gold) != len(predicted):
        raise PolytagError(
            f"There are {len(gold)} gold sentences and {len(predicted)} predicted ones. "
            "Score the same sentences, in the same order."
        )
    for number, (gold_tags, predicted_tags) in enumerate(zip(gold, predicted, strict=True), start=1):
        if len(gold_tags) != len(predicted_tags):
            raise PolytagError(
                f"Sentence {number} has {len(gold_tags)} gold tags and {len(predicted_tags)} predicted ones. "
                "Give every word one tag on both sides."
            )
