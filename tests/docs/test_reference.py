"""What the reference says of the program is complete."""

import ast
import re
import sys
from pathlib import Path

import pytest
import typer

import polytag
from polytag import RunConfig
from polytag.cli.app import app
from polytag.plugin import specs
from support.pages import DOCS, ROOT

sys.path.insert(0, str(DOCS))
from pages_of_the_code import command_line, error_messages, messages, training_options


def commands(command: object, name: str) -> list[tuple[str, object]]:
    inner = getattr(command, "commands", {})
    return [(name, command), *(pair for key, value in inner.items() for pair in commands(value, f"{name} {key}"))]


COMMANDS = commands(typer.main.get_command(app), "polytag")
FIELDS = RunConfig.model_fields.items()


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=[name for name, _ in COMMANDS])
def test_every_command_with_every_option_is_in_the_reference(name, command):
    section = command_line().partition(f"`{name}`\n" if " " in name else "# Command line")[2].partition("\n## ")[0]
    parameters = command.get_params(typer.Context(command, info_name=name))
    if name == "polytag train":
        assert "[training options](training-options.md)" in section
        parameters = [parameter for parameter in parameters if parameter.name not in RunConfig.model_fields]
        assert {parameter.name for parameter in parameters} == {"config", "as_json", "quiet", "help"}
    for parameter in parameters:
        for option in parameter.opts if parameter.param_type_name == "option" else ():
            assert re.search(rf"^\* `.*{re.escape(option)}\b", section, re.MULTILINE), option


def test_every_option_of_a_run_is_in_the_reference_once():
    rows = [line.strip("| ").split(" | ") for line in training_options().splitlines() if line.startswith("| `--")]
    names = [f"`{field.alias}`, in Python `{name}`" if field.alias else f"`{name}`" for name, field in FIELDS]
    assert sorted(row[1] for row in rows) == sorted(names)
    shown = {row[1].strip("`"): row for row in rows}
    for name, field in FIELDS:
        if not field.alias:
            assert shown[name][4] == field.description
    assert shown["window"][0::2] == ["`--window`", "integer, `x>=1`", shown["window"][4]]
    assert shown["task"][:4] == ["`--task`, `-t`", "`task`", "text, or a list of texts", "required"]
    assert shown["precision"][2] == "`float32`, `bfloat16` or `float16`"
    assert shown["epochs"][3] == "compact 8, pretrained 3"
    assert shown["overwrite"][2:4] == ["true or false", "`false`"]
    assert shown["clip"][2:4] == ["number, `x>0`", "`1.0`"]


def test_help_texts_are_shown_as_they_are():
    section = command_line().partition("`polytag compare`\n")[2]
    assert r"tag columns, with \_ to skip one" in section
    assert "* `--seed <int range>`: Seed of the interval and the p value. *Default: 0; x>=0.*" in section


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
    assert end.startswith("it does not exist. ")
    assert end.partition(". ")[2] in error_messages()
