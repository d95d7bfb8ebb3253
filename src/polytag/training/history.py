"""The history of a run: its epochs, as a table and as curves."""

from __future__ import annotations

import base64
import importlib.util
import io
from typing import TYPE_CHECKING

from polytag.plugin.reporter import Epoch, best_epoch
from polytag.terminal import html_table

if TYPE_CHECKING:
    from collections.abc import Sequence


class History(tuple[Epoch, ...]):
    """The epochs of a run, in order; a notebook shows them as curves and as a table."""

    __slots__ = ()

    def __repr__(self) -> str:
        best = best_epoch(self)
        scores = self[best - 1].scores if best else {}
        shown = ", ".join(f"{name} {value:.4f}" for name, value in scores.items())
        number = f"{len(self)} epoch{'s' * (len(self) != 1)}"
        return f"History({number}, best {best}: {shown})" if best else f"History({number})"

    def _repr_html_(self) -> str:
        """The curves, if matplotlib is installed, and the table, for notebooks."""
        drawn = importlib.util.find_spec("matplotlib") is not None and len(self) > 1
        return (curves(self) if drawn else "") + epochs_html(self)


def epochs_html(epochs: Sequence[Epoch]) -> str:
    """A table with a row for each epoch."""
    names = list(dict.fromkeys(name for epoch in epochs for name in epoch.scores))
    rows = [
        (
            f"{epoch.number}{' (best)' if epoch.number == best_epoch(epochs) else ''}",
            f"{epoch.loss:.4f}",
            *(f"{epoch.scores[name]:.4f}" if name in epoch.scores else "" for name in names),
            f"{epoch.seconds:.1f}",
            f"{epoch.units_per_second:,.0f}",
        )
        for epoch in epochs
    ]
    unit = epochs[0].unit if epochs else "unit"
    return html_table(("epoch", "loss", *names, "seconds", f"{unit}s/s"), rows)


def curves(epochs: Sequence[Epoch]) -> str:
    """The loss and the validation scores of each epoch, as an HTML image; the same epochs give the same text.

    Raises:
        ImportError: matplotlib is not installed.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    numbers = [epoch.number for epoch in epochs]
    with mpl.rc_context({"svg.hashsalt": "polytag", "svg.fonttype": "none"}):
        figure = Figure(figsize=(7, 2.4), layout="constrained")
        loss, scores = figure.subplots(1, 2)
        loss.plot(numbers, [epoch.loss for epoch in epochs], marker="o", markersize=3)
        loss.set(xlabel="epoch", ylabel="training loss")
        for name in dict.fromkeys(name for epoch in epochs for name in epoch.scores):
            values = [epoch.scores.get(name, float("nan")) for epoch in epochs]
            scores.plot(numbers, values, marker="o", markersize=3, label=name)
        scores.set(xlabel="epoch", ylabel="validation")
        scores.legend(frameon=False)
        for axes in (loss, scores):
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        written = io.BytesIO()
        figure.savefig(written, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    # As an image, because the styles and names in an SVG that is part of a page apply to the whole page.
    source = base64.b64encode(written.getvalue()).decode("ascii")
    return f'<img alt="Loss and scores by epoch" src="data:image/svg+xml;base64,{source}">'
