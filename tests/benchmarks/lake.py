"""Data lakes: rows a second of two processes over one, of Parquet over one file, and the memory of many rows.

    python tests/benchmarks/lake.py --tagger FOLDER --rows 1000000

`processes`: two workers over one worker that has one core, as each of the two has. `parquet`: one process over a
Parquet file, over `polytag predict` of a text file with the same texts. `memory`: the peak of a process for all rows,
in one row group, over the peak for 10,000. Times are of whole commands, less the time of the same command over one row.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness import Report, console, parser, polytag_command, table, timed

import polytag
from polytag.corpus.sample.reader import sample_sentences

FEW = 10_000


def main() -> None:
    """Time all, and print a table."""
    options = parser(__doc__)
    options.add_argument("--tagger", type=Path, help="folder of a tagger; one is trained briefly where it is missing")
    options.add_argument("--rows", type=int, default=1_000_000, help="rows for the memory")
    options.add_argument("--timed-rows", type=int, default=40_000, help="rows for the rates")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--only", choices=("rates", "memory"), help="leave out the other")
    chosen = options.parse_args()
    report = Report("lake", chosen)
    with tempfile.TemporaryDirectory(prefix="polytag-lake-") as folder:
        bench = Bench(chosen, Path(folder))
        found = {} if chosen.only == "memory" else bench.rates()
        found |= {} if chosen.only == "rates" else bench.memory()
    report.add(**found)
    report.show(table("Data lakes", ["figure", "value"], list(found.items())))


class Bench:
    """Runs commands over lakes in a folder.

    Args:
        chosen: The options.
        folder: Where all files are.
    """

    def __init__(self, chosen: argparse.Namespace, folder: Path) -> None:
        self._chosen, self._folder = chosen, folder
        self._tagger = (
            chosen.tagger
            or polytag.train(task="ner", corpus="sample", epochs=1, output=folder / "tagger", quiet=True).output
        )
        self._texts = [" ".join(sentence.words) for sentence in sample_sentences("train")]

    def rates(self) -> dict[str, Any]:
        """Rows a second, in turns."""
        rows, core = self._chosen.timed_rows, min(os.sched_getaffinity(0))
        for name, number in (("lake", rows), ("row", 8)):
            for part in range(8):
                self._write(f"{name}/{part}.parquet", number // 8)
        self._write("one/a.parquet", rows)
        self._write("short/a.parquet", 1)
        for name, number in (("one", rows), ("short", 1)):
            text = "".join(f"{self._text(at)}\n" for at in range(number))
            (self._folder / name / "a.txt").write_text(text, encoding="utf-8")
        sides: dict[str, tuple[Sequence[Any], Sequence[Any]]] = {
            "two processes": (("lake", "--workers", 2), ("row", "--workers", 2)),
            "one process": (("lake", "--workers", 1), ("row", "--workers", 1)),
            "a Parquet file": (("one/a.parquet",), ("short/a.parquet",)),
            "a text file": (("one/a.txt",), ("short/a.txt",)),
        }
        found: dict[str, list[float]] = {name: [] for name in sides}
        for _ in range(self._chosen.rounds):
            for name, (whole, start) in sides.items():
                before = ("taskset", "-c", core) if name == "one process" else ()
                seconds = self._run(*whole, before=before)[0] - self._run(*start, before=before)[0]
                found[name].append(rows / seconds)
                console.print(f"{name}: {found[name][-1]:,.0f} rows/s")
        median = {name: statistics.median(rates) for name, rates in found.items()}
        return {
            **{f"{name}, rows/s": value for name, value in median.items()},
            "two processes ÷ one": median["two processes"] / median["one process"],
            "a Parquet file ÷ a text file": median["a Parquet file"] / median["a text file"],
        }

    def memory(self) -> dict[str, Any]:
        """Peaks of resident memory, in MB."""
        peaks = []
        for name, rows in (("few", FEW), ("many", self._chosen.rows)):
            self._write(f"{name}/a.parquet", rows)
            peaks.append(self._run(name, "--workers", 1)[1])
            console.print(f"{rows:,} rows: {peaks[-1]:,.0f} MB")
        few, many = peaks
        return {f"{FEW:,} rows, MB": few, f"{self._chosen.rows:,} rows, MB": many, "many ÷ few": many / few}

    def _run(self, source: str, *options: object, before: Sequence[object] = ()) -> tuple[float, float]:
        output = self._folder / "output"
        name = output if options else output / f"out{Path(source).suffix}"
        shutil.rmtree(output, ignore_errors=True)
        output.mkdir()
        arguments = ("predict", self._tagger, self._folder / source, "--output", name, "--quiet", *options)
        return timed([str(part) for part in (*before, polytag_command(), *arguments)])

    def _text(self, number: int) -> str:
        return self._texts[number % len(self._texts)]

    def _write(self, name: str, rows: int) -> None:
        """Write a Parquet file with one row group."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = self._folder / name
        path.parent.mkdir(exist_ok=True)
        columns = {"id": range(rows), "text": [self._text(at) for at in range(rows)]}
        pq.write_table(pa.table(columns), path, row_group_size=max(rows, 1))


if __name__ == "__main__":
    main()
