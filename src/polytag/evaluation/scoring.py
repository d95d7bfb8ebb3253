"""Run metrics on gold and predicted tags: per word, per sentence, never per subword."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from polytag.errors import PolytagError
from polytag.evaluation.results import Tags, TaskEvaluation
from polytag.evaluation.significance import bootstrap_interval
from polytag.plugin.registry import registry
from polytag.plugin.scheme import UNANNOTATED, LabelScheme
from polytag.plugin.task import Task


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
        predicted: The same for the predicted tags.
        scheme: The label scheme of both.
        metrics: Names of metrics; the first is the main one.
        baseline: Tags of a baseline, to score by the main metric.
        interval_seed: Seed of the confidence interval of the headline score; no interval when None.
    """
    predicted = where_annotated(gold, predicted)
    found = {name: registry().metrics[name].compute(gold, predicted, scheme) for name in metrics}
    main = registry().metrics[metrics[0]]
    lower = (
        None if baseline is None else main.compute(gold, where_annotated(gold, baseline), scheme).overall[main.headline]
    )
    interval = None
    if interval_seed is not None and gold:
        statistics = main.statistics(gold, predicted, scheme)
        if statistics is not None:
            interval = bootstrap_interval(statistics, main.headline_of, interval_seed)
    return TaskEvaluation(found, main.headline, lower, interval)


def where_annotated(gold: Tags, predicted: Tags) -> Tags:
    """Predicted tags with `UNANNOTATED` where gold has it, so that there is nothing to be right or wrong about."""
    if not any(UNANNOTATED in tags for tags in gold):
        return predicted
    return [
        [UNANNOTATED if right == UNANNOTATED else tag for right, tag in zip(*sides, strict=True)]
        for sides in zip(gold, predicted, strict=True)
    ]


def choose_metrics(
    tasks: Mapping[str, Task], schemes: Mapping[str, LabelScheme], further: Sequence[str], strict: bool
) -> dict[str, tuple[str, ...]]:
    """Names of the metrics of each task, the main one first.

    Args:
        tasks: The tasks.
        schemes: The label scheme of each.
        further: Names of metrics beside the tasks' own; one that needs spans is left out of tasks that have none.
        strict: Take the strict variant of each of the tasks' metrics that has one.

    Raises:
        PolytagError: A further metric suits none of the tasks, or none of their metrics has a strict variant.
        UnknownNameError: There is no metric of that name.
    """
    known = registry().metrics
    own = {name: task.metrics for name, task in tasks.items()}
    if strict:
        variants = {metric: known[metric].strict or metric for names in own.values() for metric in names}
        if all(metric == variant for metric, variant in variants.items()):
            raise PolytagError(
                f"--strict concerns how spans are read, and no metric of these tasks ({', '.join(tasks)}) reads spans. "
                "Leave it out."
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
