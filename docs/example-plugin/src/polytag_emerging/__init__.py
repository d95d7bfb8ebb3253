"""Emerging entities: a task with its own labels, file format, alignment strategy and metric."""

from collections.abc import Iterable

import polytag

from polytag_emerging.alignment import Confident
from polytag_emerging.metric import WholeSentences
from polytag_emerging.reader import MarkedReader

POLYTAG_PLUGIN_API = 1

KINDS = ("brand", "event", "group", "place", "work")


@polytag.hookimpl
def polytag_tasks() -> Iterable[polytag.Task]:
    """The task `emerging.entities`, with a fixed label inventory."""
    return [
        polytag.Task(
            name="emerging.entities",
            summary="Names of things that came up lately: brands, events, groups, places, works",
            columns=("emerging_tags",),
            scheme="iob2",
            alignment="confident",
            metrics=("spans", "sentences"),
            labels=("O", *(f"{prefix}-{kind}" for kind in KINDS for prefix in "BI")),
        )
    ]


@polytag.hookimpl
def polytag_readers() -> Iterable[polytag.Reader]:
    """The reader `marked`."""
    return [MarkedReader()]


@polytag.hookimpl
def polytag_alignments() -> Iterable[polytag.AlignmentStrategy]:
    """The alignment strategy `confident`."""
    return [Confident()]


@polytag.hookimpl
def polytag_metrics() -> Iterable[polytag.Metric]:
    """The metric `sentences`."""
    return [WholeSentences()]
