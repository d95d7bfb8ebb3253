"""Several processes tag a lake: whichever of them is killed, each row is in the output once."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from polytag import PolytagError, predict_lake
from polytag.prediction import runners

TEXTS = ["Peter Smith lives in Rome.", "Anna Keller met him in Geneva.", "It rained.", "Zoë left for New York."]
COMMAND = [sys.executable, "-c", "from polytag.cli.start import main; main()", "predict"]


@pytest.fixture
def inputs(tmp_path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(6):
        rows = [*({"text": text, "id": at} for at, text in enumerate(TEXTS * 200)), {"no": "text"}]
        (folder / f"{number}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder


@pytest.fixture
def expected(inputs, ner_run, tmp_path) -> dict[str, bytes]:
    predict_lake(ner_run.output, inputs, tmp_path / "undisturbed")
    return tree(tmp_path / "undisturbed")


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_a_killed_worker_is_replaced_and_its_shard_done_again(inputs, expected, ner_run, tmp_path):
    killed, seen = [], []

    def kill(progress):
        seen.append(progress.rows)
        if not killed and progress.rows > 0:
            killed.append(multiprocessing.active_children()[0])
            os.kill(killed[0].pid, signal.SIGKILL)

    result = predict_lake(ner_run.output, inputs, tmp_path / "out", workers=2, on_progress=kill)
    assert killed[0].exitcode == -signal.SIGKILL
    assert tree(tmp_path / "out") == expected
    assert (result.rows, result.quarantined, seen[-1]) == (4800, 6, 4806)
    assert multiprocessing.active_children() == []


@pytest.mark.slow
def test_a_shard_whose_workers_always_die_ends_the_job(inputs, ner_run, tmp_path, monkeypatch):
    monkeypatch.setattr(runners, "MOST_DEATHS", 1)

    def kill(progress):
        for worker in multiprocessing.active_children():
            os.kill(worker.pid, signal.SIGKILL)

    with pytest.raises(PolytagError, match=r"workers died .* too little memory"):
        predict_lake(ner_run.output, inputs, tmp_path / "out", workers=2, on_progress=kill)
    assert multiprocessing.active_children() == []


@pytest.mark.slow
def test_a_killed_job_ends_its_workers_and_the_same_command_continues(inputs, expected, ner_run, tmp_path):
    options = [str(ner_run.output), str(inputs), "--output", str(tmp_path / "out"), "--workers", "2", "--json"]
    with subprocess.Popen([*COMMAND, *options], stdout=subprocess.PIPE, text=True) as job:
        assert job.stdout
        next(line for line in job.stdout if '"event": "shard"' in line)
        workers = [
            int(child) for child in Path(f"/proc/{job.pid}/task/{job.pid}/children").read_text(encoding="utf-8").split()
        ]
        assert not any("tensorflow" in Path(f"/proc/{worker}/maps").read_text(encoding="utf-8") for worker in workers)
        job.kill()
    assert len(workers) >= 2
    end = time.monotonic() + 60
    while any(Path(f"/proc/{worker}").exists() for worker in workers) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)
    predict_lake(ner_run.output, inputs, tmp_path / "out")
    assert tree(tmp_path / "out") == expected
