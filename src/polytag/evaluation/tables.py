"""Scores and comparisons as the cells of tables, for terminals and notebooks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from polytag.terminal import html_table, html_text, visible

if TYPE_CHECKING:
    from polytag.evaluation.annotators import ColumnAgreement
    from polytag.evaluation.compare import Comparison, TaskComparison
    from polytag.evaluation.mistakes import Confusion
    from polytag.evaluation.results import Evaluation, TaskEvaluation
    from polytag.plugin.metric import Scores

_COUNTS = {"support", "words"}
_RATES = ("precision", "recall", "f1", "macro_f1")

COMPARED = ("task", "score", "A", "B", "B - A", "95% interval", "p value")
"""The headings of `comparison_rows`."""
CONFUSED = ("count", "gold", "predicted", "wrong", "example")
"""The headings of `confusion_rows`."""
DIFFERING = ("word", "gold", "A", "B")
"""The headings of the rows of `differing_words`."""

AGREED = ("type", "A", "B", "both", "kappa", "f1")
"""The headings of `agreement_rows`."""
DISAGREED = ("place", "words", "A", "B")
"""The headings of `disagreement_rows`."""

Row = tuple[str, ...]


class ScoreTable(NamedTuple):
    """The scores of one metric.

    Attributes:
        heads: The headings.
        labels: The rows of the labels; several each if spans are counted in several ways.
        overall: The rows of the overall scores.
        others: The overall scores that fit no column: `macro_f1 0.9000  words 89`.
    """

    heads: Row
    labels: list[Row]
    overall: list[Row]
    others: str


def score_table(scores: Scores) -> ScoreTable:
    """The scores of one metric as a table: every label, then the overall scores."""
    ways = _ways(scores)
    rates = [rate for rate in _RATES if any(f"{way}{rate}" in scores.overall for way in ways)] if ways != [""] else []
    names = [*rates, "support"] if rates else list(next(iter(scores.per_label.values()), {}))

    def rows(label: str, values: Mapping[str, float]) -> Iterator[Row]:
        for way in ways:
            cells = [values.get(f"{way}{name}", values.get(name)) for name in names]
            pairs = zip(names, cells, strict=True)
            shown = ["" if value is None else format_score(name, value) for name, value in pairs]
            yield (label if way == ways[0] else "", *([way.rstrip("_")] if rates else []), *shown)

    in_table = {f"{way}{name}" for way in ways for name in names} | (set(names) if rates else set())
    rest = {name: value for name, value in scores.overall.items() if name not in in_table}
    return ScoreTable(
        ("label", *(["counted"] if rates else []), *names),
        [row for label, values in scores.per_label.items() for row in rows(label, values)],
        list(rows("overall", scores.overall)) if in_table & scores.overall.keys() else [],
        scores_line(rest),
    )


def scores_line(scores: Mapping[str, float]) -> str:
    """Scores in one line: `accuracy 0.9500  words 89`."""
    return "  ".join(f"{name} {format_score(name, value)}" for name, value in scores.items())


def _ways(scores: Scores) -> list[str]:
    """Prefixes of scores such as `strict_f1` and `partial_f1`, with a row each; otherwise one empty prefix."""
    ways = dict.fromkeys(name.removesuffix("precision") for name in scores.overall if name.endswith("_precision"))
    return list(ways) or [""]


def format_score(name: str, value: float) -> str:
    """A count as an integer, a rate with four digits."""
    return f"{int(value):,}" if name in _COUNTS or isinstance(value, int) else f"{value:.4f}"


def size_line(found: Evaluation | Comparison) -> str:
    """Corpus, split and size, in one line."""
    return f"{found.corpus}, {found.split}: {found.sentences:,} sentences, {found.words:,} words"


def headline_lines(name: str, task: TaskEvaluation) -> list[str]:
    """The headline score of a task with its interval, its baseline and its calibration error, where these are known."""
    lines = [f"{name} {task.headline} {task.score:.4f}"]
    if task.interval is not None:
        lines[0] += f" (95% interval {task.interval[0]:.4f} to {task.interval[1]:.4f})"
    if task.baseline is not None:
        lines.append(f"a per-word majority-tag baseline has {task.baseline:.4f}")
    if task.calibration is not None:
        before, after = task.calibration.before, task.calibration.after
        lines.append(f"calibration error {after:.4f} ({before:.4f} before calibration)")
    return lines


def confusion_rows(confusions: Iterable[Confusion]) -> Iterator[Row]:
    """The most frequent confusions, each with its examples in lines of one cell."""
    for confusion in confusions:
        lines = [
            visible(f"{example.text}{f' -> [{example.predicted}]' if example.predicted else ''} ({example.location})")
            for example in confusion.examples
        ]
        gold, predicted = visible(confusion.gold), visible(confusion.predicted)
        yield (f"{confusion.count:,}", gold, predicted, confusion.kind, "\n".join(lines))


def comparison_rows(comparison: Comparison) -> Iterator[Row]:
    """The scores of each task, their difference, and its significance."""
    for name, task in comparison.tasks.items():
        low_high = "" if task.interval is None else "{:+.4f} to {:+.4f}".format(*task.interval)
        p = "" if task.p is None else f"{task.p:.4f}"
        yield (name, task.headline, f"{task.a:.4f}", f"{task.b:.4f}", f"{task.difference:+.4f}", low_high, p)


class DifferingSentence(NamedTuple):
    """A sentence that two systems tag differently: its place, its text, and the words with different tags."""

    heading: str
    text: str
    words: list[Row]


def differing_sentences(task: TaskComparison) -> Iterator[DifferingSentence]:
    """The sentences that differ most."""
    for each in task.sentences:
        heading = f"{each.location}: A has {each.wrong[0]} tags wrong, B {each.wrong[1]}"
        rows = zip(each.words, each.gold, each.a, each.b, strict=True)
        yield DifferingSentence(heading, " ".join(each.words), [row for row in rows if row[2] != row[3]])


def agreement_rows(column: ColumnAgreement) -> Iterator[Row]:
    """The agreement on all words of a column, and on each type of span or tag."""
    yield ("all", "", "", f"{column.same:.2%} of words", _known(column.kappa), _known(column.f1))
    for name, found in column.types.items():
        yield (name, f"{found.a:,}", f"{found.b:,}", f"{found.both:,}", _known(found.kappa), _known(found.f1))


def _known(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def disagreement_rows(column: ColumnAgreement) -> Iterator[Row]:
    """The first places that two annotators tag differently."""
    yield from column.places


def evaluation_html(evaluation: Evaluation) -> str:
    """An evaluation for notebooks."""
    parts = [html_text(size_line(evaluation))]
    for name, task in evaluation.tasks.items():
        for metric, scores in task.metrics.items():
            table, title = score_table(scores), f"{name} ({metric})"
            if rows := [*table.labels, *table.overall]:
                parts += [html_table(table.heads, rows, title), html_text(table.others)]
            else:
                parts.append(html_text(f"{title}  {scores_line(scores.overall)}"))
        parts += map(html_text, headline_lines(name, task))
        if task.confusions:
            parts.append(html_table(CONFUSED, confusion_rows(task.confusions), f"{name}: most frequent confusions"))
    return "".join(parts)


def comparison_html(comparison: Comparison) -> str:
    """A comparison for notebooks."""
    lines = (size_line(comparison), f"A: {comparison.a}", f"B: {comparison.b}")
    parts = [*map(html_text, lines), html_table(COMPARED, comparison_rows(comparison))]
    for name, task in comparison.tasks.items():
        parts.append(html_text(f"{name}: the tags of {task.differing:,} sentences differ"))
        for sentence in differing_sentences(task):
            parts += [html_text(sentence.heading), html_text(sentence.text), html_table(DIFFERING, sentence.words)]
    return "".join(parts)
