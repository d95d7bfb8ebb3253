"""Distillation: the share of the gap between a small tagger and its teacher that the student closes, and its speed.

    python tests/benchmarks/distil.py --corpus ../shared/data/conll2003 --encoder MINILM --seeds 3
    python tests/benchmarks/distil.py --corpus ../shared/data/conll2003 --encoder MINILM --every 1
    python tests/benchmarks/distil.py --corpus ../shared/data/conll2003 --teacher TAGGER --options "--variants 1"

Every nth training document keeps its labels (every fourth by default; with `--every 1` all, and there is no raw
text); the others are raw text, words alone. Three taggers are trained with these labels and scored on the whole test
split: the teacher, on the checkpoint and with its vocabulary cased; a small tagger alone; and, with the same seeds, its
student, which also learns from the teacher's probabilities, on the labelled and on the raw documents. The share that is
closed is (student - alone) / (teacher - alone). `--options` go to `polytag distil`. Then the student and the
small tagger take turns to tag the test split.
"""

from __future__ import annotations

import argparse
import json
import shlex
import statistics
import sys
import tempfile
from itertools import groupby
from pathlib import Path
from typing import Any

from harness import (
    Data,
    Report,
    Side,
    closing,
    console,
    median_ratio,
    parser,
    polytag_command,
    table,
    take_turns,
    timed,
)


def main() -> None:
    """Train the teacher, the small taggers and the students, and print tables."""
    options = parser(__doc__)
    options.add_argument("--corpus", required=True)
    options.add_argument("--encoder", help="the checkpoint of the teacher, which is trained here")
    options.add_argument("--teacher", help="a trained teacher, instead of one that is trained here")
    options.add_argument("--student", default="compact", help="the encoder of the student")
    options.add_argument("--task", default="ner")
    options.add_argument("--every", type=int, default=4, help="one document in so many keeps its labels")
    options.add_argument("--limit", type=int, help="sentences to train on (to try the script out)")
    options.add_argument("--seeds", type=int, default=1)
    options.add_argument("--first-seed", type=int, default=0)
    options.add_argument("--rounds", type=int, default=5, help="times that each tags the test split")
    options.add_argument("--folder", type=Path, help="keep the taggers and the teacher's probabilities there")
    options.add_argument("--options", default="", help="further options of `polytag distil`")
    chosen = options.parse_args()
    if bool(chosen.encoder) == bool(chosen.teacher):
        options.error("give --encoder or --teacher")
    with tempfile.TemporaryDirectory() as folder:
        _measure(chosen, chosen.folder or Path(folder))


def _measure(chosen: argparse.Namespace, folder: Path) -> None:
    data = Data(folder / "data", chosen.corpus, chosen.task, {"train": chosen.limit})
    raw = _part(data, chosen.every)
    report = Report("distil", chosen, data.about)
    common = ["--task", chosen.task, "--corpus", data.folder]
    teacher = chosen.teacher or _trained(folder / "teacher", "train", *common, "-e", chosen.encoder, "--cased")
    sources = ["--texts", raw] if raw else []
    runs: list[dict[str, Any]] = []
    for seed in range(chosen.first_seed, chosen.first_seed + chosen.seeds):
        small = [*common, "--encoder", chosen.student, "--seed", seed]
        alone = _trained(folder / f"alone-{seed}", "train", *small)
        cache = ["--teacher-cache", folder / "cache"]
        student = _trained(
            folder / f"student-{seed}", "distil", teacher, *sources, *small, *cache, *shlex.split(chosen.options)
        )
        runs.append({"seed": seed, **_scores(chosen, data, {"alone": alone, "student": student})})
    top = _scores(chosen, data, {"teacher": teacher})["teacher"]
    closed = [(run["student"] - run["alone"]) / (top - run["alone"]) for run in runs]
    speeds = _speeds(chosen, data, {"alone": alone, "student": student})
    report.add(teacher=top, runs=runs, closed=closed, closed_mean=statistics.mean(closed), **speeds)
    rows = [
        [f"seed {run['seed']}", run["alone"], top, run["student"], share]
        for run, share in zip(runs, closed, strict=True)
    ]
    report.show(
        table(f"{chosen.task} on test", ["", "alone", "teacher", "student", "gap closed"], rows),
        table("Speed", ["", "ratio"], [["words/s, student ÷ alone", speeds["speed_of_student"]]]),
    )


def _part(data: Data, every: int) -> Path | None:
    """Keep the labels of every nth training document, and write the words of the others; None without others."""
    rows = [json.loads(line) for line in (data.folder / "train.jsonl").read_text(encoding="utf-8").splitlines()]
    documents = [list(group) for _, group in groupby(rows, key=lambda row: row.get("document", id(row)))]
    labelled = [row for number, document in enumerate(documents) if number % every == 0 for row in document]
    raw = [{"tokens": row["tokens"]} for number, document in enumerate(documents) if number % every for row in document]
    for name, part in (("train", labelled), ("raw", raw)):
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in part]
        folder = data.folder if name == "train" else data.folder.parent
        (folder / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
        data.about[name] = {"sentences": len(part), "words": sum(len(row["tokens"]) for row in part)}
    return data.folder.parent / "raw.jsonl" if raw else None


def _trained(output: Path, *command: object) -> Path:
    """Train a tagger, unless the folder has one."""
    if not output.exists():
        console.print(f"training {output.name}", markup=False)
        seconds, _ = timed([polytag_command(), *map(str, command), "--output", str(output)])
        console.print(f"  {seconds:.0f} s", markup=False)
    return output


def _scores(chosen: argparse.Namespace, data: Data, taggers: dict[str, Path]) -> dict[str, float]:
    sides = _predictors(chosen, data, taggers)
    with closing(sides):
        return {side.name: data.score("test", side.go(tags="words")["tags"]) for side in sides}


def _speeds(chosen: argparse.Namespace, data: Data, taggers: dict[str, Path]) -> dict[str, Any]:
    sides = _predictors(chosen, data, taggers)
    with closing(sides):
        take_turns(sides, 1, **{"from": "words"})
        found = take_turns(sides, chosen.rounds, **{"from": "words"})
    seconds = {name: [result["seconds"] for result in results] for name, results in found.items()}
    return {"seconds": seconds, "speed_of_student": median_ratio(seconds["alone"], seconds["student"])}


def _predictors(chosen: argparse.Namespace, data: Data, taggers: dict[str, Path]) -> list[Side]:
    file = str(data.folder / "test.jsonl")
    settings = {"task": chosen.task, "file": file}
    return [
        Side(name, sys.executable, "polytag_predict.py", tagger=str(tagger), **settings)
        for name, tagger in taggers.items()
    ]


if __name__ == "__main__":
    main()
