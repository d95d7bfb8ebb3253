"""The page of a report: one file, the same each time, and inert whatever the corpus holds."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import polytag
from polytag import Report
from polytag.publishing.report import page
from polytag.publishing.report.report import json_text
from polytag.runner import TrainResult

HOSTILE = ("<script>alert(1)</script>", "</script>", "<!--", "\u202eabc", "x" * 10_000, "&amp;", "{{7*7}}", "\x1b[2J")


class Elements(HTMLParser):
    """The elements of a page with their attributes, and the text of its scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data):
        if self.lasttag == "script" and self.scripts:
            self.scripts[-1] += data


@pytest.fixture(scope="module")
def hostile(ner_run: TrainResult, tmp_path_factory: pytest.TempPathFactory) -> Report:
    """A report on a corpus whose words and labels are attacks."""
    folder = tmp_path_factory.mktemp("hostile<b>")
    lines = [
        {
            "tokens": [*HOSTILE, "Anna"],
            "ner_tags": ["B-<b>x</b>", "O", "O", "B-PER", "O", "B-\"onload='", "O", "O", "O"],
        },
        {"tokens": ["Anna", "met", "him"], "ner_tags": ["B-PER", "O", "B-</script>"]},
    ]
    corpus = folder / "test.jsonl"
    corpus.write_text("".join(json.dumps(line) + "\n" for line in lines * 2))
    return polytag.report(ner_run.output, f"test={corpus}", output=folder / "report.html")


def test_hostile_text_is_text(hostile: Report):
    html = hostile.page.read_text(encoding="utf-8")
    found = Elements(html)
    kinds = [attributes.get("type") for tag, attributes in found.elements if tag == "script"]
    assert kinds == ["application/json", None]
    assert not {tag for tag, _ in found.elements} & {"img", "iframe", "link", "object", "embed", "base", "b"} - {"b"}
    assert not [name for _, attributes in found.elements for name in attributes if name.startswith("on")]
    data = json.loads(found.scripts[0])
    words = {word for sentence in data["sentences"] for word in sentence["w"]}
    assert {"<script>alert(1)</script>", "</script>", "x" * 10_000, r"\u202eabc", r"\x1b[2J", "{{7*7}}"} <= words
    assert "\u202e" not in html
    assert "\x1b" not in html


def test_the_figures_have_the_words_as_they_are(hostile: Report):
    figures = json.loads(hostile.data.read_text(encoding="utf-8"))
    assert figures["tasks"]["ner"]["mistakes"][0]["words"][:-1] == list(HOSTILE)


def test_the_page_has_no_address_and_forbids_the_network(hostile: Report):
    html = hostile.page.read_text(encoding="utf-8")
    assert "http:" not in html
    assert "https:" not in html
    assert not re.search(r"(src|href|url)\s*[=(]\s*[\"']?(?!#)\S", html.replace('href="#', "").replace("url(#", ""))
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', html)
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-")


def test_the_same_input_gives_the_same_bytes(ner_run: TrainResult, tmp_path: Path):
    pages = [
        polytag.report(ner_run.output, "sample", output=tmp_path / f"{name}.html", against=ner_run.output)
        for name in ("one", "other")
    ]
    one, other = ((found.page.read_bytes(), found.data.read_bytes()) for found in pages)
    assert one == other
    assert re.findall(rb"20\d\d-\d\d-\d\d", one[0]) == []
    assert page.report_page(json.loads(other[1])) == one[0].decode()  # the page follows from the figures alone


def test_ids_are_unique(joint_run: TrainResult, tmp_path: Path):
    found = polytag.report(joint_run.output, "sample", output=tmp_path / "report.html")
    elements = Elements(found.page.read_text(encoding="utf-8")).elements
    ids = [attributes["id"] for _, attributes in elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', found.page.read_text(encoding="utf-8"))
    assert {one or other for one, other in targets} <= set(ids)


def test_what_json_does_not_have_is_written_so_that_any_program_reads_it():
    """A metric of a plugin may give no number; a name of a file may be no UTF-8."""
    text = json_text({"a": float("nan"), "b": "\udc80é"})
    assert text == '{"a": null, "b": "\\udc80é"}'
    assert text.encode()


def test_a_page_stays_small_where_the_figures_are_many(joint_run: TrainResult, tmp_path: Path, monkeypatch):
    """A page has the first mistakes, and a matrix of the most confused labels; the figures have all."""
    figures = polytag.report(joint_run.output, "sample", output=tmp_path / "report.html").figures
    monkeypatch.setattr(page, "MOST_SENTENCES", 3)
    monkeypatch.setattr(page, "MOST_LABELS", 5)
    html = page.report_page(figures)
    assert len(json.loads(Elements(html).scripts[0])["mistakes"]) == 3
    every = sum(len(task["mistakes"]) for task in figures["tasks"].values())
    assert f"The page has the first 3 of {every} sentences with mistakes" in html
    n_labels = len(figures["tasks"]["pos"]["confusion"]["labels"])
    assert f"The {n_labels - 5} labels with fewest mistakes are one row and one column" in html
    matrix = html.partition('aria-label="Confusion matrix of pos"')[2].partition("</table>")[0]
    sums = [int(number.replace(",", "")) for number in re.findall(r'class="sum">([\d,]+)<', matrix)]
    assert (len(sums), sum(sums)) == (6, figures["evaluation"]["words"])
