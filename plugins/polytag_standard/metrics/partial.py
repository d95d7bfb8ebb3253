"""The metric `partial`: credit for partially correct spans, as in SemEval-2013 task 9.1."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polytag import LabelScheme, Metric, PolytagError, Scores, Span
from polytag_standard.metrics.spans import NO_LABEL, check_lengths, check_spans

_MODES = {"strict": "strict", "exact": "exact", "partial": "partial", "type": "ent_type"}
"""Our name of each way of counting -> nervaluate's name."""


class PartialScores(Metric):
    """Four ways to count spans, from nervaluate (SemEval-2013 task 9.1: Segura-Bedmar, Martínez and Herrero-Zazo 2013).

    - `strict`: the words and the label equal gold; the same as `spans`.
    - `exact`: the words equal gold; the label is ignored.
    - `partial`: as `exact`, and a span that shares some words with gold counts half.
    - `type`: the label equals gold, and at least one word is shared.

    Overall, for each way: `strict_precision`, `strict_recall`, `strict_f1`, `strict_macro_f1` (mean over the labels in
    gold or predicted spans) and so on, and `support` (gold spans). Per label: the same without the macro average, each
    label scored as if it were the only one. A ratio with denominator 0 is 0.0.
    """

    name = "partial"
    summary = "Spans counted four ways (strict, exact, partial, type) by nervaluate"
    headline = "partial_f1"
    needs_spans = True

    def compute(self, gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], scheme: LabelScheme) -> Scores:
        """Score the spans that `scheme` reads from the tags.

        Raises:
            PolytagError: The scheme encodes no spans, gold and predicted tags differ in length, or nervaluate is not
                installed.
        """
        check_spans(self.name, scheme)
        check_lengths(gold, predicted)
        gold_spans, predicted_spans = ([scheme.spans(tags) for tags in side] for side in (gold, predicted))
        right = list(chain.from_iterable(gold_spans))
        labels = sorted({_label(span) for span in chain(right, chain.from_iterable(predicted_spans))})
        if not labels:
            rates = ("precision", "recall", "f1", "macro_f1")
            return Scores({**{f"{mode}_{rate}": 0.0 for mode in _MODES for rate in rates}, "support": 0})

        results = (
            _library()
            .Evaluator(_entities(gold_spans), _entities(predicted_spans), tags=labels, loader="dict")
            .evaluate()
        )
        overall: dict[str, float] = {}
        per_label: dict[str, dict[str, float]] = {}
        for mode, theirs in _MODES.items():
            overall |= _rates(mode, results["overall"][theirs])
            macro = np.mean([results["entities"][label][theirs].f1 for label in labels])
            overall[f"{mode}_macro_f1"] = float(macro)
        support = dict.fromkeys(labels, 0)
        for span in right:
            support[_label(span)] += 1
        for label in labels:
            of_label = results["entities"][label]
            rates_of_label = [_rates(mode, of_label[theirs]) for mode, theirs in _MODES.items()]
            per_label[label] = {**dict(chain.from_iterable(map(dict.items, rates_of_label))), "support": support[label]}
        return Scores({**overall, "support": len(right)}, per_label)

    def statistics(
        self, gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], scheme: LabelScheme
    ) -> NDArray[np.float64]:
        """float64 (sentences, 3): correct spans plus half of the partially correct ones, predicted spans, gold spans.

        Raises:
            PolytagError: The scheme encodes no spans, gold and predicted tags differ in length, or nervaluate is not
                installed.
        """
        check_spans(self.name, scheme)
        check_lengths(gold, predicted)
        _library()
        from nervaluate.entities import Entity
        from nervaluate.strategies import PartialEvaluation

        strategy = PartialEvaluation()
        counts = np.zeros((len(gold), 3))
        for row, *sides in zip(counts, gold, predicted, strict=True):
            entities = [
                [Entity(_label(span), span.start, span.end - 1) for span in scheme.spans(tags)] for tags in sides
            ]
            found, _ = strategy.evaluate(*entities, [])
            row[:] = found.correct + 0.5 * found.partial, found.actual, found.possible
        return counts

    def headline_of(self, totals: NDArray[np.float64]) -> NDArray[np.float64]:
        """F1 of the partial count, float64 (...), of summed statistics, float64 (..., 3)."""
        # The same arithmetic as nervaluate, so that the score is the same to the last bit. If a denominator is 0, so is
        # its numerator.
        precision = totals[..., 0] / np.maximum(totals[..., 1], 1)
        recall = totals[..., 0] / np.maximum(totals[..., 2], 1)
        both = precision + recall
        f1: NDArray[np.float64] = 2 * (precision * recall) / np.where(both > 0, both, 1)
        return f1


def _library() -> Any:
    try:
        import nervaluate
    except ImportError as error:
        raise PolytagError(
            "The metric 'partial' is counted by the package nervaluate, which is not installed. Install it: pip "
            "install polytag; or choose the metric 'spans'."
        ) from error
    return nervaluate


def _label(span: Span) -> str:
    return span.label or NO_LABEL


def _entities(sentences: Sequence[Sequence[Span]]) -> list[list[dict[str, object]]]:
    """Spans in nervaluate's format, whose end is inclusive."""
    return [
        [{"label": _label(span), "start": span.start, "end": span.end - 1} for span in spans] for spans in sentences
    ]


def _rates(mode: str, result: object) -> dict[str, float]:
    return {f"{mode}_{rate}": float(getattr(result, rate)) for rate in ("precision", "recall", "f1")}
