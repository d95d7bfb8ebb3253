"""The folder of an unfinished run: what is damaged or not its own is refused, and never removed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from polytag.errors import PolytagError
from polytag.training.config import RunConfig
from polytag.training.run_folder import locked_run, run_folder, with_interrupted_precision


class _KilledError(Exception):
    pass


def config(tmp_path: Path, **options: Any) -> RunConfig:
    return RunConfig(task=("ner",), corpus="sample", output=tmp_path / "out", **options)


@pytest.fixture
def unfinished(tmp_path: Path) -> Path:
    """The folder of a run with one checkpoint."""
    with suppress(_KilledError), locked_run(config(tmp_path, precision="float32"), {}) as store:
        store.save(5, {"weight": np.arange(100.0)}, {"epoch": 1})
        raise _KilledError
    return run_folder(tmp_path / "out")


def resume(tmp_path: Path) -> Any:
    """What a resumed run starts from."""
    asked = with_interrupted_precision(config(tmp_path, resume=True))
    with suppress(_KilledError), locked_run(asked, {}) as store:
        found = store.latest()
        raise _KilledError
    return found


def test_an_undamaged_run_is_resumed(unfinished, tmp_path):
    tensors, state = resume(tmp_path)
    assert tensors["weight"].tolist() == list(range(100))
    assert state == {"epoch": 1}


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-30])


def write(text: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(text)


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)


IN_CHECKPOINT = ("state.safetensors", "state.json", "checksums.json")
DAMAGE = (Path.unlink, truncate, write(""), write("[]"), write("{}"), write("[" * 100_000))


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        *((f"checkpoint-5/{name}", damage) for name in IN_CHECKPOINT for damage in (*DAMAGE, flip_a_bit)),
        *(("run.json", damage) for damage in DAMAGE),
    ],
)
def test_a_damaged_run_is_not_resumed(unfinished, tmp_path, name, damage):
    before = json.loads((unfinished / "run.json").read_text())
    damage(unfinished / name)
    with pytest.raises(PolytagError, match=r"The run cannot|cannot be resumed after changes: .* and is") as raised:
        resume(tmp_path)
    message = str(raised.value)
    assert "start over with --overwrite" in message
    assert len(message) < 1000
    assert "\n" not in message
    assert (unfinished / "checkpoint-5").is_dir()

    with locked_run(config(tmp_path, precision="float32", overwrite=True), {}) as store:
        assert store.latest() is None
        assert json.loads((unfinished / "run.json").read_text()) == before
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_is_named(unfinished, tmp_path):
    (unfinished / "checkpoint-5/state.json").unlink()
    with pytest.raises(PolytagError, match=r"checkpoint-5' is damaged: it has no state\.json\."):
        resume(tmp_path)


@pytest.mark.parametrize("precision", ["float7", ["float32"], {}])
def test_a_precision_that_does_not_exist_is_damage(unfinished, tmp_path, precision):
    file = unfinished / "run.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"precision": precision}))
    with pytest.raises(PolytagError, match=r"run\.json' is damaged: it has the precision"):
        resume(tmp_path)


@pytest.mark.parametrize("name", ["checkpoint-5.bak", "checkpoint-x", "notes.txt"])
@pytest.mark.parametrize("options", [{}, {"resume": True}, {"overwrite": True}])
def test_files_of_the_user_stop_a_run_that_would_remove_them(unfinished, tmp_path, name, options):
    shutil.copytree(unfinished / "checkpoint-5", unfinished / name)
    before = sorted(unfinished.rglob("*"))
    with (
        pytest.raises(PolytagError, match=f"has '{name}', which polytag did not write.*move it elsewhere"),
        locked_run(config(tmp_path, precision="float32", **options), {}),
    ):
        pass
    assert sorted(unfinished.rglob("*")) == before
    shutil.rmtree(unfinished / name)
    assert resume(tmp_path)[1] == {"epoch": 1}


def test_a_folder_that_only_looks_like_that_of_a_run_stays(tmp_path):
    (run_folder(tmp_path / "out") / "mine").mkdir(parents=True)
    with pytest.raises(PolytagError, match="has 'mine'"), locked_run(config(tmp_path, overwrite=True), {}):
        pass
    assert (run_folder(tmp_path / "out") / "mine").is_dir()
