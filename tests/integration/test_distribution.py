"""Several devices, or several workers, train as one device does with the same batches."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from polytag.training.cluster import free_ports

pytestmark = pytest.mark.slow

PROGRAM = Path(__file__).parents[1] / "support" / "distribution_program.py"
TRAIN = """
import json, os, signal, sys, polytag
from polytag import PolytagError, Reporter

options, wanted = json.loads(sys.argv[1])

class Kill(Reporter):
    steps = 0

    def step(self, progress):
        Kill.steps += 1
        if Kill.steps == wanted:
            me = os.getpid()
            for child in open(f"/proc/{me}/task/{me}/children").read().split():
                os.kill(int(child), signal.SIGKILL)

try:
    result = polytag.train(quiet=True, callbacks=[Kill()], **options)
except PolytagError as error:
    sys.exit(str(error))
print([epoch.loss for epoch in result.history])
"""


def started(*command: object) -> subprocess.Popen[str]:
    surroundings = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TF_CPP_MIN_LOG_LEVEL": "3"}
    surroundings.pop("TF_CONFIG", None)
    return subprocess.Popen(
        [sys.executable, *map(str, command)],
        env=surroundings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def check(found: dict[str, float]) -> None:
    assert (found["steps"], found["replicas"]) == (53, 2)
    assert found["first loss"] < 1e-5
    assert found["first gradients"] < 1e-5
    assert found["losses"] < 1e-4
    assert found["losses with accumulation"] < 1e-4
    assert found["weights"] < 1e-3
    assert found["copies"] == 0
    assert found["probabilities"] == 0


def test_two_devices_train_like_one() -> None:
    out, errors = started(PROGRAM, "devices").communicate(timeout=600)
    assert out, errors
    check(json.loads(out))


def test_two_workers_train_like_one() -> None:
    addresses = ",".join(f"127.0.0.1:{port}" for port in free_ports(2))
    workers = [started(PROGRAM, addresses, worker) for worker in range(2)]
    said = [worker.communicate(timeout=600) for worker in workers]
    for out, errors in said:
        assert out, errors
        check(json.loads(out))


def test_a_run_whose_worker_is_killed_is_resumed_to_the_bit(tiny_corpus: Path, tmp_path: Path) -> None:
    options = {"task": ["ner"], "corpus": str(tiny_corpus), "epochs": 2, "batch_size": 8, "checkpoint_every": 2}

    def train(name: str, kill: int = 0, **more: object) -> tuple[int, str, str]:
        given = {**options, "workers": 2, "output": str(tmp_path / name), **more}
        run = started("-c", TRAIN, json.dumps([given, kill]))
        losses, errors = run.communicate(timeout=600)
        return run.returncode, losses, errors

    status, undisturbed, _ = train("whole")
    assert status == 0
    status, _, message = train("killed", kill=5)
    assert status == 1
    assert f"Worker 1 was killed by signal {signal.SIGKILL.value}. Continue with --resume" in message
    status, losses, _ = train("killed", resume=True)
    assert (status, losses) == (0, undisturbed)
    whole, resumed = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "killed"))
    assert whole == resumed
