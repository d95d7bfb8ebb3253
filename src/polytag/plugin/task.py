"""A task: a named tagging problem, described by data alone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Task:
    """A named tagging problem: tag column, label scheme, alignment strategy and metrics.

    Attributes:
        name: What follows `--task`: `ner`. Third parties use `vendor.name`.
        summary: One line for `polytag tasks`.
        columns: Tag columns that can hold the task; the first one a corpus has is used.
        scheme: Name of the label scheme the model is trained in, whatever scheme the corpus is written in.
        alignment: Name of the default alignment strategy.
        metrics: Names of the metrics; the headline score of the first one selects the best epoch.
        labels: Fixed label inventory in id order, or None to read it from the training split.
        typical: Labels, in capitals and without prefixes, by which a token classifier from elsewhere is seen to be of
            this task; `*` among them claims classifiers whose labels no task knows.
    """

    name: str
    summary: str
    columns: tuple[str, ...]
    scheme: str
    alignment: str
    metrics: tuple[str, ...]
    labels: tuple[str, ...] | None = None
    typical: tuple[str, ...] = ()
