"""A data lake tagged by polytag, and by `transformers.pipeline` in Ray Data with the same weights.

    python tests/benchmarks/lake_peer.py --corpus ../shared/data/conll2003 --tagger FOLDER
    python tests/benchmarks/lake_peer.py --corpus ../shared/data/conll2003 --encoder CHECKPOINT

Sentences of the test split are rows of Parquet files. Both sides write Parquet, in turns. Times are of whole commands,
less the time of the same command over eight rows. The fastest form of each side counts: polytag in one process, in two,
and on Ray; the pipeline with one actor that has all cores and with one actor per core, with batches of 1, 8 and 32.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

from harness import (
    SIDES,
    Data,
    Report,
    add_peers,
    console,
    parser,
    peer_python,
    polytag_command,
    table,
    timed,
    train_briefly,
)

FILES = 8
_SIDES = ("polytag", "pipeline")
_BRIEFLY = {"train": 1000, "validation": 100}


def main() -> None:
    """Time both sides in turns, and print a table."""
    options = parser(__doc__)
    add_peers(options)
    options.add_argument("--corpus", required=True)
    options.add_argument("--tagger", type=Path, help="a trained ner tagger over a checkpoint")
    options.add_argument("--encoder", help="checkpoint to train a tagger on where there is none")
    options.add_argument("--rows", type=int, default=3000)
    options.add_argument("--rounds", type=int, default=3)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="polytag-lake-") as folder:
        _run(chosen, Path(folder))


def _run(chosen: argparse.Namespace, folder: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    data = Data(folder / "data", chosen.corpus, "ner", _BRIEFLY)
    report = Report("lake_peer", chosen, data.about)
    tagger = chosen.tagger or train_briefly(data, chosen.encoder, folder / "tagger")
    texts = [" ".join(words) for words in data.words["test"]]
    for name, rows in (("lake", chosen.rows), ("few", FILES)):
        (folder / name).mkdir()
        for part in range(FILES):
            own = [texts[at % len(texts)] for at in range(part, rows, FILES)]
            pq.write_table(pa.table({"text": own}), folder / name / f"{part}.parquet")
    python, script = peer_python(chosen.peers, "transformers-lake"), SIDES / "pipeline_lake.py"
    polytag: list[Any] = [polytag_command(), "predict", tagger]
    sides: dict[str, Any] = {
        f"polytag, {name}": lambda source, out, more=more: [*polytag, source, "--output", out, "--quiet", *more]
        for name, more in {
            "one process": ("--workers", 1),
            "two processes": ("--workers", 2),
            "Ray": ("--workers", 2, "--runner", "ray"),
        }.items()
    } | {
        f"pipeline, {actors} actors, batches of {size}": lambda source, out, size=size, actors=actors: [
            *(python, script, tagger, source, out, size, actors)
        ]
        for actors in (1, 2)
        for size in (1, 8, 32)
    }
    found: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(chosen.rounds):
        for name, command in sides.items():
            seconds = {}
            for source in ("few", "lake"):
                shutil.rmtree(folder / "out", ignore_errors=True)
                seconds[source] = timed(list(map(str, command(folder / source, folder / "out"))))[0]
            found[name].append((chosen.rows - FILES) / (seconds["lake"] - seconds["few"]))
            console.print(f"{name}: {found[name][-1]:,.0f} rows/s")
    report.add(rows_per_second=found)
    medians = {name: statistics.median(rates) for name, rates in found.items()}
    ours, theirs = (
        max((name for name in medians if name.startswith(side)), key=medians.__getitem__) for side in _SIDES
    )
    ratios = [one / other for one, other in zip(found[ours], found[theirs], strict=True)]
    rows = [*medians.items(), (f"{ours} over {theirs}", statistics.median(ratios))]
    report.show(table("Rows a second", ("", "measured"), rows))


if __name__ == "__main__":
    main()
