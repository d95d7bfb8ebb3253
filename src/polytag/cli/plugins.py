"""`polytag tasks` and `polytag plugins`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from polytag.cli.completion import plugin_name, registered
from polytag.cli.options import Command, Group, Json
from polytag.errors import PolytagError, UnknownNameError
from polytag.terminal import console, visible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from polytag.plugin.provenance import Plugin
    from polytag.plugin.registry import Kind, Registry

app = typer.Typer(cls=Group, help="List plugins, create a new one, check one.")

SLOW_IMPORT = 1.0
"""Seconds; a slower import of a plugin is reported."""


def tasks_cli(
    name: Annotated[
        str | None,
        typer.Argument(
            help="Show all details of this task.", show_default="list all", autocompletion=registered("tasks")
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the tasks, or show all details of one."""
    from polytag.plugin.registry import registry

    if name is not None:
        _print_details(_task(registry(), name), as_json)
        return
    tasks = registry().tasks
    rows = []
    for known in tasks:
        for provider in tasks.providers(known):
            task = tasks[known] if len(tasks.providers(known)) == 1 else None
            rows.append(
                {
                    "name": known,
                    "summary": task.summary if task else "claimed by several plugins",
                    "scheme": task.scheme if task else "",
                    "alignment": task.alignment if task else "",
                    "metrics": list(task.metrics) if task else [],
                    "columns": list(task.columns) if task else [],
                    "missing": registry().missing(task) if task else [],
                    "provider": _provider(provider),
                }
            )
    if as_json:
        _print(rows, as_json)
    else:
        _print_tasks(rows)
    for plugin in registry().manager.loaded():
        if plugin.import_seconds > SLOW_IMPORT:
            typer.echo(
                f"The import of {plugin.source} took {plugin.import_seconds:.1f} s; `polytag plugins check "
                f"{plugin.name}` shows whether it imports a slow package.",
                err=True,
            )


@app.callback(invoke_without_command=True)
def plugins_cli(context: typer.Context, as_json: Json = False) -> None:
    """List all plugins (origin, status, what they provide), create a new one, check one."""
    if context.invoked_subcommand is not None:
        return
    from polytag.plugin.registry import registry

    known = registry()
    rows: list[dict[str, Any]] = [
        {
            "name": plugin.name,
            "distribution": plugin.distribution,
            "version": plugin.version,
            "status": plugin.status,
            "import_seconds": round(plugin.import_seconds, 3),
            "brings": known.brought_by(plugin),
            "error": plugin.error,
            "deprecations": plugin.deprecations,
        }
        for plugin in known.manager.plugins
    ]
    if as_json:
        _print(rows, as_json)
        return
    _print(
        [
            {
                "name": row["name"],
                "distribution": f"{row['distribution']} {row['version']}".rstrip(),
                "status": row["status"],
                "import": f"{row['import_seconds']:.2f} s",
                "brings": "\n".join(filter(None, [_cell(row["brings"]), row["error"], *row["deprecations"]])),
            }
            for row in rows
        ],
        as_json,
    )


@app.command("new", cls=Command)
def new_cli(
    name: Annotated[str, typer.Argument(help="Name of the plugin: acme creates the package polytag-acme.")],
    task: Annotated[
        str | None, typer.Option(help="Name of its task: acme.skills.", show_default="prompted for, or NAME.tags")
    ] = None,
    scheme: Annotated[
        str | None, typer.Option(help="Label scheme of the task.", show_default="prompted for, or iob2")
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(
            help="Tag columns of the task, separated by commas.",
            show_default="prompted for, or the task's name and _tags",
        ),
    ] = None,
    parts: Annotated[
        str | None,
        typer.Option(
            "--with",
            help="Further contributions, separated by commas: reader, metric, scheme, splitter, head.",
            show_default="none",
        ),
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder.", show_default="polytag-NAME")] = None,
    as_json: Json = False,
) -> None:
    """Create an installable plugin package with one task, further contributions if wanted, and tests."""
    from polytag.cli.tables import print_json
    from polytag.plugin.scaffold import NewPlugin, check_name, new_plugin

    check_name(name)
    chosen = _listed(parts or "")
    if "scheme" in chosen:
        scheme = scheme or name
    task = task or _ask("Name of the task", f"{name}.tags")
    scheme = scheme or _ask("Label scheme (flat for one tag per word; iob2 or another for spans)", "iob2")
    columns = columns or _ask("Tag columns, separated by commas", f"{task.rpartition('.')[2]}_tags")
    plugin = NewPlugin(name, task, scheme, _listed(columns), chosen)
    folder = output or Path(plugin.distribution)
    files = new_plugin(plugin, folder)
    if as_json:
        print_json({"plugin": name, "folder": str(folder), "files": [str(folder / file) for file in files]})
        return
    typer.echo("\n".join(str(folder / file) for file in files))
    decoding = f" --decoding {name}" if "head" in chosen else ""
    typer.echo(
        f"\nInstall it with: pip install -e '{folder}[dev]'\n"
        f"Test it with:    pytest {folder}, or: polytag plugins check {name}\n"
        f"Train with:      polytag train --task {task} --corpus SOURCE --output FOLDER{decoding}"
    )


def _listed(text: str) -> tuple[str, ...]:
    """The parts between commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _ask(question: str, default: str) -> str:
    """The answer of the user on a terminal, else the default."""
    return str(typer.prompt(question, default=default, err=True)) if _is_asked() else default


def _is_asked() -> bool:
    return sys.stdin.isatty()


@app.command("check", cls=Command)
def check_cli(
    name: Annotated[
        str, typer.Argument(help="Name of a plugin, as `polytag plugins` lists it.", autocompletion=plugin_name)
    ],
    source: Annotated[
        list[str] | None,
        typer.Option(
            help="Corpus that its reader is tried with; READER=CORPUS if it has several readers. Can be repeated.",
            show_default="one that the reader writes",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check a plugin against the contracts of everything that it provides.

    Exit status 1 if a contract is violated.
    """
    from polytag.testing.suite import check

    outcomes = list(check(name, _sources(name, source or [])))
    if as_json:
        rows = [{"case": str(one.case), "status": one.status, "message": one.message} for one in outcomes]
        _print(rows, as_json)
    failed = 0
    for outcome in outcomes:
        failed += outcome.status == "failed"
        if as_json:
            continue
        typer.echo(f"{outcome.status:12} {outcome.case}")
        for line in outcome.message.split("\n") if outcome.message else ():
            typer.echo(f"             {visible(line)}")
    if failed:
        typer.echo(f"{name} violates {failed} of its contracts.", err=True)
        raise typer.Exit(1)


def _sources(name: str, given: list[str]) -> dict[str, str]:
    """The source of each reader of a plugin. That there is no such plugin or corpus is no broken contract."""
    from polytag.corpus.source import locate
    from polytag.plugin.registry import registry

    known = registry()
    names = [plugin.name for plugin in known.manager.plugins]
    if name not in names:
        raise UnknownNameError("plugin", name, names)
    readers = [
        reader for plugin in known.manager.plugins if plugin.name == name for reader in known.readers.offered_by(plugin)
    ]
    found = {}
    for source in given:
        reader, _, corpus = source.partition("=")
        if reader in readers and corpus:
            found[reader] = corpus
        elif len(readers) == 1:
            found[readers[0]] = source
        elif readers:
            raise PolytagError(
                f"The plugin {name!r} has the readers {', '.join(readers)}. Say which one the corpus is for: --source "
                f"{readers[0]}={source}"
            )
        else:
            raise PolytagError(f"The plugin {name!r} has no reader to try with a corpus. Leave --source out.")
    for corpus in found.values():
        locate(corpus)
    return found


def _task(known: Registry, name: str) -> dict[str, Any]:
    task = known.tasks[name]
    return {
        "name": task.name,
        "summary": task.summary,
        "provider": _provider(known.tasks.providers(name)[0]),
        "columns": list(task.columns),
        "scheme": _part(known.schemes, task.scheme),
        "alignment": _part(known.alignments, task.alignment),
        "metrics": [_part(known.metrics, metric) for metric in task.metrics],
        "labels": None if task.labels is None else list(task.labels),
    }


def _part(kind: Kind[Any], name: str) -> dict[str, str]:
    """A part of a task; several providers, or none, are shown and not raised as errors."""
    found = kind[name] if len(kind.providers(name)) == 1 else None
    part = {"name": name, "provider": " and ".join(map(_provider, kind.providers(name))) or "nobody"}
    for attribute in ("summary", "headline"):
        if value := getattr(found, attribute, ""):
            part[attribute] = value
    return part


def _provider(plugin: Plugin) -> str:
    return f"{plugin.origin} ({plugin.name})"


def _print_details(details: Mapping[str, Any], as_json: bool) -> None:
    from polytag.cli.tables import print_json

    if as_json:
        print_json(details)
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in details.items():
        parts = value if isinstance(value, list) and value and isinstance(value[0], dict) else [value]
        cell = "\n".join(_described(part) if isinstance(part, dict) else _cell(part) for part in parts)
        table.add_row(Text(visible(name)), Text("read from the training split" if value is None else cell))
    console().print(table)


def _described(part: Mapping[str, str]) -> str:
    part = {name: visible(value) for name, value in part.items()}
    headline = f", headline score {part['headline']}" if "headline" in part else ""
    summary = f"\n  {part['summary']}" if "summary" in part else ""
    return f"{part['name']}, from {part['provider']}{headline}{summary}"


def _print_tasks(rows: list[dict[str, Any]]) -> None:
    """Print each task with what it is made of below it: a table of seven columns would break words."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for row in rows:
        made_of = [_cell(row[part]) for part in ("scheme", "alignment", "metrics") if row[part]]
        details = ", ".join(made_of) + (f"; columns {_cell(row['columns'])}" if row["columns"] else "")
        lines = [Text(visible(row["summary"]))]
        lines += [Text(text) for text in (details, f"from {_cell(row['provider'])}") if text]
        lines += [Text(f"missing: {_cell(row['missing'])}", "red")] if row["missing"] else []
        table.add_row(Text(visible(row["name"])), Text("\n").join(lines))
    console().print(table)


def _print(rows: list[dict[str, Any]], as_json: bool) -> None:
    from polytag.cli.tables import print_json

    if as_json:
        print_json(rows)
        return
    from rich.table import Table
    from rich.text import Text

    table = Table()
    shown = [name for name in rows[0] if any(row[name] for row in rows)] if rows else []
    for name in shown:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(row[name])) for name in shown))
    console().print(table)


def _cell(value: object) -> str:
    if isinstance(value, dict):
        return "\n".join(visible(f"{noun}: {', '.join(names)}") for noun, names in value.items())
    text = ", ".join(value) if isinstance(value, list) else str(value)
    return "\n".join(map(visible, text.split("\n")))


def mention_problems() -> None:
    """Print on stderr which plugins are not loaded, and why, if the command has loaded any."""
    from polytag.plugin.manager import known_manager

    manager = known_manager()
    for plugin in manager.problems if manager else ():
        typer.echo(visible(f"Not loaded: {plugin.source}: {plugin.error}"), err=True)
