"""Which runtime a folder gets, and which it is refused."""

from pathlib import Path

import pytest

from polytag import PolytagError
from polytag.tagger.description import TaggerDescription
from polytag.tagger.heads import TaskHead
from polytag.tagger.runtimes import RUNTIMES, choose_runtime

FOLDER = Path("my-tagger")


def described(encoder: str, export: str | None = None) -> TaggerDescription:
    heads = {"ner": TaskHead(("O", "B-PER"), "iob2", "first")}
    return TaggerDescription.of(heads, encoder, "base", details={"export": {"to": export}} if export else None)


@pytest.mark.parametrize(
    ("description", "possible"),
    [
        (described("compact"), ["numpy", "tensorflow"]),
        (described("pretrained"), ["tensorflow"]),
        (described("compact", "onnx"), ["onnx"]),
    ],
)
def test_a_folder_runs_in_the_first_runtime_that_can_run_it_and_in_those_that_are_asked_for(description, possible):
    assert choose_runtime(FOLDER, description, None) == possible[0]
    for runtime in RUNTIMES:
        if runtime in possible:
            assert choose_runtime(FOLDER, description, runtime) == runtime
        else:
            with pytest.raises(PolytagError, match="my-tagger"):
                choose_runtime(FOLDER, description, runtime)


@pytest.mark.parametrize(
    ("description", "runtime", "message"),
    [
        (described("compact"), "onnx", r"Write it: polytag export my-tagger --in-place"),
        (described("pretrained"), "numpy", r"its encoder, pretrained, .* Choose another runtime, or leave it"),
        (described("compact", "onnx"), "numpy", r"NumPy cannot run it. Name the tagger it was made from"),
        (described("compact", "onnx"), "tensorflow", r"TensorFlow cannot run it. Name the tagger it was made from"),
        (described("compact", "litert"), None, r"is an export for litert, which polytag does not load"),
        (
            described("compact"),
            "tensorrt",
            r"no runtime named 'tensorrt'. Choose one of: tensorflow, onnx, onnx-int8, numpy",
        ),
    ],
)
def test_a_refusal_says_what_to_do(description, runtime, message):
    with pytest.raises(PolytagError, match=message):
        choose_runtime(FOLDER, description, runtime)
