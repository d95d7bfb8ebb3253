"""Random kills of a data lake: is every row in the output once, and are the files equal to the byte?

    python tests/benchmarks/lake_kills.py --shards 100 --kills 20
    python tests/benchmarks/lake_kills.py --runner ray --kills 1

A lake of Parquet files is tagged once undisturbed. Then it is tagged with workers, and at random moments any one of its
processes is killed by SIGKILL: a worker, which has to be replaced, or the job itself, which is started again as its
user would. One row of each file cannot be tagged, and has to be listed once.

With `--runner ray`, the lake is tagged on a cluster of two raylets in this process, and actors are killed.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from harness import Report, console, parser, table

import polytag
from polytag.corpus.sample.reader import sample_sentences

_COMMAND = (sys.executable, "-c", "from polytag.cli.start import main; main()", "predict")
_LEFT_OUT = 3


def main() -> None:
    """Tag, kill, compare, and print a table."""
    options = parser(__doc__)
    options.add_argument("--tagger", type=Path, help="folder of a tagger; one is trained briefly where it is missing")
    options.add_argument("--shards", type=int, default=100)
    options.add_argument("--rows", type=int, default=400, help="rows of each shard")
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--kills", type=int, default=20)
    options.add_argument("--runner", choices=("processes", "ray"), default="processes")
    options.add_argument("--seed", type=int, default=0)
    chosen = options.parse_args()
    report = Report("lake_kills", chosen)
    with tempfile.TemporaryDirectory(prefix="lake-", dir="/tmp") as folder:  # paths of Ray's sockets have to be short
        found = _run(chosen, Path(folder))
    report.add(**found)
    report.show(table("Kills of a data lake", ["figure", "value"], [[name, value] for name, value in found.items()]))


def _run(chosen: argparse.Namespace, folder: Path) -> dict[str, Any]:
    tagger = chosen.tagger or _train(folder / "tagger")
    inputs = _write(folder / "in", chosen.shards, chosen.rows)
    began = time.perf_counter()
    polytag.predict_lake(tagger, inputs, folder / "undisturbed")
    seconds = time.perf_counter() - began
    console.print(f"undisturbed: {seconds:.1f} s")
    kill = _kill_actors if chosen.runner == "ray" else _kill_processes
    killed = kill(chosen, tagger, inputs, folder / "killed", seconds)
    whole, found = (_files(folder / name) for name in ("undisturbed", "killed"))
    import pyarrow.parquet as pq

    rows = Counter(
        row
        for path in (folder / "killed").glob("*.parquet")
        for row in pq.read_table(path, columns=["id"])["id"].to_pylist()
    )
    expected = {row for row in range(chosen.shards * chosen.rows) if row % chosen.rows}
    listed = sum(1 for name, content in found.items() if name.startswith("_quarantine") for _ in content.splitlines())
    return {
        **killed,
        "rows": sum(rows.values()),
        "lost": len(expected - rows.keys()),
        "twice": sum(count > 1 for count in rows.values()),
        "listed once": "yes" if listed == chosen.shards else "no",
        "same files": "yes" if found == whole else "no",
    }


def _train(folder: Path) -> Path:
    return polytag.train(task="ner", corpus="sample", epochs=1, output=folder, quiet=True).output


def _write(folder: Path, shards: int, rows: int) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir()
    texts = [" ".join(sentence.words) for sentence in sample_sentences("train")]
    for shard in range(shards):
        first = shard * rows
        own = [None, *(texts[at % len(texts)] for at in range(first + 1, first + rows))]
        pq.write_table(pa.table({"id": range(first, first + rows), "text": own}), folder / f"part-{shard:05d}.parquet")
    return folder


def _files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _kill_processes(
    chosen: argparse.Namespace, tagger: Path, inputs: Path, output: Path, seconds: float
) -> dict[str, Any]:
    choose = random.Random(chosen.seed)
    command = [*_COMMAND, tagger, inputs, "--output", output, "--workers", chosen.workers, "--json"]
    found: Counter[str] = Counter({"kills": 0, "of the job": 0, "of a worker": 0})
    status: int | None = None
    while status is None:
        with subprocess.Popen(
            list(map(str, command)), stdout=subprocess.PIPE, text=True, start_new_session=True
        ) as job:
            assert job.stdout
            while found["kills"] < chosen.kills:
                for line in job.stdout:  # it works now: what is killed before it begins proves little
                    if '"rows"' in line:
                        break
                time.sleep(choose.uniform(0, seconds / chosen.kills / 2))
                processes = [job.pid, *_workers(job.pid)]
                victim = choose.choice(processes)
                if job.poll() is not None:
                    break
                with suppress(ProcessLookupError):
                    os.kill(victim, signal.SIGKILL)
                    found["kills"] += 1
                    found["of the job" if victim == job.pid else "of a worker"] += 1
                if victim == job.pid:
                    break
            for _ in job.stdout:
                pass
        if job.returncode != -signal.SIGKILL:
            status = job.returncode
        if status == _LEFT_OUT and found["kills"] < chosen.kills:
            console.print("it was done before all kills: give it more rows")
    if status != _LEFT_OUT:
        raise SystemExit(f"the job ended with status {status}")
    return dict(found)


def _workers(pid: int) -> Sequence[int]:
    with suppress(psutil.NoSuchProcess):
        return [
            child.pid for child in psutil.Process(pid).children() if "resource_tracker" not in " ".join(child.cmdline())
        ]
    return []


def _kill_actors(
    chosen: argparse.Namespace, tagger: Path, inputs: Path, output: Path, seconds: float
) -> dict[str, Any]:
    os.environ |= {"RAY_TMPDIR": str(output.parent), "RAY_USAGE_STATS_ENABLED": "0"}
    import ray
    from ray.cluster_utils import Cluster

    choose, killed = random.Random(chosen.seed), []
    (output.parent / "ray").mkdir()
    cluster = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 1, "include_dashboard": False},
    )
    cluster.add_node(num_cpus=1)
    ray.init(address=cluster.address, logging_level="error", log_to_driver=False)
    nodes = set()

    def kill(progress: polytag.LakeProgress) -> None:
        actors = [child for child in psutil.Process().children(recursive=True) if _is_actor(child)]
        nodes.update(actor.ppid() for actor in actors)
        if progress.finished and actors and len(killed) < chosen.kills:
            killed.append(choose.choice(actors))
            killed[-1].kill()

    try:
        polytag.predict_lake(tagger, inputs, output, workers=chosen.workers, runner="ray", on_progress=kill)
    finally:
        ray.shutdown()
        cluster.shutdown()
    return {"kills": len(killed), "raylets with actors": len(nodes)}


def _is_actor(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.cmdline()[:1] == ["ray::_Actor.tag"]
    return False


if __name__ == "__main__":
    main()
