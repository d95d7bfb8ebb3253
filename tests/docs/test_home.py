"""The home page shows what the code computes, and figures that another page explains.

POLYTAG_UPDATE_DOCS=1 writes the marks into the page.
"""

import os
import re

from polytag import Tagger
from polytag.tagger.marks import marks_html
from support.pages import DOCS, agrees, pages

HOME = DOCS / "index.md"
_MARKS = re.compile(r"(?<=<!-- marks: )(?P<text>.+?) -->\n(?P<html>.*)\n")


def test_the_marks_are_those_of_a_tagger(joint_run):
    page = HOME.read_text(encoding="utf-8")
    shown = _MARKS.search(page)
    html = marks_html(Tagger.load(joint_run.output).tag(shown["text"]))
    if os.environ.get("POLYTAG_UPDATE_DOCS") == "1":
        page = page[: shown.start("html")] + html + page[shown.end("html") :]
        HOME.write_text(page, encoding="utf-8")
    assert agrees(_MARKS.search(page)["html"], html)


def test_every_figure_of_the_comparison_is_explained_on_another_page():
    text = HOME.read_text(encoding="utf-8").partition("## Compared")[2].partition("\n## ")[0]
    figures = re.findall(r"(?<= )\d[\d,.]*(?= \|)", text)
    others = [page.read_text(encoding="utf-8") for page in pages() if page != HOME]
    assert len(figures) == 14
    for figure in figures:
        assert any(re.search(rf"(?<![\d.,]){figure}0?(?![\d.,]*\d)", other) for other in others), figure
