"""What a run leaves for TensorBoard."""

from collections import Counter
from pathlib import Path

import pytest
import tensorflow as tf  # noqa: TID253

import polytag
from polytag import PolytagError
from polytag.plugin.reporter import Progress, Reporter

STEPS, EPOCHS = 16, 2  # 64 sentences, 4 a step


def curves(folder: Path) -> dict[str, dict[int, float]]:
    """The points of every curve in the only event file of a folder."""
    (file,) = folder.glob("events.out.tfevents.*")
    found: dict[str, dict[int, float]] = {}
    for event in tf.compat.v1.train.summary_iterator(str(file)):
        for value in event.summary.value:
            found.setdefault(value.tag, {})[event.step] = float(tf.make_ndarray(value.tensor))
    return found


def traced_steps(folder: Path) -> int:
    """How often the compiled training step runs in the only trace of a folder."""
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    (file,) = folder.glob("plugins/profile/*/*.xplane.pb")
    space = xplane_pb2.XSpace()
    space.ParseFromString(file.read_bytes())
    # A step shows under several names: as a call from Python, and as a function that runs.
    names = Counter(
        plane.event_metadata[event.metadata_id].name
        for plane in space.planes
        for line in plane.lines
        for event in line.events
    )
    (steps,) = {count for name, count in names.items() if "_train_step" in name}
    return steps


@pytest.fixture(scope="module")
def monitored(tiny_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the curves and the trace of a run."""
    folder = tmp_path_factory.mktemp("monitored")
    polytag.train(
        task="ner",
        corpus=str(tiny_corpus),
        output=folder / "tagger",
        epochs=EPOCHS,
        batch_size=4,
        learning_rate=0.001,
        warmup=0,
        tensorboard=folder / "curves",
        profile=folder / "trace",
        quiet=True,
    )
    return folder


def test_curves_show_loss_rate_speed_and_scores(monitored: Path) -> None:
    found = curves(monitored / "curves")
    steps = [10, STEPS, STEPS + 10, 2 * STEPS]
    assert {name: sorted(points) for name, points in found.items()} == {
        "training/loss": steps,
        "training/learning rate": steps,
        "training/words per second": steps,
        "validation/ner f1": [STEPS, 2 * STEPS],
    }
    total = EPOCHS * STEPS
    assert found["training/learning rate"] == pytest.approx(
        {step: 0.001 * (total - step + 1) / total for step in steps}, rel=1e-6
    )
    assert found["training/loss"][2 * STEPS] < found["training/loss"][10]
    assert found["training/words per second"][10] > 0


def test_a_trace_holds_the_second_half_of_a_short_epoch(monitored: Path) -> None:
    assert traced_steps(monitored / "trace") == STEPS // 2


def test_neither_is_part_of_the_run(monitored: Path) -> None:
    saved = (monitored / "tagger" / "run.toml").read_text(encoding="utf-8")
    assert "curves" not in saved
    assert "trace" not in saved


@pytest.mark.parametrize("option", ["tensorboard", "profile"])
def test_a_folder_that_cannot_be_written_is_refused_before_training(
    option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(dir: Path) -> None:
        raise PermissionError(13, "Permission denied", str(dir))

    monkeypatch.setattr("polytag.engine.tensorboard.tempfile.TemporaryFile", refuse)
    with pytest.raises(PolytagError, match=f"of --{option} cannot be created or written: Permission denied"):
        polytag.train(task="ner", corpus="sample", output=tmp_path / "t", quiet=True, **{option: tmp_path / "curves"})


class Vandal(Reporter):
    """Takes a folder away after the first step; keeps what the run says."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.said: list[str] = []

    def message(self, text: str) -> None:
        self.said.append(text)

    def step(self, progress: Progress) -> None:
        if progress.step == 1:
            self._folder.rmdir()
            self._folder.write_text("")


@pytest.mark.parametrize("option", ["tensorboard", "profile"])
def test_a_folder_that_can_no_longer_be_written_costs_no_training(
    option: str, tmp_path: Path, tiny_corpus: Path, uncompiled: None
) -> None:
    """As on a full disk: TensorFlow then raises an error of its own at every point of a curve."""
    vandal = Vandal(tmp_path / "curves")
    run = {"corpus": str(tiny_corpus), "output": tmp_path / "tagger", "epochs": 1, "batch_size": 4}
    polytag.train(task="ner", **run, callbacks=[vandal], quiet=True, **{option: tmp_path / "curves"})
    (said,) = (text for text in vandal.said if "TensorBoard" in text)
    assert "curves' for TensorBoard: " in said
    assert "ot a directory. The training is not affected." in said
    assert (tmp_path / "tagger/polytag.json").is_file()


@pytest.mark.parametrize("option", ["tensorboard", "profile"])
def test_curves_do_not_go_where_the_tagger_goes(option: str, tmp_path: Path) -> None:
    run = {"corpus": "sample", "output": tmp_path / "tagger", "quiet": True}
    for folder in (tmp_path / "tagger", tmp_path / "tagger" / "curves"):
        with pytest.raises(PolytagError, match=f"of --{option} is in the output folder.*Choose one next to it"):
            polytag.train(task="ner", **run, **{option: folder})
    with pytest.raises(PolytagError, match="no task named"):
        polytag.train(task="nre", **run, **{option: tmp_path / "curves"})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", ["tensorboard", "profile"])
def test_a_folder_that_cannot_be_made_is_refused_before_training(option: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PolytagError, match=f"folder .*file.* of --{option} cannot be created or written"):
        polytag.train(
            task="ner", corpus="sample", output=tmp_path / "tagger", quiet=True, **{option: tmp_path / "file"}
        )
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
