"""Print tables and JSON on stdout."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import typer

from polytag.encoding.json_values import without_infinities
from polytag.terminal import console, visible, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from polytag.corpus.convert import Conversion
    from polytag.evaluation.annotators import Agreement
    from polytag.evaluation.compare import Comparison
    from polytag.evaluation.results import Evaluation
    from polytag.plugin.metric import Scores
    from polytag.searching.learning_curve import LearningCurve


def print_json(value: Any) -> None:
    """Print a value as JSON; a number that JSON does not have is null."""
    typer.echo(json.dumps(without_infinities(value), indent=2, ensure_ascii=False, allow_nan=False))


def print_evaluation(evaluation: Evaluation) -> None:
    """Print a table per task and metric: every label, then the overall scores."""
    from rich.text import Text

    from polytag.evaluation.tables import CONFUSED, confusion_rows, headline_lines, scores_line, size_line

    shown = console()
    shown.print(f"\n{visible(size_line(evaluation))}", markup=False)
    for name, task in evaluation.tasks.items():
        for metric, scores in task.metrics.items():
            title = f"{name} ({metric})"
            table = _table(title, scores)
            # A metric without label scores and rates would make an empty table.
            line = Text.assemble((visible(title), "bold italic"), visible(f"  {scores_line(scores.overall)}"))
            shown.print(table if table.row_count else line)
        for said in map(visible, headline_lines(name, task)):
            text = wrapped(said, shown.width) if shown.is_terminal else said
            shown.print(text, markup=False, soft_wrap=True)
        if task.confusions:
            table = _titled(f"{name}: most frequent confusions")
            table.add_column(CONFUSED[0], justify="right")
            _fill(table, CONFUSED[1:], confusion_rows(task.confusions))
            shown.print(table)


def _table(title: str, scores: Scores) -> Any:
    from rich.text import Text

    from polytag.evaluation.tables import score_table

    found = score_table(scores)
    table = _titled(title)
    for number, name in enumerate(found.heads):
        table.add_column(Text(visible(name)), justify="left" if number == 0 or name == "counted" else "right")
    for row in found.labels:
        table.add_row(*(Text(visible(cell)) for cell in row))
    table.add_section()
    for row in found.overall:
        table.add_row(*(Text(visible(cell)) for cell in row))
    table.caption = Text(visible(found.others))
    table.caption_justify = "left"
    return table


def _titled(title: str) -> Any:
    from rich.table import Table
    from rich.text import Text

    return Table(title=Text(visible(title)), title_justify="left", title_style="bold")


def _fill(table: Any, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Add columns of text, and rows; a line end in a cell begins a line."""
    from rich.text import Text

    for head in heads:
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*(Text("\n".join(map(visible, cell.split("\n")))) for cell in row))


def print_comparison(comparison: Comparison) -> None:
    """Print for each task the scores, their difference and its significance, and the sentences that differ most."""
    from rich.table import Table
    from rich.text import Text

    from polytag.evaluation.tables import COMPARED, DIFFERING, comparison_rows, differing_sentences, size_line

    shown = console()
    shown.print(
        f"\n{visible(size_line(comparison))}\nA: {visible(comparison.a)}\nB: {visible(comparison.b)}\n", markup=False
    )
    table = Table()
    for number, head in enumerate(COMPARED):
        table.add_column(head, justify="left" if number < 2 else "right")
    for row in comparison_rows(comparison):
        table.add_row(*(Text(visible(cell)) for cell in row))
    shown.print(table)
    for name, task in comparison.tasks.items():
        shown.print(f"\n{visible(name)}: the tags of {task.differing:,} sentences differ", markup=False)
        for sentence in differing_sentences(task):
            shown.print(f"\n{visible(sentence.heading)}", markup=False)
            shown.print(visible(sentence.text), markup=False)
            table = Table()
            _fill(table, DIFFERING, sentence.words)
            shown.print(table)


def print_agreement(found: Agreement) -> None:
    """Print kappa and F1 of each column, the F1 of each type, and the first places with different tags."""
    from polytag.evaluation.tables import AGREED, DISAGREED, agreement_rows, disagreement_rows

    shown = console()
    shown.print(f"\n{found.words:,} words\nA: {visible(found.a)}\nB: {visible(found.b)}\n", markup=False)
    for name, column in found.columns.items():
        table = _titled(name)
        for number, head in enumerate(AGREED):
            table.add_column(head, justify="left" if number == 0 else "right")
        for row in agreement_rows(column):
            table.add_row(*map(visible, row))
        shown.print(table)
        shown.print(f"{visible(name)}: {column.differing:,} places differ", markup=False)
        if column.places:
            table = _titled("")
            _fill(table, DISAGREED, disagreement_rows(column))
            shown.print(table)


def say_losses(done: Conversion) -> None:
    """Print on stderr what a written corpus does not hold."""
    for message in done.messages:
        typer.echo(f"polytag: {visible(message)}", err=True)


def print_reading(done: Conversion) -> None:
    """Print the options that a written corpus has to be read with, if there are any."""
    if done.options:
        typer.echo(visible(f"The folder does not record everything; read it with {done.options}"))


def print_curve(curve: LearningCurve) -> None:
    """Print the scores of each point, and what more labels would bring."""
    from rich.table import Table

    shown = console()
    heads, rows = curve.table()
    table = Table()
    for head in heads:
        table.add_column(visible(head), justify="right")
    for row in rows:
        table.add_row(*map(visible, row))
    shown.print(table)
    for line in curve.outlook():
        shown.print(
            wrapped(visible(line), shown.width) if shown.is_terminal else visible(line), markup=False, soft_wrap=True
        )
