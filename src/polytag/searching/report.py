"""Write the report of a search: one HTML file, and its figures as JSON."""

from __future__ import annotations

from polytag.files import new_file
from polytag.publishing.report.report import REPORT, json_text, report_files
from polytag.publishing.report.search_page import search_page
from polytag.searching.results import Search, trial_table
from polytag.searching.space import SearchSpace


def write_search_report(found: Search, space: SearchSpace) -> None:
    """Write the report of a search into its folder.

    Args:
        found: The search.
        space: Its search space.

    Raises:
        PolytagError: A file cannot be written.
    """
    figures = {**found.to_dict(), "fixed": dict(space.fixed), "ranges": space.plain_ranges}
    page, data = report_files(found.output / REPORT)
    with new_file(page) as page_sink, new_file(data) as data_sink:
        page_sink.write(search_page(figures, trial_table(found.trials, found.best)))
        data_sink.write(json_text(figures, indent=1))
