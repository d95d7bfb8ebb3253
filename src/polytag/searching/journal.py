"""The journal of a search: every trial, epoch and result, in a file that survives kills.

One process writes the journal, and it has locked the folder. A trial begins as one line of the file, with all its
options, so that a kill leaves it whole or not at all. Which options it has follows from the seed, its number and the
trials before it: a search that was killed continues as it would have done.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polytag.errors import PolytagError, in_brief, shorten
from polytag.files import remove_empty
from polytag.searching.results import State, Trial
from polytag.searching.space import SearchSpace

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial, TrialState

JOURNAL = "journal.log"
TRIALS = "trials"
"""The folder with the runs of the trials."""

_NAME = "polytag"
_LOCK = ".search.lock"
_ATTEMPTS = 100
"""Number of times that options are drawn for a trial, until no other one has the same."""
_SHOWN = 3


class Journal:
    """The journal of a search; only for the process that has locked its folder.

    Args:
        folder: The folder of the search.
        space: The search space.
        seed: Seed of the choice of options.
    """

    def __init__(self, folder: Path, space: SearchSpace, seed: int) -> None:
        import optuna
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend

        self._folder, self._space, self._seed = folder, space, seed
        path = folder / JOURNAL
        _repair(path)
        try:
            self._storage = JournalStorage(JournalFileBackend(str(path)))
            self._study = optuna.create_study(
                study_name=_NAME,
                storage=self._storage,
                direction="maximize",
                pruner=optuna.pruners.MedianPruner(),
                load_if_exists=True,
            )
            self._id = self._storage.get_study_id_from_name(_NAME)
            self._check_content()
        except OSError:
            raise
        except Exception as error:  # optuna expects what it has written, and fails in many ways
            raise PolytagError(
                f"The journal {str(path)!r} is damaged: {in_brief(str(error) or type(error).__name__)}. Restore it "
                "from a copy, or search into another folder."
            ) from error
        self._check_identity()

    def _check_content(self) -> None:
        """Check the values that this class wrote.

        Raises:
            ValueError: One is missing, or is another one than it writes.
        """
        for trial in self.trials():
            numbers = [trial.seconds, *trial.epochs.values(), *trial.repeats.values()]
            numbers += [] if trial.score is None else [trial.score]
            if not all(map(_is_number, numbers)) or not isinstance(trial.error, str):
                raise ValueError(f"the trial {trial.number} has a value that is no number")
            if set(trial.options) != set(self._space.ranges):
                raise ValueError(f"the trial {trial.number} has other options")
        for name, value in self._notes().items():
            scores = value.get("scores", 0) if isinstance(value, dict) else 0
            if name.startswith("test ") and scores is not None:
                fits = isinstance(scores, dict) and all(map(_is_number, scores.values()))
            else:
                fits = isinstance(value, {"search": dict, "corpus": str}.get(name, object))
            if not fits:
                raise ValueError(f"{name!r} is {shorten(repr(value))}")

    def _check_identity(self) -> None:
        """Refuse to continue another search."""
        identity = json.loads(json.dumps({**self._space.identity, "--seed": self._seed}))
        begun = self._notes().get("search")
        if begun is None:
            self._study.set_user_attr("search", identity)
            return
        changed = [name for name in {**begun, **identity} if begun.get(name) != identity.get(name)]
        if changed:
            what = "; ".join(
                f"{name} was {shorten(repr(begun.get(name)))} and is {shorten(repr(identity.get(name)))}"
                for name in changed[:_SHOWN]
            )
            more = f"; and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
            raise PolytagError(
                f"The folder {str(self._folder)!r} has another search: {what}{more}. Continue that one with the "
                "options it was started with, or choose another --output."
            )

    def trials(self) -> list[Trial]:
        """All trials, in order."""
        notes = self._notes()
        return [self._trial(trial, notes) for trial in self._study.get_trials(deepcopy=False)]

    def trial(self, number: int) -> Trial:
        """One trial."""
        return self.trials()[number]

    def begin(self) -> Trial | None:
        """Begin a trial with new options; None if the ranges have no further configuration."""
        from optuna.trial import TrialState, create_trial

        options = self._new_options()
        if options is None:
            return None
        begun = create_trial(state=TrialState.RUNNING, params=options, distributions=self._space.distributions())
        self._storage.create_new_trial(self._id, begun)
        return self.trials()[-1]

    def _new_options(self) -> dict[str, Any] | None:
        import numpy as np
        import optuna

        trials = self._study.get_trials()
        tried = [trial.params for trial in trials]
        for attempt in range(_ATTEMPTS):
            # A sampler anew for each trial: its state would be lost in a kill.
            seed = int(np.random.SeedSequence([self._seed, len(trials), attempt]).generate_state(1)[0])
            drawing = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
            drawing.add_trials(trials)
            options = drawing.ask(self._space.distributions()).params
            if options not in tried:
                return options
        return None

    def epoch(self, number: int, epoch: int, score: float) -> bool:
        """Record the score of an epoch; return whether the trial is worse than the median and to be stopped."""
        trial = self._frozen(number)
        if epoch not in trial.intermediate_values:
            self._storage.set_trial_intermediate_value(self._trial_id(number), epoch, score)
        return self._study.pruner.prune(self._study, self._frozen(number))

    def complete(self, number: int, score: float, seconds: float) -> None:
        """Record the end of a trial."""
        from optuna.trial import TrialState

        self._end(number, TrialState.COMPLETE, [score], seconds=seconds)

    def prune(self, number: int, seconds: float) -> None:
        """Record that a trial was stopped early."""
        from optuna.trial import TrialState

        trial = self._frozen(number)
        last = [trial.intermediate_values[trial.last_step]] if trial.last_step is not None else None
        self._end(number, TrialState.PRUNED, last, seconds=seconds)

    def fail(self, number: int, error: str) -> None:
        """Record that a trial failed."""
        from optuna.trial import TrialState

        self._end(number, TrialState.FAIL, None, error=error)

    def _end(self, number: int, state: TrialState, values: Sequence[float] | None, **notes: Any) -> None:
        for name, value in notes.items():
            self._storage.set_trial_user_attr(self._trial_id(number), name, value)
        self._storage.set_trial_state_values(self._trial_id(number), state, values)

    def repeat(self, number: int, seed: int, score: float) -> None:
        """Record the score of a trial's run with another seed."""
        self._study.set_user_attr(f"repeat {number} {seed}", score)

    def is_same_corpus(self, fingerprint: str) -> bool:
        """Whether a run has trained on the corpus of the runs before it; the first one decides which it is."""
        known = self._notes().get("corpus")
        if known is None:
            self._study.set_user_attr("corpus", fingerprint)
        return known in (None, fingerprint)

    def test(self, number: int) -> tuple[Mapping[str, float] | None] | None:
        """The scores of a trial on the test split, which can be None; None if it was not scored."""
        found = self._notes().get(f"test {number}")
        return None if found is None else (found["scores"],)

    def tested(self, number: int, scores: Mapping[str, float] | None) -> None:
        """Record the scores of a trial on the test split."""
        self._study.set_user_attr(f"test {number}", {"scores": None if scores is None else dict(scores)})

    def _notes(self) -> dict[str, Any]:
        return self._study.user_attrs

    def _trial_id(self, number: int) -> int:
        return self._storage.get_trial_id_from_study_id_trial_number(self._id, number)

    def _frozen(self, number: int) -> FrozenTrial:
        return self._storage.get_trial(self._trial_id(number))

    def _trial(self, trial: FrozenTrial, notes: Mapping[str, Any]) -> Trial:
        states: dict[str, State] = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}
        state = states.get(trial.state.name, "running")
        prefix = f"repeat {trial.number} "
        repeats = {int(key.removeprefix(prefix)): value for key, value in notes.items() if key.startswith(prefix)}
        return Trial(
            number=trial.number,
            options=trial.params,
            state=state,
            score=trial.value if state == "complete" else None,
            epochs=dict(sorted(trial.intermediate_values.items())),
            seconds=trial.user_attrs.get("seconds", 0.0),
            repeats=dict(sorted(repeats.items())),
            error=trial.user_attrs.get("error", ""),
            output=run_output(self._folder, trial.number),
        )


def run_output(folder: Path, number: int, seed: int | None = None) -> Path:
    """The folder of a run of a search.

    Args:
        folder: The folder of the search.
        number: Number of the trial.
        seed: Its seed, if it repeats the trial with another one.
    """
    return folder / TRIALS / (f"{number:03}" if seed is None else f"{number:03}-seed-{seed}")


@contextmanager
def open_journal(folder: Path, space: SearchSpace, seed: int) -> Iterator[Journal]:
    """Lock the folder of a search, and open its journal; both are created if they do not exist.

    Raises:
        PolytagError: Another process has locked it, it has other files or another search, or it cannot be written.
    """
    import optuna
    from filelock import FileLock, Timeout

    journal = folder / JOURNAL
    try:
        if folder.exists() and not folder.is_dir():
            raise PolytagError(f"The output {str(folder)!r} is a file. Choose a folder.")
        if folder.is_dir() and not journal.is_file() and [path for path in folder.iterdir() if path.name != _LOCK]:
            raise PolytagError(f"The output folder {str(folder)!r} is not empty and has no search. Choose another one.")
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / _LOCK, timeout=0)
        lock.acquire()
    except Timeout as error:
        raise PolytagError(
            f"Another process is searching into {str(folder)!r}. Wait for it, or choose another --output."
        ) from error
    except OSError as error:
        raise PolytagError(
            f"The output folder {str(folder)!r} cannot be written: {error.strerror}. Choose another one."
        ) from error
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield Journal(folder, space, seed)
    finally:
        optuna.logging.set_verbosity(level)
        with suppress(OSError):  # while it is locked: after that, another process may have locked the same file
            (folder / _LOCK).unlink()
        lock.release()
        remove_empty([folder])


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _repair(path: Path) -> None:
    """Remove what a kill while the journal was written has left: half of a line, and optuna's lock."""
    for leftover in path.parent.glob(f"{path.name}.lock*"):
        with suppress(OSError):
            leftover.unlink()
    if not path.is_file():
        return
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        with path.open("r+b") as file:
            file.truncate(whole)
