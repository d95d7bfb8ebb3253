"""`polytag train`."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from polytag.cli.options import Json, Quiet
from polytag.errors import InterruptedRunError
from polytag.terminal import visible

ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="TOML file with options of the run; flags override it.")
]

EXAMPLE = "Example: `polytag train --task ner --corpus sample --output my-tagger --epochs 3`"


def train_cli(
    context: typer.Context,
    config: ConfigFile = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a tagger for one or several tasks.

    The options of a run can also be set in a TOML file (--config), with _ for -; --task-weight and --teacher-label
    are task_weights and teacher_labels there.
    """
    run_and_print(context.obj, config, as_json, quiet)


def run_and_print(options: Mapping[str, Any], config: Path | None, as_json: bool, quiet: bool) -> None:
    """Train, and print the scores.

    Args:
        options: The given options of the run, by name.
        config: TOML file with further options.
        as_json: Whether to print JSON.
        quiet: Whether to print no progress.

    Raises:
        InterruptedRunError: The run can be resumed; the message has the command.
    """
    from polytag.cli.tables import print_evaluation, print_json
    from polytag.runner import train
    from polytag.training.config import RunConfig

    try:
        result = train(RunConfig.from_sources(config, options), quiet=quiet)
    except InterruptedRunError as error:
        given = [argument for argument in sys.argv[1:] if argument != "--resume"]
        command = shlex.join(["polytag", *given, "--resume"])
        raise InterruptedRunError(f"{str(error).removesuffix('.')}: {command}") from None
    if as_json:
        print_json(result.to_dict())
        return
    for evaluation in (result.validation, result.test):
        if evaluation:
            print_evaluation(evaluation)
    typer.echo(
        f"\nEpoch {result.best_epoch} of {result.epochs} was best. The tagger is in {visible(str(result.output))} "
        f"({result.seconds:.0f} s).\nTag text with: polytag predict {visible(str(result.output))} FILE"
    )
    if result.push and result.push.commit:
        typer.echo(f"It is also on the hub: {result.push.commit}")
