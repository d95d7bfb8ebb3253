"""The jobs of a search: train a tagger, and score the best one on the test split."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

from polytag.errors import TrainingError
from polytag.plugin.attribution import attributed
from polytag.plugin.reporter import Epoch, Reporter
from polytag.searching.workers import PrunedError, Report
from polytag.training.config import RunConfig


class _Epochs(Reporter):
    """Reports every epoch; a resumed run begins with those before it was killed."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def epoch(self, epoch: Epoch) -> None:
        self._report(epoch.number, epoch.score, epoch.seconds)


class TrainedRun(NamedTuple):
    """The result of a run: the selection score of its best epoch, and the fingerprint of its corpus."""

    score: float
    corpus: str


@attributed
def train_run(config: RunConfig, report: Report) -> TrainedRun:
    """Train a tagger, or continue with it, without a look at the test split.

    Args:
        config: The configuration of the run.
        report: Called after each epoch.

    Raises:
        PrunedError: `report` raised it; nothing is left of the run.
        PolytagError: As in `train`.
    """
    from polytag.files import remove_folder
    from polytag.publishing.report.report import read_run
    from polytag.runner import run
    from polytag.tagger.description import TaggerDescription
    from polytag.training.run_folder import run_folder

    if (config.output / "scores.json").is_file():  # complete, and the kill came before the journal said so
        history = read_run(config.output)[1]
        for epoch in history:
            with suppress(PrunedError):
                report(epoch["number"], epoch["score"], epoch["seconds"])
        corpus = TaggerDescription.read(config.output).details["corpus"]
        return TrainedRun(max(epoch["score"] for epoch in history), corpus["fingerprint"])
    try:
        result = run(config.model_copy(update={"resume": True}), _Epochs(report), tested=False)
    except (PrunedError, TrainingError):  # nobody resumes it
        remove_folder(run_folder(config.output))
        raise
    return TrainedRun(max(epoch.score for epoch in result.history), result.tagger.details["corpus"]["fingerprint"])


@attributed
def test_run(config: RunConfig, report: Report) -> Mapping[str, float] | None:
    """Score the tagger of a run on the test split.

    Args:
        config: The configuration of the run.
        report: Not called.

    Returns:
        Its named scores; None if the corpus has no test split.
    """
    from polytag.corpus.load import load_corpus
    from polytag.evaluation.evaluate import evaluate

    corpus = load_corpus(config.corpus, reader=config.reader, splitter=config.splitter, **config.reading())
    if "test" not in corpus.splits:
        return None
    found = evaluate(config.output, corpus, "test", corpus_scheme=config.corpus_scheme, tags_as_is=config.tags_as_is)
    return found.headlines
