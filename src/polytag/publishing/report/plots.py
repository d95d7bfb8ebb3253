"""The diagrams of a report, as SVG inside HTML."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import cycle
from typing import TYPE_CHECKING, Any

from polytag.evaluation.calibration import BINS
from polytag.evaluation.confidence import STEPS
from polytag.terminal import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_VARIABLES = {
    "#010101": "--ink",
    "#020202": "--muted",
    "#030303": "--line",
    "#040404": "--series-1",
    "#050505": "--series-2",
    "#060606": "--series-3",
    "#070707": "--series-4",
}
"""Colours to draw with, and the CSS variables that replace them, so that a diagram is light or dark as the page is."""
_INK, MUTED, _LINE, *SERIES = _VARIABLES
_DASHES = ("-", "--", ":", "-.")
"""Series differ also in print without colours."""

_SETTINGS: Any = {
    # Text stays text, and is never read as mathematics; ids follow from the content.
    "svg.fonttype": "none",
    "svg.hashsalt": "polytag",
    "text.parse_math": False,
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": _INK,
    "axes.titlesize": 11,
    "axes.titlecolor": _INK,
    "axes.titlelocation": "left",
    "axes.grid": True,
    "grid.color": _LINE,
    "grid.linewidth": 0.7,
    "axes.axisbelow": True,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": _INK,
    "ytick.labelcolor": _INK,
    "legend.frameon": False,
    "legend.labelcolor": _INK,
    "lines.linewidth": 1.8,
}


def loss_curve(history: Sequence[Mapping[str, Any]]) -> str:
    """The training loss of each epoch."""

    def draw(figure: Figure) -> None:
        axes: Axes = figure.subplots()
        losses = [epoch["loss"] for epoch in history]
        axes.plot([epoch["number"] for epoch in history], losses, color=SERIES[0], marker="o", markersize=3)
        axes.set_title("training loss")
        _mark_epochs(axes, history)

    return draw_svg("loss", "Training loss of each epoch", 4.4, 3, draw)


def score_curves(history: Sequence[Mapping[str, Any]]) -> str:
    """The scores on validation after each epoch."""
    names = list(dict.fromkeys(name for epoch in history for name in epoch["scores"]))

    def draw(figure: Figure) -> None:
        axes: Axes = figure.subplots()
        for name, colour, dash in zip(names, cycle(SERIES), cycle(_DASHES), strict=False):
            values = [epoch["scores"].get(name, float("nan")) for epoch in history]
            numbers = [epoch["number"] for epoch in history]
            axes.plot(numbers, values, dash, color=colour, marker="o", markersize=3, label=visible(name))
        axes.set_title("scores on validation")
        if names:
            axes.legend(loc="lower right")
        _mark_epochs(axes, history)

    return draw_svg("scores", "Scores on validation after each epoch", 4.4, 3, draw)


def _mark_epochs(axes: Axes, history: Sequence[Mapping[str, Any]]) -> None:
    """Name the axis of epochs, and mark the epoch whose weights the tagger has."""
    from matplotlib.ticker import MaxNLocator

    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if best := [epoch["number"] for epoch in history if epoch.get("best")]:
        axes.axvline(max(best), color=MUTED, linewidth=1, linestyle=":")


def reliability(name: str, title: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """The accuracy of words by their confidence, before and after calibration, above a histogram of confidence."""

    from matplotlib.ticker import NullLocator

    def draw(figure: Figure) -> None:
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2.2, 1))
        above.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=":")
        for bins, label, colour, dash in (
            (before, "before calibration", SERIES[1], "--"),
            (after, "after calibration", SERIES[0], "-"),
        ):
            points = [
                (sure / words, right / words)
                for words, right, sure in zip(bins["words"], bins["correct"], bins["confidence"], strict=True)
                if words
            ]
            above.plot(*zip(*points, strict=True), dash, color=colour, marker="o", markersize=4, label=label)
        above.set_ylabel("accuracy")
        above.set_ylim(0, 1.03)
        above.legend(loc="lower right")
        centres = [(index + 0.5) / BINS for index in range(BINS)]
        below.bar(centres, after["words"], width=0.86 / BINS, color=SERIES[0])
        below.set_yscale("log")
        below.yaxis.set_major_formatter("{x:,.0f}")
        below.yaxis.set_minor_locator(NullLocator())
        below.set_xlim(0, 1)
        below.set_ylabel("words")
        below.set_xlabel("confidence")

    return draw_svg(f"reliability-{name}", title, 4.4, 4.1, draw)


def thresholds(name: str, title: str, curve: Mapping[str, Any], option: str) -> str:
    """Precision and recall of the items that each threshold keeps, with the thresholds that reach a precision."""
    gold = max(curve["gold"], 1)
    steps = [step / STEPS for step in range(STEPS + 1)]
    kept = list(zip(steps, curve["correct"], curve["kept"], strict=True))

    def draw(figure: Figure) -> None:
        axes: Axes = figure.subplots()
        some = [(at, right / n) for at, right, n in kept if n]
        if some:
            axes.plot(*zip(*some, strict=True), "-", color=SERIES[0], label="precision")
        axes.plot(
            [at for at, *_ in kept], [right / gold for _, right, _ in kept], "--", color=SERIES[1], label="recall"
        )
        for found in curve["thresholds"]:
            if found["value"] is not None:
                axes.axvline(found["value"], color=MUTED, linewidth=1, linestyle=":")
                axes.plot(found["value"], found["precision"], "o", color=SERIES[0], markersize=5)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1.03)
        axes.set_xlabel(option)
        axes.legend(loc="lower left")

    return draw_svg(f"thresholds-{name}", title, 4.4, 4.1, draw)


def draw_svg(name: str, title: str, width: float, height: float, draw: Callable[[Figure], None]) -> str:
    """Draw an SVG element for a page of HTML.

    Args:
        name: What its ids begin with.
        title: What it shows, for those who cannot see it.
        width, height: Its size, in inches.
        draw: Draws on a figure.
    """
    import logging

    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    sink = io.StringIO()
    logger = logging.getLogger("matplotlib.font_manager")
    level = logger.level
    logger.setLevel(logging.ERROR)  # the font of the page is used, and not the one that is measured with
    try:
        with mpl.rc_context():
            mpl.rcParams.update(mpl.rcParamsDefault)  # whatever the user's settings are
            mpl.rcParams.update(_SETTINGS)
            figure = Figure(figsize=(width, height), layout="constrained")
            FigureCanvasSVG(figure)
            figure.patch.set_alpha(0)
            draw(figure)
            for axes in figure.axes:
                axes.patch.set_alpha(0)
            figure.savefig(sink, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    finally:
        logger.setLevel(level)
    return _inlined(sink.getvalue(), name, title)


def _inlined(svg: str, name: str, title: str) -> str:
    from html import escape

    svg = svg[svg.index("<svg") :]
    svg = re.sub(r'\s(xmlns(:\w+)?|version)="[^"]*"', "", svg, count=3)
    svg = re.sub(r'(\sid="|href="#|url\(#)', rf"\g<1>{name}-", svg)
    svg = re.sub(
        r"font: [\d.]+px [^;\"]*", lambda found: found[0].split("px")[0].replace("font", "font-size") + "px", svg
    )
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, f"var({variable})")
    svg = re.sub(r"^\s+", "", svg, flags=re.MULTILINE).replace(';"', '"')
    opening, _, rest = svg.partition(">")
    size = re.sub(r'\s(width|height)="[^"]*"', "", opening)
    return f'{size} role="img" aria-label="{escape(title)}">{rest}'
