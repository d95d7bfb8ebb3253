"""Train as a worker other than the chief: compute a part of every batch, and write nothing."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from polytag.encoding.batches import BatchBuilder
from polytag.encoding.word_vectors import WordVectors
from polytag.errors import TrainingError
from polytag.plugin.reporter import Reporter
from polytag.training.choices import Choices
from polytag.training.config import RunConfig
from polytag.training.fit import settings_of, taught, trained_model, training_batches
from polytag.training.plan import Plan, make_plan, new_model
from polytag.training.worker import score_of_chief, told_by_chief

if TYPE_CHECKING:
    from polytag.engine.distribution import Distribution


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
    open_labels = {task: tuple(ids) for task, ids in told["open_labels"].items()}
    folder = Path(told["features"])
    plan = None if folder.is_dir() else _plan_here(choices, told["identity"])
    vectors = plan.vectors if plan else WordVectors.load(folder)
    make = partial(new_model, config, choices.provider, choices.start, labels, told["kept"], choices.schemes, vectors)
    model = trained_model(config, make, distribution)
    if plan:
        with TemporaryDirectory(ignore_cleanup_errors=True) as own:
            features, builder = training_batches(plan, model.encoder, taught(plan, Path(own), Reporter()))
    else:
        builder, features = BatchBuilder.load(folder, model.encoder, tuple(labels))
    epochs = loop.train_epochs(
        model,
        builder,
        features.lengths,
        settings_of(config, weights, open_labels),
        partial(score_of_chief, distribution),
        distribution=distribution,
    )
    for _ in epochs:
        pass
    distribution.share(None)  # the chief has written the tagger


def _plan_here(choices: Choices, identity: dict[str, str]) -> Plan:
    """Read the corpus on a machine that does not see the chief's files."""
    plan = make_plan(choices, Reporter(), choose_device=False)
    if plan.identity != identity:
        different = ", ".join(sorted(name for name in identity if plan.identity.get(name) != identity[name]))
        raise TrainingError(
            f"The corpus {plan.corpus.reference!r} differs between this worker and the chief ({different}). Give all "
            "workers the same files."
        )
    return plan
