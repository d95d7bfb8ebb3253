"""Pages of the documentation that are made from the code when the site is built, so that they cannot differ from it.

MkDocs calls `on_files`; see `hooks` in mkdocs.yml.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

ROOT = Path(__file__).parents[1]

_ERROR = re.compile(r"[A-Z]\w*Error")

_AREAS = {
    "Corpora and their formats": ("src/polytag/readers.py", "src/polytag/corpus", "plugins/polytag_standard/readers"),
    "Plugins": ("src/polytag/hooks",),
    "Training": (
        *("src/polytag/runner.py", "src/polytag/runs.py", "src/polytag/config.py", "src/polytag/preparation.py"),
        *("src/polytag/loss_weights.py", "src/polytag/cli/train.py", "src/polytag/engine"),
    ),
    "Everything else": ("src/polytag", "plugins"),
}
"""Heading -> where the messages below it come from; a file belongs to the first that it fits."""

_ERRORS_HEAD = """# Error messages

What is wrong with the input is said in one paragraph: what it is, where, and what to do. The command line prints it on
stderr and ends with one of these exit statuses:

| status | meaning |
| --- | --- |
| 0 | done |
| 1 | a defect of polytag (with a traceback), or errors that `polytag corpus check` found |
| 2 | the input is wrong: one of the paragraphs below, or an option that does not exist |
| 130 | interrupted from the keyboard; a run has written a checkpoint |

In Python every one of them is a `polytag.PolytagError`, or one of its subclasses. This page is made from the code;
what stands in *slanted letters* is filled in.
"""


class Message(NamedTuple):
    """A paragraph that an error shows.

    Attributes:
        error: Name of the exception class.
        text: The paragraph in Markdown, with placeholders in slanted letters.
        path: The file it is raised in, relative to the repository.
    """

    error: str
    text: str
    path: str


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made from the code."""
    from mkdocs.structure.files import File

    pages = {
        "reference/command-line.md": command_line(),
        "reference/error-messages.md": error_messages(),
        "changelog.md": (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"),
    }
    for path, content in pages.items():
        files.append(File.generated(config, path, content=content))
    return files


def command_line() -> str:
    """The reference of the command line, as Typer writes it."""
    import typer
    from typer.cli import get_docs_for_click

    from polytag.cli.app import app

    command = typer.main.get_command(app)
    context = typer.Context(command, info_name="polytag")
    text: str = get_docs_for_click(obj=command, ctx=context, name="polytag", title="Command line")
    # Typer marks a default that is described, not given, with parentheses inside brackets.
    text = re.sub(r"  \[default: \((.*?)\)\]$", r" *Default: \1.*", text, flags=re.MULTILINE)
    text = re.sub(r"  \[default: (.*?)\]$", r" *Default: \1.*", text, flags=re.MULTILINE)
    return re.sub(r"  \[required\]$", " *Required.*", text, flags=re.MULTILINE)


def error_messages() -> str:
    """The reference of error messages."""
    found = list(messages())
    parts = [_ERRORS_HEAD]
    for heading, places in _AREAS.items():
        chosen = [message for message in found if message.path.startswith(places)]
        found = [message for message in found if message not in chosen]
        parts.append(f"## {heading}\n")
        parts += [f"`{message.error}`\n: {message.text}\n" for message in dict.fromkeys(chosen)]
    return "\n".join(parts)


def messages() -> Iterator[Message]:
    """Every message that core and the built-in plugins construct an error of polytag's with."""
    for path in sorted([*(ROOT / "src/polytag").rglob("*.py"), *(ROOT / "plugins").rglob("*.py")]):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and (error := _error_of(node)) and node.args:
                text = _template(node.args[0]).strip()
                if len(text.split()) > 3:
                    yield Message(error, text, path.relative_to(ROOT).as_posix())


def _error_of(call: ast.Call) -> str | None:
    import polytag.errors

    name = call.func.id if isinstance(call.func, ast.Name) else ""
    kind = getattr(polytag.errors, name, None) if _ERROR.fullmatch(name) else None
    return name if isinstance(kind, type) and issubclass(kind, polytag.errors.PolytagError) else None


def _template(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return re.sub(r"([\\*_<\[{|])", r"\\\1", text) if "`" not in text else _escaped_outside_code(text)
        case ast.JoinedStr(values=values):
            return "".join(map(_template, values))
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _template(left) + _template(right)
        case ast.IfExp(body=body, orelse=orelse):
            return f"({_template(body)} / {_template(orelse)})"
        case ast.FormattedValue(value=ast.Constant() | ast.IfExp() | ast.JoinedStr() as value):
            return _template(value)
        case ast.FormattedValue(value=value):
            return f"*{_placeholder(value)}*"
        case _:
            return f"*{_placeholder(node)}*"


def _escaped_outside_code(text: str) -> str:
    pieces = text.split("`")
    return "`".join(re.sub(r"([\\*_<\[{|])", r"\\\1", p) if i % 2 == 0 else p for i, p in enumerate(pieces))


def _placeholder(node: ast.expr) -> str:
    """What fills a place, in a word: the last name in its expression that says something."""
    names = [
        n.attr if isinstance(n, ast.Attribute) else n.id
        for n in ast.walk(node)
        if isinstance(n, ast.Attribute | ast.Name)
    ]
    spoken = [
        name.strip("_").replace("_", " ")
        for name in names
        if name not in ("self", "str", "repr", "len", "join", "map", "sorted")
    ]
    return (spoken or ["…"])[0]
