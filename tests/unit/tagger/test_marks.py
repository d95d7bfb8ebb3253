"""Tagged text as HTML."""

import re
from html.parser import HTMLParser

import pytest

from polytag.runner import TrainResult
from polytag.tagger.marks import COLOURS, colours, marks_html, stylesheet
from polytag.tagger.results import TaggedSpan, TaggedText

HOSTILE = "<script>alert(\"1\")</script> & <b title='x'>"


def tagged(text: str, tags: dict[str, list[str]], spans=(), alternatives=None) -> TaggedText:
    offsets = [found.span() for found in re.finditer(r"\S+", text)]
    return TaggedText(
        text=text,
        spans=[TaggedSpan(task, label, 0.98125, text[start:end], start, end) for task, label, start, end in spans],
        words=text.split(),
        offsets=offsets,
        sentence_starts=[0],
        tags=tags,
        scores={task: [0.5] * len(own) for task, own in tags.items()},
        alternatives=alternatives,
    )


class Parsed(HTMLParser):
    """The text of a piece of HTML, its tags, and the attributes of each."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.elements = "", []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def titles(html: str, name: str) -> list[str]:
    return [given["title"] for _, given in Parsed(html).elements if name in given.get("class", "").split()]


def test_spans_are_marks_with_their_label():
    html = marks_html(tagged("Anna met Bo", {"ner": ["B-PER", "O", "B-PER"]}, [("ner", "PER", 0, 4)]))
    assert html == (
        '<div class="polytag"><div class="polytag-row"><div class="polytag-text" dir="auto">'
        '<mark class="polytag-mark polytag-0" title="PER 98.1%">Anna'
        '<span class="polytag-label"> <bdi>PER</bdi></span></mark> met Bo'
        "</div></div></div>"
    )


def test_each_task_has_a_row_and_words_without_spans_stand_over_their_tags():
    text = tagged("Anna met", {"ner": ["B-PER", "O"], "pos": ["NNP", "VBD"]}, [("ner", "PER", 0, 4)])
    html = marks_html(text)
    assert re.findall(r'polytag-task">(\w+)<', html) == ["ner", "pos"]
    assert Parsed(html).text == "nerAnna PER metposAnna NNP met VBD"
    assert titles(html, "polytag-pair") == ["NNP 50.0%", "VBD 50.0%"]


def test_alternatives_are_said_for_each_word():
    best = [[("B-PER", 0.9), ("O", 0.1)], [("O", 1.0), ("B-PER", 0.0)]]
    html = marks_html(tagged("Anna met", {"ner": ["B-PER", "O"]}, [("ner", "PER", 0, 4)], {"ner": best}))
    assert titles(html, "polytag-word") == ["B-PER 90.0%, O 10.0%", "O 100.0%, B-PER 0.0%"]
    assert Parsed(html).text == "Anna PER met"


def test_nothing_in_a_text_a_label_or_a_task_becomes_markup():
    html = marks_html(tagged(HOSTILE, {HOSTILE: ["O", "O", "O", HOSTILE], "b": ["O"] * 4}))
    parsed = Parsed(html)
    assert {tag for tag, _ in parsed.elements} == {"div", "span", "bdi"}
    assert HOSTILE in parsed.text
    assert {name for _, given in parsed.elements for name in given} == {"class", "dir", "title"}
    marked = marks_html(tagged(HOSTILE, {"a": ["B-" + HOSTILE, *"OOO"]}, [("a", HOSTILE, 0, 24)]))
    assert {tag for tag, _ in Parsed(marked).elements} == {"div", "mark", "span", "bdi"}


def test_control_characters_are_seen_and_line_breaks_stay():
    html = marks_html(tagged("a\x1b[2J\u202eb\n\tc\ud800 \r.", {"ner": ["O"] * 4}))
    assert Parsed(html).text == "a\\x1b[2J\\u202eb\n\tc\\ud800 \\r."
    assert html.count("polytag-control") == 4
    html.encode()  # no half of a character is left


def test_the_direction_follows_the_text_and_not_the_label():
    html = marks_html(tagged("محمد في القاهرة", {"ner": ["B-PER", "O", "O"]}, [("ner", "PER", 0, 4)]))
    assert 'dir="auto"' in html
    assert "<bdi" in html


def test_a_notebook_shows_marks_with_their_style(ner_run: TrainResult):
    found = ner_run.tagger.tag("Anna Keller met Peter.")
    assert found._repr_html_() == f"<style>{stylesheet()}</style>{marks_html(found)}"
    assert "<mark" in found._repr_html_()


def test_colours_are_the_same_for_the_same_labels_in_any_order():
    labels = [f"label{n}" for n in range(16)]
    assert colours(labels) == colours(labels[::-1] * 2)
    assert len(set(colours(labels).values())) == 16
    assert colours(["PER", "x"])["PER"] == colours(["LOC", "PER"])["PER"] == colours(["PERSON"])["PERSON"]


@pytest.mark.parametrize("count", [16, 45, 1000])
def test_colours_are_shared_evenly(count):
    used = list(colours(f"label{n}" for n in range(count)).values())
    times = [used.count(number) for number in range(COLOURS)]
    assert sum(times) == count
    assert max(times) - min(times) <= 1


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_each_colour_has_contrast_in_light_and_dark():
    found = re.findall(r"\.polytag-(\d+) \{ --mark: (#\w{6}); --ink: (#\w{6}); \}", stylesheet())
    assert [int(number) for number, *_ in found] == [*range(COLOURS)] * 2
    for _, *pair in found:
        darker, lighter = sorted(map(luminance, pair))
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5
