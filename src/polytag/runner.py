"""The core runner: corpus -> encode -> train -> evaluate -> save, for any tasks and any encoder."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polytag.corpus.corpus import load_corpus
from polytag.corpus.splits import read_splits
from polytag.evaluation.baseline import MajorityBaseline
from polytag.evaluation.evaluate import evaluate_split
from polytag.evaluation.results import Evaluation, TaskEvaluation
from polytag.evaluation.robustness import measure
from polytag.plugin.encoder import EncoderProvider
from polytag.plugin.reader import SPLITS
from polytag.plugin.registry import registry
from polytag.plugin.reporter import Reporter
from polytag.plugin.scheme import LabelScheme
from polytag.plugin.specs import RunInfo
from polytag.publishing.push import PushResult, RunPushes
from polytag.publishing.record import RunRecord
from polytag.publishing.write import write_tagger
from polytag.tagger.heads import TaskHead
from polytag.tagger.tagger import Tagger
from polytag.training.choices import Plan, choose
from polytag.training.config import RunConfig
from polytag.training.data import inventory, training_splits
from polytag.training.fit import fit
from polytag.training.progress import ConsoleReporter, ReporterGroup
from polytag.training.run_folder import locked_run, with_interrupted_precision
from polytag.training.start import StartingPoint

if TYPE_CHECKING:
    from polytag.engine.model import TaggerModel


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What a run gives back.

    Attributes:
        tagger: The tagger, as it was saved.
        output: Its folder.
        best_epoch: The epoch whose weights it has.
        epochs: How many epochs were trained.
        validation: Its scores on the validation split.
        test: Its scores on the test split, where the corpus has one.
        seconds: Time of the whole run.
        push: How its pushes to the hub went, where any were wanted.
    """

    tagger: Tagger
    output: Path
    best_epoch: int
    epochs: int
    validation: Evaluation
    test: Evaluation | None
    seconds: float
    push: PushResult | None = None

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain data, for JSON."""
        return {
            "output": str(self.output),
            "best_epoch": self.best_epoch,
            "epochs": self.epochs,
            "seconds": round(self.seconds, 1),
            "validation": self.validation.to_dict(),
            "test": self.test.to_dict() if self.test else None,
            **({"push": asdict(self.push)} if self.push else {}),
        }


def train(
    config: RunConfig | None = None, *, reporter: Reporter | None = None, quiet: bool = False, **options: Any
) -> TrainResult:
    """Train a tagger and save it.

    ```python
    result = polytag.train(task="ner", corpus="sample", output="my-tagger")
    result.tagger.tag("My name is Sylvain.")
    ```

    Args:
        config: The run; or give its fields as keyword arguments.
        reporter: Told what happens; a progress bar on stderr when not given.
        quiet: Say nothing.
        **options: Fields of `RunConfig`.

    Raises:
        PolytagError: Something in the input is wrong.
    """
    if config and options:
        raise TypeError(f"give the run as a RunConfig or as keyword arguments, not both: {', '.join(options)}")
    began = time.perf_counter()
    config = config or RunConfig.from_sources(None, options)
    reporter = reporter or (Reporter() if quiet else ConsoleReporter())
    try:
        for plugin in registry().manager.problems:
            reporter.message(f"Not loaded: {plugin.source}: {plugin.error}")
        chosen = choose(config)
        if config.tensorboard or config.profile:
            from polytag.engine.tensorboard import reporters

            reporter = ReporterGroup([reporter, *reporters(config.tensorboard, config.profile)])
        return _train(chosen, reporter, began)
    finally:
        reporter.close()


def _train(chosen: Plan, reporter: Reporter, began: float) -> TrainResult:
    config, tasks, schemes, start = chosen.config, chosen.tasks, chosen.schemes, chosen.start
    pushes = RunPushes(config.push, config.push_private) if config.push else None

    corpus = load_corpus(config.corpus, reader=config.reader, columns=config.columns)
    present = [name for name in SPLITS if name in corpus.splits]
    splits = read_splits(corpus, present, tasks, schemes, config.corpus_scheme)
    training, validation = training_splits(corpus, splits, config.seed, reporter)
    labels = {name: inventory(corpus, task, schemes[name], training) for name, task in tasks.items()}
    reporter.message(
        f"{corpus.reference}: {len(training.sentences):,} sentences, {training.n_words:,} words to train on; "
        + ", ".join(f"{name}: {len(names)} labels" for name, names in labels.items())
    )
    kept = _kept_heads(start, labels, schemes, reporter) if start else []
    heads = {
        name: TaskHead(tuple(labels[name]), schemes[name].name, chosen.strategies[name].name, config.decoding)
        for name in tasks
    }

    config = with_interrupted_precision(config).resolved(chosen.provider.defaults)
    identity = {"fingerprint of the corpus": corpus.fingerprint, "borders of documents": corpus.document_boundaries}
    with locked_run(config, identity) as checkpoints:
        info = RunInfo(tuple(tasks), corpus.reference, config.encoder, str(config.output))
        names = {name: head.labels for name, head in heads.items()}
        new = partial(_new_model, chosen.provider, config.encoder, names)
        make = partial(start.model, names, kept) if start else new
        held_out = "validation" not in splits

        def offer(tagger: Tagger, epoch: int, scores: Mapping[str, TaskEvaluation]) -> None:
            if pushes and config.push_every == "epoch":
                size = len(validation.sentences), validation.n_words
                found = Evaluation(corpus.reference, "validation", *size, scores)
                record = RunRecord(config, corpus, training, held_out, epoch, None, found)
                folder = checkpoints.folder / "push" / f"epoch-{epoch}"
                write_tagger(tagger, record, folder, overwrite=True)
                pushes.offer(folder, f"Epoch {epoch}: {_listed(found.headlines)} on validation")

        tagger, best, trained = fit(
            config, make, tasks, heads, training, validation, info, reporter, checkpoints, offer
        )
        baselines = {name: MajorityBaseline(training.sentences, training.tags[name], schemes[name]) for name in tasks}
        validated = evaluate_split(tagger, validation, tasks, corpus.reference, "validation", baselines)
        tested = None
        if "test" in splits:
            tested = evaluate_split(tagger, splits["test"], tasks, corpus.reference, "test", baselines)
        limits = measure(tagger, training, validation, tasks)
        record = RunRecord(config, corpus, training, held_out, best, trained, validated, tested, limits)
        write_tagger(tagger, record, config.output, config.overwrite)
        last = record.evaluations[-1]
        pushed = pushes.finish(config.output, f"{_listed(last.headlines)} on {last.split}") if pushes else None
    if pushed:
        _report(pushed, config.output, reporter)
    registry().manager.observe("polytag_train_end", run=info, scores=validated.headlines)
    return TrainResult(tagger, config.output, best, trained, validated, tested, time.perf_counter() - began, pushed)


def _kept_heads(
    start: StartingPoint, labels: dict[str, list[str]], schemes: Mapping[str, LabelScheme], reporter: Reporter
) -> list[str]:
    """The tasks whose heads go on; they get the labels of these heads. Says what happens to each head."""
    kept = []
    for task, names in labels.items():
        reason = start.why_not(task, schemes[task].name, names)
        if reason:
            reporter.message(f"The head of {task} is new: {reason}.")
        else:
            reporter.message(f"The head of {task} goes on from {str(start.folder)!r}, as its encoder does.")
            labels[task] = list(start.heads[task].labels)
            kept.append(task)
    return kept


def _new_model(provider: EncoderProvider, reference: str, labels: Mapping[str, Sequence[str]]) -> TaggerModel:
    from polytag.engine.model import TaggerModel

    return TaggerModel(provider.create(reference), labels)


def _listed(headlines: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in headlines.items())


def _report(pushed: PushResult, output: Path, reporter: Reporter) -> None:
    if pushed.failures:
        reporter.message(f"{len(pushed.failures)} of {pushed.done + len(pushed.failures)} pushes failed:")
        for failure in dict.fromkeys(pushed.failures):
            reporter.message(f"  {failure}")
    if pushed.commit is None:
        reporter.message(f"The tagger is not on the hub. Push it with: polytag push {output} {pushed.repository}")
