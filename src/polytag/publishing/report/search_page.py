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
            named scores on test, or None; and `fixed`, the options that all trials share.
        table: Heads and rows of the table of trials.
    """
    from markupsafe import Markup

    trials = figures["trials"]
    names = list(dict.fromkeys(name for trial in trials for name in trial["options"]))
    return (
        page_environment()
        .get_template("search.html")
        .render(
            figures=figures,
            best=trials[figures["best"]],
            curves=[Markup(search_plots.progress(trials)), Markup(search_plots.epochs(trials, figures["best"]))],
            scatters=[Markup(search_plots.by_option(index, name, trials)) for index, name in enumerate(names)],
            table=table,
            fixed=option_texts(figures["fixed"]),
            style=Markup(page_style()),
        )
    )
