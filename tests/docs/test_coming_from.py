"""The pages for people who come from another library: its code, and the tables.

They are coming-from-delft.md, coming-from-flair.md, coming-from-nemo.md, coming-from-spacy.md and
coming-from-transformers.md; what they show of polytag is run by test_pages.py.
"""

import ast
import shlex

import pytest
import typer

from polytag.cli.app import app
from support.pages import DOCS, Block, parts

PAGES = sorted((DOCS / "how-to").glob("coming-from-*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_code_of_the_other_library_is_well_formed(page):
    others = [part for part in parts(page) if isinstance(part, Block) and part.test]
    assert others
    for block in others:
        if block.language == "python":
            ast.parse(block.body)
        else:
            assert shlex.split(block.body)[0] == "python"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_option_on_the_page_exists(page):
    """The tables name options without running them."""
    known = set()
    commands = [typer.main.get_command(app)]
    while commands:
        command = commands.pop()
        commands += getattr(command, "commands", {}).values()
        known |= {option for one in command.get_params(typer.Context(command)) for option in one.opts}
    ours = [
        word.strip("`,;|.()")
        for line in page.read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and not line.startswith("| --- ")
        for word in line.strip("| ").split(" | ")[-1].split()
    ]
    found = {word for word in ours if word.startswith("--")}
    assert found
    assert found <= known
