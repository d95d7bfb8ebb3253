"""A model that is no network of polytag's is refused when it is opened, or at its first text."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from polytag import TaggerError
from polytag.tagger.onnx_network import OnnxNetwork

INT64, FLOAT, BOOL = 7, 1, 9  # in ONNX
IDS = ("input_ids", INT64, ["batch", "length"])
MASK = ("attention_mask", INT64, ["batch", "length"])
SEGMENTS = ("token_type_ids", INT64, ["batch", "length"])
SCORES = ("ner", FLOAT, ["batch", "length", 3])
NO_SHAPE = ("ner", FLOAT, [])

Value = tuple[str, int, list[str | int]]


def model(path: Path, inputs: list[Value], output: Value, shape: tuple[int, ...] = (2, 4, 3)) -> Path:
    """Write a model that answers with zeros of one shape."""
    from onnx import helper

    values = helper.make_tensor("zeros", output[1], shape, np.zeros(int(np.prod(shape))))
    graph = helper.make_graph(
        [helper.make_node("Constant", [], ["ner"], value=values)],
        "network",
        [helper.make_tensor_value_info(*given) for given in inputs],
        [helper.make_tensor_value_info(*output)],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(made.SerializeToString())
    return path


@pytest.mark.parametrize(
    ("inputs", "output", "shape", "problem"),
    [
        ([], SCORES, (2, 4, 3), "must have two inputs of integers"),
        ([IDS], SCORES, (2, 4, 3), "must have two inputs of integers"),
        ([IDS, MASK, ("more", *MASK[1:])], SCORES, (2, 4, 3), "must have two inputs of integers"),
        ([IDS, ("mask", FLOAT, MASK[2])], SCORES, (2, 4, 3), "must have two inputs of integers"),
        ([IDS, MASK, SEGMENTS, ("more", *MASK[1:])], SCORES, (2, 4, 3), "must have two inputs of integers"),
        ([IDS, MASK], ("ner", INT64, SCORES[2]), (2, 4, 3), "outputs of floating-point numbers"),
        ([IDS, MASK], ("ner", BOOL, SCORES[2]), (2, 4, 3), "outputs of floating-point numbers"),
        ([IDS, MASK], NO_SHAPE, (), "has other tasks or labels than polytag.json"),
        ([IDS, MASK], ("ner", FLOAT, ["batch", "length", 4]), (2, 4, 4), "has other tasks or labels"),
    ],
)
def test_inputs_and_outputs_are_checked(
    tmp_path: Path, inputs: list[Value], output: Value, shape: tuple[int, ...], problem: str
) -> None:
    path = model(tmp_path / "model.onnx", inputs, output, shape)
    with pytest.raises(TaggerError, match=problem):
        OnnxNetwork(path, {"ner": 3}, {"ner": "ner"})


def test_scores_of_another_shape_are_refused(tmp_path: Path) -> None:
    network = OnnxNetwork(model(tmp_path / "model.onnx", [IDS, MASK], SCORES), {"ner": 3}, {"ner": "ner"})
    assert network(np.ones((2, 4, 1), np.int32), np.ones((2, 4), bool))["ner"].shape == (2, 4, 3)
    with pytest.raises(TaggerError, match=r"gives scores of shape \(2, 4, 3\) for 3 windows of 4 units"):
        network(np.ones((3, 4, 1), np.int32), np.ones((3, 4), bool))


SERVER = """
import os, signal, sys
from pathlib import Path
from polytag.tagger.onnx_network import OnnxNetwork

networks = [OnnxNetwork(Path(sys.argv[1]), {"ner": 3}, {"ner": "ner"})]
if worker := os.fork():
    signal.signal(signal.SIGALRM, lambda *_: os.kill(worker, signal.SIGKILL))
    signal.alarm(20)
    print(os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]))
else:
    if sys.argv[2] == "drops":
        networks.clear()
    print(sys.argv[2], end=" ")
    sys.exit(3)
"""


@pytest.mark.parametrize("worker", ["drops", "keeps"])
def test_a_forked_worker_exits(tmp_path: Path, worker: str) -> None:
    path = model(tmp_path / "model.onnx", [IDS, MASK], SCORES)
    command = [sys.executable, "-c", SERVER, path, worker]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == f"{worker} 3\n", done.stderr


ON_ONE_CORE = """
import os, sys
from pathlib import Path
import onnxruntime
from polytag.tagger.onnx_network import OnnxNetwork

os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
before = set(os.listdir("/proc/self/task"))
network = OnnxNetwork(Path(sys.argv[1]), {"ner": 3}, {"ner": "ner"})
print(len(set(os.listdir("/proc/self/task")) - before))
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="there is no list of threads")
def test_a_process_that_may_use_one_core_computes_in_one_thread(tmp_path: Path) -> None:
    path = model(tmp_path / "model.onnx", [IDS, MASK], SCORES)
    command = [sys.executable, "-c", ON_ONE_CORE, path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "0\n", done.stderr
