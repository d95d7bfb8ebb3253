"""`polytag distil`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from polytag.cli.options import Json, Quiet, RunCommand
from polytag.cli.train import ConfigFile, run_and_print

EXAMPLE = (
    "Example: `polytag distil my-tagger --texts news.txt --corpus sample --encoder compact --output my-small-tagger`"
)


class DistilCommand(RunCommand):
    """The command: its teachers are arguments, and not options."""

    def get_params(self, ctx: Any) -> Any:
        """The options of a run but `--teacher`, then the command's own."""
        return [param for param in super().get_params(ctx) if param.name != "teacher"]


def distil_cli(
    context: typer.Context,
    teachers: Annotated[
        list[str], typer.Argument(metavar="TEACHER", help="Taggers to learn from: folders or hub names.")
    ],
    config: ConfigFile = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a tagger on what better ones say of a corpus and of text without labels.

    It is `polytag train --teacher TEACHER`. Without --task, the tasks of the teachers are trained.
    """
    run_and_print({**context.obj, "teacher": teachers}, config, as_json, quiet)
