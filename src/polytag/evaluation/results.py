"""Run metrics on gold and predicted tags: per word, per sentence, never per subword."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from polytag.errors import PolytagError
from polytag.evaluation.mistakes import Confusion
from polytag.evaluation.significance import bootstrap_interval
from polytag.plugin.metric import Scores
from polytag.plugin.registry import registry
from polytag.plugin.scheme import OUTSIDE, UNANNOTATED, LabelScheme
from polytag.plugin.task import Task
from polytag.tagger.calibration import Calibration

Tags = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class TaskEvaluation:
    """The scores of one task on one split.

    Attributes:
        metrics: Scores by metric; the first metric is the task's main one.
        headline: Name of the main metric's headline score.
        baseline: The headline score of a per-word majority-tag baseline, where a training split is at hand.
        interval: The 95% confidence interval of the headline score, by resampling sentences; None where it was not
            asked for, or the metric has no statistics to compute it from.
        confusions: The most frequent mistakes, where they were asked for.
        calibration: The calibration error of the words' probabilities, where there are any.
    """

    metrics: Mapping[str, Scores]
    headline: str
    baseline: float | None = None
    interval: tuple[float, float] | None = None
    confusions: Sequence[Confusion] = ()
    calibration: Calibration | None = None

    @property
    def score(self) -> float:
        """The headline score of the main metric."""
        return float(next(iter(self.metrics.values())).overall[self.headline])


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The scores of all tasks on one split.

    Attributes:
        corpus: What the user named.
        split: Name of the split.
        sentences, words: How many were scored: all of them.
        tasks: Scores by task.
    """

    corpus: str
    split: str
    sentences: int
    words: int
    tasks: Mapping[str, TaskEvaluation]

    def to_dict(self) -> dict[str, Any]:
        """The same as plain data, for JSON."""
        return asdict(self)

    @property
    def headlines(self) -> dict[str, float]:
        """Named headline scores: `{"ner f1": 0.91, "pos accuracy": 0.96}`."""
        return {f"{name} {task.headline}": task.score for name, task in self.tasks.items()}


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


class MajorityBaseline:
    """Gives each word the tag it has most often in training; a new word gets `O`, or the most frequent tag of all.

    Args:
        sentences: Words of the training split.
        tags: Their tags.
        scheme: The scheme of the tags.
    """

    def __init__(self, sentences: Tags, tags: Tags, scheme: LabelScheme) -> None:
        counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        overall: Counter[str] = Counter()
        for words, word_tags in zip(sentences, tags, strict=True):
            for word, tag in zip(words, word_tags, strict=True):
                if tag != UNANNOTATED:
                    counts[word][tag] += 1
                    overall[tag] += 1
        # Ties go to the tag that sorts first, so that the baseline is the same everywhere.
        self._best = {word: min(tags, key=lambda tag: (-tags[tag], tag)) for word, tags in counts.items()}
        most = min(overall, key=lambda tag: (-overall[tag], tag), default=OUTSIDE)
        self._default = OUTSIDE if scheme.encodes_spans else most

    def tag(self, sentences: Tags) -> list[list[str]]:
        """The tags of every sentence."""
        return [[self._best.get(word, self._default) for word in words] for words in sentences]
