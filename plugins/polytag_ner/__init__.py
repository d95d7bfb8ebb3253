"""The task `ner`: named entities as in CoNLL-2003 (persons, places, organisations, miscellaneous)."""

from collections.abc import Iterable

import polytag

POLYTAG_PLUGIN_API = 1


@polytag.hookimpl
def polytag_tasks() -> Iterable[polytag.Task]:
    """The task `ner`."""
    return [
        polytag.Task(
            name="ner",
            summary="Named entities: persons, places, organisations and others",
            columns=("ner_tags", "ner", "tags"),
            scheme="iob2",
            alignment="first",
            metrics=("spans",),
        )
    ]
