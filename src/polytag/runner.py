"""Run a training: read the corpus, fit, evaluate, save and publish, for any tasks and any encoder."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from polytag.errors import PolytagError, message_of
from polytag.evaluation.baseline import MajorityBaseline
from polytag.evaluation.evaluate import OpenSplit, evaluate_split
from polytag.evaluation.results import Evaluation
from polytag.evaluation.robustness import measure
from polytag.plugin.attribution import attributed
from polytag.plugin.registry import add_plugins, registry
from polytag.plugin.reporter import Reporter, best_epoch
from polytag.publishing.push import PushResult, RunPushes
from polytag.publishing.record import RunRecord
from polytag.publishing.report.report import REPORT, check_extra
from polytag.publishing.uploads import left_out_message
from polytag.publishing.write import write_tagger
from polytag.tagger.forks import check_tensorflow
from polytag.tagger.tagger import Tagger
from polytag.terminal import stages_to
from polytag.training.choices import Choices, choose
from polytag.training.cluster import Cluster, cluster_of_environment, config_from_chief, local_workers, wait_for_workers
from polytag.training.config import RunConfig
from polytag.training.fit import Fitted, fit
from polytag.training.history import History
from polytag.training.keywords import RunOptions, with_run_options
from polytag.training.plan import Plan, make_plan
from polytag.training.progress import ReporterGroup, default_reporter
from polytag.training.run_folder import PUSHED, is_unfinished, locked_run, run_folder
from polytag.training.worker import tell_failure

if TYPE_CHECKING:
    from polytag.engine.distribution import Distribution


@dataclass(frozen=True, slots=True, repr=False)
class TrainResult:
    """The result of a training run.

    Attributes:
        tagger: The saved tagger.
        output: Its folder.
        history: Loss, scores, seconds and learning rate of each epoch, in order.
        validation: Scores on the validation split.
        test: Scores on the test split; None if the corpus has none.
        seconds: Duration of the run.
        push: Result of the pushes to the hub; None if none were requested.
        sentences, words: The numbers that it was trained on.
    """

    tagger: Tagger
    output: Path
    history: History
    validation: Evaluation
    test: Evaluation | None
    seconds: float
    push: PushResult | None = None
    sentences: int = 0
    words: int = 0

    @property
    def best_epoch(self) -> int:
        """Number of the epoch whose weights the tagger has."""
        return best_epoch(self.history)

    @property
    def epochs(self) -> int:
        """Number of trained epochs."""
        return len(self.history)

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain data for JSON."""
        return {
            "output": str(self.output),
            "best_epoch": self.best_epoch,
            "epochs": self.epochs,
            "seconds": round(self.seconds, 1),
            "validation": self.validation.to_dict(),
            "test": self.test.to_dict() if self.test else None,
            "history": [epoch.to_dict() for epoch in self.history],
            **({"push": asdict(self.push)} if self.push else {}),
        }

    def __repr__(self) -> str:
        found = self.test or self.validation
        return f"TrainResult({self.output}, best epoch {self.best_epoch} of {self.epochs}: {found!r})"

    def _repr_html_(self) -> str:
        """The epochs and the scores, for notebooks."""
        return self.history._repr_html_() + (self.test or self.validation)._repr_html_()


@with_run_options
@attributed
def train(
    config: RunConfig | None = None,
    *,
    reporter: Reporter | None = None,
    callbacks: Sequence[Reporter] = (),
    plugins: Sequence[object] = (),
    quiet: bool = False,
    **options: Unpack[RunOptions],
) -> TrainResult:
    """Train a tagger and save it.

    ```python
    result = polytag.train(task="ner", corpus="sample", output="my-tagger")
    result.tagger.tag("My name is Sylvain.")
    ```

    Args:
        config: The configuration of the run; alternatively, give its fields as keyword arguments.
        reporter: Receives messages and progress; a progress bar on stderr, or in a notebook, by default.
        callbacks: Further reporters, called after `reporter`; an error raised by one of them ends the run.
        plugins: Modules to use as plugins in this process, without installation.
        quiet: Print nothing; callbacks are still called.
        **options: Fields of `RunConfig`: the options of `polytag train`, with `from_` for `--from`.

    In a cluster (TF_CONFIG), every worker makes this call, and only the chief's returns: the others' processes end when
    the chief has written the tagger.

    Raises:
        SystemExit: This process is a worker other than the chief, and the run has ended.
        PolytagError: The input is invalid, or TensorFlow cannot compute in this process.
        PluginError: A plugin is broken, or has the same name as another one.
        TypeError: A callback is not a `Reporter`.
    """
    for callback in callbacks:
        if not isinstance(callback, Reporter):
            raise TypeError(f"a callback must be a polytag.Reporter, not {callback!r}")
    if config and options:
        raise TypeError(f"give the run as a RunConfig or as keyword arguments, not both: {', '.join(options)}")
    check_tensorflow()
    config = config or RunConfig.from_sources(None, options)
    if plugins and config.workers > 1:
        raise PolytagError(
            "`plugins` are modules of this process, which the processes of other workers do not have. Install them "
            "as a plugin, or train with one worker."
        )
    add_plugins(plugins)
    return run(config, ReporterGroup([reporter or (Reporter() if quiet else default_reporter()), *callbacks]))


def run(config: RunConfig, reporter: Reporter, *, tested: bool = True, share: float = 1.0) -> TrainResult:
    """Carry out a run; errors are as in `train`.

    Args:
        config: The configuration of the run.
        reporter: Receives messages and progress; closed at the end.
        tested: Whether to score the tagger on the test split; a search does that with its best tagger alone.
        share: The share of the training split to train on, in this process alone.
    """
    began = time.perf_counter()
    try:
        for plugin in registry().manager.problems:
            reporter.message(f"Not loaded: {plugin.source}: {plugin.error}")
        choices = replace(choose(config), share=share)
        if config.report:
            check_extra()
        if config.tensorboard or config.profile:
            from polytag.engine.tensorboard import reporters

            reporter = ReporterGroup([reporter, *reporters(config.tensorboard, config.profile, reporter)])
        with stages_to(reporter.status):
            return _train(choices, reporter, began, tested)
    finally:
        reporter.close()


def _train(choices: Choices, reporter: Reporter, began: float, tested: bool) -> TrainResult:
    cluster, as_chief = cluster_of_environment(), partial(_train_as_chief, choices, reporter, began, tested)
    if cluster is None and choices.config.workers == 1:
        return as_chief()
    if cluster:
        cluster.check_number(choices.config.workers)
        return _train_in(cluster, choices, reporter, as_chief, lambda: "")
    config = choices.config
    if config.runner == "ray":
        from polytag.training.ray_workers import run_in_ray

        found = run_in_ray(_figures, config, reporter)
        return replace(found, tagger=Tagger.load(config.output), output=config.output)
    with local_workers(config.workers, config.model_dump_json(by_alias=True, exclude_unset=True)) as (local, why):
        return _train_in(local, choices, reporter, as_chief, why)


def _figures(config: RunConfig) -> TrainResult:
    """Train in a process of Ray; the tagger is in its folder, and does not travel."""
    return replace(train(config), tagger=None)  # type: ignore[arg-type]  # loaded where the result arrives


def _train_in(
    cluster: Cluster,
    choices: Choices,
    reporter: Reporter,
    as_chief: Callable[[Distribution], TrainResult],
    why: Callable[[], str],
) -> TrainResult:
    """Train with other workers; only the chief returns.

    Args:
        cluster: The workers.
        choices: The objects named by the options of the run.
        reporter: Receives messages and progress.
        as_chief: Trains if this process is the chief.
        why: Says which worker has ended, and why, as far as it is known.
    """
    from polytag.engine.devices import choose_devices
    from polytag.engine.distribution import LostWorkerError, join

    config = choices.config
    choose_devices(config.device, cluster.worker if cluster.sharing > 1 else 0, cluster.sharing)
    reporter.message(f"Worker {cluster.worker} of {len(cluster.addresses)} waits for the others")
    wait_for_workers(cluster, why)
    distribution = join(cluster.addresses, cluster.worker)
    try:
        if not cluster.is_chief:
            from polytag.training.assist import assist

            assist(choices, distribution)
            raise SystemExit(0)
        return as_chief(distribution)
    except LostWorkerError as error:
        resumable = is_unfinished(run_folder(config.output)) if cluster.is_chief else True
        advice = "Continue with --resume, on the same or another number of workers." if resumable else "Start again."
        raise LostWorkerError(f"{why() or error} {advice}") from error


def _train_as_chief(
    choices: Choices, reporter: Reporter, began: float, tested: bool, distribution: Distribution | None = None
) -> TrainResult:
    pushes = RunPushes(choices.config.push, choices.config.push_private) if choices.config.push else None
    has_begun = False
    try:
        plan = make_plan(choices, reporter, choose_device=distribution is None)
        plan = plan if tested else replace(plan, test=None)
        config = plan.config
        with locked_run(config, plan.identity) as checkpoints:
            has_begun = True
            fitted = fit(
                plan, reporter, checkpoints, _offering(plan, pushes, checkpoints.folder), distribution or _local()
            )
            record = _evaluated(plan, fitted)
            reported = _reported(plan, fitted.tagger) if config.report else None
            for_use = tested and choices.share == 1
            if said := write_tagger(fitted.tagger, record, config.output, config.overwrite, reported, for_use):
                reporter.message(said)
            if reported:
                reporter.message(f"The report is in {config.output / REPORT}")
            last = record.evaluations[-1]
            pushed = pushes.finish(config.output, f"{_listed(last.headlines)} on {last.split}") if pushes else None
    except PolytagError as error:
        if distribution and distribution.workers > 1 and not has_begun:
            tell_failure(distribution, error)
        raise
    if distribution:
        distribution.share(b"done")
    if pushed:
        _report(pushed, config.output, reporter)
    registry().manager.train_end(plan.info, record.validation.headlines)
    seconds = time.perf_counter() - began
    found = record.validation, record.test, seconds, pushed, len(plan.training.sentences), plan.training.n_words
    return TrainResult(fitted.tagger, config.output, History(fitted.history), *found)


def _local() -> Distribution | None:
    """The replicas on all devices of this process; None for one device."""
    from polytag.engine.devices import logical_devices
    from polytag.engine.distribution import over_devices

    return over_devices(logical_devices())


def _evaluated(plan: Plan, fitted: Fitted) -> RunRecord:
    """Score the tagger of a finished run, and return the record of the run."""
    tagger, reference = fitted.tagger, plan.corpus.reference
    training, validation, tasks = plan.training, plan.validation, plan.tasks
    baselines = {
        name: MajorityBaseline(training.sentences, training.tags[name], decoder.scheme)
        for name, decoder in plan.decoders.items()
    }
    validated = evaluate_split(tagger, validation, tasks, reference, "validation", baselines)
    tested = evaluate_split(tagger, plan.test, tasks, reference, "test", baselines) if plan.test else None
    limits = measure(tagger, training, validation, tasks)
    record = RunRecord(
        plan.config, plan.corpus, training, plan.held_out, fitted.history, True, validated, tested, limits
    )
    return replace(record, lessons=plan.lessons, unannotated=plan.unannotated)


def _reported(plan: Plan, tagger: Tagger) -> OpenSplit:
    """The split that the report of a run is on: test, or validation without it."""
    split, data = ("test", plan.test) if plan.test else ("validation", plan.validation)
    schemes = {name: decoder.scheme for name, decoder in plan.decoders.items()}
    metrics = {name: task.metrics for name, task in plan.tasks.items()}
    return OpenSplit(tagger, plan.corpus, split, plan.tasks, schemes, metrics, data)


def _offering(plan: Plan, pushes: RunPushes | None, folder: Path) -> Callable[[Fitted, Evaluation], None]:
    """A function that pushes the best tagger so far from a temporary folder, if the run pushes every epoch."""

    def offer(fitted: Fitted, found: Evaluation) -> None:
        if pushes and plan.config.push_every == "epoch":
            values = plan.config, plan.corpus, plan.training, plan.held_out, fitted.history, False, found
            record = RunRecord(*values, lessons=plan.lessons)
            place = folder / PUSHED / f"epoch-{record.epoch}"
            write_tagger(fitted.tagger, record, place, overwrite=True)
            pushes.offer(place, f"Epoch {record.epoch}: {_listed(found.headlines)} on validation")

    return offer


def _listed(headlines: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in headlines.items())


def _report(pushed: PushResult, output: Path, reporter: Reporter) -> None:
    if pushed.left_out:
        reporter.message(left_out_message(pushed.left_out))
    if pushed.failures:
        reporter.message(f"{len(pushed.failures)} of {pushed.done + len(pushed.failures)} pushes failed:")
        for failure in dict.fromkeys(pushed.failures):
            reporter.message(f"  {failure}")
    if pushed.commit is None:
        reporter.message(f"The tagger is not on the hub. Push it with: polytag push {output} {pushed.repository}")


def _work() -> None:
    """Run a worker that another process has started: its configuration is on standard input."""
    try:
        train(RunConfig.model_validate_json(config_from_chief()), quiet=True)
    except PolytagError as error:
        print(message_of(error), file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    _work()
