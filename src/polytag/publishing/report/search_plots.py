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

_LOGARITHMIC = 30
"""A scale is logarithmic where the largest number is so many times the smallest."""


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


def by_option(index: int, name: str, trials: Sequence[Mapping[str, Any]]) -> str:
    """The score of complete trials by the value of an option.

    Args:
        index: Number of the diagram on its page.
        name: The option.
        trials: The trials.
    """
    complete = [(trial["options"][name], trial["score"]) for trial in trials if trial["score"] is not None]
    numeric = all(isinstance(value, int | float) and not isinstance(value, bool) for value, _ in complete)

    def draw(figure: Figure) -> None:
        axes: Axes = figure.subplots()
        values: list[Any] = [value if numeric else visible(str(value)) for value, _ in complete]
        axes.plot(values, [score for _, score in complete], "o", color=SERIES[0], markersize=4)
        if numeric and 0 < min(values) * _LOGARITHMIC <= max(values):
            axes.set_xscale("log")
        axes.set_title(f"score by {name}")
        axes.set_xlabel(name)

    return draw_svg(f"option-{index}", f"Score by {name}", 4.4, 3, draw)


def _whole_numbers(axes: Axes) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
