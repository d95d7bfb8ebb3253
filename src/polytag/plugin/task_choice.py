"""Tasks as users name them: `ner`, `ner=label` with the column that holds it, `ner:inner=nested_tags` for a variant."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from polytag.errors import PolytagError
from polytag.plugin.registry import registry
from polytag.plugin.task import Task

_VARIANT = re.compile(r"[\w.-]+")


class TaskChoice(NamedTuple):
    """A task of a run.

    Attributes:
        task: The task, under the name that the run gives it, such as `ner:inner`.
        column: The tag column that the user named, or None.
    """

    task: Task
    column: str | None


def split_choice(text: str) -> tuple[str, str | None]:
    """The name and the column in `NAME[:VARIANT][=COLUMN]`.

    Raises:
        PolytagError: The text is not of this form.
    """
    name, equals, column = (part.strip() for part in text.partition("="))
    base, colon, variant = name.partition(":")
    sound = name in registry().tasks or (base and (not colon or _VARIANT.fullmatch(variant)))
    if not sound or (equals and not column):
        raise PolytagError(
            f"--task {text!r} is not of the form NAME, NAME=COLUMN or NAME:VARIANT=COLUMN. Examples: --task ner, "
            "--task ner=label, --task ner:inner=nested_tags"
        )
    return name, column or None


def choose_tasks(texts: Iterable[str]) -> dict[str, TaskChoice]:
    """The tasks of a run by name, each given as `NAME[:VARIANT][=COLUMN]`.

    A variant is the same task on another column: `ner` and `ner:inner=nested_tags` are two tasks with a head each.

    Raises:
        PolytagError: A text is not of this form, a variant has no column, or two texts name one task.
    """
    chosen: dict[str, TaskChoice] = {}
    for text in texts:
        name, column = split_choice(text)
        task = task_named(name, column)
        if not task.columns:
            raise PolytagError(
                f"--task {text!r} names a variant without its column. Name the tag column that holds it, for instance "
                f"--task {name}=nested_tags"
            )
        if name in chosen:
            raise PolytagError(
                f"Two tasks of the run are named {name!r}. Give one of them the name of a variant, for instance "
                f"--task {name.partition(':')[0]}:other={column or 'COLUMN'}"
            )
        chosen[name] = TaskChoice(on_column(task, column) if column else task, column)
    return chosen


def on_column(task: Task, column: str) -> Task:
    """The same task, held by no other column than this one."""
    return replace(task, columns=(column,))


def task_named(name: str, column: str | None = None, needed_by: str = "") -> Task:
    """The task of a head, variants included.

    Args:
        name: Its name: `ner`, `ner:inner`.
        column: The column that it was trained on, if the user named it: it comes before the task's own columns, which a
            variant does not use.
        needed_by: The thing that needs it, for the message.

    Raises:
        UnknownNameError, PluginError: As `Kind.get`.
    """
    tasks = registry().tasks
    base = name if name in tasks else name.partition(":")[0]
    task = tasks.get(base, needed_by)
    own = task.columns if base == name else ()
    return replace(task, name=name, columns=tuple(dict.fromkeys([column, *own] if column else own)))


def is_as_registered(task: Task) -> bool:
    """Whether a task may be held by any of the columns that its plugin names, so that no user has named one instead."""
    tasks = registry().tasks
    return task.name in tasks and set(tasks[task.name].columns) <= set(task.columns)
