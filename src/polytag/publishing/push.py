"""Push taggers to the Hugging Face hub, on request and in the background of a run."""

from __future__ import annotations

import shutil
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polytag import hub
from polytag.errors import HubUnreachableError, UploadWarning
from polytag.files import expand_home
from polytag.publishing.card import ADDRESS, CARD
from polytag.publishing.uploads import Uploads, left_out_message, uploads_of
from polytag.tagger.description import TaggerDescription


def push(
    tagger: str | Path, repo: str, *, private: bool = False, revision: str | None = None, message: str | None = None
) -> str:
    """Push a tagger to a repository on the hub in one commit.

    Only files that a tagger or an export consists of are uploaded. On the hub, files with the same names are replaced,
    weights and tokenizers of an earlier tagger deleted, and all others kept.

    Args:
        tagger: Folder of a tagger.
        repo: `owner/name`, or a name in the namespace of the logged-in user; created if it does not exist.
        private: Whether the repository has to be private.
        revision: Branch to commit to, created if it does not exist; `main` by default.
        message: Commit message.

    Returns:
        URL of the commit.

    Warns:
        UploadWarning: The folder has other files, which were not uploaded.

    Raises:
        PolytagError: The folder is not a tagger, a file of it is a link to another folder, no user is logged in, or the
            hub refuses or cannot be reached.
    """
    folder = expand_home(tagger)
    uploads = uploads_of(folder, TaggerDescription.read(folder, installed=False))
    name = hub.open_repository(repo, private)
    url = _push(uploads, name, message or "Tagger trained by polytag", revision)
    if uploads.left_out:
        warnings.warn(left_out_message(uploads.left_out), UploadWarning, stacklevel=2)
    return url


def _push(uploads: Uploads, repo: str, message: str, revision: str | None = None) -> str:
    files: dict[str, Path | bytes] = {**uploads.files}
    if CARD in uploads.files:
        text = uploads.files[CARD].read_text(encoding="utf-8", errors="surrogateescape")
        if revision:  # transformers has an argument for it
            text = text.replace(f'model="{ADDRESS}"', f'model="{repo}", revision="{revision}"')
        files[CARD] = text.replace(ADDRESS, f"{repo}@{revision}" if revision else repo).encode(errors="surrogateescape")
    return hub.upload(files, repo, message, revision)


@dataclass(frozen=True, slots=True)
class PushResult:
    """The result of the pushes of a run.

    Attributes:
        repository: The repository.
        commit: URL of the commit with the final tagger; None if that push failed.
        done: Number of successful pushes.
        failures: Messages of the failed pushes, in order.
        left_out: Names of files that the encoder wrote and that were not uploaded.
    """

    repository: str
    commit: str | None
    done: int
    failures: tuple[str, ...]
    left_out: tuple[str, ...] = ()


class RunPushes:
    """The pushes of one run: one upload at a time, in the background, whose failure never stops the run.

    Args:
        repo: The repository.
        private: Whether the repository has to be private.

    Raises:
        PolytagError: The repository cannot be pushed to, and the network is not the cause.
    """

    def __init__(self, repo: str, private: bool) -> None:
        self.repo = repo
        self._private = private
        self._opened: str | None = None
        self._waiting: tuple[Path, str] | None = None
        self._worker: threading.Thread | None = None
        self._lock = threading.Lock()
        self._commit: str | None = None
        self._done = 0
        self._failures: list[str] = []
        self._left_out: tuple[str, ...] = ()
        # Without a network, every push retries.
        with suppress(HubUnreachableError):
            self._opened = hub.open_repository(repo, private)

    def offer(self, folder: Path, message: str) -> None:
        """Upload a tagger in the background; during another upload, only the newest tagger waits.

        Args:
            folder: The tagger; it is removed when it is no longer needed.
            message: Commit message.
        """
        with self._lock:
            if self._waiting:
                shutil.rmtree(self._waiting[0], ignore_errors=True)
            self._waiting = (folder, message)
            if self._worker is None:
                # Not a thread of an executor: Python waits for these at exit, and an interrupt would hang.
                self._worker = threading.Thread(target=self._work, daemon=True)
                self._worker.start()

    def finish(self, folder: Path, message: str) -> PushResult:
        """Upload the final tagger after the current upload; a waiting tagger is dropped.

        An interrupt from the keyboard ends the waiting, and counts as a failure.

        Args:
            folder: The tagger.
            message: Commit message.
        """
        with self._lock:
            self._waiting = None
            worker = self._worker
        self._commit = None
        # In a thread like the others, so that an interrupt takes effect at once.
        last = threading.Thread(target=self._upload, args=(folder, message), daemon=True)
        try:
            if worker:
                _wait(worker)
                self._commit = None
            last.start()
            _wait(last)
        except KeyboardInterrupt:
            return PushResult(self.repo, None, self._done, (*self._failures, "Interrupted from the keyboard."))
        return PushResult(self.repo, self._commit, self._done, tuple(self._failures), self._left_out)

    def _work(self) -> None:
        while True:
            with self._lock:
                if self._waiting is None:
                    self._worker = None
                    return
                (folder, message), self._waiting = self._waiting, None
            self._upload(folder, message)
            shutil.rmtree(folder, ignore_errors=True)

    def _upload(self, folder: Path, message: str) -> None:
        try:
            with _quiet():
                self._opened = self._opened or hub.open_repository(self.repo, self._private)
                uploads = uploads_of(folder, TaggerDescription.read(folder, installed=False))
                self._commit = _push(uploads, self._opened, message)
            self._left_out = uploads.left_out
            self._done += 1
        except Exception as error:  # no failure may stop the run
            self._failures.append(str(error) or type(error).__name__)


def _wait(thread: threading.Thread) -> None:
    """Wait for a thread; an interrupt that the system gives to another thread takes effect within a moment, too."""
    while thread.is_alive():
        thread.join(timeout=0.2)


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppress the client's progress bars and warnings, which would disturb the output of the run."""
    from huggingface_hub import utils as untyped

    utils: Any = untyped
    shown, level = not utils.are_progress_bars_disabled(), utils.logging.get_verbosity()
    utils.disable_progress_bars()
    utils.logging.set_verbosity_error()
    try:
        yield
    finally:
        utils.logging.set_verbosity(level)
        if shown:
            utils.enable_progress_bars()
