"""Compare two taggers, or their predictions, on the same sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from operator import ne
from pathlib import Path
from typing import Any, NamedTuple, Unpack

from polytag.corpus.corpus import Corpus
from polytag.corpus.load import as_corpus
from polytag.corpus.odd_tags import odd_tags, refuse_odd_tags
from polytag.corpus.recognition import recognise_scheme
from polytag.corpus.splits import Split, read_split
from polytag.errors import PolytagError
from polytag.evaluation.prediction_files import Predictions, read_predictions
from polytag.evaluation.scoring import scores_of, where_annotated
from polytag.evaluation.significance import approximate_randomisation, paired_bootstrap
from polytag.files import path_exists
from polytag.hub import tagger_folder
from polytag.plugin.attribution import attributed
from polytag.plugin.reader import ReadingKeywords
from polytag.plugin.registry import registry
from polytag.plugin.scheme import LabelScheme, convert_tags
from polytag.plugin.splitter import STANDARD
from polytag.plugin.surroundings import for_plugin
from polytag.plugin.task import Task
from polytag.plugin.task_choice import on_column, split_choice, task_named
from polytag.tagger.description import TaggerDescription, open_folder
from polytag.tagger.runtimes import choose_runtime
from polytag.tagger.tagger import Tagger

_SKIP = "_"

Tags = Sequence[Sequence[str]]


class TaggerFolder(NamedTuple):
    """A tagger, loaded after all checks, and the runtime to load it in."""

    path: Path
    description: TaggerDescription
    runtime: str


System = Predictions | TaggerFolder


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


@dataclass(frozen=True, slots=True)
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
    systems = [_opened(name, runtime) for name in names]
    wanted = [(_SKIP, None) if text == _SKIP else split_choice(text) for text in task]
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
            _check_words(name, system, data.sentences, f"{loaded.reference}, {chosen}", places)
    for name, system in zip(names, systems, strict=True):
        if isinstance(system, Predictions) and not tags_as_is:
            _check_tags(name, system, schemes)
    predicted = [_tags(system, data, schemes, decoding) for system in systems]
    results = {
        name: _compare(found, data, schemes[name], predicted[0][name], predicted[1][name], places, sentences, seed)
        for name, found in tasks.items()
    }
    first, second = (None if isinstance(system, Predictions) else system.runtime for system in systems)
    size = len(data.sentences), data.n_words
    return Comparison(names[0], names[1], (first, second), loaded.reference, chosen, *size, results)


def _opened(name: str, runtime: str | None) -> System:
    if path_exists(Path(name)) and Path(name).is_file():
        return read_predictions(Path(name))
    path = tagger_folder(name)
    if not path.exists():
        raise PolytagError(
            f"{name!r} does not exist. Name the folder of a tagger, or a file written by `polytag predict`."
        )
    folder, description = open_folder(path)
    return TaggerFolder(folder, description, choose_runtime(folder, description, runtime))


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
    shared = [name for name in wanted if name != _SKIP] or [name for name in first if name in second]
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


def _check_words(name: str, found: Predictions, words: Tags, corpus: str, places: Sequence[str]) -> None:
    for index, (own, sentence) in enumerate(zip(found.words, words, strict=False)):
        if list(own) != list(sentence):
            at = next((i for i, pair in enumerate(zip(own, sentence, strict=False)) if ne(*pair)), None)
            problem = (
                f"has {len(own)} words, and the corpus has {len(sentence)}"
                if at is None
                else f"has the word {own[at]!r} where the corpus has {sentence[at]!r} (word {at + 1})"
            )
            raise PolytagError(
                f"{name!r} does not have the sentences of {corpus}: sentence {index + 1}, at {places[index]}, "
                f"{problem}. Tag exactly the words of this split, for instance with `polytag predict TAGGER FILE "
                "--input conll`."
            )
    if len(found.words) != len(words):
        raise PolytagError(
            f"{name!r} has {len(found.words):,} sentences, and {corpus} has {len(words):,}; the first ones agree. Tag "
            "exactly this split, or name another one with --split."
        )


def _check_tags(name: str, found: Predictions, schemes: Mapping[str, LabelScheme]) -> None:
    def place(_: str, index: int, position: int) -> str:
        return f"sentence {index + 1}, word {position + 1}"

    for task, scheme in schemes.items():
        if scheme.encodes_spans:
            refuse_odd_tags(
                odd_tags({"": found.tags[task]}, place), f"{name!r}, in the task {task!r},", respelled=False
            )


def _tags(
    system: System,
    data: Split,
    schemes: Mapping[str, LabelScheme],
    decoding: Any,
) -> dict[str, Tags]:
    """Tags of each task in its scheme; `UNANNOTATED` for unannotated words."""
    if isinstance(system, Predictions):
        found: Mapping[str, Tags] = system.tags
        every = list(registry().schemes.working())
        own = {task: recognise_scheme(found[task], every).scheme for task in schemes}
    else:
        tagger = Tagger.load(system.path, decoding, runtime=system.runtime)
        with for_plugin():
            found = tagger.predict_tags(data.sentences, data.documents)
        own = {task: tagger.decoders[task].scheme for task in schemes}
    return {
        task: where_annotated(
            data.tags[task],
            [convert_tags(tags, own[task], scheme) for tags in found[task]]
            if own[task].encodes_spans and scheme.encodes_spans
            else found[task],
        )
        for task, scheme in schemes.items()
    }


def _compare(
    task: Task,
    data: Split,
    scheme: LabelScheme,
    a: Tags,
    b: Tags,
    places: Sequence[str],
    wanted: int,
    seed: int,
) -> TaskComparison:
    gold = data.tags[task.name]
    metrics = registry().metrics
    metric = metrics[task.metrics[0]]
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
