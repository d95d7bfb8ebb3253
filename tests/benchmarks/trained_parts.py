"""What training a part of a checkpoint costs and brings: `--freeze` and `--lora` against all weights.

    python tests/benchmarks/trained_parts.py --corpus ../shared/data/conll2003 --encoder MINILM --freeze 3 --lora 8

Each way trains one tagger, whose best validation score is shown. Then all ways take turns, a stretch of `--steps` steps
each, in which only the time of the steps is measured.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from harness import Data, Report, Side, closing, console, median_ratio, parser, table, take_turns

ALL = "all weights"


def main() -> None:
    """Train each way, time all in turns, and print a table."""
    options = parser(__doc__)
    options.add_argument("--corpus", required=True)
    options.add_argument("--encoder", required=True, help="a checkpoint")
    options.add_argument("--task", default="ner")
    options.add_argument("--freeze", type=int, nargs="*", default=[3], help="numbers of blocks to keep")
    options.add_argument("--lora", type=int, nargs="*", default=[8], help="ranks of adapters")
    options.add_argument("--lora-rates", type=float, nargs="*", help="learning rates of adapters; default: polytag's")
    options.add_argument("--epochs", type=int, default=3)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--steps", type=int, default=40)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--limit", type=int, help="sentences to train on")
    chosen = options.parse_args()
    ways = _ways(chosen)
    with tempfile.TemporaryDirectory() as name:
        data = Data(Path(name) / "data", chosen.corpus, chosen.task, {"train": chosen.limit})
        report = Report("trained_parts", chosen, data.about)
        scores = {way: _score(way, given, chosen, data) for way, given in ways.items()}
        short = Data(Path(name) / "short", chosen.corpus, chosen.task, {"train": chosen.limit, "validation": 64})
        timed = {way: given for way, given in ways.items() if "learning_rate" not in given}  # it costs no time
        sides: list[Side] = []
        with closing(sides):
            for way, given in timed.items():
                sides.append(_side(way, given, chosen, short))
            report.versions(sides)
            take_turns(sides, 1, steps=max(20, chosen.steps // 3))  # compiles, and warms caches
            runs = take_turns(sides, chosen.rounds, steps=chosen.steps)
    seconds = {way: [one["seconds"] / one["subwords"] for one in found] for way, found in runs.items()}
    steps = {way: median_ratio(of, seconds[ALL]) for way, of in seconds.items()}
    report.add(scores=scores, runs=runs, steps=steps)
    rows = [[way, score, steps.get(way, "")] for way, score in scores.items()]
    report.show(table(f"{chosen.task}, {chosen.epochs} epochs", ["trained", "validation", "time of a step"], rows))


def _ways(chosen: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """The options of each way by its name."""
    ways: dict[str, dict[str, Any]] = {ALL: {}}
    ways |= {f"--freeze {blocks}": {"freeze": blocks} for blocks in chosen.freeze}
    for rank in chosen.lora:
        ways[f"--lora {rank}"] = {"lora": rank}
        for rate in chosen.lora_rates or ():
            ways[f"--lora {rank} --learning-rate {rate}"] = {"lora": rank, "learning_rate": rate}
    return ways


def _score(way: str, given: dict[str, Any], chosen: argparse.Namespace, data: Data) -> float:
    """The best validation score of a whole training."""
    sides: list[Side] = []
    with closing(sides):
        sides.append(_side(way, given, chosen, data))
        scores: list[float] = [sides[0].go()["score"] for _ in range(chosen.epochs)]
    console.print(f"{way}: {', '.join(f'{score:.4f}' for score in scores)}", markup=False)
    return max(scores)


def _side(way: str, given: dict[str, Any], chosen: argparse.Namespace, data: Data) -> Side:
    shared = {"task": chosen.task, "encoder": chosen.encoder, "corpus": str(data.folder), "batch_size": 16}
    shared |= {"epochs": chosen.epochs, "seed": chosen.seed}
    return Side(way, sys.executable, "polytag_train.py", options=shared | given)


if __name__ == "__main__":
    main()
