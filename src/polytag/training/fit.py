"""Train a model on words and tags, and return the calibrated tagger of the best epoch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from polytag.corpus.splits import Split
from polytag.encoding.batches import BatchBuilder
from polytag.encoding.features import Features, featurise, label_ids
from polytag.encoding.teaching import Teaching
from polytag.evaluation.results import Evaluation
from polytag.evaluation.scoring import evaluate_tags
from polytag.plugin.alignment import FloatArray
from polytag.plugin.encoder import Encoder
from polytag.plugin.registry import registry
from polytag.plugin.reporter import Epoch, Reporter
from polytag.tagger.calibration import fit_temperature
from polytag.tagger.decoder import Decoder, units_needed
from polytag.tagger.tagger import Tagger
from polytag.tagger.viterbi import head_of
from polytag.terminal import stage
from polytag.training.config import RunConfig
from polytag.training.data import continuations, read_units
from polytag.training.loss_weights import Weights, loss_weights
from polytag.training.plan import Plan
from polytag.training.teaching import Lesson, make_lesson
from polytag.training.worker import evaluated_by_chief, tell_workers

if TYPE_CHECKING:
    from polytag.engine.checkpoints import CheckpointStore
    from polytag.engine.distribution import Distribution
    from polytag.engine.model import TaggerModel


_INTERRUPTED = (
    "Interrupted: this step is finished, then a checkpoint is saved, with which the run can be resumed. Press Ctrl-C "
    "again to stop at once."
)


@dataclass(frozen=True, slots=True)
class Fitted:
    """The result of training: the tagger of the best epoch, and all epochs so far."""

    tagger: Tagger
    history: tuple[Epoch, ...]


def fit(
    plan: Plan,
    reporter: Reporter,
    checkpoints: CheckpointStore,
    on_best: Callable[[Fitted, Evaluation], None],
    distribution: Distribution | None = None,
) -> Fitted:
    """Train one model for all tasks.

    Args:
        plan: The plan of the run.
        reporter: Receives every step and epoch.
        checkpoints: The store of checkpoints, from which the run can be resumed.
        on_best: Called with the tagger and its validation scores after each epoch that is the best so far.
        distribution: The devices and workers that share each batch; None for one device.
    """
    from polytag.engine import loop
    from polytag.engine.devices import device

    config = plan.config
    lesson = taught(plan, checkpoints.folder, reporter)  # first: the seed is set after it
    model = trained_model(config, plan.new_model, distribution)
    workers = distribution.workers if distribution else 1
    reporter.message(f"Training on {device(workers)} in {config.precision or 'float32'}")
    longest = model.encoder.max_units
    if config.window is not None and config.window > longest:
        reporter.message(
            f"--window {config.window} has no effect: the encoder {config.encoder!r} reads at most {longest} units."
        )
    stage("Making features")
    features, builder = training_batches(plan, model.encoder, lesson)
    validation = _Validation(plan, model.encoder)
    plugins = registry().manager
    plugins.train_begin(plan.info)
    weights = loss_weights(config.loss_weights, plan.labels, plan.training.tags) if config.loss_weights else {}
    evaluate = partial(validation.evaluate, model, validation.predictor(model))
    if distribution and workers > 1:
        tell_workers(distribution, plan, builder, weights, checkpoints.folder)
        evaluate = partial(evaluated_by_chief, distribution, evaluate)
    epochs = loop.train_epochs(
        model,
        builder,
        features.lengths,
        settings_of(config, weights, plan.open_labels),
        evaluate,
        reporter.step,
        checkpoints,
        partial(reporter.message, _INTERRUPTED),
        distribution,
    )
    stage("Compiling the first step")
    tagger = Tagger(model, plan.heads, config.context, config.window, splitter=config.splitter)
    history: list[Epoch] = []
    with closing(epochs):  # restores the interrupt handler at once, even if an observer fails
        for epoch, evaluation in epochs:
            history.append(epoch)
            reporter.epoch(epoch)
            if evaluation is None:  # trained before the run was resumed
                continue
            plugins.epoch_end(plan.info, epoch.number, dict(epoch.scores))
            if epoch.best:
                on_best(Fitted(tagger, tuple(history)), evaluation)
    if model.network.compute_dtype != "float32":
        # A saved tagger computes in float32, so it must be calibrated and tested in float32.
        short, model = model, plan.new_model()
        model.copy_weights(short)
    temperatures = validation.temperatures(model, validation.predictor(model))
    calibrated = {name: replace(head, temperature=temperatures[name]) for name, head in plan.heads.items()}
    return Fitted(replace(tagger, model=model, heads=calibrated), tuple(history))


Predict = Callable[[], Mapping[str, FloatArray]]
"""The probabilities of each task's labels for the units of the validation split, float32 (units, labels)."""


class _Validation:
    """The features of the validation split: scores the epochs, and calibrates the best one."""

    def __init__(self, plan: Plan, encoder: Encoder) -> None:
        self._plan = plan
        self._features = _features(encoder, plan.validation, plan.config)
        self._needed = units_needed(plan.decoders.values(), self._features)

    def predictor(self, model: TaggerModel) -> Predict:
        return partial(model.scorer().predict, self._features, self._needed)

    def evaluate(self, model: TaggerModel, predict: Predict) -> Evaluation:
        plan, split, features = self._plan, self._plan.validation, self._features
        stage("Scoring the epoch", often_brief=True)
        found = predict()
        results = {}
        for name, decoder in self._decoders(model).items():
            predicted = decoder.sentences(decoder.decode(found[name], features).labels, features)
            main = plan.tasks[name].metrics[:1]
            results[name] = evaluate_tags(split.tags[name], predicted, decoder.scheme, main)
        return Evaluation(
            plan.corpus.reference, "validation", len(split.sentences), split.n_words, results, "tensorflow"
        )

    def _decoders(self, model: TaggerModel) -> dict[str, Decoder]:
        """The decoder of each task, with the current parameters of its head."""
        parameters = model.head_parameters
        return {name: own.with_parameters(parameters.get(name)) for name, own in self._plan.decoders.items()}

    def temperatures(self, model: TaggerModel, predict: Predict) -> dict[str, float]:
        stage("Calibrating", often_brief=True)
        tags, found = self._plan.validation.tags, predict()
        return {
            name: fit_temperature(
                decoder.word_scores(found[name], self._features), label_ids(tags[name], decoder.head.labels)
            )
            for name, decoder in self._decoders(model).items()
        }


def trained_model(config: RunConfig, make: Callable[[], TaggerModel], distribution: Distribution | None) -> TaggerModel:
    """The model to train, with a copy on each further device. All random numbers of the run follow from its seed."""
    from polytag.engine import loop
    from polytag.engine.distribution import copies_on

    loop.seed_everything(config.seed)
    with loop.layers_in(config.precision or "float32"):
        return copies_on(distribution.devices, make) if distribution else make()


def taught(plan: Plan, folder: Path, reporter: Reporter) -> Lesson:
    """All sentences that a run trains on, with what its teachers say of them in files of a folder."""
    if plan.lessons is None:
        return Lesson(plan.training, {})
    from polytag.engine import loop

    loop.seed_everything(plan.config.seed)
    return make_lesson(plan.lessons, plan.training, plan.decoders, plan.config, folder, reporter)


def training_batches(plan: Plan, encoder: Encoder, lesson: Lesson) -> tuple[Features, BatchBuilder]:
    """The features of all words that the run trains on, and the builder of its batches.

    Args:
        plan: The plan of the run.
        encoder: The encoder.
        lesson: The sentences, and what the teachers say of them.
    """
    split, targets = lesson
    features = _features(encoder, split, plan.config)
    unit_labels, teaching, word_units = {}, {}, {}
    by_sentence = registry().heads[head_of(plan.config.decoding)].by_sentence
    for name, decoder in plan.decoders.items():
        continued = continuations(decoder.head.labels, decoder.scheme)
        n_labels = len(decoder.head.labels)
        ids = label_ids(split.tags[name], decoder.head.labels)
        if name in plan.open:  # the words of the training split come first
            ids[: len(plan.open[name])][plan.open[name]] = n_labels
        open_too = np.append(continued, n_labels).astype(np.int32)
        unit_labels[name] = features.unit_labels(ids, decoder.strategy, open_too)
        if name in targets:
            teaching[name] = Teaching.of(targets[name], features, decoder.strategy, continued)
        if by_sentence:
            word_units[name] = read_units(decoder, features, unit_labels[name], plan.config.decoding)
    return features, BatchBuilder(features, encoder, unit_labels, word_units=word_units, teaching=teaching)


def settings_of(config: RunConfig, label_weights: Weights, open_labels: Mapping[str, tuple[int, ...]]) -> Any:
    """The settings of the loop."""
    from polytag.engine.settings import Settings

    names = ("epochs", "batch_size", "accumulate", "learning_rate", "warmup", "weight_decay", "clip", "averaging")
    return Settings(
        **{name: getattr(config, name) for name in names},
        patience=config.patience,
        seed=config.seed,
        loss_scaling=config.precision == "float16",
        task_weights=config.task_weights,
        label_weights=label_weights,
        head=head_of(config.decoding),
        teacher_weight=config.teacher_weight,
        teacher_temperature=config.teacher_temperature,
        open_labels=open_labels,
    )


def _features(encoder: Encoder, split: Split, config: RunConfig) -> Features:
    packed = split.documents if config.context == "document" else None
    return featurise(encoder, split.sentences, packed, config.window)
