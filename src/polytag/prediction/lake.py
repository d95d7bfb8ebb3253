"""Tag a data lake: many files into a folder, by any number of workers, each row once whatever is killed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Unpack

from polytag.errors import InterruptedRunError, PolytagError
from polytag.files import remove_empty, resolve_links
from polytag.plugin.attribution import attributed
from polytag.plugin.reader import ReadingKeywords, ReadingOptions
from polytag.prediction.inputs import PARQUET
from polytag.prediction.lake_files import InputFile, OutputFolder, explained, find_files, is_url, opened_system
from polytag.prediction.manifest import LOCK, Manifest, fingerprint_of
from polytag.prediction.row_options import RowOptions, check_name
from polytag.prediction.runners import Run, run_here, run_processes
from polytag.prediction.shard_work import LakeJob, ShardDone
from polytag.prediction.shards import chosen_files, shards_of
from polytag.tagger.arguments import check_min_score
from polytag.tagger.description import open_folder
from polytag.tagger.runtimes import choose_runtime, runtime_of_device
from polytag.tagger.token_classifiers import LabelNames
from polytag.tagger.viterbi import check_decoding

RUNNERS = ("processes", "ray")
_EVERY = 1.0
"""Seconds between two writes of the manifest while shards are small."""


@dataclass(frozen=True, slots=True)
class LakeProgress:
    """The progress of a lake.

    Attributes:
        rows: Rows that are done, also in earlier runs.
        total_rows: Rows of all inputs.
        shards: Shards that are done.
        total_shards: All shards.
        quarantined: Rows so far that cannot be tagged.
        finished: The shard that was just finished, if one was.
    """

    rows: int
    total_rows: int
    shards: int
    total_shards: int
    quarantined: int
    finished: ShardDone | None = None


@dataclass(frozen=True, slots=True)
class LakeResult:
    """A tagged lake.

    Attributes:
        output: Path or URL of its folder.
        rows: Rows of all outputs.
        quarantined: Rows that cannot be tagged; a folder of the output lists them with file and row.
        shards: Number of outputs.
        left_out: Files in the inputs' folders that were left out, as nothing here reads their extension.
        seconds: Time of this run.
        tagged: Rows tagged by this run; earlier ones had done the others.
        changed: Outputs that were changed or removed after an earlier run had finished them, and were done again.
    """

    output: str
    rows: int
    quarantined: int
    shards: int
    left_out: tuple[str, ...]
    seconds: float
    tagged: int
    changed: tuple[str, ...] = ()


@attributed
def predict_lake(
    tagger: str | Path,
    inputs: str | Path | Sequence[str | Path],
    output: str | Path,
    *,
    workers: int = 1,
    runner: str = "processes",
    ray_address: str | None = None,
    input_format: str | None = None,
    output_format: str | None = None,
    text_column: str | None = None,
    tokens_column: str | None = None,
    document_column: str | None = None,
    decoding: str | None = None,
    min_score: float = 0.0,
    lines: bool = False,
    runtime: str | None = None,
    device: str | None = None,
    task: str | None = None,
    labels: LabelNames | None = None,
    on_progress: Callable[[LakeProgress], object] | None = None,
    **reading: Unpack[ReadingKeywords],
) -> LakeResult:
    """Tag many files into a folder. The same call again continues where a killed one stopped.

    Every other column is passed on. A row that cannot be tagged is listed in a folder of the output, with the reason.

    Args:
        tagger: Folder of a tagger or of a token classifier of transformers, or its name on the hub.
        inputs: Files, folders, patterns such as `lake/*.parquet`, and URLs of fsspec such as `s3://bucket/lake`.
        output: The folder to write, or its URL: new, empty, or begun by the same call.
        workers: Number of processes; 1 for this one.
        runner: `processes`, or `ray` for a Ray cluster.
        ray_address: Address of the cluster; by default the one that this program has joined, or a new local one.
        input_format: `parquet`, `jsonl`, `text`, `document`, `words` or `conll`; by default chosen by each extension.
        output_format: `parquet` or `jsonl`; by default `parquet` if all inputs are Parquet.
        text_column, tokens_column, document_column: The columns with the text of a row, or its words and their
            document; by default `text`, else `tokens` and `document`, else the only column of strings.
        decoding, min_score, runtime, device, task, labels: As in `Tagger.load`.
        lines: Tag each line of a text as a text of its own, as in `Tagger.tag`.
        on_progress: Called after each batch of rows and after each shard.
        **reading: What is known about the form of text files, as in `predict`.

    Raises:
        PolytagError: The tagger or an input is invalid, the folder was begun by another call, or this one was
            interrupted from the keyboard.
    """
    began = time.perf_counter()
    check_min_score(min_score)
    run = _run(runner, workers, ray_address)
    given = [str(inputs)] if isinstance(inputs, str | Path) else list(map(str, inputs))
    files, left_out = chosen_files(find_files(given), input_format)
    _check_apart(str(output), [*given, *(file.path for file in files)])
    _check_reachable([*given, str(output)], run)
    folder, description = open_folder(tagger, task, labels)
    columns = (text_column, tokens_column, document_column)
    writing = output_format or _usual_format(files, input_format)
    chosen = choose_runtime(folder, description, runtime_of_device(device, runtime))
    form, found = ReadingOptions.of(reading), check_decoding(decoding)
    options = RowOptions(writing, input_format, *columns, lines, found, min_score, task, labels, chosen, form, device)
    shards = shards_of(files, options)
    job = LakeJob(folder, str(output), options)
    with _locked(OutputFolder(str(output))) as target:
        manifest = Manifest(target, fingerprint_of(folder), options.to_dict(), shards)
        manifest.continue_from_folder()
        progress = _Progress(manifest, on_progress)
        tagged = manifest.rows(manifest.left)
        if manifest.left:
            _run_what_is_left(run, job, manifest, progress, target)
    done = manifest.done.values()
    seconds = time.perf_counter() - began
    rows, bad = sum(shard.rows for shard in done), sum(shard.quarantined for shard in done)
    return LakeResult(str(output), rows, bad, len(shards), tuple(left_out), seconds, tagged, manifest.changed)


def _run_what_is_left(run: Run, job: LakeJob, manifest: Manifest, progress: _Progress, target: OutputFolder) -> None:
    manifest.write()
    try:
        run(job, manifest.left, progress)
    except BaseException as error:
        target.tidy()
        if isinstance(error, KeyboardInterrupt):
            done = len(manifest.done)
            raise InterruptedRunError(
                f"Interrupted: {done:,} of {done + len(manifest.left):,} files are done in {job.output!r}. Continue "
                "with the same command."
            ) from None
        raise
    finally:
        manifest.close()


class _Progress:
    """Keeps the manifest, and tells how far the lake is."""

    def __init__(self, manifest: Manifest, on_progress: Callable[[LakeProgress], object] | None) -> None:
        self._manifest, self._on_progress = manifest, on_progress
        self._total = manifest.rows()
        self._rows = self._total - manifest.rows(manifest.left)
        self._shards = len(manifest.done) + len(manifest.left)
        self._quarantined = sum(done.quarantined for done in manifest.done.values())
        self._written = time.monotonic()
        self._tell()

    def on_rows(self, rows: int) -> None:
        self._rows += rows
        self._tell()

    def on_done(self, done: ShardDone) -> None:
        self._manifest.add(done)
        self._quarantined += done.quarantined
        if time.monotonic() - self._written >= _EVERY:
            self._manifest.write()
            self._written = time.monotonic()
        self._tell(done)

    def _tell(self, finished: ShardDone | None = None) -> None:
        if self._on_progress:
            done = len(self._manifest.done)
            self._on_progress(LakeProgress(self._rows, self._total, done, self._shards, self._quarantined, finished))


def _check_reachable(paths: Sequence[str], run: Run) -> None:
    """Check that the workers can read and write what this process can."""
    if run is not run_here and (own := next((path for path in paths if path.startswith("memory://")), None)):
        raise PolytagError(
            f"{own!r} is in the memory of this process, and other workers do not see it. Leave out --workers and "
            "--runner."
        )


def _usual_format(files: Sequence[InputFile], input_format: str | None) -> str:
    forms = {input_format or (PARQUET if file.name.endswith(f".{PARQUET}") else "") for file in files}
    return PARQUET if forms == {PARQUET} else "jsonl"


def _run(runner: str, workers: int, ray_address: str | None) -> Run:
    check_name("runner", runner, RUNNERS)
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
        raise PolytagError(f"workers is {workers!r:.60}, and must be an integer of at least 1.")
    if runner == "ray":
        from polytag.prediction.ray_cluster import check_cluster
        from polytag.prediction.ray_runner import run_ray

        check_cluster(ray_address)
        return partial(run_ray, workers=workers, address=ray_address)
    if ray_address is not None:
        raise PolytagError("--ray-address is for --runner ray. Add it, or leave the address out.")
    return run_here if workers == 1 else partial(run_processes, workers=workers)


def _check_apart(output: str, inputs: Sequence[str]) -> None:
    """Check that neither is in the other: the next run would tag the output."""
    own = _place(output)
    for path in inputs:
        other = _place(path)
        if own.startswith(other) or other.startswith(own):
            raise PolytagError(
                f"One of the input {path!r} and the output folder {output!r} is in the other. Choose another output."
            )


def _place(path: str) -> str:
    """The path of a folder in its file system, without links, and with a slash at its end."""
    inner = opened_system(path)[1] if is_url(path) else str(resolve_links(Path(path)))
    return inner.rstrip("/") + "/"


@contextmanager
def _locked(folder: OutputFolder) -> Iterator[OutputFolder]:
    """Keep other processes from writing to the folder; on disk only."""
    if folder.local is None:
        yield folder
        return
    from filelock import FileLock, Timeout

    folder.names()  # raises an error if it is a file
    made = [path for path in (folder.local, *folder.local.parents) if not path.exists()]
    with explained(folder.path, "written"):
        folder.local.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder.local / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise PolytagError(
            f"Another process is writing to the output folder {folder.path!r}. Wait for it, or choose another folder."
        ) from None
    try:
        yield folder
    finally:
        (folder.local / LOCK).unlink(missing_ok=True)  # while it is held: later, it may be that of another process
        lock.release()
        remove_empty(made)  # if nothing could be done
