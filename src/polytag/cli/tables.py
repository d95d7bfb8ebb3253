"""Print tables and JSON on stdout."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import typer

from polytag.encoding.json_values import without_infinities
from polytag.terminal import console, visible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from polytag.evaluation.compare import Comparison, TaskComparison
    from polytag.evaluation.results import Evaluation, TaskEvaluation
    from polytag.plugin.metric import Scores

_COUNTS = {"support", "words"}
_RATES = ("precision", "recall", "f1", "macro_f1")


def print_json(value: Any) -> None:
    """Print a value as JSON; a number that JSON does not have is null."""
    typer.echo(json.dumps(without_infinities(value), indent=2, ensure_ascii=False, allow_nan=False))


def print_evaluation(evaluation: Evaluation) -> None:
    """Print a table per task and metric: every label, then the overall scores."""
    shown = console()
    shown.print(
        f"\n{visible(evaluation.corpus)}, {evaluation.split}: {evaluation.sentences:,} sentences, "
        f"{evaluation.words:,} words",
        markup=False,
    )
    for name, task in evaluation.tasks.items():
        for metric, scores in task.metrics.items():
            table = _table(f"{name} ({metric})", scores)
            shown.print(table if table.row_count else _line(name, metric, scores))
        shown.print(_headline(name, task), markup=False, soft_wrap=True)
        if task.confusions:
            shown.print(_confusions(name, task))


def _line(name: str, metric: str, scores: Scores) -> Any:
    """One line for a metric without label scores and rates, which would make an empty table."""
    from rich.text import Text

    values = "  ".join(f"{key} {_format(key, value)}" for key, value in scores.overall.items())
    return Text.assemble((visible(f"{name} ({metric})"), "bold italic"), visible(f"  {values}"))


def _headline(name: str, task: TaskEvaluation) -> str:
    line = visible(f"{name} {task.headline} {task.score:.4f}")
    if task.interval is not None:
        line += f" (95% interval {task.interval[0]:.4f} to {task.interval[1]:.4f})"
    if task.baseline is not None:
        line += f"\na per-word majority-tag baseline has {task.baseline:.4f}"
    if task.calibration is not None:
        line += f"\ncalibration error {task.calibration.after:.4f} ({task.calibration.before:.4f} before calibration)"
    return line


def _confusions(name: str, task: TaskEvaluation) -> Any:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(visible(f"{name}: most frequent confusions")), title_justify="left", title_style="bold")
    table.add_column("count", justify="right")
    for column in ("gold", "predicted", "wrong", "example"):
        table.add_column(column, overflow="fold")
    for confusion in task.confusions:
        lines = [
            visible(f"{example.text}{f' -> [{example.predicted}]' if example.predicted else ''} ({example.location})")
            for example in confusion.examples
        ]
        row = (visible(confusion.gold), visible(confusion.predicted), confusion.kind, "\n".join(lines))
        table.add_row(f"{confusion.count:,}", *map(Text, row))
    return table


def _table(title: str, scores: Scores) -> Any:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(visible(title)), title_justify="left", title_style="bold")
    ways = _ways(scores)
    rates = [rate for rate in _RATES if any(f"{way}{rate}" in scores.overall for way in ways)] if ways != [""] else []
    names = [*rates, "support"] if rates else list(next(iter(scores.per_label.values()), {}))
    table.add_column("label")
    if rates:
        table.add_column("counted")
    for name in names:
        table.add_column(Text(visible(name)), justify="right")

    def add(label: str, values: Mapping[str, float]) -> None:
        for way in ways:
            cells = [values.get(f"{way}{name}", values.get(name)) for name in names]
            shown = ["" if value is None else _format(name, value) for name, value in zip(names, cells, strict=True)]
            first = way == ways[0]
            table.add_row(Text(visible(label) if first else ""), *([visible(way.rstrip("_"))] if rates else []), *shown)

    for label, values in scores.per_label.items():
        add(label, values)
    table.add_section()
    in_table = {f"{way}{name}" for way in ways for name in names} | (set(names) if rates else set())
    if in_table & scores.overall.keys():
        add("overall", scores.overall)
    rest = [f"{name} {_format(name, value)}" for name, value in scores.overall.items() if name not in in_table]
    table.caption = Text(visible("  ".join(rest)))
    table.caption_justify = "left"
    return table


def _ways(scores: Scores) -> list[str]:
    """Prefixes of scores such as `strict_f1` and `partial_f1`, with a row each; otherwise one empty prefix."""
    ways = dict.fromkeys(name.removesuffix("precision") for name in scores.overall if name.endswith("_precision"))
    return list(ways) or [""]


def _format(name: str, value: float) -> str:
    return f"{int(value):,}" if name in _COUNTS or isinstance(value, int) else f"{value:.4f}"


def print_comparison(comparison: Comparison) -> None:
    """Print for each task the scores, their difference and its significance, and the sentences that differ most."""
    from rich.table import Table
    from rich.text import Text

    shown = console()
    shown.print(
        f"\n{visible(comparison.corpus)}, {comparison.split}: {comparison.sentences:,} sentences, "
        f"{comparison.words:,} words\nA: {visible(comparison.a)}\nB: {visible(comparison.b)}\n",
        markup=False,
    )
    table = Table()
    for column in ("task", "score"):
        table.add_column(column)
    for column in ("A", "B", "B - A", "95% interval", "p value"):
        table.add_column(column, justify="right")
    for name, task in comparison.tasks.items():
        low_high = "" if task.interval is None else "{:+.4f} to {:+.4f}".format(*task.interval)
        p = "" if task.p is None else f"{task.p:.4f}"
        cells = (f"{task.a:.4f}", f"{task.b:.4f}", f"{task.difference:+.4f}", low_high, p)
        table.add_row(Text(visible(name)), Text(visible(task.headline)), *cells)
    shown.print(table)
    for name, task in comparison.tasks.items():
        _print_sentences(shown, name, task)


def _print_sentences(shown: Any, name: str, task: TaskComparison) -> None:
    from rich.table import Table
    from rich.text import Text

    shown.print(f"\n{visible(name)}: the tags of {task.differing:,} sentences differ", markup=False)
    for sentence in task.sentences:
        wrong_a, wrong_b = sentence.wrong
        shown.print(f"\n{visible(sentence.location)}: A has {wrong_a} tags wrong, B {wrong_b}", markup=False)
        shown.print(visible(" ".join(sentence.words)), markup=False)
        table = Table()
        for column in ("word", "gold", "A", "B"):
            table.add_column(column, overflow="fold")
        for row in zip(sentence.words, sentence.gold, sentence.a, sentence.b, strict=True):
            if row[2] != row[3]:
                table.add_row(*(Text(visible(cell)) for cell in row))
        shown.print(table)
