"""`polytag tasks` and `polytag plugins`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from polytag.hooks.manager import Plugin
    from polytag.hooks.registry import Registry

_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def tasks_cli(as_json: _Json = False) -> None:
    """List the tasks that --task can name, with what each one is made of."""
    from polytag.hooks.registry import registry

    tasks = registry().tasks
    rows = []
    for name in tasks:
        for provider in tasks.providers(name):
            task = tasks[name] if len(tasks.providers(name)) == 1 else None
            rows.append(
                {
                    "name": name,
                    "summary": task.summary if task else "claimed by several plugins",
                    "scheme": task.scheme if task else "",
                    "alignment": task.alignment if task else "",
                    "metrics": list(task.metrics) if task else [],
                    "columns": list(task.columns) if task else [],
                    "provider": f"{provider.distribution} {provider.version} ({provider.name})",
                }
            )
    _print(rows, as_json)
    mention_problems()


def plugins_cli(as_json: _Json = False) -> None:
    """List every plugin: where it comes from, whether it is loaded, and what it brings."""
    from polytag.hooks.registry import registry

    known = registry()
    rows = [
        {
            "name": plugin.name,
            "distribution": f"{plugin.distribution} {plugin.version}",
            "status": plugin.status,
            "brings": _brings(known, plugin),
            "error": plugin.error,
        }
        for plugin in known.manager.plugins
    ]
    _print(rows, as_json)


def _brings(known: Registry, plugin: Plugin) -> dict[str, list[str]]:
    kinds = (known.tasks, known.schemes, known.alignments, known.metrics, known.readers, known.encoders)
    found = {kind.noun: [name for name in kind if plugin in kind.providers(name)] for kind in kinds}
    return {noun: names for noun, names in found.items() if names}


def _print(rows: list[dict[str, Any]], as_json: bool) -> None:
    from polytag.cli.tables import print_json

    if as_json:
        print_json(rows)
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table()
    shown = [name for name in rows[0] if any(row[name] for row in rows)] if rows else []
    for name in shown:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(row[name])) for name in shown))
    Console(highlight=False).print(table)


def _cell(value: object) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{noun}: {', '.join(names)}" for noun, names in value.items())
    return ", ".join(value) if isinstance(value, list) else str(value)


def mention_problems() -> None:
    """Say on stderr which plugins are not loaded, and why."""
    from polytag.hooks.registry import registry

    for plugin in registry().manager.problems:
        typer.echo(f"Not loaded: {plugin.source}: {plugin.error}", err=True)
