import pytest

from polytag import PolytagError
from polytag.engine import devices
from polytag.engine.devices import choose_devices, native_precision

tf = devices.tf


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A machine with four GPUs, and those of them that TensorFlow may use."""
    visible = ["one", "two", "three", "four"]
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["one", "two", "three", "four"])
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: list(visible))
    monkeypatch.setattr(tf.config, "set_visible_devices", lambda chosen, kind: visible.__setitem__(slice(None), chosen))
    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", lambda gpu, grows: None)
    return visible


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        ("auto", ["one", "two", "three", "four"]),
        ("gpu", ["one", "two", "three", "four"]),
        ("gpu:2,0", ["three", "one"]),
        ("cpu", []),
    ],
)
def test_the_chosen_devices_are_used(gpus: list[str], wanted: str, chosen: list[str]) -> None:
    choose_devices(wanted)
    assert gpus == chosen


def test_workers_of_a_machine_share_its_gpus(gpus: list[str]) -> None:
    choose_devices("auto", 1, 2)
    assert gpus == ["two", "four"]


def test_workers_must_share_the_gpus_equally(gpus: list[str]) -> None:
    with pytest.raises(PolytagError, match="3 workers on this machine cannot share 4 GPUs equally"):
        choose_devices("auto", 0, 3)


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ("tpu", "--device 'tpu' is no device"),
        ("cpu:0", "--device 'cpu:0' is no device"),
        ("gpu:", "--device 'gpu:' is no device"),
        ("gpu:a", "--device 'gpu:a' is no device"),
        ("gpu:1,1", "names a GPU twice"),
        ("gpu:1,7", "this machine has no GPU 7. TensorFlow finds 4: gpu:0,1,2,3."),
    ],
)
def test_a_device_that_does_not_exist_is_explained(gpus: list[str], wanted: str, why: str) -> None:
    with pytest.raises(PolytagError) as caught:
        choose_devices(wanted)
    assert why in str(caught.value)


def test_a_machine_without_gpus_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    with pytest.raises(PolytagError, match="TensorFlow finds no GPU on this machine"):
        choose_devices("gpu")


def test_devices_in_use_cannot_be_changed(gpus: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(chosen: object, kind: str) -> None:
        raise RuntimeError

    monkeypatch.setattr(tf.config, "set_visible_devices", refuse)
    choose_devices("gpu")
    with pytest.raises(PolytagError, match="TensorFlow uses other devices in this process already"):
        choose_devices("cpu")


@pytest.mark.parametrize(("capability", "precision"), [((9, 0), "bfloat16"), ((7, 5), "float16"), ((6, 1), "float32")])
def test_gpus_compute_in_the_precision_that_they_are_made_for(
    gpus: list[str], monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], precision: str
) -> None:
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: {"compute_capability": capability})
    assert native_precision() == precision
