"""The standard metrics: `spans` as in the CoNLL shared tasks, its strict variant, and `tags` per word."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from operator import eq

import numpy as np
from numpy.typing import NDArray

from polytag import OUTSIDE, UNANNOTATED, LabelScheme, Metric, PolytagError, Scores, Span

NO_LABEL = "_"
"""seqeval's name for spans without a label, whose tags are only `B` and `I`."""


Rates = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]
"""Precision, recall, F1 and support: (labels,) each."""


class SpanScores(Metric):
    """Precision, recall and F1 of spans: a span is correct if gold has a span with the same words and label.

    Spans are read as the scorer of the CoNLL shared tasks (`conlleval`) reads them, also from sequences that violate
    their scheme, and the scores equal that scorer's. The two can differ only in tags that `conlleval` does not support:
    tags without a prefix (`PER`), and prefixes other than B, I, E and O.

    Overall: `precision`, `recall` and `f1` over all spans (micro average), `macro_f1` (mean over the labels in gold or
    predicted spans), `accuracy` of word tags, `support` (gold spans), `words`. Per label: `precision`,
    `recall`, `f1`, `support`; spans without a label are listed as `_`. A ratio with denominator 0 is 0.0.
    """

    name = "spans"
    summary = "Precision, recall and F1 of spans, counted by seqeval"
    headline = "f1"
    needs_spans = True
    strict = "spans-strict"

    def compute(self, gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], scheme: LabelScheme) -> Scores:
        """Score the spans that `scheme` reads from the tags.

        Raises:
            PolytagError: The scheme encodes no spans, or gold and predicted tags differ in length.
        """
        check_spans(self.name, scheme)
        check_lengths(gold, predicted)
        gold_tags, predicted_tags = _annotated(chain.from_iterable(gold), chain.from_iterable(predicted))
        words, right = len(gold_tags), sum(map(eq, gold_tags, predicted_tags))
        gold_spans = [self._spans(tags, scheme) for tags in gold]
        predicted_spans = [self._spans(tags, scheme) for tags in predicted]
        found = list(chain.from_iterable(predicted_spans))
        labels = sorted({span.label or NO_LABEL for span in chain(chain.from_iterable(gold_spans), found)})
        if not labels:
            overall = dict.fromkeys(("precision", "recall", "f1", "macro_f1"), 0.0)
            return Scores({**overall, "accuracy": _ratio(right, words), "support": 0, "words": words})

        precision, recall, f1, support = _rates(gold_spans, predicted_spans, list(map(len, gold)), labels)
        # Counting again for the micro average would only divide these three sums.
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

    def statistics(
        self, gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], scheme: LabelScheme
    ) -> NDArray[np.float64]:
        """float64 (sentences, 3): correct spans, predicted spans, gold spans.

        Raises:
            PolytagError: The scheme encodes no spans, or gold and predicted tags differ in length.
        """
        check_spans(self.name, scheme)
        check_lengths(gold, predicted)
        counts = np.zeros((len(gold), 3))
        for row, gold_tags, predicted_tags in zip(counts, gold, predicted, strict=True):
            right, found = self._spans(gold_tags, scheme), self._spans(predicted_tags, scheme)
            row[:] = len(set(right).intersection(found)), len(found), len(right)
        return counts

    def headline_of(self, totals: NDArray[np.float64]) -> NDArray[np.float64]:
        """F1, float64 (...), of summed statistics, float64 (..., 3)."""
        # If the denominator is 0, so is the numerator, and the ratio counts as 0.
        f1: NDArray[np.float64] = 2 * totals[..., 0] / np.maximum(totals[..., 1] + totals[..., 2], 1)
        return f1

    def _spans(self, tags: Sequence[str], scheme: LabelScheme) -> list[Span]:
        return scheme.spans(tags)


class StrictSpanScores(SpanScores):
    """The scores of `spans`, counting only spans whose tags are valid in the scheme.

    A span whose tags differ from the ones that the scheme writes for it (`I-PER` after `O` in IOB2) is ignored, in gold
    and in predicted tags: the strict mode of seqeval, for any scheme.
    """

    name = "spans-strict"
    summary = "Precision, recall and F1 of spans that the label scheme allows"

    def _spans(self, tags: Sequence[str], scheme: LabelScheme) -> list[Span]:
        spans = scheme.spans(tags)
        written = scheme.tags(spans, len(tags))
        return [span for span in spans if list(tags[span.start : span.end]) == written[span.start : span.end]]


class TagScores(Metric):
    """Accuracy of word tags, and precision, recall and F1 of each tag.

    Overall: `accuracy`, `macro_f1` (mean over the tags that occur in gold or predicted), `words`. Per label:
    `precision`, `recall`, `f1`, `support`. A ratio with denominator 0 is 0.0.
    """

    name = "tags"
    summary = "Accuracy of tags, word by word"
    headline = "accuracy"

    def compute(self, gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], scheme: LabelScheme) -> Scores:
        """Score the tags themselves; the scheme is ignored.

        Raises:
            PolytagError: Gold and predicted tags differ in length.
        """
        check_lengths(gold, predicted)
        gold_tags, predicted_tags = _annotated(chain.from_iterable(gold), chain.from_iterable(predicted))
        labels = sorted({*gold_tags, *predicted_tags})
        if not labels:
            return Scores({"accuracy": 0.0, "macro_f1": 0.0, "words": 0})
        ids = {label: number for number, label in enumerate(labels)}
        gold_ids = np.fromiter(map(ids.__getitem__, gold_tags), np.int64)
        predicted_ids = np.fromiter(map(ids.__getitem__, predicted_tags), np.int64)
        right = gold_ids == predicted_ids
        matched = np.bincount(gold_ids[right], minlength=len(labels))
        support = np.bincount(gold_ids, minlength=len(labels))
        found = np.bincount(predicted_ids, minlength=len(labels))
        # If a denominator is 0, so is the numerator, and the ratio counts as 0.
        precision = matched / np.maximum(found, 1)
        recall = matched / np.maximum(support, 1)
        f1 = 2 * matched / (found + support)
        overall = {"accuracy": float(right.mean()), "macro_f1": float(f1.mean()), "words": gold_ids.size}
        return Scores(overall, _per_label(labels, precision, recall, f1, support))

    def statistics(
        self, gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], scheme: LabelScheme
    ) -> NDArray[np.float64]:
        """float64 (sentences, 2): correctly tagged words, words.

        Raises:
            PolytagError: Gold and predicted tags differ in length.
        """
        check_lengths(gold, predicted)
        counts = np.zeros((len(gold), 2))
        for row, *sides in zip(counts, gold, predicted, strict=True):
            gold_tags, predicted_tags = _annotated(*sides)
            row[:] = sum(map(eq, gold_tags, predicted_tags)), len(gold_tags)
        return counts

    def headline_of(self, totals: NDArray[np.float64]) -> NDArray[np.float64]:
        """Accuracy, float64 (...), of summed statistics, float64 (..., 2)."""
        accuracy: NDArray[np.float64] = totals[..., 0] / np.maximum(totals[..., 1], 1)
        return accuracy


def _annotated(gold: Iterable[str], predicted: Iterable[str]) -> tuple[list[str], list[str]]:
    """The tags of the annotated words."""
    gold_tags, predicted_tags = list(gold), list(predicted)
    if UNANNOTATED not in gold_tags:
        return gold_tags, predicted_tags
    kept = [i for i, tag in enumerate(gold_tags) if tag != UNANNOTATED]
    return [gold_tags[i] for i in kept], [predicted_tags[i] for i in kept]


def _rates(
    gold: Sequence[Sequence[Span]], predicted: Sequence[Sequence[Span]], lengths: Sequence[int], labels: Sequence[str]
) -> Rates:
    """Precision, recall, F1 and support of each label: by seqeval where it is installed, else by the same arithmetic.

    Args:
        gold, predicted: The spans of each sentence.
        lengths: Number of words of each sentence.
        labels: The labels of all spans, sorted, with `_` for spans without a label.
    """
    try:
        from seqeval.metrics.sequence_labeling import precision_recall_fscore_support
    except ImportError:  # of seqeval, or of scikit-learn, which it needs
        return _counted(gold, predicted, labels)
    rates: Rates = precision_recall_fscore_support(
        [_iob2(spans, length) for spans, length in zip(gold, lengths, strict=True)],
        [_iob2(spans, length) for spans, length in zip(predicted, lengths, strict=True)],
        average=None,
        zero_division=0,
    )
    return rates


def _counted(gold: Sequence[Sequence[Span]], predicted: Sequence[Sequence[Span]], labels: Sequence[str]) -> Rates:
    """As seqeval does: the operations and their order are the same, and so are the scores, to the last bit."""
    ids = {label: number for number, label in enumerate(labels)}
    matched, found, support = (np.zeros(len(labels), np.int64) for _ in range(3))
    for sides in zip(gold, predicted, strict=True):
        right, answered = map(set, sides)
        for counts, spans in ((matched, right & answered), (found, answered), (support, right)):
            for span in spans:
                counts[ids[span.label or NO_LABEL]] += 1
    # If a denominator is 0, so is the numerator, and the ratio counts as 0.
    precision, recall = matched / np.maximum(found, 1), matched / np.maximum(support, 1)
    both = precision + recall
    return precision, recall, 2 * precision * recall / np.where(both > 0, both, 1), support


def _iob2(spans: Iterable[Span], length: int) -> list[str]:
    """Tags that seqeval reads as exactly these spans, from any scheme and any sequence."""
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


def check_spans(metric: str, scheme: LabelScheme) -> None:
    """Check that the scheme encodes spans.

    Raises:
        PolytagError: It does not.
    """
    if not scheme.encodes_spans:
        raise PolytagError(
            f"The metric {metric!r} cannot score the scheme {scheme.name!r}, which encodes no spans. "
            "Use the metric 'tags', or a scheme that encodes spans."
        )


def check_lengths(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> None:
    """Check that gold and predicted tags are for the same words.

    Raises:
        PolytagError: They differ in length.
    """
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
