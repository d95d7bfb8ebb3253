"""The gallery's page on real text shows what `tests/benchmarks/gallery.py` recorded, as polytag renders it now.

POLYTAG_UPDATE_DOCS=1 writes the page and its pictures.
"""

import os
import re

import pytest

from support.gallery import FOLDER, PAGE, parts, passages, pictures, recorded, shown_parts, with_parts
from support.pages import svg_text

RECORD = recorded()
PARTS = parts(RECORD)


def test_the_page_has_the_marks_that_polytag_makes():
    page = PAGE.read_text(encoding="utf-8")
    if os.environ.get("POLYTAG_UPDATE_DOCS") == "1":
        page = with_parts(page, PARTS)
        PAGE.write_text(page, encoding="utf-8")
    assert shown_parts(page) == PARTS


@pytest.mark.parametrize("passage", passages(), ids=lambda passage: passage["name"])
def test_a_passage_is_whole_and_its_source_is_named(passage):
    assert RECORD["texts"][passage["name"]] == passage["text"]
    html = re.sub(r'<span class="polytag-(task|tag|label)[^"]*">.*?</span>', "", PARTS[passage["name"]])
    rows = re.findall(r'<div class="polytag-text.*?</div>', html)
    assert len(rows) == len(passage["rows"])
    for row in rows:
        text = re.sub(r"<[^>]*>", "", row).replace("&quot;", '"').replace("&#x27;", "'")
        assert text == passage["text"]
    page = " ".join(PAGE.read_text(encoding="utf-8").split())
    assert passage["source"] in page


def test_the_pictures_are_diagrams_of_a_report():
    for name, picture in pictures(RECORD).items():
        if os.environ.get("POLYTAG_UPDATE_DOCS") == "1":
            (FOLDER / name).write_text(picture, encoding="utf-8")
        saved = (FOLDER / name).read_text(encoding="utf-8")
        assert svg_text(saved) == svg_text(picture)


def test_assets_are_small():
    for path in FOLDER.glob("real-text*"):
        assert path.stat().st_size < 60_000, path
