"""The core runner: corpus -> encode -> train -> evaluate -> save, for any tasks and any encoder."""

from __future__ import annotations

import importlib.metadata
import json
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np

from polytag.card import model_card
from polytag.config import RunConfig
from polytag.corpus.corpus import Corpus, load_corpus
from polytag.encoders import EncoderProvider
from polytag.encoding.batches import BatchBuilder
from polytag.encoding.features import featurise, label_ids
from polytag.errors import PolytagError, UnknownNameError
from polytag.evaluation import Evaluation, MajorityBaseline, TaskEvaluation, choose_metrics, evaluate_tags, where_annotated
from polytag.folder import check_output, new_file, read_description
from polytag.hooks.manager import RunInfo
from polytag.hooks.registry import registry
from polytag.mistakes import confusions as confusions_of
from polytag.mistakes import write_mistakes
from polytag.preparation import Split, continuations, inventory, read_split, training_scheme, training_splits
from polytag.progress import ConsoleReporter, Reporter, Silent
from polytag.schemes import LabelScheme
from polytag.tagger import Tagger, TaskHead
from polytag.tasks import Task

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
    """

    tagger: Tagger
    output: Path
    best_epoch: int
    epochs: int
    validation: Evaluation
    test: Evaluation | None
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain data, for JSON."""
        return {
            "output": str(self.output),
            "best_epoch": self.best_epoch,
            "epochs": self.epochs,
            "seconds": round(self.seconds, 1),
            "validation": self.validation.to_dict(),
            "test": self.test.to_dict() if self.test else None,
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
        return _train(config, reporter, began)
    finally:
        reporter.close()


def evaluate(
    tagger: Tagger | str | Path,
    corpus: Corpus | str,
    split: str | None = None,
    *,
    reader: str | None = None,
    columns: Sequence[str] | None = None,
    corpus_scheme: str | None = None,
    decoding: Any = None,
    metrics: Sequence[str] = (),
    strict: bool = False,
    confusions: int = 0,
    errors: Path | None = None,
    seed: int = 0,
) -> Evaluation:
    """Score a tagger on a split of a corpus, on every word of every sentence.

    Args:
        tagger: A tagger, or the folder of one.
        corpus: A corpus, or what names one.
        split: The split; `test` where there is one, else the last one, when not given.
        reader, columns, corpus_scheme: How to read the corpus, as in training.
        decoding: `viterbi` or `argmax`, instead of what the tagger was trained with.
        metrics: Names of metrics to score by beside the tasks' own.
        strict: Count only spans that are written as their label scheme demands, in gold and predicted tags.
        confusions: How many of the most frequent confusions of each task to report.
        errors: File to write every sentence with a mistake to, gold and predicted side by side, whole or not at all.
        seed: Seed of the confidence intervals.

    Raises:
        PolytagError: The tagger or the corpus is wrong, a metric suits no task, or the file cannot be written.
    """
    for metric in metrics:
        _ = registry().metrics[metric]
    if not isinstance(tagger, Tagger):
        read_description(Path(tagger))  # whether it is a tagger at all, before a corpus is loaded
    loaded = corpus if isinstance(corpus, Corpus) else load_corpus(corpus, reader=reader, columns=columns)
    name = split or ("test" if "test" in loaded.splits else loaded.splits[-1])
    loaded.split(name)
    model = tagger if isinstance(tagger, Tagger) else Tagger.load(tagger, decoding)
    registered = registry().tasks
    tasks = {task: registered[task] for task in model.heads}
    schemes = {task: registry().schemes[head.scheme] for task, head in model.heads.items()}
    chosen = choose_metrics(tasks, schemes, metrics, strict)
    data = read_split(loaded, name, tasks, schemes, corpus_scheme)
    with new_file(errors) if errors else nullcontext() as sink:
        predicted = model.predict_tags(data.sentences, data.documents)
        scores = _score(predicted, data, schemes, chosen, None, seed)
        if sink or confusions:
            places = [loaded.locate(name, index) for index in range(len(data.sentences))]
            sides = [(task, data.tags[task], where_annotated(data.tags[task], predicted[task])) for task in tasks]
        if sink:
            write_mistakes(sink, data.sentences, [(*side, schemes[side[0]]) for side in sides], places)
        if confusions:
            for task, *tags in sides:
                most = confusions_of(data.sentences, *tags, schemes[task], places, confusions)
                scores[task] = replace(scores[task], confusions=most)
    return Evaluation(loaded.reference, name, len(data.sentences), data.n_words, scores)


def choose_encoder(reference: str) -> EncoderProvider:
    """The provider of the encoder a user names.

    Raises:
        PolytagError: Nobody provides it.
    """
    encoders = registry().encoders
    if reference in encoders:
        return encoders[reference]
    if not Path(reference).exists() and get_close_matches(reference, encoders, cutoff=0.75):
        raise UnknownNameError("encoder", reference, encoders)
    for name in encoders:
        if encoders[name].accepts(reference):
            return encoders[name]
    raise PolytagError(
        f"The encoder {reference!r} does not exist: it is no folder, and no name that a"
        " model on the hub can have. Check the path."
    )


def _train(config: RunConfig, reporter: Reporter, began: float) -> TrainResult:
    for plugin in registry().manager.problems:
        reporter.message(f"Not loaded: {plugin.source}: {plugin.error}")
    tasks = {name: registry().tasks[name] for name in config.task}
    strategies = {name: registry().alignments[config.alignment or task.alignment] for name, task in tasks.items()}
    schemes = {name: training_scheme(task, config.scheme) for name, task in tasks.items()}
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
    provider = choose_encoder(config.encoder)
    config = config.resolved(provider.defaults)
    check_output(config.output, config.overwrite)

    corpus = load_corpus(config.corpus, reader=config.reader, columns=config.columns)
    splits: dict[str, Split] = {
        name: read_split(corpus, name, tasks, schemes, config.corpus_scheme)
        for name in ("train", "validation", "test")
        if name in corpus.splits
    }
    training, validation = training_splits(corpus, splits, config.seed, reporter)
    labels = {name: inventory(corpus, task, schemes[name], training) for name, task in tasks.items()}
    reporter.message(
        f"{corpus.reference}: {len(training.sentences):,} sentences, {training.n_words:,} words to train on; "
        + ", ".join(f"{name}: {len(names)} labels" for name, names in labels.items())
    )

    from polytag.engine import training as engine
    from polytag.engine.model import TaggerModel
    from polytag.engine.prediction import Predictor

    engine.set_precision(config.precision)
    engine.seed_everything(config.seed)
    encoder = provider.create(config.encoder)
    model = TaggerModel(encoder, labels)
    heads = {
        name: TaskHead(tuple(labels[name]), schemes[name].name, strategies[name].name, config.decoding)
        for name in tasks
    }
    tagger = Tagger(model, heads, config.context, config.window)
    packed = training.documents if config.context == "document" else None
    features = featurise(encoder, training.sentences, packed, config.window)
    unit_labels = {
        name: features.unit_labels(
            label_ids(training.tags[name], labels[name]),
            strategies[name],
            continuations(labels[name], schemes[name]),
        )
        for name in tasks
    }
    settings = _settings(config)
    info = RunInfo(tuple(tasks), corpus.reference, config.encoder, str(config.output))
    observe = registry().manager.observe
    observe("polytag_train_begin", run=info)

    predictor = Predictor(model)
    seen = featurise(encoder, validation.sentences, _packed(validation, config), config.window)

    def score() -> tuple[float, Mapping[str, float]]:
        found = predictor.predict(seen)
        values = {}
        for name, task in tasks.items():
            decoder = tagger.decoders[name]
            predicted = decoder.sentences(decoder.decode(found[name], seen).labels, seen)
            result = evaluate_tags(validation.tags[name], predicted, schemes[name], task.metrics[:1])
            values[f"{name} {result.headline}"] = result.score
        return float(np.mean(list(values.values()))), values

    best, trained = 0, 0
    for epoch in engine.fit(
        model, BatchBuilder(features, encoder, unit_labels), features.lengths, settings, score, reporter.step
    ):
        reporter.epoch(epoch)
        observe("polytag_epoch_end", run=info, epoch=epoch.number, scores=dict(epoch.scores))
        trained = epoch.number
        best = trained if epoch.best else best

    baselines = {name: MajorityBaseline(training.sentences, training.tags[name], schemes[name]) for name in tasks}
    validated = _evaluate(tagger, validation, tasks, corpus.reference, "validation", baselines)
    tested = None
    if "test" in splits:
        tested = _evaluate(tagger, splits["test"], tasks, corpus.reference, "test", baselines)
    _save(tagger, config, corpus, validated, tested)
    scores = validated.headlines
    observe("polytag_train_end", run=info, scores=scores)
    seconds = time.perf_counter() - began
    return TrainResult(tagger, config.output, best, trained, validated, tested, seconds)


def _settings(config: RunConfig) -> Any:
    from polytag.engine.training import Settings

    names = ("epochs", "batch_size", "accumulate", "learning_rate", "warmup", "weight_decay", "clip", "averaging")
    return Settings(
        **{name: getattr(config, name) for name in names},
        patience=config.patience,
        seed=config.seed,
        loss_scaling=config.precision == "float16",
        task_weights=config.task_weights,
    )


def _packed(split: Split, config: RunConfig) -> list[int] | None:
    return split.documents if config.context == "document" else None


def _evaluate(
    tagger: Tagger,
    data: Split,
    tasks: Mapping[str, Task],
    corpus: str,
    split: str,
    baselines: Mapping[str, MajorityBaseline] | None,
) -> Evaluation:
    predicted = tagger.predict_tags(data.sentences, data.documents)
    schemes = {name: tagger.decoders[name].scheme for name in tasks}
    metrics = {name: task.metrics for name, task in tasks.items()}
    results = _score(predicted, data, schemes, metrics, baselines, 0)
    return Evaluation(corpus, split, len(data.sentences), data.n_words, results)


def _score(
    predicted: Mapping[str, Sequence[Sequence[str]]],
    data: Split,
    schemes: Mapping[str, LabelScheme],
    metrics: Mapping[str, Sequence[str]],
    baselines: Mapping[str, MajorityBaseline] | None,
    seed: int,
) -> dict[str, TaskEvaluation]:
    results = {}
    for name, scheme in schemes.items():
        lower = baselines[name].tag(data.sentences) if baselines else None
        results[name] = evaluate_tags(data.tags[name], predicted[name], scheme, metrics[name], lower, seed)
    return results


def _save(tagger: Tagger, config: RunConfig, corpus: Corpus, validation: Evaluation, test: Evaluation | None) -> None:
    results = {"validation": validation.to_dict(), "test": test.to_dict() if test else None}
    tagger.details = {
        "corpus": {"reference": corpus.reference, "fingerprint": corpus.fingerprint},
        "versions": {name: importlib.metadata.version(name) for name in _REPORTED_VERSIONS},
        "scores": {"validation": validation.headlines, "test": test.headlines if test else None},
    }
    files = {
        "run.toml": config.to_toml(),
        "scores.json": json.dumps(results, indent=2, ensure_ascii=False) + "\n",
        "README.md": model_card(tagger, config, validation, test),
    }
    tagger.save(config.output, files, config.overwrite)
