"""The pages that describe the source tree agree with it, and its files and functions stay small."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from support.pages import DOCS, ROOT

CORE = ROOT / "src/polytag"
MOST_ENTRIES = 22
NAMED_BY_PYTHON = {"__init__.py", "__main__.py", "py.typed"}
MOST_LINES_OF_A_FILE = 350
MOST_LINES_OF_A_FUNCTION = 80

MODULES = sorted([*CORE.rglob("*.py"), *(ROOT / "plugins").rglob("*.py")])


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_contributing_lists_every_package_with_its_caption():
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    core = page.partition("`src/polytag` is core")[2].partition("\nThe other folders")[0]
    listed = dict(re.findall(r"^- `(\w+)`: (.+)$", core, re.MULTILINE))
    captions = {}
    for path in CORE.glob("*/__init__.py"):
        documentation = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        assert documentation, name(path)
        captions[path.parent.name] = documentation.splitlines()[0]
    assert listed == captions


def test_the_architecture_page_shows_the_layers_of_the_import_contract():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract["type"] == "layers")
    expected = [layer.split(" | ") for layer in layers]

    page = (DOCS / "explanation/architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[^|]+`) \|", page, re.MULTILINE)
    assert [re.findall(r"`(\w+)`", row) for row in rows] == expected

    picture = (DOCS / "explanation/layers.svg").read_text(encoding="utf-8")
    heights: dict[str, list[str]] = {}
    for height, text in re.findall(r'<text x="[\d.]+" y="(\d+)">(\w+)</text>', picture):
        heights.setdefault(height, []).append(text)
    assert list(heights.values())[: len(expected)] == expected


def test_the_top_of_core_is_small():
    tracked = subprocess.run(["git", "ls-files", "src/polytag"], cwd=ROOT, capture_output=True, text=True, check=False)
    if tracked.returncode:
        pytest.skip("not a git checkout")
    entries = {line.split("/")[2] for line in tracked.stdout.splitlines()} - NAMED_BY_PYTHON
    assert entries
    assert len(entries) <= MOST_ENTRIES, sorted(entries)


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_files_and_functions_are_short(path: Path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_LINES_OF_A_FILE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno + 1 <= MOST_LINES_OF_A_FUNCTION, node.name
