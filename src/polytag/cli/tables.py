"""Tables and JSON on stdout."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import typer

from polytag.errors import PolytagError

if TYPE_CHECKING:
    from polytag.decoding import Decoding
    from polytag.evaluation import Evaluation
    from polytag.metrics import Scores

_COUNTS = {"support", "words"}


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def check_decoding(name: str | None) -> Decoding | None:
    """A decoding by name.

    Raises:
        PolytagError: There is none of that name.
    """
    if name not in (None, "viterbi", "argmax"):
        raise PolytagError(f"There is no decoding named {name!r}. Choose viterbi or argmax.")
    return cast("Decoding | None", name)


def print_evaluation(evaluation: Evaluation) -> None:
    """A table for each task and metric: every label, then the overall scores."""
    from rich.console import Console

    console = Console(highlight=False)
    console.print(
        f"\n{evaluation.corpus}, {evaluation.split}: {evaluation.sentences:,} sentences, {evaluation.words:,} words",
        markup=False,
    )
    for name, task in evaluation.tasks.items():
        for metric, scores in task.metrics.items():
            console.print(_table(f"{name} ({metric})", scores))
        if task.baseline is not None:
            console.print(
                f"{name} {task.headline} {task.score:.4f}; a per-word majority-tag baseline has {task.baseline:.4f}",
                markup=False,
            )


def _table(title: str, scores: Scores) -> Any:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", title_style="bold")
    names = list(next(iter(scores.per_label.values()), {}))
    table.add_column("label")
    for name in names:
        table.add_column(name, justify="right")
    for label, values in scores.per_label.items():
        table.add_row(Text(label), *(_format(name, values[name]) for name in names))
    table.add_section()
    shared = [name for name in names if name in scores.overall]
    if shared:
        table.add_row("overall", *(_format(name, scores.overall[name]) if name in shared else "" for name in names))
    rest = [f"{name} {_format(name, value)}" for name, value in scores.overall.items() if name not in shared]
    table.caption = "  ".join(rest)
    table.caption_justify = "left"
    return table


def _format(name: str, value: float) -> str:
    return f"{int(value):,}" if name in _COUNTS else f"{value:.4f}"
