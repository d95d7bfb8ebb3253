"""Contracts of metrics."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator

import numpy as np

from polytag.plugin.metric import Metric, Scores
from polytag.plugin.scheme import OUTSIDE, UNANNOTATED, LabelScheme, Span
from polytag.testing.contracts import BrokenContractError, Contract, Workbench

Tags = list[list[str]]

_SPANS = [([Span(0, 2, "PER"), Span(3, 4, "LOC")], 5), ([Span(1, 2, "LOC")], 2), ([], 3), ([Span(0, 1, "PER")], 1)]
_FLAT = [["DT", "NN", "VB"], ["NN"], ["DT", "JJ", "NN", "."]]


def _accepts_empty(metric: Metric, bench: Workbench) -> None:
    for scheme, gold in _gold(metric, bench):
        empty: list[Tags] = [[], [[]], [[UNANNOTATED] * len(tags) for tags in gold]]
        for sentences in empty:
            _scores(metric, sentences, sentences, scheme)


def _prefers_perfect(metric: Metric, bench: Workbench) -> None:
    for scheme, gold in _gold(metric, bench):
        perfect = _scores(metric, gold, gold, scheme).overall[metric.headline]
        for what, predicted in _mistaken(gold, scheme):
            other = _scores(metric, gold, predicted, scheme).overall[metric.headline]
            if other >= perfect:
                raise BrokenContractError(
                    f"With {what}, {predicted} for {gold} ({scheme.name}), its headline {metric.headline!r} is "
                    f"{other}, and for perfect predictions it is {perfect}: higher must be better."
                )


def _skips_unannotated(metric: Metric, bench: Workbench) -> None:
    for scheme, gold in _gold(metric, bench):
        _, predicted = next(_mistaken(gold, scheme))
        unannotated = [[UNANNOTATED] * 3]
        alone = _scores(metric, gold, predicted, scheme)
        longer = _scores(metric, gold + unannotated, predicted + unannotated, scheme)
        for name, value in alone.overall.items():
            if not math.isclose(value, longer.overall.get(name, math.nan)):
                raise BrokenContractError(
                    f"The score {name!r} is {value}, and {longer.overall.get(name)} with one more sentence without "
                    "annotation (tags UNANNOTATED): such words must not be counted."
                )


def _accepts_unseen(metric: Metric, bench: Workbench) -> None:
    for scheme, gold in _gold(metric, bench):
        unseen = [["B-NEVERSEEN" if tag != OUTSIDE else tag for tag in tags] for tags in gold]
        _scores(metric, unseen, gold, scheme)
        _scores(metric, gold, unseen, scheme)


def _adds_up(metric: Metric, bench: Workbench) -> None:
    for scheme, gold in _gold(metric, bench):
        if metric.statistics(gold, gold, scheme) is None:
            continue
        for what, predicted in [("perfect predictions", gold), *_mistaken(gold, scheme)]:
            counts = metric.statistics(gold, predicted, scheme)
            if counts is None or len(counts) != len(gold):
                raise BrokenContractError(f"statistics() must have a row for each of the {len(gold)} sentences.")
            expected = _scores(metric, gold, predicted, scheme).overall[metric.headline]
            found = float(metric.headline_of(counts.sum(axis=0)))
            if not math.isclose(found, expected, abs_tol=1e-9):
                raise BrokenContractError(
                    f"For {what}, compute() gives {metric.headline!r} as {expected}, and headline_of() of the summed "
                    f"statistics as {found}: intervals would be about another score."
                )
            several = metric.headline_of(np.stack([counts.sum(axis=0), np.zeros(counts.shape[1])]))
            if several.shape != (2,) or not np.isfinite(several).all():
                raise BrokenContractError(
                    f"headline_of() of two corpora, the second one empty, must give two numbers, and gives {several!r}."
                )


def _leaves_inputs(metric: Metric, bench: Workbench) -> None:
    for scheme, gold in _gold(metric, bench):
        given = copy.deepcopy(gold)
        _scores(metric, given, given, scheme)
        if given != gold:
            raise BrokenContractError(f"compute() changes its arguments: {gold} became {given}.")


def _names_its_strict_form(metric: Metric, bench: Workbench) -> None:
    if metric.strict is not None and metric.strict not in bench.registry.metrics:
        raise BrokenContractError(f"Its strict form is {metric.strict!r}, but no plugin provides such a metric.")


CONTRACTS = (
    Contract("metric", "an empty corpus can be scored", _accepts_empty),
    Contract("metric", "perfect predictions score best", _prefers_perfect),
    Contract("metric", "words without annotation are not counted", _skips_unannotated),
    Contract("metric", "tags never seen in training can be scored", _accepts_unseen),
    Contract("metric", "statistics add up to the score", _adds_up),
    Contract("metric", "its arguments are not changed", _leaves_inputs),
    Contract("metric", "its strict form exists", _names_its_strict_form),
)


def _scores(metric: Metric, gold: Tags, predicted: Tags, scheme: LabelScheme) -> Scores:
    scores = metric.compute(gold, predicted, scheme)
    call = f"compute({gold}, {predicted}, {scheme.name})"
    if metric.headline not in scores.overall:
        raise BrokenContractError(
            f"{call} gives the scores {sorted(scores.overall)}, without the headline {metric.headline!r}."
        )
    for name, value in scores.overall.items():
        if not math.isfinite(value):
            raise BrokenContractError(f"{call} gives {name!r} as {value}: a score without data must be 0.")
    return scores


def _gold(metric: Metric, bench: Workbench) -> Iterator[tuple[LabelScheme, Tags]]:
    """The schemes that a metric can score, each with gold tags of a few sentences."""
    for scheme in bench.registry.schemes.values():
        if scheme.encodes_spans:
            yield scheme, [scheme.tags(spans, length) for spans, length in _SPANS]
        elif not metric.needs_spans:
            yield scheme, copy.deepcopy(_FLAT)


def _mistaken(gold: Tags, scheme: LabelScheme) -> Iterator[tuple[str, Tags]]:
    wrong = OUTSIDE if scheme.encodes_spans else "XX"
    yield "every tag missed", [[wrong] * len(tags) for tags in gold]
    yield "the first sentence missed", [[wrong] * len(gold[0]), *gold[1:]]
