"""Write a new plugin package from a template."""

from __future__ import annotations

import importlib.metadata
import json
import re
import string
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from polytag.errors import PolytagError, UnknownNameError
from polytag.files import check_replaceable, new_folder
from polytag.plugin.registry import registry
from polytag.plugin.scheme import PrefixScheme, Span
from polytag.plugin.specs import PLUGIN_API

_TEMPLATE = Path(__file__).parent / "template"
_ENDING = ".tmpl"
_MODULE = "MODULE"
_LINE_LENGTH = 120

PARTS = {
    "reader": ("Reader", "readers", "Reader", "The reader `{name}`."),
    "metric": ("Metric", "metrics", "Metric", "The metric `{name}-sentences`."),
    "scheme": ("LabelScheme", "label_schemes", "Scheme", "The label scheme `{name}`."),
    "splitter": ("Splitter", "splitters", "Splitter", "The splitter `{name}`."),
    "head": ("Head", "heads", "Head", "The head `{name}`, for `--decoding {name}`."),
}
"""Further contributions by the name of their module: type, hook, ending of the class, and docstring of the hook."""

_HOOK = '''

@polytag.hookimpl
def polytag_{hook}() -> Iterable[polytag.{kind}]:
    """{summary}"""
    return [{class_name}()]
'''

_UNTYPED = """
[[tool.mypy.overrides]]
module = ["tensorflow.*"]
ignore_missing_imports = true
follow_imports = "skip"
"""

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_WORD = re.compile(r"[\w.-]+")


@dataclass(frozen=True, slots=True)
class NewPlugin:
    """A plugin with one task, and further contributions if wanted, to be written.

    Attributes:
        name: Name of the entry point: `acme`. The distribution is `polytag-acme`, the module `polytag_acme`.
        task: Name of its task: `acme.skills`.
        scheme: Label scheme of the task.
        columns: Tag columns that can hold the task.
        parts: Further contributions, keys of `PARTS`; the task has the metric, if it is one of them.
    """

    name: str
    task: str
    scheme: str
    columns: tuple[str, ...]
    parts: tuple[str, ...] = ()

    @property
    def distribution(self) -> str:
        """Name of the distribution."""
        return f"polytag-{self.name}"

    @property
    def module(self) -> str:
        """Name of the module."""
        return f"polytag_{self.name.replace('-', '_')}"

    @property
    def class_name(self) -> str:
        """The start of the names of its classes."""
        return "".join(part.title() for part in self.name.split("-"))


def check_name(name: str) -> None:
    """Check that a plugin can have this name.

    Raises:
        PolytagError: It cannot, or an installed plugin has it.
    """
    if not _NAME.fullmatch(name):
        raise PolytagError(
            f"A plugin cannot be named {name!r}: use lower-case letters and digits, and hyphens between words. "
            "Example: polytag plugins new acme"
        )
    if taken := [plugin for plugin in registry().manager.plugins if plugin.name == name]:
        raise PolytagError(f"The {taken[0].source} already exists. Choose another name.")


def new_plugin(plugin: NewPlugin, folder: Path) -> list[Path]:
    """Write a package with the plugin, its tests and its README, atomically.

    Args:
        plugin: The plugin.
        folder: The output folder; it must be empty or not exist.

    Returns:
        The files, relative to the folder.

    Raises:
        PolytagError: A name cannot be used, the scheme does not exist, or the folder cannot be written.
    """
    check_name(plugin.name)
    _check_task(plugin.task, plugin.columns)
    if unknown := [part for part in plugin.parts if part not in PARTS]:
        raise UnknownNameError("part of a plugin", unknown[0], PARTS)
    values = _values(plugin)
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise PolytagError(f"{str(folder)!r} already exists, and is not an empty folder. Choose another --output.")
    check_replaceable(folder)
    with new_folder(folder, "plugin") as temporary:
        for source in sorted(path for path in _TEMPLATE.rglob("*") if path.is_file()):
            if source.name.partition(".")[0] in PARTS.keys() - set(plugin.parts):
                continue
            relative = source.relative_to(_TEMPLATE).as_posix().replace(_MODULE, plugin.module).removesuffix(_ENDING)
            target = temporary / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            text = string.Template(source.read_text(encoding="utf-8")).substitute(values)
            target.write_text(text, encoding="utf-8")
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


def _check_task(task: str, columns: Sequence[str]) -> None:
    if not _WORD.fullmatch(task):
        raise PolytagError(
            f"A task cannot be named {task!r}: use letters, digits, dots and hyphens, as in acme.skills."
        )
    if providers := registry().tasks.providers(task):
        raise PolytagError(
            f"A task {task!r} already exists, from {providers[0].source}. Start the name with your own prefix, as "
            "in acme.skills."
        )
    if not columns:
        raise PolytagError("The task has no tag column. Name one or more: --columns skill_tags")
    for column in columns:
        if not _WORD.fullmatch(column):
            raise PolytagError(f"A tag column cannot be named {column!r}: use letters, digits and underscores.")


def _values(plugin: NewPlugin) -> dict[str, str]:
    parts = [part for part in PARTS if part in plugin.parts]
    own_scheme = "scheme" in parts and plugin.scheme == plugin.name
    scheme = _OwnScheme() if own_scheme else registry().schemes[plugin.scheme]
    tags = scheme.tags([Span(0, 2, "THING")], 2) if scheme.encodes_spans else ["X", "Y"]
    metrics = [
        "spans" if scheme.encodes_spans else "tags",
        *([f"{plugin.name}-sentences"] if "metric" in parts else []),
    ]
    imports = [f"from {plugin.module}.{part} import {plugin.class_name}{PARTS[part][2]}\n" for part in sorted(parts)]
    hooks = [
        _HOOK.format(
            hook=hook, kind=kind, summary=summary.format(name=plugin.name), class_name=plugin.class_name + ending
        )
        for kind, hook, ending, summary in map(PARTS.__getitem__, parts)
    ]
    return {
        "name": plugin.name,
        "distribution": plugin.distribution,
        "module": plugin.module,
        "class_name": plugin.class_name,
        "task": plugin.task,
        "scheme": plugin.scheme,
        "metrics": _tuple(metrics, 12),
        "columns": _tuple(plugin.columns, 12),
        "column": plugin.columns[0],
        "row": json.dumps({"tokens": ["Two", "words"], plugin.columns[0]: tags}),
        "imports": "\n" + "".join(imports) if imports else "",
        "hooks": "".join(hooks),
        "untyped": _UNTYPED if "head" in parts else "",
        "version": importlib.metadata.version("polytag"),
        "api": str(PLUGIN_API),
    }


class _OwnScheme(PrefixScheme):
    """The label scheme of the template."""

    name, first, inner, last, single = "", "B", "I", "E", "W"


def _tuple(values: Sequence[str], indent: int) -> str:
    """A tuple in the style of the formatter."""
    line = f"({', '.join(json.dumps(value) for value in values)}{',' if len(values) == 1 else ''})"
    if indent + len(f"columns={line},") <= _LINE_LENGTH:
        return line
    inner = "".join(f"{' ' * (indent + 4)}{json.dumps(value)},\n" for value in values)
    return f"(\n{inner}{' ' * indent})"
