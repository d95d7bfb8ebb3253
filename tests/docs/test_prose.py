"""Docs, docstrings and messages use plain English and the field's terms instead of the phrases listed here."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from support.pages import DOCS, ROOT

_MANY = (
    r"(one|two|\d+) (alternative|byte|file|head|label|line|option|sentence|tag|test|text|unit|vector|warning|word)s?|"
    "words|subwords|units|sentences|lines|documents|texts|a (line|sentence|task|text|word)"
)
_UNIT = (
    "batch|class|column|command|document|epoch|head|hook|label|line|model|page|second|sentence|split|step|tag|task|"
    "unit|window|word"
)

PHRASES = {
    r"(is|are|was|were|be) (already |also |not |still )?there\b(?! (is|are|was|were)\b)": "exists, is available",
    r"(go|goes|going|gone|went) on\b": "continue, resume",
    r"(small|big|slanted) letters?\b": "lower case, upper case, italics",
    r"borders?\b": "boundary",
    r"(make|makes|made|making) nothing of\b": "cannot tokenise",
    r"beside\b": "in addition to, next to, and",
    rf"({_MANY}) an? ({_UNIT})\b(?! (of|that|which|with|in|from|without)\b)": "per",
    r"who(m|so)?ever\b": "name the person or program",
    r"in peace\b": "unchanged",
    r"(speak|speaks|spoke|speaking) (for|of)\b": "decides, worth mentioning",
    r"(stand|stands|stood|standing) (in|on|at|for|under|between|apart|here|there|where|alone|as)\b": "is in, means",
    r"as (it|they) (stand|stands|comes?)\b": "unchanged",
    r"by what\b": "why, by which means",
    r"(?<!one )(?<!some )(?<!each )(?<!both )(?<!all )(?<!most )(?<!\d )of which\b": "start a new sentence",
    r"those of\b": "repeat the noun",
    r"that of (a|an|the|its|their|one)\b": "repeat the noun",
    r"(tell|tells|told|telling) (\w+ ){1,4}(apart|from)\b": "distinguish",
    r"(come|comes|came) out\b": "is the output, results",
    r"as (a|an|the) careful annotator\b": "say what is checked",
    r"(is|are|be) to (be|do|have|take|give)\b": "must, should",
    r"at hand\b": "current, available",
    r"in vain\b": "without success",
    r"for want of\b": "without",
}
"""A phrase, as a regular expression at the beginning of a word -> what to write instead."""

OPENINGS = {
    r"(What|Whatever|Where|How)\b(?! to\b)": "Begin a docstring with a verb or a noun.",
}
"""The same, at the beginning of a docstring."""


class Text(NamedTuple):
    """A piece of prose, and where it is."""

    place: str
    text: str
    docstring: bool = False


def in_page(path: Path) -> Iterator[Text]:
    """The paragraphs of a page, without blocks of code and without code in a line."""
    text = re.sub(r"^ *```.*?^ *```$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"<!--.*?-->|<style>.*?</style>", "", re.sub(r"`[^`]+`", "`…`", text), flags=re.DOTALL)
    for paragraph in re.split(r"\n\s*\n", text):
        yield Text(path.relative_to(ROOT).as_posix(), paragraph)


def in_module(path: Path) -> Iterator[Text]:
    """The docstrings of a module, and its other strings: messages, help texts, summaries."""
    place = path.relative_to(ROOT).as_posix()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = re.sub(r"^ *```.*?^ *```$", "", node.value, flags=re.MULTILINE | re.DOTALL)
            text = re.sub(r"`[^`\n]+`", "`…`", text)
            yield Text(f"{place}:{node.lineno}", text, id(node) in documentation)


def faults(text: Text) -> list[str]:
    """The faults of a text, each with a suggestion."""
    flat = " ".join(text.text.split())
    patterns = [(rf"\b{phrase}", instead) for phrase, instead in PHRASES.items()]
    if text.docstring:
        patterns += [(rf"\A{opening}", instead) for opening, instead in OPENINGS.items()]
    return [
        f"{text.place}: {found[0]!r} in {flat[max(0, found.start() - 50) : found.end() + 50]!r}; write: {instead}"
        for pattern, instead in patterns
        for found in re.finditer(pattern, flat, re.IGNORECASE)
    ]


PAGES = [*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
MODULES = [*(ROOT / "src").rglob("*.py"), *(ROOT / "plugins").rglob("*.py"), DOCS / "pages_of_the_code.py"]


@pytest.mark.parametrize("path", sorted(PAGES), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_pages_are_plain_english(path: Path):
    assert [fault for text in in_page(path) for fault in faults(text)] == []


@pytest.mark.parametrize("path", sorted(MODULES), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_docstrings_and_messages_are_plain_english(path: Path):
    assert [fault for text in in_module(path) for fault in faults(text)] == []


@pytest.mark.parametrize(
    "fault",
    [
        "Names what is there.",
        "It goes on with --resume.",
        "unseen words, and small letters",
        "the borders of a span",
        "words that a tokenizer makes nothing of",
        "the file beside it",
        "4,096 words a batch",
        "one vector a unit",
        "it stands in no chunk",
        "whoever asks",
        "those of the tagger",
    ],
)
def test_a_fault_is_found(fault: str):
    assert faults(Text("here", fault))


@pytest.mark.parametrize(
    "text",
    [
        "There is no task named 'nerr'.",
        "besides",
        "standard input",
        "a word a tokenizer drops",
        "one of which",
        "an outstanding one",
    ],
)
def test_plain_english_passes(text: str):
    assert not faults(Text("here", text))


def test_only_a_docstring_must_not_begin_with_what():
    assert faults(Text("here", "What a tagger is.", docstring=True))
    assert not faults(Text("here", "What now?"))
