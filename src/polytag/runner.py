"""The core runner: corpus -> encode -> train -> evaluate -> save, for any tasks and any encoder."""

from __future__ import annotations

import importlib.metadata
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polytag.corpus.corpus import load_corpus
from polytag.corpus.splits import inventory, read_splits, training_scheme, training_splits
from polytag.errors import PolytagError, UnknownNameError
from polytag.evaluation.evaluate import evaluate_split
from polytag.evaluation.results import Evaluation, MajorityBaseline, TaskEvaluation
from polytag.evaluation.robustness import measure
from polytag.plugin.alignment import AlignmentStrategy
from polytag.plugin.encoder import EncoderProvider
from polytag.plugin.manager import RunInfo
from polytag.plugin.reader import SPLITS, is_there
from polytag.plugin.registry import registry
from polytag.plugin.scheme import LabelScheme
from polytag.plugin.task import Task
from polytag.publishing.card import CARD, Story, model_card
from polytag.publishing.push import PushResult, RunPushes
from polytag.tagger.folder import check_output
from polytag.tagger.heads import TaskHead
from polytag.tagger.tagger import Tagger
from polytag.training.config import RunConfig
from polytag.training.fit import fit
from polytag.training.progress import ConsoleReporter, Reporter, Several, Silent
from polytag.training.run_folder import as_begun, checkpointed
from polytag.training.start import Start, open_start

if TYPE_CHECKING:
    from polytag.engine.model import TaggerModel

CORE = "polytag.builtin"
"""The module of core's own plugin."""

_REPORTED_VERSIONS = ("polytag", "tensorflow", "keras", "keras-hub", "transformers", "datasets")


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
    reporter = reporter or (Silent() if quiet else ConsoleReporter())
    try:
        for plugin in registry().manager.problems:
            reporter.message(f"Not loaded: {plugin.source}: {plugin.error}")
        chosen = _choose(config)
        if config.tensorboard or config.profile:
            from polytag.engine.tensorboard import watchers

            reporter = Several([reporter, *watchers(config.tensorboard, config.profile)])
        return _train(chosen, reporter, began)
    finally:
        reporter.close()


def choose_encoder(reference: str) -> EncoderProvider:
    """The provider of the encoder a user names.

    Raises:
        PolytagError: Nobody provides it.
    """
    encoders = registry().encoders
    if reference in encoders:
        return encoders[reference]
    if not is_there(Path(reference)) and get_close_matches(reference, encoders, cutoff=0.75):
        raise UnknownNameError("encoder", reference, encoders)
    # Core's own providers are asked last: to them, nearly every name can be one on the hub.
    for name in sorted(encoders, key=lambda name: encoders.providers(name)[0].module == CORE):
        if encoders[name].accepts(reference):
            return encoders[name]
    raise PolytagError(
        f"The encoder {reference!r} does not exist: it is no folder, and no name that a "
        "model on the hub can have. Check the path."
    )


@dataclass(frozen=True, slots=True)
class _Chosen:
    """What the options of a run name, found to go together.

    Attributes:
        config: The run; with the encoder, context and window of the tagger it goes on from, if any.
        tasks, schemes, strategies: By name of the task.
        start: The tagger it goes on from.
        provider: The provider of the encoder.
    """

    config: RunConfig
    tasks: Mapping[str, Task]
    schemes: Mapping[str, LabelScheme]
    strategies: Mapping[str, AlignmentStrategy]
    start: Start | None
    provider: EncoderProvider


def _choose(config: RunConfig) -> _Chosen:
    tasks = {name: registry().tasks[name] for name in config.task}
    start = None if config.from_ is None else open_start(config.from_, tasks, config.labels)
    schemes = {
        name: training_scheme(task, config.scheme or (start.scheme(name) if start else None))
        for name, task in tasks.items()
    }
    strategies = {
        name: registry().alignments[config.alignment or (start and start.alignment(name)) or task.alignment]
        for name, task in tasks.items()
    }
    if config.scheme and all(scheme.name != config.scheme for scheme in schemes.values()):
        kind = "encodes spans, which they do not" if registry().schemes[config.scheme].encodes_spans else "has no spans"
        raise PolytagError(
            f"The label scheme {config.scheme!r} suits none of the tasks trained here ({', '.join(tasks)}): it {kind}. "
            "Choose another scheme, or none to train each task in its own."
        )
    for task in tasks.values():
        for metric in task.metrics:
            _ = registry().metrics[metric]
    for name in config.task_weights:
        if name not in tasks:
            raise PolytagError(f"task_weights names {name!r}, which is not trained here ({', '.join(tasks)}).")
    if start:
        taken = {name: getattr(start, name) for name in ("context", "window") if name not in config.model_fields_set}
        config = config.model_copy(update={"encoder": config.from_, **taken})
    provider = start.provider if start else choose_encoder(config.encoder)
    check_output(config.output, config.overwrite)
    for option, folder in (("--tensorboard", config.tensorboard), ("--profile", config.profile)):
        if folder and folder.resolve().is_relative_to(config.output.resolve()):
            raise PolytagError(
                f"The folder {str(folder)!r} of {option} is in the output folder, whose place the tagger takes when it "
                f"is finished. Choose one beside it: {f'{config.output}-curves'!r}."
            )
    return _Chosen(config, tasks, schemes, strategies, start, provider)


def _train(chosen: _Chosen, reporter: Reporter, began: float) -> TrainResult:
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

    config = as_begun(config).resolved(chosen.provider.defaults)
    identity = {"fingerprint of the corpus": corpus.fingerprint, "borders of documents": corpus.borders}
    with checkpointed(config, identity) as checkpoints:
        info = RunInfo(tuple(tasks), corpus.reference, config.encoder, str(config.output))
        names = {name: head.labels for name, head in heads.items()}
        new = partial(_new_model, chosen.provider, config.encoder, names)
        make = partial(start.model, names, kept) if start else new
        held_out = "validation" not in splits

        def offer(tagger: Tagger, epoch: int, scores: Mapping[str, TaskEvaluation]) -> None:
            if pushes and config.push_every == "epoch":
                size = len(validation.sentences), validation.n_words
                found = Evaluation(corpus.reference, "validation", *size, scores)
                story = Story(config, corpus, training, held_out, epoch, None, found)
                folder = checkpoints.folder / "push" / f"epoch-{epoch}"
                _save(tagger, story, folder, overwrite=True)
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
        story = Story(config, corpus, training, held_out, best, trained, validated, tested, limits)
        _save(tagger, story, config.output, config.overwrite)
        last = story.evaluations[-1]
        pushed = pushes.finish(config.output, f"{_listed(last.headlines)} on {last.split}") if pushes else None
    if pushed:
        _report(pushed, config.output, reporter)
    registry().manager.observe("polytag_train_end", run=info, scores=validated.headlines)
    return TrainResult(tagger, config.output, best, trained, validated, tested, time.perf_counter() - began, pushed)


def _kept_heads(
    start: Start, labels: dict[str, list[str]], schemes: Mapping[str, LabelScheme], reporter: Reporter
) -> list[str]:
    """The tasks whose heads go on; they get the labels of these heads. Says what happens to each head."""
    kept = []
    for task, names in labels.items():
        reason = start.misfit(task, schemes[task].name, names)
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


def _save(tagger: Tagger, story: Story, folder: Path, overwrite: bool) -> None:
    validation, test, corpus = story.validation, story.test, story.corpus
    results = {"validation": validation.to_dict(), "test": test.to_dict() if test else None}
    tagger.details = {
        "corpus": {"reference": corpus.reference, "fingerprint": corpus.fingerprint},
        "versions": {name: importlib.metadata.version(name) for name in _REPORTED_VERSIONS},
        "scores": {"validation": validation.headlines, "test": test.headlines if test else None},
    }
    files = {
        "run.toml": story.config.to_toml(),
        "scores.json": json.dumps(results, indent=2, ensure_ascii=False) + "\n",
        CARD: model_card(tagger, story),
    }
    tagger.save(folder, files, overwrite)


def _listed(headlines: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in headlines.items())


def _report(pushed: PushResult, output: Path, reporter: Reporter) -> None:
    if pushed.failures:
        reporter.message(f"{len(pushed.failures)} of {pushed.done + len(pushed.failures)} pushes failed:")
        for failure in dict.fromkeys(pushed.failures):
            reporter.message(f"  {failure}")
    if pushed.commit is None:
        reporter.message(f"The tagger is not on the hub. Push it with: polytag push {output} {pushed.repository}")
