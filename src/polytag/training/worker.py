"""Messages between the workers of a run: the chief reads the corpus, evaluates and writes; the others train."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from polytag.encoding.batches import BatchBuilder
from polytag.errors import TrainingError
from polytag.training.loss_weights import Weights
from polytag.training.plan import Plan

if TYPE_CHECKING:
    from polytag.engine.distribution import Distribution
    from polytag.engine.loop import Evaluated

Evaluation = TypeVar("Evaluation", bound="Evaluated")

_FEATURES = ".features-"
"""Start of the name of the folder with the arrays that workers share; the rest is random."""


def tell_workers(distribution: Distribution, plan: Plan, builder: BatchBuilder, weights: Weights, folder: Path) -> None:
    """Tell the other workers what to train.

    Args:
        distribution: The workers.
        plan: The plan of the chief.
        builder: Makes the batches; its arrays are written into a folder, which the workers on this machine, or with the
            same file system, open as memory maps.
        weights: The weights of labels in the loss.
        folder: The folder of the run.
    """
    shared = folder / f"{_FEATURES}{secrets.token_hex(8)}"
    try:
        for left in folder.glob(f"{_FEATURES}*"):  # by a run that was killed
            shutil.rmtree(left, ignore_errors=True)
        shared.mkdir()
        builder.save(shared)
        if plan.vectors:
            plan.vectors.save(shared)
    except OSError as error:
        raise TrainingError(
            f"The features for the workers cannot be written to {str(folder)!r}: {error.strerror or error}. Make room, "
            "or choose another --output."
        ) from error
    _tell(
        distribution,
        config=plan.config.model_dump(mode="json", by_alias=True),
        labels=plan.labels,
        kept=plan.kept,
        weights=weights,
        open_labels=plan.open_labels,
        features=str(shared.resolve()),
        identity=plan.identity,
    )


def tell_failure(distribution: Distribution, error: BaseException) -> None:
    """Tell the other workers, which wait for `tell_workers`, that the run cannot start."""
    _tell(distribution, failure=str(error))


def _tell(distribution: Distribution, **told: Any) -> None:
    distribution.share(json.dumps(told).encode())


def told_by_chief(distribution: Distribution) -> Mapping[str, Any]:
    """The message of the chief that begins the run.

    Raises:
        TrainingError: The chief cannot start the run.
    """
    told: dict[str, Any] = json.loads(distribution.share(None))
    if "failure" in told:
        raise TrainingError(f"The chief could not start the run: {told['failure']}")
    return told


@dataclass(frozen=True, slots=True)
class SharedScore:
    """The scores of an epoch, as the chief tells them."""

    score: float
    headlines: Mapping[str, float]


def evaluated_by_chief(distribution: Distribution, evaluate: Callable[[], Evaluation]) -> Evaluation:
    """Evaluate, and tell the other workers the scores."""
    found = evaluate()
    _tell(distribution, score=float(found.score), headlines=dict(found.headlines))
    return found


def score_of_chief(distribution: Distribution) -> SharedScore:
    """The scores of the epoch, once the chief has them."""
    return SharedScore(**json.loads(distribution.share(None)))
