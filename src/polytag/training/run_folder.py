"""The folder of an unfinished run: locked by one process, and resumed only with the same configuration."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from polytag.encoding.json_values import read_json, read_limited
from polytag.errors import InterruptedRunError, PolytagError, TrainingError, shorten
from polytag.files import check_writable, remove_empty, remove_folder, remove_leftovers
from polytag.plugin.encoder import Precision
from polytag.training.config import RunConfig

if TYPE_CHECKING:
    from polytag.engine.checkpoints import CheckpointStore

PUSHED = "push"
"""Name of the folder in a run's folder for taggers that are being pushed."""

SAID = "said"
"""Name of the folder in a run's folder for what its teachers say."""
TARGETS = ".targets"
"""Name of the folder in a run's folder for what its student learns from them; made anew at each start."""

_IDENTITY = "run.json"
_SHOWN = 3
_NOT_PART_OF_IT = {
    *("output", "overwrite", "resume", "checkpoint_every", "tensorboard", "profile"),
    *("export", "report", "push", "push_every", "push_private", "device", "workers", "runner"),
    "teacher_cache",
}


def run_folder(output: Path) -> Path:
    """The folder of a run's checkpoints until its tagger is written: next to the output folder."""
    return output.parent / f".{output.name}.run"


def with_interrupted_precision(config: RunConfig) -> RunConfig:
    """Keep the interrupted run's precision when it was chosen automatically.

    The choice depends on a timing, which can differ now, for instance on another processor.
    """
    from polytag.engine.checkpoints import damaged

    folder = run_folder(config.output)
    if not config.resume or config.precision or not is_unfinished(folder):
        return config
    precision = _begun(folder).get("precision")
    if precision not in (None, *get_args(Precision)):
        raise damaged(folder / _IDENTITY, f"it has the precision {precision!r}")
    return config.model_copy(update={"precision": precision})


@contextmanager
def locked_run(config: RunConfig, corpus: Mapping[str, str]) -> Iterator[CheckpointStore]:
    """Lock a run and return its checkpoints, which are removed when the block ends without an error.

    Args:
        config: The configuration of the run, with all defaults filled in.
        corpus: Values that identify its corpus, by the name shown in messages.

    Raises:
        PolytagError: Another process has locked the run, an unfinished run exists and neither `resume` nor `overwrite`
            is set, the configuration of a resumed run has changed, or its folder is damaged or has files of the user.
    """
    from filelock import FileLock, Timeout

    from polytag.engine.checkpoints import CheckpointStore

    folder = run_folder(config.output)
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder.with_name(folder.name + ".lock"), timeout=0)
        lock.acquire()
        remove_leftovers(folder)
    except Timeout as error:
        raise PolytagError(
            f"Another process is training into {str(config.output)!r}. Wait for it, or choose another --output."
        ) from error
    except OSError as error:
        remove_empty(made)
        raise PolytagError(f"The run folder {str(folder)!r} cannot be created: {error.strerror}.") from error
    try:
        identity = {**corpus, **config.model_dump(mode="json", exclude=_NOT_PART_OF_IT)}
        if config.loss_weights and Path(config.loss_weights).is_file():
            identity["content of loss_weights"] = read_limited(Path(config.loss_weights)).decode(errors="replace")
        _check_content(folder)
        _prepare(folder, identity, config)
        checkpoints = CheckpointStore(folder, config.checkpoint_every)
        checkpoints.check()  # before slow work
        yield checkpoints
    except KeyboardInterrupt:
        if not is_unfinished(folder):
            raise
        raise InterruptedRunError(
            f"Interrupted; the work so far is in {str(folder)!r}. Continue with --resume."
        ) from None
    else:
        remove_folder(folder)
    finally:
        if folder.is_dir() and not is_unfinished(folder) and not _strangers(folder):
            remove_folder(folder)  # nothing to resume
        # While the lock is held: after its release, another process may have locked the same file.
        with suppress(OSError):
            Path(lock.lock_file).unlink()
        lock.release()
        remove_empty(made)


def _prepare(folder: Path, identity: dict[str, object], config: RunConfig) -> None:
    try:
        check_writable(folder / _IDENTITY)  # before an unfinished run is changed
    except OSError as error:
        raise _not_writable(folder, error) from error
    unfinished = is_unfinished(folder)
    if unfinished and config.resume:
        before = _begun(folder)
        changed = sorted(name for name in {*before, *identity} if before.get(name) != identity.get(name))
        if changed:
            what = "; ".join(
                f"{shorten(name)} was {shorten(repr(before.get(name)))} and is {shorten(repr(identity.get(name)))}"
                for name in changed[:_SHOWN]
            )
            what += f"; and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
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
    try:
        remove_folder(folder)
        folder.mkdir()
        (folder / _IDENTITY).write_text(json.dumps(identity), encoding="utf-8")
    except OSError as error:
        raise _not_writable(folder, error) from error


def _not_writable(folder: Path, error: OSError) -> PolytagError:
    return PolytagError(
        f"The run folder {str(folder)!r} cannot be written: {error.strerror}. Free some space, make it writable, "
        "or choose another --output."
    )


def _check_content(folder: Path) -> None:
    if strangers := _strangers(folder):
        raise PolytagError(
            f"The run folder {str(folder)!r} has {strangers[0]!r}, which polytag did not write. The folder is removed "
            "when the run has ended: move it elsewhere, or choose another --output."
        )


def _strangers(folder: Path) -> list[str]:
    """Names of files in a run folder that may be the user's."""
    from polytag.engine.checkpoints import checkpoints

    own = {_IDENTITY, PUSHED, SAID, *(path.name for path in checkpoints(folder).values())}
    return sorted(path.name for path in folder.iterdir() if path.name not in own and not path.name.startswith("."))


def is_unfinished(folder: Path) -> bool:
    """Whether a folder of a run has something to resume from: a checkpoint, or what a teacher said."""
    from polytag.engine.checkpoints import checkpoints

    return folder.is_dir() and (bool(checkpoints(folder)) or any((folder / SAID).glob("*/*.f16")))


def _begun(folder: Path) -> dict[str, Any]:
    """The configuration and corpus of an unfinished run."""
    from polytag.engine.checkpoints import ADVICE

    return read_json(folder / _IDENTITY, ADVICE, TrainingError)
