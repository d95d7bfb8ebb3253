"""Does a run on several devices, or with several workers, reach the scores of a run on one device?

    python tests/benchmarks/distribution.py --corpus /data/conll2003 --epochs 10

Each run is a process of its own, with the same options and the same batches; dropout is drawn anew in each part of a
batch. Two devices are two logical devices of the processor. The seconds are those of one busy or idle machine, on which
several workers share the cores that one process has alone: they say nothing about several machines.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from harness import Report, console, parser, table

RUN = """
import json, sys
options, devices = json.loads(sys.argv[1])
if devices > 1:
    import polytag.engine, tensorflow as tf
    (processor,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * devices)
import polytag
result = polytag.train(quiet=True, **options)
print(json.dumps([result.validation.headlines["ner f1"], [epoch.loss for epoch in result.history]]))
"""
WAYS = {"one device": (1, 1), "two devices": (2, 1), "two workers": (1, 2)}


def run(options: dict[str, object], devices: int, workers: int) -> tuple[float, list[float], float]:
    """Validation F1, the loss of each epoch, and seconds."""
    surroundings = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    began = time.perf_counter()
    given = json.dumps([{**options, "workers": workers}, devices])
    done = subprocess.run([sys.executable, "-c", RUN, given], env=surroundings, stdout=subprocess.PIPE, check=True)
    score, losses = json.loads(done.stdout)
    return score, losses, time.perf_counter() - began


def main() -> None:
    made = parser(__doc__)
    made.add_argument("--corpus", default="sample", help="corpus with the task ner (sample)")
    made.add_argument("--epochs", type=int, default=10)
    given = made.parse_args()
    rows, report = [], Report("distribution", given)
    with tempfile.TemporaryDirectory() as folder:
        for name, (devices, workers) in WAYS.items():
            output = str(Path(folder) / name.replace(" ", "-"))
            options = {"task": ["ner"], "corpus": given.corpus, "epochs": given.epochs, "output": output}
            score, losses, seconds = run(options, devices, workers)
            report.add(**{name.replace(" ", "_"): {"f1": score, "loss": losses[-1], "seconds": seconds}})
            console.print(f"{name}: F1 {score:.4f}")
            rows.append([name, f"{score:.4f}", f"{losses[-1]:.4f}", f"{seconds:.0f}"])
    report.show(table("Distributed training", ["run", "validation F1", "last loss", "seconds"], rows))


if __name__ == "__main__":
    main()
