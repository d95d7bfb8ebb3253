"""What a training step costs, with and without each part of the engine, and where its time goes.

    python tests/benchmarks/step.py --encoder FOLDER --json step.json

Variants take turns step by step in one process, on the same random batch: `table` is the network with an optimizer that
passes over the whole embedding table, `rows` updates the table by row, and `bfloat16` takes operands of matrix products
in bfloat16 on top. Times are of the processor (both
cores added up), which other work on the machine disturbs less than time on the clock; both are printed. With
`--operations N` the N most expensive kinds of TensorFlow operations follow, from TensorFlow's own profiler.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from polytag.engine.encoders import pretrained
from polytag.engine.loop import layers_in, seed_everything
from polytag.engine.model import TaggerModel
from polytag.engine.settings import Settings
from polytag.engine.step import TrainStep

import tensorflow as tf  # isort: skip  # noqa: TID253  # the engine first: it says how TensorFlow is to work

VARIANTS = ("table", "rows", "bfloat16")


def make_step(variant: str, encoder: str, ids: Any) -> Callable[[], float]:
    """A function that does one training step."""
    seed_everything(0)
    with layers_in("bfloat16" if variant == "bfloat16" else "float32"):
        made = pretrained.create(encoder)
    if variant == "table":
        made.network.tables = []
    model = TaggerModel(made, {"ner": [f"label {number}" for number in range(9)]})
    settings = Settings(1, len(ids), 1, 1e-5, 0.0, 0.01, 1.0, 0.0, 0, 0)
    loop = TrainStep(model, settings, steps_an_epoch=1000)
    mask = np.ones(ids.shape[:2], dtype=bool)
    labels = {"ner": np.random.default_rng(1).integers(0, 9, ids.shape[:2], dtype=np.int32)}
    counts = {"ner": np.float32(mask.sum())}
    return lambda: float(loop._step([(ids, mask, labels, {}, {})], counts, np.float32(1e-5), True))


def operations(step: Callable[[], float], repeats: int = 4) -> Counter[str]:
    """Milliseconds a step by kind of operation, threads added up."""
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        for _ in range(repeats):
            step()
        tf.profiler.experimental.stop()
        (trace,) = Path(folder).rglob("*.xplane.pb")
        space = xplane_pb2.XSpace.FromString(trace.read_bytes())
    total: Counter[str] = Counter()
    for plane in space.planes:
        for line in plane.lines if plane.name == "/host:CPU" else ():
            for event in line.events:
                name = plane.event_metadata[event.metadata_id].name
                if ":" in name:
                    total[name.rsplit(":", 1)[1]] += event.duration_ps / 1e9 / repeats
    return total


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", required=True)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--length", type=int, default=22, help="subwords of a sentence")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--operations", type=int, default=0)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()

    ids = np.random.default_rng(0).integers(1000, 20_000, (chosen.batch, chosen.length, 1), dtype=np.int32)
    steps = {variant: make_step(variant, chosen.encoder, ids) for variant in VARIANTS}
    times: dict[str, list[tuple[float, float]]] = {variant: [] for variant in VARIANTS}
    for repeat in range(chosen.repeats + 3):
        for variant, step in steps.items():
            processor, clock = time.process_time(), time.perf_counter()
            step()
            if repeat >= 3:
                times[variant].append((time.process_time() - processor, time.perf_counter() - clock))
    rows = {variant: (1000 * np.median(found, axis=0)).round(1).tolist() for variant, found in times.items()}
    table = Table("variant", "processor, ms", "clock, ms", title=f"one step of {chosen.batch} x {chosen.length}")
    for variant, (processor, clock) in rows.items():
        table.add_row(variant, f"{processor:.0f}", f"{clock:.0f}")
    console = Console()
    console.print(table)
    if chosen.operations:
        for variant in (VARIANTS[0], VARIANTS[-1]):
            table = Table("operation", "ms a step", title=variant)
            for name, milliseconds in operations(steps[variant]).most_common(chosen.operations):
                table.add_row(name, f"{milliseconds:.1f}")
            console.print(table)
    if chosen.json:
        chosen.json.write_text(json.dumps({"settings": {**vars(chosen), "json": None}, "median_ms": rows}, indent=2))


if __name__ == "__main__":
    main()
