"""Training proper: from words and tags to the tagger of the best epoch, calibrated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from polytag.corpus.splits import Split
from polytag.encoding.batches import BatchBuilder
from polytag.encoding.features import Features, featurise, label_ids
from polytag.evaluation.results import TaskEvaluation
from polytag.evaluation.scoring import evaluate_tags
from polytag.plugin.encoder import Encoder
from polytag.plugin.registry import registry
from polytag.plugin.reporter import Reporter
from polytag.plugin.specs import RunInfo
from polytag.plugin.task import Task
from polytag.tagger.calibration import fit_temperature
from polytag.tagger.decoder import units_needed
from polytag.tagger.heads import TaskHead
from polytag.tagger.tagger import Tagger
from polytag.training.config import RunConfig
from polytag.training.data import continuations
from polytag.training.loss_weights import Weights, loss_weights

if TYPE_CHECKING:
    from polytag.engine.checkpoints import CheckpointStore
    from polytag.engine.model import TaggerModel


class Fitted(NamedTuple):
    """What training gives: the tagger, the epoch it is from, and how many epochs there were."""

    tagger: Tagger
    best_epoch: int
    epochs: int


def fit(
    config: RunConfig,
    make: Callable[[], TaggerModel],
    tasks: Mapping[str, Task],
    heads: Mapping[str, TaskHead],
    training: Split,
    validation: Split,
    info: RunInfo,
    reporter: Reporter,
    checkpoints: CheckpointStore,
    on_best: Callable[[Tagger, int, Mapping[str, TaskEvaluation]], None],
) -> Fitted:
    """Train a model for every task at once.

    Args:
        config: The run, with every default resolved.
        make: Makes the model to train.
        tasks: By name.
        heads: Labels, scheme, alignment and decoding of each task.
        training: What to train on.
        validation: What chooses the epoch, and calibrates.
        info: What observers are told.
        reporter: Told of every step and epoch.
        checkpoints: Where the run can go on from.
        on_best: Given the tagger, its epoch and its scores on validation whenever it is the best so far.
    """
    from polytag.engine import loop
    from polytag.engine.prediction import Predictor

    def build() -> TaggerModel:
        built = make()
        if config.cased:
            built.encoder.see_capitals()
        return built

    loop.seed_everything(config.seed)
    with loop.layers_in(config.precision or "float32"):
        model = build()
    encoder = model.encoder
    tagger = Tagger(model, heads, config.context, config.window)
    features = _features(encoder, training, config)
    unit_labels = {
        name: features.unit_labels(
            label_ids(training.tags[name], heads[name].labels),
            decoder.strategy,
            continuations(heads[name].labels, decoder.scheme),
        )
        for name, decoder in tagger.decoders.items()
    }
    predictor = Predictor(model)
    seen = _features(encoder, validation, config)
    read = units_needed(tagger.decoders.values(), seen)

    results: dict[str, TaskEvaluation] = {}

    def score() -> tuple[float, Mapping[str, float]]:
        found = predictor.predict(seen, read)
        for name, decoder in tagger.decoders.items():
            predicted = decoder.sentences(decoder.decode(found[name], seen).labels, seen)
            results[name] = evaluate_tags(validation.tags[name], predicted, decoder.scheme, tasks[name].metrics[:1])
        values = {f"{name} {result.headline}": result.score for name, result in results.items()}
        return float(np.mean(list(values.values()))), values

    observe = registry().manager.observe
    observe("polytag_train_begin", run=info)
    builder = BatchBuilder(features, encoder, unit_labels)
    labels = {name: head.labels for name, head in heads.items()}
    weights = loss_weights(config.loss_weights, labels, training.tags) if config.loss_weights else {}
    best, trained = 0, 0
    epochs = loop.train_epochs(
        model, builder, features.lengths, _settings(config, weights), score, reporter.step, checkpoints
    )
    with closing(epochs):  # gives the keyboard back at once, also where an observer fails
        for epoch in epochs:
            reporter.epoch(epoch)
            if not epoch.restored:
                observe("polytag_epoch_end", run=info, epoch=epoch.number, scores=dict(epoch.scores))
                if epoch.best:
                    on_best(tagger, epoch.number, dict(results))
            trained = epoch.number
            best = trained if epoch.best else best
    if model.network.compute_dtype != "float32":
        # A saved tagger computes in float32, and what follows is about the tagger that is saved.
        short, model = model, build()
        model.copy_weights(short)
        predictor = Predictor(model)
    found = predictor.predict(seen, read)
    calibrated = {
        name: replace(
            heads[name],
            temperature=fit_temperature(
                decoder.word_scores(found[name], seen), label_ids(validation.tags[name], heads[name].labels)
            ),
        )
        for name, decoder in tagger.decoders.items()
    }
    return Fitted(Tagger(model, calibrated, config.context, config.window), best, trained)


def _settings(config: RunConfig, label_weights: Weights) -> Any:
    from polytag.engine.settings import Settings

    names = ("epochs", "batch_size", "accumulate", "learning_rate", "warmup", "weight_decay", "clip", "averaging")
    return Settings(
        **{name: getattr(config, name) for name in names},
        patience=config.patience,
        seed=config.seed,
        loss_scaling=config.precision == "float16",
        task_weights=config.task_weights,
        label_weights=label_weights,
    )


def _features(encoder: Encoder, split: Split, config: RunConfig) -> Features:
    packed = split.documents if config.context == "document" else None
    return featurise(encoder, split.sentences, packed, config.window)
