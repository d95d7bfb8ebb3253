"""Evaluate taggers on splits of corpora."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, TypedDict, Unpack

import numpy as np

from polytag.corpus.corpus import Corpus
from polytag.corpus.load import as_corpus
from polytag.corpus.splits import Split, read_split
from polytag.errors import PolytagError
from polytag.evaluation.baseline import MajorityBaseline
from polytag.evaluation.calibration import Calibration, expected_calibration_error
from polytag.evaluation.file_scores import score_file
from polytag.evaluation.prediction_files import is_predictions
from polytag.evaluation.results import Evaluation, TaskEvaluation
from polytag.evaluation.scoring import choose_metrics, evaluate_tags, where_annotated
from polytag.evaluation.tagged_split import TaggedSplit
from polytag.files import expand_home, new_file
from polytag.plugin.attribution import attributed
from polytag.plugin.reader import ReadingKeywords
from polytag.plugin.registry import registry
from polytag.plugin.scheme import UNANNOTATED, LabelScheme
from polytag.plugin.surroundings import for_plugin
from polytag.plugin.task import Task
from polytag.plugin.task_choice import task_named
from polytag.tagger.decoder import Prediction
from polytag.tagger.description import open_folder
from polytag.tagger.runtimes import choose_runtime, runtime_of_device
from polytag.tagger.tagger import Tagger
from polytag.tagger.token_classifiers import LabelNames
from polytag.tagger.viterbi import check_decoding
from polytag.terminal import stage


class OpenSplit(NamedTuple):
    """A tagger, and a split to score it on.

    Attributes:
        tagger: The tagger.
        corpus, split: The corpus, and the name of the split.
        tasks, schemes, metrics: The task, the label scheme and the names of the metrics, by name of the task.
        data: The split, its tags in these schemes.
    """

    tagger: Tagger
    corpus: Corpus
    split: str
    tasks: Mapping[str, Task]
    schemes: Mapping[str, LabelScheme]
    metrics: Mapping[str, Sequence[str]]
    data: Split

    @property
    def places(self) -> list[str]:
        """File and line of the beginning of each sentence, or its number in a split that is no split of the corpus."""
        numbers = range(len(self.data.sentences))
        if self.split not in self.corpus.splits:
            return [f"held-out sentence {number + 1}" for number in numbers]
        return [self.corpus.locate(self.split, number) for number in numbers]


@dataclass(frozen=True)
class ScoredSplit(TaggedSplit):
    """A split that a tagger has tagged, with its scores.

    Attributes:
        tagger: The tagger.
        predictions: The predicted tags of all words, with their probabilities.
    """

    tagger: Tagger
    predictions: Mapping[str, Prediction]


@attributed
def evaluate(
    tagger: Tagger | str | Path,
    corpus: Corpus | str,
    split: str | None = None,
    *,
    reader: str | None = None,
    corpus_scheme: str | None = None,
    tags_as_is: bool = False,
    decoding: Any = None,
    metrics: Sequence[str] = (),
    strict: bool = False,
    confusions: int = 0,
    errors: Path | None = None,
    seed: int = 0,
    task: str | Sequence[str] | None = None,
    labels: LabelNames | None = None,
    runtime: str | None = None,
    device: str | None = None,
    **reading: Unpack[ReadingKeywords],
) -> Evaluation:
    """Score a tagger, or a file of predictions, on a split of a corpus, on every word of every sentence.

    A file of predictions has exactly the sentences of the split, as JSON Lines or columns of `polytag predict`.
    A column file has the words in the first column and the tags of one task in each further column. Spans may be in any
    label scheme, which is recognised.

    Args:
        tagger: A tagger; the folder or hub name of a tagger or of a token classifier of transformers; or the path of a
            file of predictions.
        corpus: A corpus, or its name.
        split: Name of the split; by default `test`, or the last one if no `test` exists.
        reader, corpus_scheme, **reading: How to read the corpus, as in training; texts with offsets are split by the
            tagger's splitter.
        tags_as_is: Whether to score tags that no label scheme writes, as parts of spans.
        decoding: `viterbi` or `argmax`; by default the tagger's own.
        metrics: Names of metrics in addition to the tasks' own.
        strict: Count only spans that are valid in their label scheme, in gold and predicted tags.
        confusions: Number of the most frequent confusions to report per task.
        errors: File to write every sentence with a mistake to, with gold and predicted tags; written atomically.
        seed: Seed of the confidence intervals.
        task: For a token classifier, its task, as in `Tagger.load`. For a file of predictions, the tasks to score, by
            default all that it names; `NAME=COLUMN` names the column of the corpus that holds one. For a column file,
            in the order of its tag columns, with `_` for a column to skip.
        labels: For a token classifier, as in `Tagger.load`.
        runtime: `tensorflow`, `onnx`, `onnx-int8` or `numpy`, as in `Tagger.load`.
        device: The devices of the runtime `tensorflow`, as for `Tagger.load`.

    Raises:
        PolytagError: The tagger, the file or the corpus is invalid, the tagger cannot run in the runtime, a metric fits
            no task, the words of the file differ from the corpus, or the file of mistakes cannot be written.
    """
    tasks = (task,) if isinstance(task, str) else tuple(task or ())
    how = _Ways(reader=reader, corpus_scheme=corpus_scheme, tags_as_is=tags_as_is, metrics=metrics, strict=strict)
    of_tagger: dict[str, Any] = {"decoding": decoding, "labels": labels, "runtime": runtime, "device": device}
    with new_file(errors) if errors else nullcontext() as sink:
        scored: TaggedSplit
        if not isinstance(tagger, Tagger) and is_predictions(tagger):
            _refuse_options_of_taggers(of_tagger)
            scored = score_file(expand_home(tagger), corpus, split, **how, task=tasks, seed=seed, **reading)
        else:
            scored = score_split(
                open_split(tagger, corpus, split, **how, task=_only(tasks), **of_tagger, **reading), seed
            )
        if sink:
            scored.write_mistakes(sink)
        return (scored.with_confusions(confusions) if confusions else scored).evaluation


class _Ways(TypedDict):
    """The arguments of `evaluate` that taggers and files of predictions share."""

    reader: str | None
    corpus_scheme: str | None
    tags_as_is: bool
    metrics: Sequence[str]
    strict: bool


def _refuse_options_of_taggers(given: Mapping[str, object]) -> None:
    """Check that a file of predictions is scored without the options of taggers.

    Raises:
        PolytagError: One is given.
    """
    for name, value in given.items():
        if value is not None:
            raise PolytagError(
                f"--{name} is for taggers, and a file of predictions has its tags already. Leave it out."
            )


def _only(tasks: Sequence[str]) -> str | None:
    """The task of a token classifier.

    Raises:
        PolytagError: Several are named.
    """
    if len(tasks) > 1:
        raise PolytagError(
            f"Several tasks are named, {', '.join(tasks)}, and a token classifier has one. Name one, or none for a "
            "tagger of polytag, which knows its tasks."
        )
    return tasks[0] if tasks else None


def open_split(
    tagger: Tagger | str | Path,
    corpus: Corpus | str,
    split: str | None,
    *,
    reader: str | None,
    corpus_scheme: str | None,
    tags_as_is: bool,
    decoding: Any,
    metrics: Sequence[str] = (),
    strict: bool = False,
    task: str | None,
    labels: LabelNames | None,
    runtime: str | None,
    device: str | None = None,
    **reading: Unpack[ReadingKeywords],
) -> OpenSplit:
    """Load a tagger and a split to score it on; the arguments and errors are as in `evaluate`."""
    registry().metrics.require(*metrics)
    decoding = check_decoding(decoding)
    if isinstance(tagger, Tagger):
        if any(given is not None for given in (task, labels, runtime, device)):
            raise PolytagError(
                "A loaded tagger has its tasks, labels and runtime: give `task`, `labels`, `runtime` and `device` to "
                "Tagger.load."
            )
        tagger = tagger.decoded_by(decoding) if decoding else tagger
        splitter = tagger.splitter
    else:
        tagger, description = open_folder(tagger, task, labels)  # errors are found before a corpus is loaded
        runtime = choose_runtime(tagger, description, runtime_of_device(device, runtime))
        splitter = description.splitter
    if not isinstance(corpus, Corpus):
        stage(f"Reading {corpus}", often_brief=True)
    loaded = as_corpus(corpus, reader=reader, splitter=splitter, **reading)
    name = loaded.default_split(split)
    if isinstance(tagger, Tagger):
        model = tagger
    else:
        model = Tagger.load(tagger, decoding, task=task, labels=labels, runtime=runtime, device=device)
    tasks = {found: task_named(found, head.column, "scoring the tagger") for found, head in model.heads.items()}
    schemes = {found: registry().schemes[head.scheme] for found, head in model.heads.items()}
    chosen = choose_metrics(tasks, schemes, metrics, strict)
    data = read_split(loaded, name, tasks, schemes, corpus_scheme, tags_as_is)
    return OpenSplit(model, loaded, name, tasks, schemes, chosen, data)


def score_split(opened: OpenSplit, seed: int = 0) -> ScoredSplit:
    """Tag a split and score the tags.

    Args:
        opened: The tagger and the split.
        seed: Seed of the confidence intervals.
    """
    data = opened.data
    predictions, predicted, scores = _score(opened.tagger, data, opened.schemes, opened.metrics, None, seed)
    size = len(data.sentences), data.n_words
    evaluation = Evaluation(opened.corpus.reference, opened.split, *size, scores, opened.tagger.runtime)
    tags = {name: where_annotated(data.tags[name], found) for name, found in predicted.items()}
    return ScoredSplit(data, opened.schemes, tags, opened.places, evaluation, opened.tagger, predictions)


def evaluate_split(
    tagger: Tagger,
    data: Split,
    tasks: Mapping[str, Task],
    corpus: str,
    split: str,
    baselines: Mapping[str, MajorityBaseline] | None = None,
    seed: int = 0,
) -> Evaluation:
    """Score a tagger on a split that is already read, by the metrics of its tasks.

    Args:
        tagger: The tagger.
        data: The split, its tags in the schemes of the tagger.
        tasks: The tasks to score.
        corpus: The name of the corpus as the user gave it.
        split: Name of the split.
        baselines: The baseline of each task, to be scored as well.
        seed: Seed of the confidence intervals.
    """
    schemes = {name: tagger.decoders[name].scheme for name in tasks}
    metrics = {name: task.metrics for name, task in tasks.items()}
    *_, results = _score(tagger, data, schemes, metrics, baselines, seed)
    return Evaluation(corpus, split, len(data.sentences), data.n_words, results, tagger.runtime)


def _score(
    tagger: Tagger,
    data: Split,
    schemes: Mapping[str, LabelScheme],
    metrics: Mapping[str, Sequence[str]],
    baselines: Mapping[str, MajorityBaseline] | None,
    seed: int,
) -> tuple[dict[str, Prediction], dict[str, list[list[str]]], dict[str, TaskEvaluation]]:
    """Predictions, predicted tags, and their scores, of each task."""
    stage(f"Tagging {len(data.sentences):,} sentences", often_brief=True)
    with for_plugin():
        features, predictions = tagger.predict(data.sentences, data.documents)
    stage("Scoring", often_brief=True)
    tags, results = {}, {}
    for name, scheme in schemes.items():
        tags[name] = tagger.decoders[name].sentences(predictions[name].labels, features)
        lower = baselines[name].tag(data.sentences) if baselines else None
        result = evaluate_tags(data.tags[name], tags[name], scheme, metrics[name], lower, seed)
        results[name] = replace(result, calibration=_calibration(predictions[name], data.tags[name], tags[name]))
    return predictions, tags, results


def _calibration(prediction: Prediction, gold: Sequence[Sequence[str]], tags: Sequence[Sequence[str]]) -> Calibration:
    pairs = [pair for sides in zip(gold, tags, strict=True) for pair in zip(*sides, strict=True)]
    correct = np.array([right == tag for right, tag in pairs], dtype=bool)
    annotated = np.array([right != UNANNOTATED for right, _ in pairs], dtype=bool)
    before, after = (
        expected_calibration_error(scores[annotated], correct[annotated])
        for scores in (prediction.uncalibrated, prediction.scores)
    )
    return Calibration(before, after)
