"""Random kills of a run with several workers: does it end, and is the resumed run the same?

    python tests/benchmarks/worker_kills.py --kills 6

A run with two workers goes undisturbed. Then, for each kill, another one is killed by SIGKILL at a random step: the
chief and the other worker in turns. It is counted how long the processes that are left take to end, and whether the run
resumed with two workers has the same bytes. At last a run is killed once more, and resumed alone.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from harness import Report, console, parser, table

from support.corpora import write_addresses

RUN = """
import json, os, signal, sys, polytag
from polytag import PolytagError, Reporter

options, wanted, chief = json.loads(sys.argv[1])

class Kill(Reporter):
    steps = 0

    def step(self, progress):
        Kill.steps += 1
        me = os.getpid()
        if Kill.steps == 1:
            print(open(f"/proc/{me}/task/{me}/children").read(), flush=True)
        if Kill.steps == wanted:
            for process in [me] if chief else open(f"/proc/{me}/task/{me}/children").read().split():
                os.kill(int(process), signal.SIGKILL)

try:
    result = polytag.train(quiet=True, callbacks=[Kill()], **options)
except PolytagError as error:
    sys.exit(str(error))
losses = [epoch.loss for epoch in result.history]
print(json.dumps({"steps": Kill.steps, "best epoch": result.best_epoch, "losses": losses}))
"""
TIMEOUT = 600
EPOCHS = 2
LEARNING_RATE = 2e-4
"""Low, so that the last epoch is the best, whose weights are kept."""


def main() -> None:
    """Kill, resume and compare; print a table."""
    made = parser(__doc__)
    made.add_argument("--kills", type=int, default=6)
    made.add_argument("--seed", type=int, default=0, help="seed of the steps")
    given = made.parse_args()
    report, choose, rows = Report("worker_kills", given), random.Random(given.seed), []
    with tempfile.TemporaryDirectory(prefix="polytag-workers-") as name:
        folder = Path(name)
        corpus = str(write_addresses(folder / "addresses"))
        common = {"task": ["ner"], "corpus": corpus, "epochs": EPOCHS, "batch_size": 8, "checkpoint_every": 2}
        common["learning_rate"] = LEARNING_RATE
        whole = {**common, "output": str(folder / "whole"), "workers": 2}
        undisturbed = json.loads(train(whole)[1].split("\n")[-2])
        console.print("undisturbed:", undisturbed)
        assert undisturbed["best epoch"] == EPOCHS, "the weights of an early epoch say nothing about the later ones"
        steps = undisturbed["steps"]
        for number in range(given.kills + 1):
            output = folder / f"killed-{number}"
            options = {**common, "output": str(output), "workers": 2}
            chief, step = bool(number % 2), choose.randint(3, steps - 1)
            status, _, seconds = train(options, step, chief)
            alone = number == given.kills
            resumed, message, _ = train({**options, "resume": True, "workers": 1 if alone else 2})
            same = resumed == 0 and weights(folder / "whole") == weights(output)
            same = same and json.loads(message.split("\n")[-2])["losses"] == undisturbed["losses"]
            row = {"killed": "chief" if chief else "worker", "step": step, "status": status, "ended after s": seconds}
            row |= {"resumed with": 1 if alone else 2, "status then": resumed, "same bytes and losses": same}
            console.print(row)
            if resumed:
                console.print(message, markup=False)
            rows.append(row)
    report.add(rows=rows)
    report.show(table("Random kills", list(rows[0]), [list(row.values()) for row in rows]))


def train(options: dict[str, Any], kill: int = 0, chief: bool = False) -> tuple[int, str, float]:
    """Run to the end of all its processes; the chief's status, what was said, and the seconds after its end."""
    surroundings = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TF_CPP_MIN_LOG_LEVEL": "3"}
    run = subprocess.Popen(
        [sys.executable, "-c", RUN, json.dumps([options, kill, chief])],
        env=surroundings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said, _ = run.communicate(timeout=TIMEOUT)
    first = said.split("\n", 1)[0].split()
    began, workers = time.monotonic(), [int(one) for one in first if one.isdigit()]
    while any(alive(worker) for worker in workers):
        if time.monotonic() - began > TIMEOUT:
            for worker in workers:
                os.kill(worker, signal.SIGKILL)
            sys.exit(f"workers did not end within {TIMEOUT} seconds")
        time.sleep(0.1)
    return run.returncode, said, round(time.monotonic() - began, 1)


def alive(process: int) -> bool:
    """Whether a process runs, and is not only waited for."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def weights(folder: Path) -> bytes:
    """The weights of a tagger."""
    return (folder / "model.safetensors").read_bytes()


if __name__ == "__main__":
    main()
