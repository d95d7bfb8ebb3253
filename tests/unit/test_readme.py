"""The README says what the program does."""

import itertools
import re
import shlex
import tomllib
from pathlib import Path

import pytest

import polytag

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"(?:^|bin/|\| )polytag (\w+)(.*)$", README, re.MULTILINE)


def test_the_test_command_is_the_one_that_the_contributing_guide_and_ci_use():
    (line,) = re.findall(r"^python3 -m venv .*tests/check\.py$", README, re.MULTILINE)
    assert line in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_commands_are_shown():
    assert {name for name, _ in COMMANDS} == {
        "train",
        "predict",
        "corpus",
        "evaluate",
        "compare",
        "report",
        "search",
        "serve",
        "suggest",
        "distil",
    }


@pytest.mark.parametrize(("name", "arguments"), COMMANDS)
def test_every_option_of_a_shown_command_exists(name, arguments, command):
    words = shlex.split(arguments.split("#")[0].replace("&&", ""))
    shown = command(name, *words[: name == "corpus"], "--help")
    for option in (word for word in words if word.startswith("-") and word != "-"):
        assert re.search(rf"(?<![\w-]){option}(?![\w-])", shown.out), option


def test_every_task_and_encoder_of_a_shown_command_exists(registry):
    named = [shlex.split(arguments.split("#")[0]) for name, arguments in COMMANDS if name == "train"]
    for words in named:
        for flag, value in itertools.pairwise(words):
            if flag in ("-t", "--task"):
                assert value in registry.tasks


def test_the_python_examples_use_public_names():
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        compile(block, "README.md", "exec")
        for name in re.findall(r"polytag\.(\w+)", block):
            assert name in polytag.__all__


def test_the_plugin_example_is_a_plugin():
    block = re.findall(r"```python\n(.*?)```", README, re.DOTALL)[1]
    names: dict[str, object] = {}
    exec(block, names)
    (task,) = names["polytag_tasks"]()
    assert task.name == "acme.skills"


def test_the_version_is_the_package_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == polytag.__version__
    assert f"## {polytag.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
