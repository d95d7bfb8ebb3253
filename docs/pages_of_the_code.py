"""Pages of the documentation that are made from the code when the site is built, so that they cannot differ from it.

MkDocs calls `on_files`; see `hooks` in mkdocs.yml.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

    from polytag.cli.options_of_config import RunOption

ROOT = Path(__file__).parents[1]

_ERROR = re.compile(r"[A-Z]\w*Error")

_AREAS = {
    "Corpora and their formats": (
        *("src/polytag/plugin/reader.py", "src/polytag/corpus", "plugins/polytag_standard/readers"),
    ),
    "Plugins": ("src/polytag/plugin",),
    "Training": ("src/polytag/runner.py", "src/polytag/training", "src/polytag/cli/train.py", "src/polytag/engine"),
    "Everything else": ("src/polytag", "plugins"),
}
"""Heading -> where the messages below it come from; a file belongs to the first that it fits."""

_ERRORS_HEAD = """# Error messages

What is wrong with the input is said in one paragraph: what it is, where, and what to do. The command line prints it on
stderr and ends with one of these exit statuses:

| status | meaning |
| --- | --- |
| 0 | done |
| 1 | a defect of polytag (with a traceback), or what `polytag corpus check` or `plugins check` found wrong |
| 2 | the input is wrong: one of the paragraphs below, or an option that does not exist |
| 130 | interrupted from the keyboard; a run has written a checkpoint |

In Python every one of them is a `polytag.PolytagError`, or one of its subclasses. This page is made from the code;
text in *italics* is a placeholder.
"""


_OPTIONS_HEAD = """# Training options

Every option of a run has the same meaning on the command line, in a TOML file and in Python: `--batch-size 16` of
[`polytag train`](command-line.md#polytag-train), `batch_size = 16` in the file that `--config` names, and
`batch_size=16` as an argument of [`polytag.train`](python.md#polytag.train). A flag overrides the file. This page is
made from the code.
"""

_TABLE_HEAD = """| command line | TOML and Python | type and range | default | meaning |
| --- | --- | --- | --- | --- |"""

_TYPES = {
    "bool": "true or false",
    "int": "integer",
    "float": "number",
    "str": "text",
    "Path": "path",
    "tuple": "text, or a list of texts",
    "dict": "table of numbers",
}
"""Type of an option -> what the reference calls it."""


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
        "reference/training-options.md": training_options(),
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
    from polytag.cli.train import EXAMPLE
    from polytag.training.config import RunConfig

    command = typer.main.get_command(app)
    context = typer.Context(command, info_name="polytag")
    for param in command.get_command(context, "train").get_params(context):
        param.hidden = param.name in RunConfig.model_fields  # they have a page of their own
    text: str = get_docs_for_click(obj=command, ctx=context, name="polytag", title="Command line")
    text = re.sub(r"^(\* `[^`]+`): (.*?)(?:  \[(.*)\])?$", _parameter, text, flags=re.MULTILINE)
    return text.replace(EXAMPLE, f"{EXAMPLE}\n\nIn addition, it takes all [training options](training-options.md).")


def _parameter(line: re.Match[str]) -> str:
    """What Typer writes of an argument or option, as Markdown that shows the text as it is."""
    shown = f"{line[1]}: {_escaped(line[2])}"
    if not line[3]:
        return shown
    # Typer marks a default that is described, not given, with parentheses.
    more = _escaped(re.sub(r"^default: \((.*?)\)", r"default: \1", line[3]))
    return f"{shown} *{more[0].upper()}{more[1:]}.*"


def training_options() -> str:
    """The reference of the options of a run: each once, for the command line, TOML files and Python."""
    from polytag.cli.options_of_config import described_defaults, run_options

    described = described_defaults()
    panels: dict[str, list[str]] = {}
    for option in run_options():
        panels.setdefault(option.shown.panel, []).append(_row(option, described.get(option.name)))
    parts = [_OPTIONS_HEAD]
    for panel, rows in panels.items():
        parts += [f"## {panel or 'The run'}\n", _TABLE_HEAD, *rows, ""]
    return "\n".join(parts)


def _row(option: RunOption, described: str | None) -> str:
    flags = ", ".join(f"`{flag}`" for flag in option.flags)
    names = f"`{option.key}`" + (f", in Python `{option.name}`" if option.name != option.key else "")
    *choices, last = [f"`{choice}`" for choice in option.choices] or [_TYPES[option.kind.__name__]]
    kind = f"{', '.join(choices)} or {last}" if choices else last
    if option.range:
        kind += f", `{option.range}`"
    if option.required:
        default = "required"
    elif described:
        default = _escaped(described)
    else:
        default = f"`{str(option.default).lower() if option.kind is bool else option.default}`"
    return f"| {flags} | {names} | {kind} | {default} | {_escaped(option.help)} |"


def error_messages() -> str:
    """The reference of error messages."""
    found = list(messages())
    parts = [_ERRORS_HEAD]
    for heading, places in _AREAS.items():
        chosen = [message for message in found if message.path.startswith(places)]
        found = [message for message in found if message not in chosen]
        parts.append(f"## {heading}\n")
        parts += [f"- {text} `{error}`" for error, text, _ in dict.fromkeys(chosen)]
        parts.append("")
    return "\n".join(parts)


def messages() -> Iterator[Message]:
    """Every message that core and the built-in plugins construct an error of polytag's with."""
    paths = sorted([*(ROOT / "src/polytag").rglob("*.py"), *(ROOT / "plugins").rglob("*.py")])
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in paths}
    constants = {name: value for tree in trees.values() for name, value in _constants(tree)}
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and (error := _error_of(node)) and node.args:
                text = _template(node.args[0], constants | dict(_constants(tree))).strip()
                if len(text.split()) > 3:
                    yield Message(error, text, path.relative_to(ROOT).as_posix())


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(value))):
                yield name, value


def _error_of(call: ast.Call) -> str | None:
    import polytag.errors

    name = call.func.id if isinstance(call.func, ast.Name) else ""
    kind = getattr(polytag.errors, name, None) if _ERROR.fullmatch(name) else None
    return name if isinstance(kind, type) and issubclass(kind, polytag.errors.PolytagError) else None


def _template(node: ast.expr, constants: Mapping[str, str]) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return _escaped(text)
        case ast.JoinedStr(values=values):
            return "".join(_template(value, constants) for value in values)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _template(left, constants) + _template(right, constants)
        case ast.IfExp(body=body, orelse=orelse):
            return f"({_template(body, constants)} / {_template(orelse, constants)})"
        case ast.FormattedValue(value=ast.Constant() | ast.IfExp() | ast.JoinedStr() | ast.Name() as value):
            return _template(value, constants)
        case ast.Name(id=name) if name in constants:
            return _escaped(constants[name])
        case _:
            return f"*{_placeholder(node)}*"


def _escaped(text: str) -> str:
    """Text as Markdown shows it as it is, but for code between backquotes."""
    pieces = text.split("`")
    pieces[::2] = [re.sub(r"([\\*_\[{|])", r"\\\1", piece).replace("<", "&lt;") for piece in pieces[::2]]
    return "`".join(pieces)


def _placeholder(node: ast.AST) -> str:
    """What fills a place, in a word or two: the name that its expression is about."""
    match node:
        case ast.FormattedValue(value=inner):
            return _placeholder(inner)
        case ast.Call(func=ast.Attribute(value=ast.Constant(), attr="join"), args=[first, *_]):
            return _placeholder(first)
        case ast.Call(func=ast.Attribute(value=value)) | ast.Subscript(value=value):
            return _placeholder(value)
        case ast.Call(func=ast.Name(), args=[first, *_]):
            return _placeholder(first)
        case ast.GeneratorExp(elt=inner) | ast.BinOp(left=inner) | ast.BoolOp(values=[inner, *_]):
            return _placeholder(inner)
        case ast.Attribute(value=ast.Name(id=name), attr="name") if name != "self":
            return name.strip("_").replace("_", " ")
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name.strip("_").replace("_", " ").lower()
        case _:
            return "…"
