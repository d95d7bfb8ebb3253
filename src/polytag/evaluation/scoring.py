"""Compute metrics of gold and predicted tags, over whole words and sentences, never over subwords."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite

import numpy as np

from polytag.errors import PolytagError
from polytag.evaluation.results import Tags, TaskEvaluation
from polytag.evaluation.significance import bootstrap_interval
from polytag.plugin.attribution import attributed
from polytag.plugin.metric import Scores
from polytag.plugin.registry import registry
from polytag.plugin.scheme import UNANNOTATED, LabelScheme
from polytag.plugin.surroundings import for_plugin
from polytag.plugin.task import Task


@attributed
def score(
    gold: Tags,
    predicted: Tags,
    *,
    scheme: LabelScheme | str = "iob2",
    metrics: str | Sequence[str] = ("spans",),
    seed: int = 0,
) -> TaskEvaluation:
    """Score tags from any source.

    ```python
    import polytag

    gold = [["B-PER", "I-PER", "O"], ["B-LOC"]]
    found = polytag.score(gold, [["B-PER", "I-PER", "O"], ["O"]])
    print(found.headline, round(found.score, 4), found.metrics["spans"].per_label["LOC"]["recall"])
    # f1 0.6667 0.0
    ```

    Args:
        gold: A list of tags for each sentence; a word whose tag is `UNANNOTATED` is not scored.
        predicted: Predicted tags, in the same shape.
        scheme: The label scheme of both, or its name.
        metrics: Name of a metric, or names of several; the first gives the headline score.
        seed: Seed of the 95% confidence interval of the headline score.

    Raises:
        PolytagError: Gold and predicted tags differ in shape, a tag is invalid in the scheme, a metric needs spans and
            the scheme has none, or no scheme or metric has the given name.
    """
    known = registry()
    chosen = scheme if isinstance(scheme, LabelScheme) else known.schemes[scheme]
    names = (metrics,) if isinstance(metrics, str) else tuple(metrics or ())
    if not names:
        raise PolytagError("No metric is given. Name at least one: metrics=('spans',)")
    for name in names:
        if known.metrics[name].needs_spans and not chosen.encodes_spans:
            raise PolytagError(
                f"The metric {name!r} needs spans, and the scheme {chosen.name!r} has none. Choose a metric of tags: "
                "metrics='tags'"
            )
    _check_shape(gold, predicted)
    for side, sentences in (("gold", gold), ("predicted", predicted)):
        _check_tags(side, sentences, chosen)
    return evaluate_tags(gold, predicted, chosen, names, interval_seed=seed)


def _check_shape(gold: Tags, predicted: Tags) -> None:
    for side, tags in (("gold", gold), ("predicted", predicted)):
        if not hasattr(tags, "__len__") or isinstance(tags, str | bytes):
            raise PolytagError(
                f"The {side} tags are {tags!r:.60}. Give a list of tags for each sentence: [['B-PER', 'O']]"
            )
    if len(gold) != len(predicted):
        raise PolytagError(
            f"The gold tags have {len(gold):,} sentences, and the predicted tags {len(predicted):,}. Give both for the "
            "same sentences."
        )
    for number, (right, found) in enumerate(zip(gold, predicted, strict=True), start=1):
        wrong = [tags for tags in (right, found) if isinstance(tags, str) or not hasattr(tags, "__len__")]
        if wrong:
            kind = "a string" if isinstance(wrong[0], str) else f"{wrong[0]!r:.60}"
            raise PolytagError(f"Sentence {number} is {kind}. Give a list of tags for each sentence: [['B-PER', 'O']]")
        if len(right) != len(found):
            raise PolytagError(
                f"Sentence {number} has {len(right):,} gold tags and {len(found):,} predicted tags. Give one of each "
                "per word."
            )


def _check_tags(side: str, sentences: Tags, scheme: LabelScheme) -> None:
    first = {tag: number for number, tags in reversed([*enumerate(sentences, start=1)]) for tag in tags}
    first.pop(UNANNOTATED, None)
    edges: list[str | None] = [None, *first]
    for tag, number in first.items():
        if not isinstance(tag, str):
            raise PolytagError(f"Sentence {number} has the {side} tag {tag!r:.60}, which is not a string.")
        if not any(scheme.allows(tag, other) or scheme.allows(other, tag) for other in edges):
            raise PolytagError(
                f"Sentence {number} has the {side} tag {tag!r}, which is invalid in the scheme {scheme.name!r}. Name "
                "the scheme of the tags: scheme='iobes'"
            )


def evaluate_tags(
    gold: Tags,
    predicted: Tags,
    scheme: LabelScheme,
    metrics: Sequence[str],
    baseline: Tags | None = None,
    interval_seed: int | None = None,
) -> TaskEvaluation:
    """Score the tags of one task.

    Args:
        gold: Tags of every sentence, in `scheme`; words that are `UNANNOTATED` are not scored.
        predicted: The predicted tags, in the same form.
        scheme: The label scheme of both.
        metrics: Names of metrics; the first is the main one.
        baseline: Tags of a baseline, which is scored by the main metric.
        interval_seed: Seed of the confidence interval of the headline score; no interval if None.
    """
    predicted = where_annotated(gold, predicted)
    found = {name: scores_of(name, gold, predicted, scheme) for name in metrics}
    main = registry().metrics[metrics[0]]
    lower = None
    if baseline is not None:
        lower = scores_of(main.name, gold, where_annotated(gold, baseline), scheme).overall[main.headline]
    interval = None
    if interval_seed is not None and gold:
        with for_plugin(), registry().metrics.calling(main.name):
            statistics = main.statistics(gold, predicted, scheme)
            if statistics is not None:
                interval = bootstrap_interval(statistics, main.headline_of, interval_seed)
        if interval is not None and not all(map(isfinite, interval)):
            raise registry().metrics.misfit(main.name, f"the interval {interval}, which is not finite")
    return TaskEvaluation(found, main.headline, lower, interval)


def scores_of(name: str, gold: Tags, predicted: Tags, scheme: LabelScheme) -> Scores:
    """The scores of one metric.

    Raises:
        PluginError: The metric fails, or gives something else than finite numbers.
    """
    metrics = registry().metrics
    metric = metrics[name]
    with for_plugin(), metrics.calling(name):
        found = metric.compute(gold, predicted, scheme)
        shown = repr(found)[:100]
        sound = isinstance(found, Scores) and isfinite(found.overall[metric.headline])
        if sound:
            tables = [found.overall, *found.per_label.values()]
            sound = all(isinstance(value, int | float | np.number) for values in tables for value in values.values())
    if not sound:
        raise metrics.misfit(name, f"{shown}, and not Scores of numbers whose {metric.headline!r} is finite")
    return found


def where_annotated(gold: Tags, predicted: Tags) -> Tags:
    """Predicted tags with `UNANNOTATED` wherever gold has it, so that these words are not scored."""
    if not any(UNANNOTATED in tags for tags in gold):
        return predicted
    return [
        [UNANNOTATED if right == UNANNOTATED else tag for right, tag in zip(*sides, strict=True)]
        for sides in zip(gold, predicted, strict=True)
    ]


def choose_metrics(
    tasks: Mapping[str, Task], schemes: Mapping[str, LabelScheme], further: Sequence[str], strict: bool
) -> dict[str, tuple[str, ...]]:
    """Names of the metrics of each task, main metric first.

    Args:
        tasks: The tasks.
        schemes: The label scheme of each.
        further: Names of metrics in addition to the tasks' own; metrics of spans are skipped for tasks without spans.
        strict: Use the strict variants of the tasks' metrics, where these exist.

    Raises:
        PolytagError: A further metric fits none of the tasks, or none of their metrics has a strict variant.
        UnknownNameError: No metric has the given name.
    """
    known = registry().metrics
    for name, task in tasks.items():
        known.require(*task.metrics, needed_by=f"the task {name!r}")
    own = {name: task.metrics for name, task in tasks.items()}
    if strict:
        variants = {metric: known[metric].strict or metric for names in own.values() for metric in names}
        if all(metric == variant for metric, variant in variants.items()):
            raise PolytagError(
                f"--strict applies to metrics of spans, and these tasks have none: {', '.join(tasks)}. Leave it out."
            )
        own = {name: tuple(variants[metric] for metric in names) for name, names in own.items()}
    any_tags = {metric for metric in further if not known[metric].needs_spans}
    chosen = {}
    for name, scheme in schemes.items():
        fitting = [metric for metric in further if scheme.encodes_spans or metric in any_tags]
        chosen[name] = tuple(dict.fromkeys([*own[name], *fitting]))
    for metric in further:
        if all(metric not in names for names in chosen.values()):
            raise PolytagError(
                f"The metric {metric!r} needs spans, and none of these tasks has any: {', '.join(tasks)}. Leave it "
                "out, or choose a metric of tags."
            )
    return chosen
