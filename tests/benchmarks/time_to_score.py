"""How long until a tagger has a given validation score: polytag against transformers.Trainer on one checkpoint.

    python tests/benchmarks/time_to_score.py --corpus ../shared/data/conll2003 --encoder FOLDER --score 0.90 --cased

Each side trains whole runs of one epoch, two epochs and so on, each with its learning rate falling to zero, until a run
reaches the score: a user would choose that number of epochs. Trainer does so with each of several learning rates, and
the first that reaches it counts; polytag has one. Which runs reach the score depends on the seed and not on the
machine, so these are not timed. The time of an epoch is: both sides take turns for `--rounds` stretches of `--steps`
steps, and the ratio of the times is the median of the rounds, times the ratio of the epochs. Scoring is not counted on
either side.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

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
    take_turns,
)

PEER = "transformers.Trainer"


def main() -> None:
    """Find the numbers of epochs, time both sides, and print a table."""
    options = parser(__doc__)
    add_peers(options)
    options.add_argument("--corpus", required=True)
    options.add_argument("--encoder", required=True)
    options.add_argument("--task", default="ner")
    options.add_argument("--score", type=float, default=0.90, help="on the validation split")
    options.add_argument("--learning-rates", type=float, nargs="+", default=[5e-5, 1e-4, 2e-4], help="Trainer's")
    options.add_argument("--learning-rate", type=float, default=2e-4, help="polytag's")
    options.add_argument("--cased", action="store_true", help="polytag gives an uncased checkpoint capital letters")
    options.add_argument("--most-epochs", type=int, default=4, help="of a run")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--steps", type=int, default=40)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--limit", type=int, help="sentences to train on")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = Data(folder / "data", chosen.corpus, chosen.task, {"train": chosen.limit})
        report = Report("time_to_score", chosen, data.about)
        own_epochs, _, own_scores = _epochs_needed("polytag", chosen, data, [chosen.learning_rate])
        report.add(scores_of_polytag=own_scores)
        if chosen.without_peers:
            report.show(table(f"{chosen.task}, validation", ["polytag", "score"], [*own_scores.items()]))
            return
        peer_epochs, rate, scores = _epochs_needed(PEER, chosen, data, chosen.learning_rates)
        short = Data(folder / "short", chosen.corpus, chosen.task, {"train": chosen.limit, "validation": 64})
        sides: list[Side] = []
        with closing(sides):
            sides += [_side("polytag", chosen, short, chosen.learning_rate, 3), _side(PEER, chosen, short, rate, 3)]
            report.versions(sides)
            take_turns(sides, 1, steps=max(20, chosen.steps // 3))  # compiles, and warms caches
            runs = take_turns(sides, chosen.rounds, steps=chosen.steps)
    own, peer = ([one["seconds"] / one["subwords"] for one in runs[name]] for name in ("polytag", PEER))
    step, epochs = median_ratio(peer, own), peer_epochs / own_epochs
    report.add(epochs={"polytag": own_epochs, PEER: peer_epochs}, learning_rate=rate, scores_of_peer=scores)
    report.add(runs=runs, time_of_an_epoch=step, time_to_score=step * epochs)
    rows = [
        ["epochs, polytag", own_epochs],
        [f"epochs, Trainer at {rate}", peer_epochs],
        ["time of an epoch, Trainer ÷ polytag", step],
        [f"time to {chosen.score}, Trainer ÷ polytag", step * epochs],
    ]
    report.show(table(f"{chosen.task}, validation score of {chosen.score}", ["", "figure"], rows))


def _epochs_needed(
    name: str, chosen: argparse.Namespace, data: Data, rates: Sequence[float]
) -> tuple[int, float, dict[str, float]]:
    """The number of epochs of the shortest run that ends with the score, its learning rate, and all scores."""
    scores: dict[str, float] = {}
    order = list(rates)
    for epochs in range(1, chosen.most_epochs + 1):
        last = {}
        for rate in order:
            sides: list[Side] = []
            with closing(sides):
                sides.append(_side(name, chosen, data, rate, epochs))
                result = [sides[0].go() for _ in range(epochs)][-1]
            last[rate] = data.score("validation", result["tags"]) if "tags" in result else result["score"]
            scores[f"{epochs} epochs at {rate}"] = last[rate]
            console.print(f"{name}, {epochs} epochs at {rate}: {last[rate]:.4f}", markup=False)
            if last[rate] >= chosen.score:
                return epochs, rate, scores
        order.sort(key=lambda rate: -last[rate])  # the most promising first: the next round ends with the first success
    raise SystemExit(f"{name} does not reach {chosen.score} in {chosen.most_epochs} epochs: {scores}")


def _side(name: str, chosen: argparse.Namespace, data: Data, rate: float, epochs: int) -> Side:
    shared: dict[str, Any] = {"encoder": chosen.encoder, "batch_size": 16, "learning_rate": rate, "weight_decay": 0.01}
    shared |= {"epochs": epochs, "seed": chosen.seed}
    if name == "polytag":
        own = {"task": chosen.task, "corpus": str(data.folder), "cased": chosen.cased}
        return Side(name, sys.executable, "polytag_train.py", options=shared | own)
    python = peer_python(chosen.peers, "torch")
    own = {"folder": str(data.folder), "column": data.column, "labels": data.labels}
    return Side(name, python, "trainer_train.py", **shared, **own)


if __name__ == "__main__":
    main()
