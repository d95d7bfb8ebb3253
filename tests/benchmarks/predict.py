"""Prediction: polytag against transformers.pipeline with the same weights, and against spaCy.

    python tests/benchmarks/predict.py --corpus ../shared/data/conll2003 --tagger FOLDER --compact FOLDER --spacy FOLDER
    python tests/benchmarks/predict.py --corpus ../shared/data/conll2003 --encoder CHECKPOINT
    python tests/benchmarks/predict.py --corpus ../shared/data/conll2003 --tagger FOLDER --runtimes tensorflow onnx

Each tags the whole test split, in turns from words and from text, and then single sentences. `words` goes from words to
a tag a word (the pipeline: to spans, which is what it gives), `text` from raw text (the words joined by spaces) to
spans. The pipeline is tried at every batch size of `--batch-sizes`, and its best is what counts. Where no trained
tagger is given, one is trained briefly: how fast a tagger is hardly depends on how good it is. A first, untimed round
warms caches up.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from harness import (
    Data,
    Report,
    Side,
    add_peers,
    closing,
    console,
    median_ratio,
    parser,
    peer_python,
    table,
    train_briefly,
)
from spacy_runs import train_spacy

BRIEFLY = {"train": 1000, "validation": 100}
STARTS = ("words", "text")


def main() -> None:
    """Time all sides, and print tables."""
    options = parser(__doc__)
    add_peers(options)
    options.add_argument("--corpus", required=True)
    options.add_argument("--tagger", type=Path, help="a trained ner tagger over a checkpoint")
    options.add_argument(
        "--runtimes", nargs="+", default=["tensorflow"], help="its runtimes: tensorflow, onnx, onnx-int8"
    )
    options.add_argument("--compact", type=Path, help="a trained ner tagger over `compact`")
    options.add_argument("--spacy", type=Path, help="a trained spaCy pipeline with ner")
    options.add_argument("--encoder", help="checkpoint to train a tagger on where there is none")
    options.add_argument("--limit", type=int, help="sentences to tag")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--single", type=int, default=500, help="sentences to tag one by one")
    options.add_argument("--batch-sizes", type=int, nargs="+", default=[1, 8, 16, 32, 64])
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        _run(chosen, Path(folder))


def _run(chosen: argparse.Namespace, folder: Path) -> None:
    data = Data(folder / "data", chosen.corpus, "ner", BRIEFLY | {"test": chosen.limit})
    report = Report("predict", chosen, data.about)
    compact = chosen.compact or train_briefly(data, "compact", folder / "compact")
    tagger = chosen.tagger or (train_briefly(data, chosen.encoder, folder / "checkpoint") if chosen.encoder else None)
    taggers = {"compact": compact} | ({"checkpoint": tagger} if tagger else {})
    words, single = data.about["test"]["words"], min(chosen.single, data.about["test"]["sentences"])
    rows: list[dict[str, Any]] = []
    ratios: list[tuple[str, float]] = []
    for name, own in taggers.items():
        file = str(folder / "data" / "test.jsonl")
        sides: list[Side] = []
        with closing(sides):
            shared = {"task": "ner", "tagger": str(own), "file": file}
            for runtime in chosen.runtimes if name == "checkpoint" else [None]:
                shown = f"polytag, {runtime or name}"
                sides.append(Side(shown, sys.executable, "polytag_predict.py", **shared, runtime=runtime))
            mine = [side.name for side in sides]
            if not chosen.without_peers:
                sides.append(_peer(name, chosen, data, own, file))
            report.versions(sides)
            found: dict[str, dict[str, Any]] = {side.name: {"side": side.name} for side in sides}
            commands = {(side.name, start): _best(side, start, chosen) for start in STARTS for side in sides}
            runs: dict[tuple[str, str], list[dict[str, float]]] = {key: [] for key in commands}
            for _ in range(chosen.rounds):
                for start in STARTS:
                    for side in sides:
                        runs[side.name, start].append(side.go(**{"from": commands[side.name, start]}))
            for (who, start), command in commands.items():
                taken = _seconds(runs[who, start])
                found[who] |= {f"{start}, words/s": words / float(np.median(taken))}
                found[who] |= {"batch": command.partition(", ")[2]} if ", " in command else {}
                report.add(**{f"{who}: {command}: seconds": taken})
            for first in mine:
                for what, unit in {"": "seconds", ", in processor time": "processor"}.items():
                    from_words, from_text = (_seconds(runs[first, start], unit) for start in STARTS)
                    ratios.append((f"{first}, from text ÷ from words{what}", median_ratio(from_words, from_text)))
                for peer in (side.name for side in sides if side.name not in mine):
                    for start in STARTS:
                        both = _seconds(runs[peer, start]), _seconds(runs[first, start])
                        ratios.append((f"{first} ÷ {peer}, from {start}", median_ratio(*both)))
            for side in sides:
                side.go(single=min(20, single))
                times = 1000 * np.array(side.go(single=single)["times"])
                found[side.name] |= {"p50 ms": float(np.median(times)), "p99 ms": float(np.percentile(times, 99))}
        rows += found.values()
    report.add(summary=rows, words_a_second_ratios=dict(ratios))
    columns = ["side", "words, words/s", "text, words/s", "batch", "p50 ms", "p99 ms"]
    report.show(
        table("Prediction of the test split, and of one sentence", columns, _cells(rows, columns)),
        table("Words a second", ["", "ratio"], ratios),
    )


def _cells(rows: list[dict[str, Any]], columns: list[str]) -> list[list[Any]]:
    return [[row.get(column) for column in columns] for row in rows]


def _seconds(runs: list[dict[str, float]], unit: str = "seconds") -> list[float]:
    return [run[unit] for run in runs]


def _best(side: Side, start: str, chosen: argparse.Namespace) -> str:
    """Warm a side up; with what command it is fastest, where it has several."""
    commands = [start]
    if side.name == "transformers.pipeline":
        commands = [f"{start}, {size}" for size in chosen.batch_sizes]
    taken = {command: side.go(**{"from": command})["seconds"] for command in commands}
    console.print(f"first round  {side.name}  {taken}", markup=False)
    return min(taken, key=taken.__getitem__)


def _peer(name: str, chosen: argparse.Namespace, data: Data, tagger: Path, file: str) -> Side:
    if name == "checkpoint":
        python = peer_python(chosen.peers, "torch")
        sizes = chosen.batch_sizes
        return Side(
            "transformers.pipeline", python, "pipeline_predict.py", tagger=str(tagger), file=file, batch_sizes=sizes
        )
    python = peer_python(chosen.peers, "spacy")
    model = chosen.spacy
    if not model:
        console.print("training a spaCy pipeline, briefly", markup=False)
        _, model = train_spacy(python, data, "ner", data.folder / "spacy", seed=0, steps=50)
    return Side("spaCy, ner", python, "spacy_predict.py", model=str(model), file=file, component="ner")


if __name__ == "__main__":
    main()
