"""The core runner: corpus -> encode -> train -> evaluate -> save, for any tasks and any encoder."""

from __future__ import annotations

import importlib.metadata
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np

from polytag.alignment import IntArray
from polytag.card import model_card
from polytag.config import RunConfig
from polytag.corpus.corpus import Corpus, load_corpus
from polytag.corpus.recognition import scheme_of
from polytag.encoders import EncoderProvider
from polytag.encoding.features import featurise, label_ids
from polytag.errors import CorpusError, PolytagError, UnknownNameError
from polytag.evaluation import Evaluation, MajorityBaseline, evaluate_tags
from polytag.hooks.manager import RunInfo
from polytag.hooks.registry import registry
from polytag.progress import ConsoleReporter, Reporter, Silent
from polytag.schemes import OUTSIDE, LabelScheme, convert
from polytag.tagger import Tagger, TaskHead, check_output, read_description
from polytag.tasks import Task

HELD_OUT = 10
"""Where a corpus has no validation split, one document (or sentence) in so many is held out of training."""

_REPORTED_VERSIONS = ("polytag", "tensorflow", "keras", "keras-hub", "transformers", "datasets")


@dataclass(frozen=True, slots=True)
class Split:
    """The words of a split, with the tags of each task in the task's scheme."""

    sentences: list[list[str]]
    documents: list[int] | None
    tags: dict[str, list[list[str]]]

    @property
    def n_words(self) -> int:
        """How many words it has."""
        return sum(map(len, self.sentences))

    def select(self, chosen: Sequence[int]) -> Split:
        """The sentences with these indices."""
        return Split(
            [self.sentences[i] for i in chosen],
            None if self.documents is None else [self.documents[i] for i in chosen],
            {task: [tags[i] for i in chosen] for task, tags in self.tags.items()},
        )


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
) -> Evaluation:
    """Score a tagger on a split of a corpus, on every word of every sentence.

    Args:
        tagger: A tagger, or the folder of one.
        corpus: A corpus, or what names one.
        split: The split; `test` where there is one, else the last one, when not given.
        reader, columns, corpus_scheme: How to read the corpus, as in training.
        decoding: `viterbi` or `argmax`, instead of what the tagger was trained with.

    Raises:
        PolytagError: The tagger or the corpus is wrong.
    """
    if not isinstance(tagger, Tagger):
        read_description(Path(tagger))  # whether it is a tagger at all, before a corpus is loaded
    loaded = corpus if isinstance(corpus, Corpus) else load_corpus(corpus, reader=reader, columns=columns)
    name = split or ("test" if "test" in loaded.splits else loaded.splits[-1])
    loaded.split(name)
    model = tagger if isinstance(tagger, Tagger) else Tagger.load(tagger, decoding)
    registered = registry().tasks
    tasks = {task: registered[task] for task in model.heads}
    schemes = {task: registry().schemes[head.scheme] for task, head in model.heads.items()}
    data = _read_split(loaded, name, tasks, schemes, corpus_scheme)
    return _evaluate(model, data, tasks, loaded.reference, name, None)


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
    raise UnknownNameError("encoder", reference, encoders)


def _train(config: RunConfig, reporter: Reporter, began: float) -> TrainResult:
    for plugin in registry().manager.problems:
        reporter.message(f"Not loaded: {plugin.source}: {plugin.error}")
    tasks = {name: registry().tasks[name] for name in config.task}
    strategies = {name: registry().alignments[config.alignment or task.alignment] for name, task in tasks.items()}
    schemes = {name: _training_scheme(task, config.scheme) for name, task in tasks.items()}
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
    splits = {
        name: _read_split(corpus, name, tasks, schemes, config.corpus_scheme)
        for name in ("train", "validation", "test")
        if name in corpus.splits
    }
    training, validation = _training_splits(corpus, splits, config.seed, reporter)
    labels = {name: _inventory(corpus, task, schemes[name], training) for name, task in tasks.items()}
    reporter.message(
        f"{corpus.reference}: {len(training.sentences):,} sentences, {training.n_words:,} words to train on; "
        + ", ".join(f"{name}: {len(inventory)} labels" for name, inventory in labels.items())
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
            _continuations(labels[name], schemes[name]),
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
        model, engine.BatchBuilder(features, encoder, unit_labels), features.lengths, settings, score, reporter.step
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


def _training_scheme(task: Task, wanted: str | None) -> LabelScheme:
    own = registry().schemes[task.scheme]
    if wanted is None:
        return own
    chosen = registry().schemes[wanted]
    return chosen if chosen.encodes_spans == own.encodes_spans else own


def _read_split(
    corpus: Corpus, name: str, tasks: Mapping[str, Task], schemes: Mapping[str, LabelScheme], declared: str | None
) -> Split:
    tags = {}
    for task_name, task in tasks.items():
        column = corpus.column_for(task)
        scheme = schemes[task_name]
        read = corpus.tags(name, column)
        if scheme.encodes_spans:
            source = scheme_of(corpus, column, declared).scheme
            if not source.encodes_spans:
                raise CorpusError(
                    f"The column {column!r} of the corpus {corpus.reference!r} does not encode spans: its tags have no "
                    f"prefixes such as B- and I-, which the task {task_name!r} needs. Name the right column with "
                    "--columns, or train a task without spans on it."
                )
            read = [convert(sentence, source, scheme) for sentence in read]
        tags[task_name] = read
    return Split(corpus.words(name), corpus.documents(name), tags)


def _training_splits(corpus: Corpus, splits: Mapping[str, Split], seed: int, reporter: Reporter) -> tuple[Split, Split]:
    if "train" not in splits:
        corpus.split("train")
    training = splits["train"]
    if "validation" in splits:
        return training, splits["validation"]
    groups = training.documents or list(range(len(training.sentences)))
    names = sorted(set(groups))
    if len(names) < 2:
        groups = list(range(len(training.sentences)))
        names = groups
    if len(names) < 2:
        raise CorpusError(
            f"The corpus {corpus.reference!r} has one training sentence and no validation split: too little."
        )
    chosen = np.random.default_rng(seed).permutation(len(names))[: max(1, len(names) // HELD_OUT)]
    held = {names[index] for index in chosen}
    kind = "documents" if training.documents and groups is training.documents else "sentences"
    reporter.message(f"No validation split: {len(held)} of {len(names)} {kind} are held out of training.")
    inside = [i for i, group in enumerate(groups) if group not in held]
    outside = [i for i, group in enumerate(groups) if group in held]
    return training.select(inside), training.select(outside)


def _inventory(corpus: Corpus, task: Task, scheme: LabelScheme, training: Split) -> list[str]:
    """Labels in id order: those the task fixes, or those of a ClassLabel column, or `O` and then the rest, sorted.

    Labels that later subwords need (I-PER where the corpus has B-PER only) are there in any case.
    """
    column = corpus.column_for(task)
    found = {tag for sentence in training.tags[task.name] for tag in sentence}
    if task.labels is not None:
        unknown = sorted(found - set(task.labels))
        if unknown:
            raise CorpusError(
                f"The column {column!r} of the corpus {corpus.reference!r} has tags that the task {task.name!r} does "
                f"not know: {', '.join(unknown[:5])}. It knows {', '.join(task.labels)}."
            )
        return list(task.labels)
    named = list(corpus.labels(column) or ())
    keeps_order = bool(named) and found <= set(named)
    inventory = named if keeps_order else sorted(found, key=_outside_first)
    needed = {scheme.continuation(label) for label in inventory} | ({OUTSIDE} if scheme.encodes_spans else set())
    missing = sorted(needed - set(inventory), key=_outside_first)
    return [*inventory, *missing] if keeps_order else sorted([*inventory, *missing], key=_outside_first)


def _outside_first(tag: str) -> tuple[bool, str]:
    return tag != OUTSIDE, tag


def _continuations(labels: Sequence[str], scheme: LabelScheme) -> IntArray:
    ids = {label: index for index, label in enumerate(labels)}
    return np.array([ids.get(scheme.continuation(label), ids[label]) for label in labels], dtype=np.int32)


def _evaluate(
    tagger: Tagger,
    data: Split,
    tasks: Mapping[str, Task],
    corpus: str,
    split: str,
    baselines: Mapping[str, MajorityBaseline] | None,
) -> Evaluation:
    predicted = tagger.predict_tags(data.sentences, data.documents)
    results = {}
    for name, task in tasks.items():
        lower = baselines[name].tag(data.sentences) if baselines else None
        scheme = tagger.decoders[name].scheme
        results[name] = evaluate_tags(data.tags[name], predicted[name], scheme, task.metrics, lower)
    return Evaluation(corpus, split, len(data.sentences), data.n_words, results)


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
