"""The task `pos`: the part of speech of every word."""

from collections.abc import Iterable

import polytag

POLYTAG_PLUGIN_API = 1


@polytag.hookimpl
def polytag_tasks() -> Iterable[polytag.Task]:
    """The task `pos`."""
    return [
        polytag.Task(
            name="pos",
            summary="Part of speech of every word",
            columns=("pos_tags", "pos", "xpos", "upos", "tags"),
            scheme="flat",
            alignment="first",
            metrics=("tags",),
        )
    ]
