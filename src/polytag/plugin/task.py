"""A task: a named tagging problem, described only by data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Task:
    """A named tagging problem: tag column, label scheme, alignment strategy and metrics.

    Attributes:
        name: The argument of `--task`: `ner`. Third parties use `vendor.name`.
        summary: One line for `polytag tasks`.
        columns: Tag columns that can hold the task; the first one in the corpus is used.
        scheme: Name of the label scheme that the model is trained in, independent of the scheme of the corpus.
        alignment: Name of the default alignment strategy.
        metrics: Names of the metrics; the headline score of the first one selects the best epoch.
        labels: Fixed label inventory in id order, or None to read it from the training split.
        typical: Labels, in upper case and without prefixes, by which the task of a token classifier is recognised; `*`
            claims classifiers whose labels no task has.
        examples: Texts to try a tagger of this task on, for the page of `polytag serve`.
    """

    name: str
    summary: str
    columns: tuple[str, ...]
    scheme: str
    alignment: str
    metrics: tuple[str, ...]
    labels: tuple[str, ...] | None = None
    typical: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
