"""Compare two taggers, or their predictions, on the same sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from operator import ne
from pathlib import Path
from typing import Any, Unpack

from polytag.corpus.corpus import Corpus
from polytag.corpus.load import as_corpus
from polytag.corpus.splits import Split, read_split
from polytag.errors import PolytagError
from polytag.evaluation.prediction_files import SKIP, Predictions
from polytag.evaluation.results import Tags
from polytag.evaluation.scoring import scores_of
from polytag.evaluation.significance import approximate_randomisation, paired_bootstrap
from polytag.evaluation.systems import (
    System,
    TaggerFolder,
    check_tags,
    check_words,
    named_tasks,
    open_system,
    system_tags,
)
from polytag.plugin.attribution import attributed
from polytag.plugin.reader import ReadingKeywords
from polytag.plugin.registry import registry
from polytag.plugin.scheme import LabelScheme
from polytag.plugin.splitter import STANDARD
from polytag.plugin.surroundings import for_plugin
from polytag.plugin.task import Task
from polytag.plugin.task_choice import on_column, task_named


@dataclass(frozen=True, slots=True)
class SentenceDifference:
    """A sentence that two systems tag differently.

    Attributes:
        location: File and line of its beginning.
        words: Its words.
        gold, a, b: Gold tags, and the tags of each system.
        wrong: Number of words that each system tags wrong.
    """

    location: str
    words: Sequence[str]
    gold: Sequence[str]
    a: Sequence[str]
    b: Sequence[str]
    wrong: tuple[int, int]


@dataclass(frozen=True, slots=True)
class TaskComparison:
    """Two systems on one task.

    Attributes:
        metric, headline: The task's main metric, and the name of its headline score.
        a, b: The two scores.
        difference: The second minus the first.
        interval: The 95% confidence interval of the difference, by paired bootstrap over sentences; None if the metric
            has no statistics.
        p: Two-sided p value of the difference, by approximate randomisation; None if the metric has no statistics.
        differing: Number of sentences with different tags.
        sentences: The sentences that differ most: by the difference in the number of wrong words, then by the number
            of words with different tags, then in the order of the corpus.
    """

    metric: str
    headline: str
    a: float
    b: float
    difference: float
    interval: tuple[float, float] | None
    p: float | None
    differing: int
    sentences: Sequence[SentenceDifference]


@dataclass(frozen=True, slots=True, repr=False)
class Comparison:
    """Two systems on one split of a corpus.

    Attributes:
        a, b: The names of the systems as the user gave them.
        runtimes: The runtime that computed each network: `tensorflow`, `onnx`, `onnx-int8` or `numpy`; None for a file.
        corpus: The name of the corpus as the user gave it.
        split: Name of the split.
        sentences, words: Its size.
        tasks: The comparison of each task.
    """

    a: str
    b: str
    runtimes: tuple[str | None, str | None]
    corpus: str
    split: str
    sentences: int
    words: int
    tasks: Mapping[str, TaskComparison]

    def to_dict(self) -> dict[str, Any]:
        """The same as plain data for JSON."""
        return asdict(self)

    def __repr__(self) -> str:
        scores = ", ".join(f"{name} {task.headline} {task.difference:+.4f}" for name, task in self.tasks.items())
        return f"Comparison({self.a} -> {self.b}, {self.corpus}, {self.split}: {scores})"

    def _repr_html_(self) -> str:
        """The tables of the comparison, for notebooks."""
        from polytag.evaluation.tables import comparison_html

        return comparison_html(self)


@attributed
def compare(
    a: str | Path,
    b: str | Path,
    corpus: Corpus | str,
    split: str | None = None,
    *,
    task: Sequence[str] = (),
    reader: str | None = None,
    corpus_scheme: str | None = None,
    tags_as_is: bool = False,
    decoding: Any = None,
    sentences: int = 5,
    seed: int = 0,
    runtime: str | None = None,
    **reading: Unpack[ReadingKeywords],
) -> Comparison:
    """Compare two systems on the same sentences, task by task.

    Each system is the folder of a tagger, or a file of its predictions for exactly the sentences of the split: JSON
    Lines or columns, as written by `polytag predict`. A column file has the words in the first column and the tags of
    one task in each further column. It does not name the tasks: they are taken from `task`, or else from the other
    system, in that order. Spans may be in any label scheme, which is recognised.

    Args:
        a, b: The two systems.
        corpus: A corpus, or its name.
        split: Name of the split; by default `test`, or the last one if no `test` exists.
        task: Names of the tasks to compare; by default all that both systems have. `NAME=COLUMN` names the column of
            the corpus that holds it. For a column file, in the order of its tag columns, with `_` for a column to skip.
        reader, corpus_scheme, **reading: How to read the corpus, as in training; texts with offsets are split by the
            splitter of the first tagger.
        tags_as_is: Whether to score tags that no label scheme writes, as parts of spans.
        decoding: `viterbi` or `argmax`; by default each tagger's own.
        sentences: Number of sentences to report, of those that differ most.
        seed: Seed of the interval and the p value.
        runtime: `tensorflow`, `onnx`, `onnx-int8` or `numpy`, for taggers, as in `Tagger.load`.

    Raises:
        PolytagError: A system or the corpus is invalid, a tagger cannot run in the runtime, the systems have no task in
            common, or the words of a file differ from the corpus.
    """
    names = [str(a), str(b)]
    systems = [open_system(name, runtime) for name in names]
    wanted = named_tasks(task)
    tasks = _shared_tasks(names, systems, wanted)
    folders = (system for system in systems if isinstance(system, TaggerFolder))
    splitter = next((system.description.splitter for system in folders), STANDARD)
    loaded = as_corpus(corpus, reader=reader, splitter=splitter, **reading)
    chosen = loaded.default_split(split)
    schemes = {name: registry().schemes.get(found.scheme, f"the task {name!r}") for name, found in tasks.items()}
    data = read_split(loaded, chosen, tasks, schemes, corpus_scheme, tags_as_is)
    places = [loaded.locate(chosen, index) for index in range(len(data.sentences))]
    for name, system in zip(names, systems, strict=True):
        if isinstance(system, Predictions):
            check_words(name, system, data.sentences, f"{loaded.reference}, {chosen}", places)
    for name, system in zip(names, systems, strict=True):
        if isinstance(system, Predictions) and not tags_as_is:
            check_tags(name, system, schemes)
    a_tags, b_tags = (system_tags(system, data, schemes, decoding) for system in systems)
    results = {}
    for name, found in tasks.items():
        both = a_tags[name], b_tags[name]
        results[name] = compare_tags(found.metrics[0], data, name, schemes[name], both, places, sentences, seed)
    first, second = (None if isinstance(system, Predictions) else system.runtime for system in systems)
    size = len(data.sentences), data.n_words
    return Comparison(names[0], names[1], (first, second), loaded.reference, chosen, *size, results)


def _shared_tasks(
    names: Sequence[str], systems: Sequence[System], choices: Sequence[tuple[str, str | None]]
) -> dict[str, Task]:
    wanted = [name for name, _ in choices]
    known = [system.tasks if isinstance(system, Predictions) else tuple(system.description.tasks) for system in systems]
    for index, system in enumerate(systems):
        if isinstance(system, Predictions) and system.tasks is None:
            order = wanted or known[1 - index]
            if order is None:
                raise PolytagError(
                    "Two column files do not name the tasks of their columns. Name them in the order of the tag "
                    "columns, _ for one to skip, for instance --task pos --task _ --task ner."
                )
            system.name_columns(order, names[index])
            known[index] = system.tasks
    first, second = (tasks or () for tasks in known)
    shared = [name for name in wanted if name != SKIP] or [name for name in first if name in second]
    if not shared:
        raise PolytagError(
            f"{names[0]!r} and {names[1]!r} have no task in common: the first has {', '.join(first) or 'none'}, the "
            f"second {', '.join(second) or 'none'}."
        )
    for task in shared:
        for name, tasks in zip(names, (first, second), strict=True):
            if task not in tasks:
                raise PolytagError(f"{name!r} has no task {task!r}; it has {', '.join(tasks)}.")
    trained_on = {
        name: head.column
        for system in reversed(systems)
        if isinstance(system, TaggerFolder)
        for name, head in system.description.tasks.items()
        if head.column
    }
    found = {name: task_named(name, trained_on.get(name), "the comparison") for name in shared}
    return found | {name: on_column(found[name], column) for name, column in choices if column}


def compare_tags(
    metric_name: str,
    data: Split,
    task: str,
    scheme: LabelScheme,
    predicted: tuple[Tags, Tags],
    places: Sequence[str],
    wanted: int,
    seed: int,
) -> TaskComparison:
    """Compare the tags of two systems for one task.

    Args:
        metric_name: The metric that compares them.
        data: The split.
        task: Name of the task.
        scheme: The label scheme of all tags.
        predicted: The tags of the two systems, `UNANNOTATED` wherever the gold tag is.
        places: File and line of the beginning of each sentence.
        wanted: Number of sentences to report, of those that differ most.
        seed: Seed of the interval and the p value.
    """
    gold, (a, b) = data.tags[task], predicted
    metrics = registry().metrics
    metric = metrics[metric_name]
    score_a, score_b = (float(scores_of(metric.name, gold, tags, scheme).overall[metric.headline]) for tags in (a, b))
    interval, p = None, None
    with for_plugin(), metrics.calling(metric.name):
        first, second = (metric.statistics(gold, tags, scheme) for tags in (a, b))
        if first is not None and second is not None and len(first):
            _, low, high = paired_bootstrap(first, second, metric.headline_of, seed)
            interval, p = (low, high), approximate_randomisation(first, second, metric.headline_of, seed)
    if p is not None and not all(map(isfinite, (low, high, p))):
        raise metrics.misfit(metric.name, f"statistics whose interval is {low} to {high}")
    found = [
        SentenceDifference(place, words, right, one, other, (_unlike(right, one), _unlike(right, other)))
        for place, words, right, one, other in zip(places, data.sentences, gold, a, b, strict=True)
        if _unlike(one, other)
    ]
    most = sorted(found, key=lambda one: (-abs(one.wrong[0] - one.wrong[1]), -_unlike(one.a, one.b)))[:wanted]
    return TaskComparison(
        metric.name, metric.headline, score_a, score_b, score_b - score_a, interval, p, len(found), most
    )


def _unlike(one: Sequence[str], other: Sequence[str]) -> int:
    """The number of words with different tags."""
    return sum(map(ne, one, other))
