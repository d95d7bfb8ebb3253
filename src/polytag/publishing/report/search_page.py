"""The page of a search, from its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from polytag.publishing.report import search_plots
from polytag.publishing.report.page import option_texts, page_environment, page_style


def search_page(figures: Mapping[str, Any], table: tuple[Sequence[str], Sequence[Sequence[str]]]) -> str:
    """The page as HTML. Nothing in the figures becomes markup or a program.

    Args:
        figures: `best`, the number of the best trial; `trials`, as `Trial.to_dict` gives them; `output`; `test`, the
            named scores on test, or None; `fixed`, the options that all trials share; and `ranges` of the others.
        table: Heads and rows of the table of trials.
    """
    from markupsafe import Markup

    trials = figures["trials"]
    best = trials[figures["best"]]
    chosen = {name: f"{value:.4g}" if isinstance(value, float) else value for name, value in best["options"].items()}
    return (
        page_environment()
        .get_template("search.html")
        .render(
            figures=figures,
            best=best,
            chosen=option_texts(chosen),
            curves=[Markup(search_plots.progress(trials)), Markup(search_plots.epochs(trials, figures["best"]))],
            scatters=[
                Markup(search_plots.by_option(index, name, values, trials))
                for index, (name, values) in enumerate(figures["ranges"].items())
            ],
            table=table,
            fixed=option_texts(figures["fixed"]),
            style=Markup(page_style()),
        )
    )
