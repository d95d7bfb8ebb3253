"""Search for the best options of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from polytag.errors import PolytagError
from polytag.files import expand_home
from polytag.searching.conductor import Conductor, SearchOptions
from polytag.searching.journal import open_journal
from polytag.searching.progress import Listener, default_listener
from polytag.searching.results import Search
from polytag.searching.runs import test_run, train_run
from polytag.searching.space import SearchSpace, read_space
from polytag.searching.workers import Job, Worker
from polytag.tagger.runtimes import require_extra
from polytag.training.config import RunConfig


def search(
    config: str | Path | Mapping[str, Any],
    output: str | Path | None = None,
    *,
    trials: int = 20,
    budget: float | None = None,
    workers: int = 1,
    seed: int = 0,
    repeats: int = 1,
    report: bool = False,
    listener: Listener | None = None,
    quiet: bool = False,
) -> Search:
    """Search for the best options of a run, with optuna; the extra `search` installs it.

    Each trial is a run in a process of its own, with options from a Tree-structured Parzen Estimator, and is stopped
    early if its score after an epoch is worse than the median of the trials before it. Trials are compared by their
    scores on validation; the best tagger alone is scored on test. The same call again continues an interrupted search.

    ```python
    if __name__ == "__main__":  # the processes of trials import this file
        found = polytag.search("search.toml", "found", trials=20)
        print(found.best.options)
    ```

    Args:
        config: A TOML file with options of a run, and a table `[search]` with ranges; or its content.
        output: Folder of the search; by default the output that the file names. Its trials are in `trials`.
        trials: Number of trials, with those before an interruption.
        budget: Seconds after which this call begins no trial; None for no limit.
        workers: Number of trials at a time. With more than one, the options of a trial depend on which trials have
            ended before, and so two searches can differ.
        seed: Seed of the choice of options; the seed of each run is an option of its own.
        repeats: Number of runs with different seeds of each of the three best configurations, which are then compared
            by their mean.
        report: Write `report.html` and `report.json` into the folder; needs the extra `report`.
        listener: Called with each event as plain data; by default, events are lines on stderr.
        quiet: Print nothing.

    Raises:
        PolytagError: The file is invalid, the folder has another search, an extra is not installed, or no trial ended
            well.
        InterruptedRunError: The search was interrupted from the keyboard.
    """
    require_extra("optuna", *(("matplotlib", "jinja2") if report else ()))
    space, named = read_space(config)
    folder = output if output is not None else named
    if folder is None:
        raise PolytagError("The search has no output folder. Name one with --output.")
    options = SearchOptions(trials, budget, workers, repeats)
    _check(options)
    folder = expand_home(folder)
    with default_listener(listener, quiet) as listening:
        return carry_out(space, folder, options, seed, listening, report=report)


def _check(options: SearchOptions) -> None:
    for name in ("trials", "workers", "repeats"):
        if getattr(options, name) < 1:
            raise PolytagError(f"--{name} is {getattr(options, name)}, and must be at least 1.")
    if options.budget is not None and options.budget <= 0:
        raise PolytagError(f"--budget is {options.budget:g} seconds, and must be above 0.")


def carry_out(
    space: SearchSpace,
    folder: Path,
    options: SearchOptions,
    seed: int = 0,
    listener: Listener = lambda event: None,
    *,
    report: bool = False,
    train: Job = train_run,
    test: Job = test_run,
    worker: Callable[[Job, RunConfig], Worker] = Worker,
) -> Search:
    """Search, with any way to train and to test.

    Args:
        space: The search space.
        folder: The folder of the search.
        options: How much it does.
        seed: Seed of the choice of options.
        listener: Called with each event.
        report: Whether to write a report.
        train: From the configuration of a run to its score on validation, in another process.
        test: From the configuration of a finished run to its scores on test, or None, in another process.
        worker: Starts a process with a job.
    """
    with open_journal(folder, space, seed) as journal:
        found = Conductor(space, folder, options, listener, journal, train, test, worker).run()
    if report:
        from polytag.searching.report import write_search_report

        write_search_report(found, space)
    listener({"event": "search", **found.to_dict()})
    return found
