"""The folder of an unfinished run: locked by one process, and resumed only with the same configuration."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polytag.errors import PolytagError
from polytag.training.config import RunConfig

if TYPE_CHECKING:
    from polytag.engine.checkpoints import CheckpointStore

_IDENTITY = "run.json"
_NOT_PART_OF_IT = {
    *("output", "overwrite", "resume", "checkpoint_every", "tensorboard", "profile"),
    *("export", "push", "push_every", "push_private"),
}


def run_folder(output: Path) -> Path:
    """The folder of a run's checkpoints until its tagger is written: next to the output folder."""
    return output.parent / f".{output.name}.run"


def with_interrupted_precision(config: RunConfig) -> RunConfig:
    """Keep the interrupted run's precision when it was chosen automatically.

    The choice depends on a timing, which can differ now, for instance on another processor.
    """
    folder = run_folder(config.output)
    if not config.resume or config.precision or not _is_unfinished(folder):
        return config
    return config.model_copy(update={"precision": _begun(folder)["precision"]})


@contextmanager
def locked_run(config: RunConfig, corpus: Mapping[str, str]) -> Iterator[CheckpointStore]:
    """Lock a run and return its checkpoints, which are removed when the block ends without an error.

    Args:
        config: The configuration of the run, with all defaults filled in.
        corpus: Values that identify its corpus, by the name shown in messages.

    Raises:
        PolytagError: Another process has locked the run, an unfinished run exists and neither `resume` nor `overwrite`
            is set, or the configuration of a resumed run has changed.
    """
    from filelock import FileLock, Timeout

    from polytag.engine.checkpoints import CheckpointStore

    folder = run_folder(config.output)
    made = [parent for parent in folder.parents if not parent.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder.with_name(folder.name + ".lock"), timeout=0)
        lock.acquire()
    except Timeout as error:
        raise PolytagError(
            f"Another process is training into {str(config.output)!r}. Wait for it, or choose another --output."
        ) from error
    except OSError as error:
        raise PolytagError(f"The run folder {str(folder)!r} cannot be created: {error.strerror}.") from error
    try:
        identity = {**corpus, **config.model_dump(mode="json", exclude=_NOT_PART_OF_IT)}
        if config.loss_weights and Path(config.loss_weights).is_file():
            identity["content of loss_weights"] = Path(config.loss_weights).read_text(
                encoding="utf-8", errors="replace"
            )
        _prepare(folder, identity, config)
        yield CheckpointStore(folder, config.checkpoint_every)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        if folder.is_dir() and not _is_unfinished(folder):
            shutil.rmtree(folder, ignore_errors=True)  # nothing to resume
        # While the lock is held: after its release, another process may have locked the same file.
        Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()
        for parent in made:
            if parent.is_dir() and not any(parent.iterdir()):
                parent.rmdir()


def _prepare(folder: Path, identity: dict[str, object], config: RunConfig) -> None:
    try:
        with tempfile.TemporaryFile(dir=folder):  # before an unfinished run is changed
            pass
    except OSError as error:
        raise PolytagError(
            f"The run folder {str(folder)!r} cannot be written: {error.strerror}. Free some space, make it writable, "
            "or choose another --output."
        ) from error
    unfinished = _is_unfinished(folder)
    if unfinished and config.resume:
        before = _begun(folder)
        changed = sorted(name for name in identity if before.get(name) != identity[name])
        if changed:
            what = "; ".join(f"{name} was {before.get(name)!r} and is {identity[name]!r}" for name in changed)
            raise PolytagError(
                f"The unfinished run of {str(config.output)!r} cannot be resumed after changes: {what}. Resume it with "
                "the options it was started with, or start over with --overwrite."
            )
        return
    if unfinished and not config.overwrite:
        raise PolytagError(
            f"An unfinished run of {str(config.output)!r} exists. Continue it with --resume, or start over with "
            "--overwrite."
        )
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / _IDENTITY).write_text(json.dumps(identity), encoding="utf-8")


def _is_unfinished(folder: Path) -> bool:
    return any(folder.glob("checkpoint-*"))


def _begun(folder: Path) -> dict[str, Any]:
    """The configuration and corpus of an unfinished run."""
    begun: dict[str, Any] = json.loads((folder / _IDENTITY).read_text(encoding="utf-8"))
    return begun
