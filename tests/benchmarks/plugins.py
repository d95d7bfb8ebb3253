"""What ten installed plugins cost the commands that only look: one imports slowly, one raises.

    python tests/benchmarks/plugins.py

Runs `polytag --help` and `polytag tasks` with and without them, in turn, and prints the median time of each and the
ratio. For `tasks` the ratio is also given without what the slow plugin's own import took, as `polytag plugins` says it:
a task cannot be listed before its plugin is imported, and nobody but its author can make that import faster.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_TASKS = """
import polytag

@polytag.hookimpl
def polytag_tasks():
    return [polytag.Task({name!r}, "A task", ("tags",), "iob2", "first", ("spans",))]
"""
_MAIN = "import sys; sys.path[:0] = sys.argv.pop(1).split(); from polytag.cli.app import main; main()"


def main() -> None:
    """Time both commands, interleaved."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=2.0, help="What the import of the slow plugin takes.")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(8):
            install(Path(folder), f"p{number}", _TASKS.format(name=f"p{number}.task"))
        slow = f"import time\ntime.sleep({chosen.seconds})\n"
        install(Path(folder), "slow", slow + _TASKS.format(name="slow.task"))
        install(Path(folder), "wrong", "raise RuntimeError")
        for command in ("--help", "tasks"):
            times: dict[str, list[float]] = {"": [], folder: []}
            for _ in range(chosen.runs):
                for path, found in times.items():
                    began = time.perf_counter()
                    run(path, command)
                    found.append(time.perf_counter() - began)
            without, with_them = (statistics.median(found) for found in times.values())
            print(f"{command:6}  none {without:.3f} s  ten {with_them:.3f} s  ratio {with_them / without:.2f}", end="")
            if command == "tasks":
                (imported,) = [row["import_seconds"] for row in plugins(folder) if row["name"] == "slow"]
                rest = with_them - imported
                print(f"  without the slow import ({imported:.3f} s) {rest:.3f} s, ratio {rest / without:.2f}", end="")
            print()


def install(folder: Path, name: str, source: str) -> None:
    """What pip leaves of a distribution with one plugin."""
    (folder / f"fake_{name}.py").write_text(source)
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[polytag]\n{name} = fake_{name}\n")


def run(path: str, *command: str) -> str:
    """What a command prints in a new process."""
    arguments = [sys.executable, "-c", _MAIN, path, *command]
    return subprocess.run(arguments, check=True, capture_output=True, text=True).stdout


def plugins(path: str) -> list[dict[str, float]]:
    """What `polytag plugins --json` says."""
    rows: list[dict[str, float]] = json.loads(run(path, "plugins", "--json"))
    return rows


if __name__ == "__main__":
    main()
