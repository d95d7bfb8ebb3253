"""`polytag search`."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from polytag.cli.options import Quiet
from polytag.errors import InterruptedRunError, PolytagError
from polytag.terminal import visible

if TYPE_CHECKING:
    from polytag.searching.results import Search

_UNLIMITED = 10_000
_UNITS = {"h": 3600, "m": 60, "s": 1}


def search_cli(
    config: Annotated[
        Path, typer.Argument(help="TOML file with options of a run, and a table `search` with the ranges of others.")
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder of the search.", show_default="output in the file"),
    ] = None,
    trials: Annotated[int, typer.Option(help="Number of trials, with those before an interruption.")] = 20,
    budget: Annotated[
        str | None,
        typer.Option(
            help="Time after which no trial begins, such as 2h, 90m or 1h30m; running ones end.", show_default="none"
        ),
    ] = None,
    workers: Annotated[
        int, typer.Option(help="Trials at a time, each in a process; with several, their order changes results.")
    ] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the choice of options.")] = 0,
    repeats: Annotated[
        int,
        typer.Option(
            help="Runs with different seeds of each of the three best configurations, compared by their mean."
        ),
    ] = 1,
    report: Annotated[bool, typer.Option("--report", help="Write report.html into the folder, with curves.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print events as lines of JSON on stdout.")] = False,
    quiet: Quiet = False,
) -> None:
    """Search for the best options of a run.

    Trials are compared by their scores on validation, and stopped early if they are worse than the median. The best
    tagger is scored on test. The same command again continues an interrupted search. It needs the extra `search`.
    """
    from polytag.searching.search import search

    def print_event(event: Mapping[str, Any]) -> None:
        from polytag.encoding.json_values import without_infinities

        typer.echo(json.dumps(without_infinities(dict(event)), ensure_ascii=False, allow_nan=False))
        sys.stdout.flush()

    try:
        found = search(
            config,
            output,
            trials=trials,
            budget=None if budget is None else seconds_of(budget),
            workers=workers,
            seed=seed,
            repeats=repeats,
            report=report,
            listener=print_event if as_json else None,
            quiet=quiet or as_json,
        )
    except InterruptedRunError as error:
        command = shlex.join(["polytag", *sys.argv[1:]])
        raise InterruptedRunError(f"{str(error).removesuffix('.')}: {command}") from None
    if not as_json:
        _print(found, report)


def seconds_of(duration: str) -> float:
    """The seconds of a duration such as `1h30m`.

    Raises:
        PolytagError: It is no duration.
    """
    parts = re.findall(r"(\d+(?:\.\d+)?)([hms])", duration)
    if not parts or "".join(map("".join, parts)) != duration:
        raise PolytagError(f"--budget {duration!r} is no duration. Write it as in 2h, 90m, 45s or 1h30m.")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def _print(found: Search, report: bool) -> None:
    from rich.table import Table
    from rich.text import Text

    from polytag.searching.results import summary, trial_table
    from polytag.terminal import console

    heads, rows = trial_table(found.trials, found.best)
    table = Table()
    for head, cells in zip(heads, zip(*rows, strict=True), strict=True):
        justify: Any = "left" if head in ("trial", "state") else "right"
        table.add_column(Text(visible(head)), justify=justify, overflow="fold", min_width=max(map(len, cells)))
    for row in rows:
        table.add_row(*(Text(visible(cell)) for cell in row))
    shown = console()
    if not shown.is_terminal:
        shown = console(width=_UNLIMITED)  # a file keeps each trial on one line
    shown.print(table)
    typer.echo(f"\nThe best is trial {found.best.number} on validation: {visible(summary(found.best))}")
    if found.test is not None:
        scores = ", ".join(f"{name} {value:.4f}" for name, value in found.test.items())
        typer.echo(f"Its tagger on test: {visible(scores)}")
    typer.echo(
        f"The tagger is in {visible(str(found.best.output))}, its configuration in {visible(str(found.config))}."
    )
    if report:
        typer.echo(f"The report is in {visible(str(found.output / 'report.html'))}.")
