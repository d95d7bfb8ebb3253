"""Train as a worker other than the chief: compute a part of every batch, and write nothing."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from polytag.encoding.batches import BatchBuilder
from polytag.encoding.features import Features
from polytag.errors import TrainingError
from polytag.plugin.reporter import Reporter
from polytag.training.choices import Choices
from polytag.training.config import RunConfig
from polytag.training.fit import settings_of, taught_targets, trained_model, training_batches
from polytag.training.plan import make_plan, new_model
from polytag.training.worker import score_of_chief, told_by_chief

if TYPE_CHECKING:
    from polytag.engine.distribution import Distribution
    from polytag.engine.model import TaggerModel


def assist(choices: Choices, distribution: Distribution) -> None:
    """Train with the chief until its run has ended.

    Args:
        choices: The objects named by the options of the run, the same as in the chief.
        distribution: The workers.

    Raises:
        TrainingError: The run cannot start, diverges, or another worker no longer answers.
        PolytagError: This worker does not see the chief's files, and its own corpus cannot be read.
    """
    from polytag.engine import loop

    told = told_by_chief(distribution)
    config = RunConfig.model_validate(told["config"])
    labels = {task: tuple(names) for task, names in told["labels"].items()}
    weights = {task: tuple(values) for task, values in told["weights"].items()}
    make = partial(new_model, config, choices.provider, choices.start, labels, told["kept"], choices.schemes)
    model = trained_model(config, make, distribution)
    folder = Path(told["features"])
    if folder.is_dir():
        builder, features = BatchBuilder.load(folder, model.encoder, tuple(labels))
    else:
        builder, features = _read_here(choices, model, told["identity"])
    epochs = loop.train_epochs(
        model,
        builder,
        features.lengths,
        settings_of(config, weights),
        partial(score_of_chief, distribution),
        distribution=distribution,
    )
    for _ in epochs:
        pass
    distribution.share(None)  # the chief has written the tagger


def _read_here(choices: Choices, model: TaggerModel, identity: dict[str, str]) -> tuple[BatchBuilder, Features]:
    """Read the corpus on a machine that does not see the chief's files."""
    plan = make_plan(choices, Reporter(), choose_device=False)
    if plan.identity != identity:
        raise TrainingError(
            f"The corpus {plan.corpus.reference!r} differs between this worker and the chief. Give all workers the "
            "same files."
        )
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        features, builder = training_batches(plan, model.encoder, taught_targets(plan, Path(folder), Reporter()))
    return builder, features
