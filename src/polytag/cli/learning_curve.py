"""`polytag learning-curve`."""

from __future__ import annotations

from typing import Annotated

import typer

from polytag.cli.options import Json, Quiet
from polytag.cli.train import ConfigFile
from polytag.errors import PolytagError

EXAMPLE = "Example: `polytag learning-curve --task ner --corpus sample --output my-curve`"


def learning_curve_cli(
    context: typer.Context,
    shares: Annotated[
        str, typer.Option(help="Shares of the training split, in percent.", metavar="<list>")
    ] = "25,50,75,100",
    config: ConfigFile = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train on parts of a corpus, and say what more labels would bring.

    Prints the scores for each share of the training split with their 95% intervals, and the score that a power law
    expects from twice as many labels. The same command again continues an interrupted curve.
    """
    from polytag.cli.tables import print_curve, print_json
    from polytag.searching.learning_curve import learning_curve
    from polytag.training.config import RunConfig

    try:
        parts = [float(share.strip().removesuffix("%")) / 100 for share in shares.split(",")]
    except ValueError:
        raise PolytagError(f"--shares {shares!r} is no list of percentages. Write it as in 25,50,75,100.") from None
    curve = learning_curve(RunConfig.from_sources(config, context.obj), shares=parts, quiet=quiet)
    if as_json:
        print_json(curve.to_dict())
    else:
        print_curve(curve)
