"""The page docs/tutorial/gallery/real-text.md, from what taggers and a report gave.

`tests/benchmarks/gallery.py` trains, tags and reports, and writes `real-text.json`. The marks, the matrix and the
pictures of the page are made from that here, without a tagger.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from polytag.publishing.report import plots
from polytag.tagger.marks import colours, marks_html, stylesheet
from polytag.tagger.results import TaggedSpan, TaggedText
from support.pages import DOCS

FOLDER = DOCS / "tutorial/gallery"
PAGE = FOLDER / "real-text.md"
PASSAGES = FOLDER / "passages.jsonl"
RECORD = FOLDER / "real-text.json"

_PART = re.compile(r"(<!-- made: (?P<name>[\w-]+) -->\n)(?P<content>.*?)\n?(<!-- end -->)", re.DOTALL)
_DARK = re.compile(r"@media \(prefers-color-scheme: dark\) \{\n(.*?)\n\}\n", re.DOTALL)
_WIDTH = 460

_OWN = """
.md-typeset .polytag {
  margin: 0.8em 0; padding: 0.5em 0 0.5em 0.9em;
  border-inline-start: 3px solid color-mix(in srgb, currentColor 25%, transparent);
}
.md-typeset .polytag-task { flex-basis: 5.2em; }
.md-typeset .matrix {
  --hit: 36 86 197; --miss: 214 69 48;
  border-collapse: collapse; font-variant-numeric: tabular-nums;
}
[data-md-color-scheme=slate] .md-typeset .matrix { --hit: 106 150 255; --miss: 255 120 98; }
.md-typeset .matrix th, .md-typeset .matrix td {
  padding: 0.3em 0.55em; border: 1px solid color-mix(in srgb, currentColor 25%, transparent);
  text-align: center; white-space: nowrap;
}
.md-typeset .matrix .right { background: rgb(var(--hit) / calc(0.38 * var(--share))); }
.md-typeset .matrix .wrong { background: rgb(var(--miss) / calc(2.2 * min(var(--share), 0.25))); }
.md-typeset .matrix-scroll { overflow-x: auto; margin: 1em 0; }
"""
"""Passages stand out from the text, and the matrix has the colours that it has in a report."""

_INK = """<style>
:root {
  --ink: #1b1f27; --muted: #596273; --line: #dde1e8;
  --series-1: #2456c5; --series-2: #b4480c; --series-3: #0a7a5a; --series-4: #8a2f9e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e7eaf0; --muted: #a3acbb; --line: #4a5262;
    --series-1: #8fb3ff; --series-2: #ffab73; --series-3: #6fdcb4; --series-4: #e0a0f2;
  }
}
text { font-family: system-ui, sans-serif; }
</style>
"""
"""The colours of a report. Browsers show a picture as light or dark as the page that it is in."""


def recorded() -> dict[str, Any]:
    """What `tests/benchmarks/gallery.py` wrote."""
    found: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8"))
    return found


def passages() -> list[dict[str, Any]]:
    """The texts to tag, each with its source and the rows to show: a tagger and one of its tasks."""
    return [json.loads(line) for line in PASSAGES.read_text(encoding="utf-8").splitlines()]


def parts(record: Mapping[str, Any]) -> dict[str, str]:
    """The pieces of HTML on the page, by name."""
    numbers = _numbers(record)
    made = {"style": f"<style>\n{page_style()}</style>", "matrix": record["matrix"]}
    for passage in passages():
        made[passage["name"]] = marks_html(_tagged(passage, record["rows"][passage["name"]]), numbers)
    return made


def shown_parts(page: str) -> dict[str, str]:
    """The pieces of HTML that a page shows, by name."""
    return {match["name"]: match["content"] for match in _PART.finditer(page)}


def with_parts(page: str, made: Mapping[str, str]) -> str:
    """A page with other pieces of HTML."""
    return _PART.sub(lambda match: f"{match[1]}{made[match['name']]}\n{match[4]}", page)


def pictures(record: Mapping[str, Any]) -> dict[str, str]:
    """The pictures of the page as SVG, by file name: diagrams of a report."""
    before, after = record["confidence"]["before"], record["confidence"]["after"]
    return {
        "real-text-curves.svg": _file(plots.score_curves(record["history"])),
        "real-text-reliability.svg": _file(plots.reliability("ner", "Reliability diagram: ner", before, after)),
    }


def page_style() -> str:
    """The CSS of marks and matrix: below the theme's own class, and dark if the theme is, whatever the system is."""
    css = stylesheet()
    (dark,) = _DARK.findall(css)
    rules = _DARK.sub("", css) + re.sub(r"^ +(?=\.)", "[data-md-color-scheme=slate] ", dark, flags=re.MULTILINE) + "\n"
    return re.sub(r"^( *|\[.*?\] )(?=\.polytag)", r"\1.md-typeset ", rules, flags=re.MULTILINE).rstrip("\n") + _OWN


def _numbers(record: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """The colours of the labels of all rows with one name."""
    labels: dict[str, set[str]] = {}
    for rows in record["rows"].values():
        for name, row in rows.items():
            labels.setdefault(name, set()).update(item[2] for item in row["items"])
    return {name: colours(found) for name, found in labels.items()}


def _tagged(passage: Mapping[str, Any], rows: Mapping[str, Any]) -> TaggedText:
    text = passage["text"]
    spans: list[TaggedSpan] = []
    offsets: list[tuple[int, int]] = []
    tags: dict[str, list[str]] = {}
    scores: dict[str, list[float]] = {}
    for name, row in rows.items():
        tags[name], scores[name] = [], []
        if row["spans"]:
            spans += [TaggedSpan(name, label, score, text[a:b], a, b) for a, b, label, score in row["items"]]
        else:
            offsets = [(a, b) for a, b, _, _ in row["items"]]
            tags[name] = [tag for _, _, tag, _ in row["items"]]
            scores[name] = [score for _, _, _, score in row["items"]]
    return TaggedText(text, spans, [text[a:b] for a, b in offsets], offsets, [0], tags, scores)


def _file(svg: str) -> str:
    """A diagram for a page of HTML as a file of its own."""
    names = f'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="{_WIDTH}"'
    opening, _, rest = svg.removeprefix("<svg").partition(">")
    return f"<svg {names}{opening}>\n{_INK}{rest.rstrip()}\n"


def matrix_of(report: Path, index: int) -> str:
    """The confusion matrix of a report's page, without its buttons.

    Args:
        report: The page.
        index: The place of the task among the tasks with a matrix.
    """
    tables = re.findall(r'<table class="matrix">.*?</table>', report.read_text(encoding="utf-8"), re.DOTALL)
    table = re.sub(r"</?button[^>]*>|\n", "", tables[index])
    table = table.replace('<span class="hidden">gold</span>', "gold")
    return f'<div class="matrix-scroll" tabindex="0" role="region" aria-label="Confusion matrix">{table}</div>'
