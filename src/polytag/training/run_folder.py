"""The folder of an unfinished run: one process at a time, and resumed only as what it was."""

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
    *("push", "push_every", "push_private"),
}


def run_folder(output: Path) -> Path:
    """Where the checkpoints of a run stand until its tagger is written: beside the output folder."""
    return output.parent / f".{output.name}.run"


def with_interrupted_precision(config: RunConfig) -> RunConfig:
    """A run that is to be resumed, in the precision it was begun in, where the user leaves that to the processor.

    The processor is timed: it may be another one now, or decide otherwise.
    """
    folder = run_folder(config.output)
    if not config.resume or config.precision or not _is_unfinished(folder):
        return config
    return config.model_copy(update={"precision": _begun(folder)["precision"]})


@contextmanager
def locked_run(config: RunConfig, corpus: Mapping[str, str]) -> Iterator[CheckpointStore]:
    """The checkpoints of a run; they go away when the block ends without an error.

    Args:
        config: The run, with all defaults filled in.
        corpus: What tells its corpus from others, by what it is.

    Raises:
        PolytagError: Another process has the run, an unfinished run is there and nothing says what to do with it, or it
            is to be resumed as something else.
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
        raise PolytagError(f"The run folder {str(folder)!r} cannot be made: {error.strerror}.") from error
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
            shutil.rmtree(folder, ignore_errors=True)  # nothing to go on from
        # While it is held: what is removed later may be what another process has locked by then.
        Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()
        for parent in made:
            if parent.is_dir() and not any(parent.iterdir()):
                parent.rmdir()


def _prepare(folder: Path, identity: dict[str, object], config: RunConfig) -> None:
    try:
        with tempfile.TemporaryFile(dir=folder):  # before anything of an unfinished run is touched
            pass
    except OSError as error:
        raise PolytagError(
            f"The run folder {str(folder)!r} cannot be written: {error.strerror}. Make room, or make it writable, or "
            "choose another --output."
        ) from error
    unfinished = _is_unfinished(folder)
    if unfinished and config.resume:
        before = _begun(folder)
        changed = sorted(name for name in identity if before.get(name) != identity[name])
        if changed:
            what = "; ".join(f"{name} was {before.get(name)!r} and is {identity[name]!r}" for name in changed)
            raise PolytagError(
                f"The unfinished run of {str(config.output)!r} cannot go on as another one: {what}. Resume it with the "
                "options it was started with, or start over with --overwrite."
            )
        return
    if unfinished and not config.overwrite:
        raise PolytagError(
            f"An unfinished run of {str(config.output)!r} is there. Go on with --resume, or start over with "
            "--overwrite."
        )
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / _IDENTITY).write_text(json.dumps(identity), encoding="utf-8")


def _is_unfinished(folder: Path) -> bool:
    return any(folder.glob("checkpoint-*"))


def _begun(folder: Path) -> dict[str, Any]:
    """What an unfinished run is."""
    begun: dict[str, Any] = json.loads((folder / _IDENTITY).read_text(encoding="utf-8"))
    return begun
