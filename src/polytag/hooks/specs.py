"""Hook specifications: everything a plugin can implement.

A plugin is a module (or object) with functions marked `@polytag.hookimpl`, named by an entry point in the group
`polytag`. Registration hooks return an iterable of contributions; names have to be unique over all plugins. Observer
hooks look at a run and never alter it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from polytag.alignment import AlignmentStrategy
    from polytag.encoders import EncoderProvider
    from polytag.hooks.manager import RunInfo
    from polytag.metrics import Metric
    from polytag.readers import Reader
    from polytag.schemes import LabelScheme
    from polytag.tasks import Task

PROJECT = "polytag"
PLUGIN_API = 1
"""The version of this contract.

It rises when a change would break plugins that exist. A new hook, a new argument of a hook (plugins name just those
they want) and a new optional field or method of a public class are no such change.
"""
OLDEST_PLUGIN_API = 1
"""The oldest version that still works. A plugin declares the one it was written for as `POLYTAG_PLUGIN_API`."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def polytag_tasks() -> Iterable[Task]:  # type: ignore[empty-body]  # a specification has no body
    """Tasks that `--task` can name.

    ```python
    @polytag.hookimpl
    def polytag_tasks():
        return [polytag.Task("acme.skills", "Skills in job adverts", ("skill_tags",), "iob2", "first", ("spans",))]
    ```
    """


@hookspec
def polytag_label_schemes() -> Iterable[LabelScheme]:  # type: ignore[empty-body]
    """Label schemes: how tags encode spans.

    ```python
    class Bmes(polytag.PrefixScheme):
        name, first, inner, last, single = "bmes", "B", "M", "E", "S"


    @polytag.hookimpl
    def polytag_label_schemes():
        return [Bmes()]
    ```
    """


@hookspec
def polytag_alignments() -> Iterable[AlignmentStrategy]:  # type: ignore[empty-body]
    """Alignment strategies: from word labels to subword labels and back.

    ```python
    @polytag.hookimpl
    def polytag_alignments():
        return [MiddleSubword()]
    ```
    """


@hookspec
def polytag_metrics() -> Iterable[Metric]:  # type: ignore[empty-body]
    """Metrics: from gold and predicted tags to scores.

    ```python
    @polytag.hookimpl
    def polytag_metrics():
        return [SurfaceForms()]
    ```
    """


@hookspec
def polytag_readers() -> Iterable[Reader]:  # type: ignore[empty-body]
    """Readers: from a source (files, a folder, a name) to a corpus.

    ```python
    @polytag.hookimpl
    def polytag_readers():
        return [BratReader()]
    ```
    """


@hookspec
def polytag_encoders() -> Iterable[EncoderProvider]:  # type: ignore[empty-body]
    """Encoders: from words to one vector a unit.

    ```python
    @polytag.hookimpl
    def polytag_encoders():
        return [CharCnnProvider()]
    ```
    """


@hookspec
def polytag_train_begin(run: RunInfo) -> None:
    """Training is about to begin.

    ```python
    @polytag.hookimpl
    def polytag_train_begin(run):
        print("training", run.tasks, "on", run.corpus)
    ```
    """


@hookspec
def polytag_epoch_end(run: RunInfo, epoch: int, scores: Mapping[str, float]) -> None:
    """Epoch number `epoch` (from 1) has been evaluated on the validation split.

    ```python
    @polytag.hookimpl
    def polytag_epoch_end(run, epoch, scores):
        wandb.log(dict(scores), step=epoch)
    ```
    """


@hookspec
def polytag_train_end(run: RunInfo, scores: Mapping[str, float]) -> None:
    """Training has ended and the tagger is saved; `scores` are those of the chosen epoch.

    ```python
    @polytag.hookimpl
    def polytag_train_end(run, scores):
        notify(f"{run.output}: {scores}")
    ```
    """
