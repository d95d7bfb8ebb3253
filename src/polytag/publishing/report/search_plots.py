"""The diagrams of the report of a search."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from polytag.publishing.report.plots import MUTED, SERIES, draw_svg
from polytag.terminal import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


_WIDE = 50
"""A logarithmic range, its high end over its low end, from which powers of ten alone are marked."""


def progress(trials: Sequence[Mapping[str, Any]]) -> str:
    """The score of each trial, and the best so far."""
    complete = [(trial["number"], trial["score"]) for trial in trials if trial["score"] is not None]

    def draw(figure: Figure) -> None:
        axes: Axes = figure.subplots()
        numbers, scores = zip(*complete, strict=True)
        axes.plot(numbers, list(itertools.accumulate(scores, max)), "-", color=SERIES[0], drawstyle="steps-post")
        axes.plot(numbers, scores, "o", color=SERIES[1], markersize=4)
        axes.set_title("score of each trial, and the best so far")
        axes.set_xlabel("trial")
        _whole_numbers(axes)

    return draw_svg("progress", "Score of each trial, and the best so far", 4.4, 3, draw)


def epochs(trials: Sequence[Mapping[str, Any]], best: int) -> str:
    """The score of each trial after each epoch: the best one in colour, those that were stopped early dashed."""

    def draw(figure: Figure) -> None:
        axes: Axes = figure.subplots()
        for trial in sorted(trials, key=lambda one: one["number"] == best):
            if not trial["epochs"]:
                continue
            is_best = trial["number"] == best
            axes.plot(
                [int(number) for number in trial["epochs"]],
                list(trial["epochs"].values()),
                "--" if trial["state"] == "pruned" else "-",
                color=SERIES[0] if is_best else MUTED,
                linewidth=2 if is_best else 1,
                marker="o",
                markersize=3,
            )
        axes.set_title("score after each epoch")
        axes.set_xlabel("epoch")
        _whole_numbers(axes)

    return draw_svg("epochs", "Score of each trial after each epoch", 4.4, 3, draw)


def by_option(index: int, name: str, values: Any, trials: Sequence[Mapping[str, Any]]) -> str:
    """The score of complete trials by the value of an option.

    Args:
        index: Number of the diagram on its page.
        name: The option.
        values: Its range as in the file of the search: a table with `log`, or a list.
        trials: The trials.
    """
    from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

    complete = [(trial["options"][name], trial["score"]) for trial in trials if trial["score"] is not None]
    is_range = isinstance(values, Mapping)
    labels = [visible(str(value)) for value in values]

    def draw(figure: Figure) -> None:
        axes: Axes = figure.subplots()
        at = [value if is_range else labels.index(visible(str(value))) for value, _ in complete]
        axes.plot(at, [score for _, score in complete], "o", color=SERIES[0], markersize=4)
        if is_range and values["log"]:
            axes.set_xscale("log")
            is_wide = values["low"] * _WIDE <= values["high"]
            axes.xaxis.set_major_locator(LogLocator(subs=(1,) if is_wide else (1, 2, 5)))
            axes.xaxis.set_major_formatter("{x:g}")
            axes.xaxis.set_minor_formatter(NullFormatter())
            axes.set_xlim(values["low"] / 1.1, values["high"] * 1.1)
        elif is_range:
            axes.xaxis.set_major_locator(MaxNLocator(5))
        else:
            axes.set_xticks(range(len(labels)), labels)
            axes.set_xlim(-0.5, len(labels) - 0.5)
        axes.set_title(f"score by {name}")
        axes.set_xlabel(name)

    return draw_svg(f"option-{index}", f"Score by {name}", 4.4, 3, draw)


def _whole_numbers(axes: Axes) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
