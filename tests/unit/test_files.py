"""Files and folders that are written whole or not at all, in the place of what is there."""

import ctypes
import errno
import fcntl
import os
import shutil
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from polytag import PolytagError
from polytag.encoding.tensors import save_tensors
from polytag.files import check_writable, new_file, new_folder, remove_folder, remove_leftovers
from support.kills import Kill, each, small_files


@pytest.fixture
def umask() -> Iterator[None]:
    """New files are not for everybody."""
    before = os.umask(0o027)
    yield
    os.umask(before)


def rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def write(path: Path, text: str = "new") -> None:
    with new_file(path) as sink:
        sink.write(text)


# Files


def test_a_pipe_is_written_to_as_it_is(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writing = threading.Thread(target=write, args=(pipe,), daemon=True)
    writing.start()
    source = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    writing.join(timeout=60)
    assert os.read(source, 10) == b"new"
    assert pipe.is_fifo()
    assert list(tmp_path.iterdir()) == [pipe]


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="has no /dev/fd")
def test_a_link_to_an_open_pipe_is_written_to_as_well():
    source, sink = os.pipe()
    write(Path(f"/dev/fd/{sink}"))
    assert os.read(source, 10) == b"new"


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="has no /dev/fd")
def test_a_reader_that_has_gone_is_no_mistake_of_the_user():
    source, sink = os.pipe()
    opened = new_file(Path(f"/dev/fd/{sink}"))
    file = opened.__enter__()
    os.close(source)
    file.write("new")
    with pytest.raises(BrokenPipeError):
        opened.__exit__(None, None, None)


@pytest.mark.parametrize("before", [True, False])
def test_a_link_to_a_file_stays_and_what_it_points_at_is_replaced(tmp_path, before):
    (tmp_path / "data").mkdir()
    (tmp_path / "link").symlink_to("data/file")
    if before:
        (tmp_path / "data" / "file").write_text("old")
    write(tmp_path / "link")
    assert (tmp_path / "link").readlink() == Path("data/file")
    assert (tmp_path / "data" / "file").read_text() == "new"
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["file"]


def test_a_file_has_the_rights_of_the_one_it_replaces_or_of_a_new_one(tmp_path, umask):
    (tmp_path / "secret").write_text("old")
    (tmp_path / "secret").chmod(0o604)
    for name in ("secret", "other"):
        write(tmp_path / name)
    assert (rights(tmp_path / "secret"), rights(tmp_path / "other")) == (0o604, 0o640)


def test_a_full_disk_leaves_the_old_file(tmp_path):
    (tmp_path / "file").write_text("old")
    with (
        pytest.raises(PolytagError, match=r"file' cannot be written: No space left on device\. Make room"),
        new_file(tmp_path / "file"),
    ):
        raise OSError(28, "No space left on device")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_a_name_that_cannot_be_is_said(tmp_path):
    with pytest.raises(PolytagError, match="cannot be written: File name too long"):
        write(tmp_path / ("x" * 300))


# Folders


def test_a_folder_and_all_in_it_have_the_rights_of_new_ones(tmp_path, umask):
    with new_folder(tmp_path / "out", "tagger") as folder:
        (folder / "assets").mkdir(mode=0o700)
        (folder / "assets" / "vocabulary").touch(mode=0o600)
    found = {path.name: rights(path) for path in tmp_path.rglob("*")}
    assert found == {"out": 0o750, "assets": 0o750, "vocabulary": 0o640}


@pytest.mark.parametrize("before", [True, False])
def test_a_link_to_a_folder_stays_and_what_it_points_at_is_replaced(tmp_path, before):
    link, target = tmp_path / "link", tmp_path / "data" / "v1"
    link.symlink_to(target)
    if before:
        target.mkdir(parents=True)
    with new_folder(link, "tagger") as folder:
        (folder / "note").write_text("new")
    assert link.readlink() == target
    assert (target / "note").read_text() == "new"
    assert [path.name for path in target.parent.iterdir()] == ["v1"]


def replace(folder: Path) -> None:
    with new_folder(folder, "tagger") as new:
        (new / "note").write_text("new")


@pytest.mark.parametrize("exchanging", [True, False])
def test_a_kill_at_any_moment_leaves_a_whole_folder_at_the_latest_for_the_next_write(tmp_path, monkeypatch, exchanging):
    if not exchanging:
        monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: object())  # a system without renameat2
    missing = []
    for kill in each(Kill, tmp_path):
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "note").write_text("old")
        with kill:
            replace(tmp_path / "out")
        missing += [] if (tmp_path / "out").exists() else [kill.operation]
        remove_leftovers(tmp_path / "out")
        assert [path.name for path in tmp_path.iterdir()] == ["out"], kill
        assert (tmp_path / "out" / "note").read_text() in ("old", "new"), kill
    assert (tmp_path / "out" / "note").read_text() == "new"
    assert missing == ([] if exchanging else ["os.rename"])


def test_an_interrupt_between_two_steps_leaves_the_old_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: object())
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "note").write_text("old")
    usual = Path.replace

    def interrupted(path, target):
        if (path / "note").read_text() == "new":
            raise KeyboardInterrupt
        return usual(path, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        replace(tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out" / "note").read_text() == "old"


def test_what_another_process_is_writing_is_no_leftover(tmp_path):
    for new in (new_folder(tmp_path / "out", "tagger"), new_file(tmp_path / "out")):
        with new:
            (being_written,) = set(tmp_path.iterdir()) - {tmp_path / "out"}
            remove_leftovers(tmp_path / "out")
            assert being_written.exists()
        assert [path.name for path in tmp_path.iterdir()] == ["out"]
        if (tmp_path / "out").is_dir():
            (tmp_path / "out").rmdir()


def test_only_what_was_left_by_polytag_is_removed(tmp_path):
    own, kept = (".out.polytag-0123abcd", ".out.polytag-0123abce.old"), tmp_path / "kept"
    for name in (*own, ".out", ".out.polytag", ".out.polytag-notes", ".out.polytag-0123abcd.txt", ".out-0123abcd"):
        (tmp_path / name).mkdir()
    (tmp_path / ".outs.polytag-0123abcd").write_text("of another file")
    (tmp_path / ".out.polytag-00000000").symlink_to(kept)
    (tmp_path / "out").mkdir()
    kept.mkdir()
    before = {path.name for path in tmp_path.iterdir()}
    write(tmp_path / "file")
    replace(tmp_path / "out")
    assert before - {path.name for path in tmp_path.iterdir()} == set(own)


def test_without_locks_the_old_folder_is_restored_and_nothing_is_removed(tmp_path, monkeypatch):
    def no_locks(handle: int, operation: int) -> None:
        raise OSError(errno.EBADF, "Bad file descriptor")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    (tmp_path / ".out.polytag-0123abcd").mkdir()
    (tmp_path / ".out.polytag-0123abce.old").mkdir()
    remove_leftovers(tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".out.polytag-0123abcd", "out"]
    replace(tmp_path / "out")
    write(tmp_path / "file")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".out.polytag-0123abcd", "file", "out"]


def test_finished_files_are_on_the_disk_before_they_are_seen(tmp_path, monkeypatch):
    flushed = []
    monkeypatch.setattr(os, "fsync", lambda handle: flushed.append(Path(f"/proc/self/fd/{handle}").readlink()))
    write(tmp_path / "file")
    with new_folder(tmp_path / "out", "tagger") as folder:
        (folder / "onnx").mkdir()
        (folder / "onnx" / "model.onnx").touch()
    temporary, names = flushed[0], flushed[2:-1]
    assert (temporary.parent, temporary.name[:6]) == (tmp_path, ".file.")
    assert sorted(names) == [folder, folder / "onnx", folder / "onnx" / "model.onnx"]
    assert flushed[1] == flushed[-1] == tmp_path


@pytest.mark.parametrize("part", [".", "onnx"])
def test_a_folder_whose_content_may_not_be_removed_is_not_replaced(tmp_path, like_any_user, part):
    (tmp_path / "out" / "onnx").mkdir(parents=True)
    (tmp_path / "out" / part).chmod(0o555)
    with (
        pytest.raises(PolytagError, match=r"cannot be written to '.*out': Permission denied"),
        new_folder(tmp_path / "out", "tagger"),
    ):
        pytest.fail("work that cannot be saved was begun")
    with pytest.raises(PermissionError):
        check_writable(tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]

    (tmp_path / "out" / part).chmod(0o755)
    (tmp_path / "out" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").mkdir(mode=0o555)
    with new_folder(tmp_path / "out", "tagger") as folder:
        (folder / "new").touch()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["new"]


def test_folders_above_that_were_made_in_vain_are_removed(tmp_path):
    with pytest.raises(PolytagError, match="cannot be written"), new_folder(tmp_path / "a" / "b" / "out", "tagger"):
        raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_removed_as_a_whole(tmp_path):
    for kill in each(Kill, tmp_path):
        (tmp_path / "run" / "checkpoint").mkdir(parents=True)
        with kill:
            remove_folder(tmp_path / "run")
        assert (tmp_path / "run" / "checkpoint").is_dir() == (tmp_path / "run").is_dir(), kill
        remove_folder(tmp_path / "run")
        remove_leftovers(tmp_path / "run")
        assert list(tmp_path.iterdir()) == [], kill


def test_what_cannot_be_written_is_an_error_of_the_system(tmp_path):
    with small_files(), pytest.raises(OSError, match="File too large"):
        save_tensors({"weight": np.zeros(100_000, dtype=np.float32)}, tmp_path / "model.safetensors")
    assert list(tmp_path.iterdir()) == []
