"""Pushes beside a run: one at a time, the newest next, and never a reason to stop."""

import os
import signal
import threading
from pathlib import Path

import pytest

from polytag import hub
from polytag.errors import HubUnreachableError, PolytagError
from polytag.publishing.push import RunPushes, push
from polytag.tagger.description import TaggerDescription
from polytag.tagger.heads import TaskHead

FINAL = "final"


class Uploads:
    """Stands in for the hub: says when an upload begins, and lets it end when it is told to."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.begun = threading.Semaphore(0)
        self.may_end = threading.Semaphore(0)
        self.problems: list[PolytagError] = []

    def __call__(self, files: object, repo: str, message: str, revision: str | None) -> str:
        self.begun.release()
        assert self.may_end.acquire(timeout=60)
        if self.problems:
            raise self.problems.pop(0)
        self.done.append(message)
        return f"https://hub/{repo}/commit/{len(self.done)}"


@pytest.fixture
def uploads(monkeypatch: pytest.MonkeyPatch) -> Uploads:
    found = Uploads()
    monkeypatch.setattr(hub, "upload", found)
    monkeypatch.setattr(hub, "open_repository", lambda repo, private: repo)
    return found


def tagger(parent: Path, name: str) -> Path:
    folder = parent / name
    folder.mkdir()
    description = TaggerDescription.of({"ner": TaskHead(("O",), "acme.scheme", "first")}, "compact", "compact")
    (folder / "polytag.json").write_text(description.to_json())
    return folder


def test_while_an_upload_is_under_way_only_the_newest_tagger_waits(uploads, tmp_path):
    pushes = RunPushes("acme/ner", private=False)
    for epoch in (1, 2, 3):
        pushes.offer(tagger(tmp_path, f"epoch-{epoch}"), f"epoch {epoch}")
        if epoch == 1:
            uploads.begun.acquire(timeout=60)
    assert {path.name for path in tmp_path.iterdir()} == {"epoch-1", "epoch-3"}
    uploads.may_end.release()
    uploads.begun.acquire(timeout=60)  # of epoch 3
    assert uploads.done == ["epoch 1"]
    uploads.may_end.release(2)
    result = pushes.finish(tagger(tmp_path, FINAL), FINAL)
    assert uploads.done == ["epoch 1", "epoch 3", FINAL]
    assert (result.commit, result.done) == ("https://hub/acme/ner/commit/3", 3)
    assert result.failures == ()
    assert {path.name for path in tmp_path.iterdir()} == {FINAL}


def test_the_final_tagger_comes_after_the_upload_under_way_and_instead_of_the_one_that_waits(uploads, tmp_path):
    pushes = RunPushes("acme/ner", private=False)
    pushes.offer(tagger(tmp_path, "epoch-1"), "epoch 1")
    uploads.begun.acquire(timeout=60)
    pushes.offer(tagger(tmp_path, "epoch-2"), "epoch 2")
    threading.Timer(0.2, uploads.may_end.release, (2,)).start()
    pushes.finish(tagger(tmp_path, FINAL), FINAL)
    assert uploads.done == ["epoch 1", FINAL]


def test_what_is_left_out_is_kept_for_the_end(uploads, tmp_path):
    pushes = RunPushes("acme/ner", private=False)
    folder = tagger(tmp_path, FINAL)
    (folder / "vectors.bin").write_bytes(b"of a plugin's encoder")
    uploads.may_end.release()
    assert pushes.finish(folder, FINAL).left_out == ("vectors.bin",)


def test_failures_are_kept_for_the_end(uploads, tmp_path):
    uploads.problems += [HubUnreachableError("no network"), PolytagError("no right")]
    pushes = RunPushes("acme/ner", private=False)
    pushes.offer(tagger(tmp_path, "epoch-1"), "epoch 1")
    uploads.begun.acquire(timeout=60)
    uploads.may_end.release(2)
    result = pushes.finish(tagger(tmp_path, FINAL), FINAL)
    assert (result.commit, result.done, result.failures) == (None, 0, ("no network", "no right"))


def test_an_interrupt_ends_the_waiting(uploads, tmp_path):
    pushes = RunPushes("acme/ner", private=False)
    pushes.offer(tagger(tmp_path, "epoch-1"), "epoch 1")
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    result = pushes.finish(tagger(tmp_path, FINAL), FINAL)
    assert result.commit is None
    assert result.failures == ("Interrupted from the keyboard.",)
    uploads.may_end.release(9)


def test_without_a_network_at_the_start_every_push_tries_again(uploads, tmp_path, monkeypatch):
    problems = [HubUnreachableError("no network")]

    def opened(repo: str, private: bool) -> str:
        if problems:
            raise problems.pop()
        return repo

    monkeypatch.setattr(hub, "open_repository", opened)
    uploads.may_end.release(9)
    result = RunPushes("acme/ner", private=True).finish(tagger(tmp_path, FINAL), FINAL)
    assert result.commit == "https://hub/acme/ner/commit/1"
    assert result.failures == ()


def test_what_no_network_can_mend_is_said_at_once(uploads, monkeypatch):
    def opened(repo: str, private: bool) -> str:
        raise PolytagError("no user is logged in")

    monkeypatch.setattr(hub, "open_repository", opened)
    with pytest.raises(PolytagError, match="no user is logged in"):
        RunPushes("acme/ner", private=False)


def test_a_tilde_is_the_home_of_the_user(uploads, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    tagger(tmp_path, "mine")
    uploads.may_end.release()
    assert push("~/mine", "me/tagger") == "https://hub/me/tagger/commit/1"
