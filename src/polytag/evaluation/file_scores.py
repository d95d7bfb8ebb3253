"""Score a file of predictions on a split of a corpus."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

from polytag.corpus.corpus import Corpus
from polytag.corpus.load import as_corpus
from polytag.corpus.splits import read_split
from polytag.errors import PolytagError
from polytag.evaluation.prediction_files import SKIP, Predictions, read_predictions
from polytag.evaluation.results import Evaluation
from polytag.evaluation.scoring import choose_metrics, evaluate_tags
from polytag.evaluation.systems import check_tags, check_words, named_tasks, system_tags
from polytag.evaluation.tagged_split import TaggedSplit
from polytag.plugin.reader import ReadingKeywords
from polytag.plugin.registry import registry
from polytag.plugin.task_choice import on_column, task_named
from polytag.terminal import stage


def score_file(
    path: Path,
    corpus: Corpus | str,
    split: str | None,
    *,
    reader: str | None,
    corpus_scheme: str | None,
    tags_as_is: bool,
    metrics: Sequence[str],
    strict: bool,
    task: Sequence[str],
    seed: int,
    **reading: Unpack[ReadingKeywords],
) -> TaggedSplit:
    """Score a file of predictions for exactly the sentences of a split.

    Args:
        path: JSON Lines or columns, as written by `polytag predict`; spans may be in any label scheme.
        corpus, split, reader, corpus_scheme, tags_as_is, metrics, strict, seed, **reading: As in `evaluate`.
        task: The tasks to score, by default all that the file names. `NAME=COLUMN` names the column of the corpus. Of a
            column file, in the order of its tag columns, `_` for one to skip.

    Raises:
        PolytagError: The file or the corpus is invalid, their words differ, or a task is not in the file.
    """
    registry().metrics.require(*metrics)
    name = str(path)
    found = read_predictions(path)
    wanted = named_tasks(task)
    _name_tasks(name, found, [one for one, _ in wanted])
    choices = {one: column for one, column in wanted if one != SKIP} or dict.fromkeys(found.tags)
    tasks = {one: task_named(one, needed_by="scoring the predictions") for one in choices}
    tasks |= {one: on_column(tasks[one], column) for one, column in choices.items() if column}
    schemes = {one: registry().schemes.get(of.scheme, f"the task {one!r}") for one, of in tasks.items()}
    chosen = choose_metrics(tasks, schemes, metrics, strict)
    if not isinstance(corpus, Corpus):
        stage(f"Reading {corpus}", often_brief=True)
    loaded = as_corpus(corpus, reader=reader, **reading)
    split = loaded.default_split(split)
    data = read_split(loaded, split, tasks, schemes, corpus_scheme, tags_as_is)
    places = [loaded.locate(split, index) for index in range(len(data.sentences))]
    check_words(name, found, data.sentences, f"{loaded.reference}, {split}", places)
    if not tags_as_is:
        check_tags(name, found, schemes)
    stage("Scoring", often_brief=True)
    tags = system_tags(found, data, schemes, None)
    scores = {
        one: evaluate_tags(data.tags[one], tags[one], scheme, chosen[one], interval_seed=seed)
        for one, scheme in schemes.items()
    }
    evaluation = Evaluation(loaded.reference, split, len(data.sentences), data.n_words, scores, None)
    return TaggedSplit(data, schemes, tags, places, evaluation)


def _name_tasks(name: str, found: Predictions, wanted: Sequence[str]) -> None:
    """Name the tag columns of a column file, and check the tasks of JSON Lines."""
    if found.tasks is None:
        if not wanted:
            raise PolytagError(
                f"{name!r} is a column file, which does not name the tasks of its columns. Name them in the order of "
                "the tag columns, _ for one to skip: --task ner, or --task pos --task _ --task ner."
            )
        found.name_columns(wanted, name)
        return
    for one in wanted:
        if one not in found.tags:
            raise PolytagError(f"{name!r} has no task {one!r}; it has {', '.join(found.tags)}.")
