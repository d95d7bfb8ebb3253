"""Look up contributions of plugins by name."""

from __future__ import annotations

from polytag.plugin.alignment import AlignmentStrategy
from polytag.plugin.metric import Metric
from polytag.plugin.registry import registry
from polytag.plugin.scheme import LabelScheme
from polytag.plugin.task import Task


def task(name: str) -> Task:
    """The task with this name: `polytag.task("ner").columns`.

    Raises:
        PolytagError: No plugin provides it, or several do.
    """
    return registry().tasks[name]


def scheme(name: str) -> LabelScheme:
    """The label scheme with this name: `polytag.scheme("iob2").spans(["B-PER", "I-PER", "O"])`.

    Raises:
        PolytagError: No plugin provides it, or several do.
    """
    return registry().schemes[name]


def alignment(name: str) -> AlignmentStrategy:
    """The alignment strategy with this name: `polytag.alignment("all").summary`.

    Raises:
        PolytagError: No plugin provides it, or several do.
    """
    return registry().alignments[name]


def metric(name: str) -> Metric:
    """The metric with this name: `polytag.metric("spans").compute(gold, predicted, polytag.scheme("iob2"))`.

    Raises:
        PolytagError: No plugin provides it, or several do.
    """
    return registry().metrics[name]
