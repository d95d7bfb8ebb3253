"""What the reference says of the program is complete."""

import ast
import re
import sys
from pathlib import Path

import pytest
import typer

import polytag
from polytag.cli.app import app
from polytag.plugin import specs
from support.pages import DOCS, ROOT

sys.path.insert(0, str(DOCS))
from pages_of_the_code import command_line, error_messages, messages


def commands(command: object, name: str) -> list[tuple[str, object]]:
    inner = getattr(command, "commands", {})
    return [(name, command), *(pair for key, value in inner.items() for pair in commands(value, f"{name} {key}"))]


COMMANDS = commands(typer.main.get_command(app), "polytag")


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=[name for name, _ in COMMANDS])
def test_every_command_with_every_option_is_in_the_reference(name, command):
    section = command_line().partition(f"`{name}`\n" if " " in name else "# Command line")[2]
    for parameter in command.params:
        for option in parameter.opts if parameter.param_type_name == "option" else ():
            assert re.search(rf"^\* `.*{re.escape(option)}\b", section, re.MULTILINE), option


def test_every_public_name_is_in_the_reference():
    shown = set(re.findall(r"^::: polytag\.(\w+)$", (DOCS / "reference/python.md").read_text(), re.MULTILINE))
    assert shown == set(polytag.__all__) - {"__version__"}


def test_the_reference_of_hooks_is_made_from_the_specifications():
    assert f"::: {specs.__name__}" in (DOCS / "reference/hooks.md").read_text()


def test_every_error_that_is_raised_is_in_the_reference():
    raised = set()
    for path in (ROOT / "src/polytag").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and isinstance(node.exc.func, ast.Name):
                name = node.exc.func.id
                if name in ("CorpusError", "PolytagError", "TaggerError", "PluginError", "TrainingError"):
                    raised.add((name, path.relative_to(ROOT).as_posix()))
    assert len(raised) > 30
    assert raised <= {(message.error, message.path) for message in messages()}


def test_messages_are_shown_as_they_are_said():
    said = "The output folder is the current one, which cannot be replaced. Choose another one."
    assert said in error_messages()


def test_a_message_that_somebody_meets_is_in_the_reference(command, tmp_path: Path):
    done = command("evaluate", tmp_path / "nowhere", "--corpus", "sample")
    assert done.status == 2
    end = done.err.strip().partition("is not a tagger: ")[2]
    assert end.startswith("it is not there. ")
    assert end.partition(". ")[2] in error_messages()
