"""`polytag predict` for a data lake: progress, events, and the exit status."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import typer

from polytag.errors import PolytagError
from polytag.terminal import console

if TYPE_CHECKING:
    from polytag.prediction.lake import LakeProgress

LEFT_OUT = 3
"""Exit status where all is done, but rows were left out."""
_LINES_EVERY, _EVENTS_EVERY = 30.0, 1.0
"""Seconds between two lines, or two events, about progress."""
_NAMED = 3

OnProgress = Callable[["LakeProgress"], object]


def is_lake(inputs: Sequence[str], workers: int | None, runner: str | None, address: str | None) -> bool:
    """Whether the inputs are tagged into a folder: several, a folder, a pattern, or by several workers."""
    if len(inputs) > 1 or workers is not None or runner is not None or address is not None:
        return True
    if inputs[0] == "-":
        return False
    from polytag.prediction.lake_files import is_folder, is_glob

    return is_glob(inputs[0]) or is_folder(inputs[0])


def tag_lake(tagger: str, inputs: Sequence[str], as_json: bool, quiet: bool, **options: Any) -> None:
    """Tag a lake, and exit with status 3 if rows were left out.

    Args:
        tagger: The tagger.
        inputs: The inputs.
        as_json: Print events as JSON on standard output.
        quiet: Show no progress.
        **options: Options of `predict_lake`.
    """
    from polytag.prediction.lake import predict_lake
    from polytag.prediction.shard_work import QUARANTINE

    if options["output"] is None:
        raise PolytagError(
            "Several files, a folder, a pattern or --workers give several outputs. Name a folder for them: --output "
            "FOLDER"
        )
    shown = _events() if as_json else _nothing() if quiet else bar() if sys.stderr.isatty() else lines()
    with shown as on_progress:
        result = predict_lake(tagger, inputs, on_progress=on_progress, **options)
    if as_json:
        _print_event(
            "end",
            rows=result.rows,
            quarantined=result.quarantined,
            shards=result.shards,
            tagged=result.tagged,
            left_out=list(result.left_out),
            changed=list(result.changed),
            seconds=round(result.seconds, 3),
        )
    if result.left_out:
        print(f"polytag: Left out, as their extension is none that is read: {_named(result.left_out)}", file=sys.stderr)
    if result.changed:
        print(f"polytag: Changed or removed since, and done again: {_named(result.changed)}", file=sys.stderr)
    if not quiet and not as_json:
        before = "" if result.tagged else " All was done before."
        print(f"{result.rows:,} rows in {result.output}, in {_files(result.shards)}.{before}", file=sys.stderr)
    if result.quarantined:
        print(
            f"polytag: Rows left out, as they cannot be tagged: {result.quarantined:,}. {result.output}/{QUARANTINE} "
            "says which and why.",
            file=sys.stderr,
        )
        raise typer.Exit(LEFT_OUT)


def _named(files: Sequence[str]) -> str:
    return ", ".join(files[:_NAMED]) + (", …" if len(files) > _NAMED else "")


def _files(number: int) -> str:
    return "1 file" if number == 1 else f"{number:,} files"


@contextmanager
def _nothing() -> Iterator[OnProgress | None]:
    yield None


@contextmanager
def bar() -> Iterator[OnProgress]:
    """Show a bar over the rows, with their number a second and the time left, on stderr."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("rows  {task.fields[files]}  {task.fields[speed]}"),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    began = time.monotonic()
    with Progress(*columns, console=console(sys.stderr), transient=True, speed_estimate_period=60) as bar:
        task: Any = None
        before = 0

        def show(progress: LakeProgress) -> None:
            nonlocal task, before
            files = f"{progress.shards:,}/{progress.total_shards:,} files"
            if task is None:
                before = progress.rows
                task = bar.add_task("", total=progress.total_rows, completed=before, files=files, speed="")
            speed = (progress.rows - before) / max(time.monotonic() - began, 1e-3)
            bar.update(task, completed=progress.rows, files=files, speed=f"{speed:,.0f} rows/s")

        yield show


@contextmanager
def lines() -> Iterator[OnProgress]:
    """Print a line on stderr now and then."""
    began = spoken = time.monotonic()
    before: int | None = None

    def show(progress: LakeProgress) -> None:
        nonlocal spoken, before
        before = progress.rows if before is None else before
        now = time.monotonic()
        if now - spoken > _LINES_EVERY and progress.rows > before:
            spoken = now
            speed = (progress.rows - before) / (now - began)
            left = timedelta(seconds=round((progress.total_rows - progress.rows) / speed))
            print(
                f"{progress.rows:,}/{progress.total_rows:,} rows  {progress.shards:,}/{progress.total_shards:,} files  "
                f"{speed:,.0f} rows/s  {left} left",
                file=sys.stderr,
            )

    yield show


@contextmanager
def _events() -> Iterator[OnProgress]:
    spoken = -_EVENTS_EVERY

    def show(progress: LakeProgress) -> None:
        nonlocal spoken
        if done := progress.finished:
            _print_event("shard", output=done.output, rows=done.rows, quarantined=done.quarantined, sha256=done.sha256)
        elif time.monotonic() - spoken >= _EVENTS_EVERY:
            spoken = time.monotonic()
            _print_event(
                "progress",
                rows=progress.rows,
                total_rows=progress.total_rows,
                shards=progress.shards,
                total_shards=progress.total_shards,
            )

    yield show


def _print_event(name: str, **values: Any) -> None:
    print(json.dumps({"event": name, **values}, ensure_ascii=False), flush=True)
