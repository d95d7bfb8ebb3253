"""`compact` with vectors of words against `compact` without: F1 on the whole test split and on names never seen.

    python tests/benchmarks/vectors.py --corpus ../shared/data/conll2003 --vectors FILE|CHECKPOINT --seeds 3

The sentences of the test split with unseen names are those that have a name, and none whose words are those of a name
in the training split. Each side is trained with each seed, in turn; speed is measured on the test split in NumPy, in
turns, and the size is that of the saved folder. `--keep FOLDER` keeps the taggers, and uses those that it has.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness import Data, Report, console, parser, polytag_command, table, timed

import polytag
from polytag.evaluation.scoring import evaluate_tags

SIDES = ("without", "with")


def main() -> None:
    """Train both sides with each seed, score them, and print a table."""
    options = parser(__doc__)
    options.add_argument("--corpus", required=True)
    options.add_argument("--vectors", required=True)
    options.add_argument("--task", default="ner")
    options.add_argument("--seeds", type=int, default=1)
    options.add_argument("--first-seed", type=int, default=0, help="the first run's, to take a long series in parts")
    options.add_argument("--epochs", type=int, help="default: the encoder's own")
    options.add_argument("--rounds", type=int, default=5, help="of the timing of each tagger")
    options.add_argument("--keep", type=Path, help="folder of the taggers")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        data = Data(Path(temporary) / "data", chosen.corpus, chosen.task, {})
        whole, unseen = range(len(data.words["test"])), _unseen(data)
        report = Report("vectors", chosen, data.about | {"unseen": {"sentences": len(unseen)}})
        console.print(f"{len(unseen):,} of {len(whole):,} test sentences have names, and none of the training split")
        folder = chosen.keep or Path(temporary)
        figures: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}
        for seed in range(chosen.first_seed, chosen.first_seed + chosen.seeds):
            taggers = {}
            for side in SIDES:
                path = folder / f"{side}-{seed}"
                if not path.exists():
                    _train(chosen, path, seed, side == "with")
                taggers[side] = polytag.Tagger.load(path, runtime="numpy")
                size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
                scores = {
                    "test": _f1(taggers[side], data, whole),
                    "unseen": _f1(taggers[side], data, unseen),
                    "megabytes": size / 1e6,
                }
                figures[side].append(scores)
                console.print(f"seed {seed} {side}: {scores}")
            for side, speed in _speeds(taggers, data.words["test"], chosen.rounds).items():
                figures[side][-1]["words_a_second"] = speed
    means = {
        side: {name: statistics.mean(one[name] for one in runs) for name in runs[0]} for side, runs in figures.items()
    }
    ratio = means["with"]["words_a_second"] / means["without"]["words_a_second"]
    report.add(runs=figures, means=means, speed_ratio=ratio)
    rows = [
        [name, means["without"][name], means["with"][name], means["with"][name] - means["without"][name]]
        for name in ("test", "unseen", "megabytes", "words_a_second")
    ]
    report.show(table(f"compact, {chosen.seeds} seeds", ["figure", "without", "with vectors", "difference"], rows))
    console.print(f"words a second, with over without: {ratio:.2f}")


def _train(chosen: Any, output: Path, seed: int, with_vectors: bool) -> None:
    command = [polytag_command(), "train", "--task", chosen.task, "--corpus", chosen.corpus, "--output", output]
    command += ["--seed", str(seed), *(["--epochs", str(chosen.epochs)] if chosen.epochs else [])]
    command += ["--vectors", chosen.vectors] if with_vectors else []
    seconds, _ = timed(command)
    console.print(f"{output.name} was trained in {seconds:.0f} s")


def _unseen(data: Data) -> list[int]:
    """The rows of the sentences of the test split that have names, none of which is one of the training split."""

    def names(split: str) -> list[set[tuple[str, ...]]]:
        return [
            {tuple(words[span.start : span.end]) for span in data.scheme.spans(tags)}
            for words, tags in zip(data.words[split], data.tags[split], strict=True)
        ]

    known = set[tuple[str, ...]]().union(*names("train"))
    return [row for row, found in enumerate(names("test")) if found and not found & known]


def _f1(tagger: polytag.Tagger, data: Data, rows: Sequence[int]) -> float:
    """F1 of the spans of some sentences of the test split."""
    words, gold = ([given["test"][row] for row in rows] for given in (data.words, data.tags))
    (predicted,) = tagger.predict_tags(words).values()
    return evaluate_tags(gold, predicted, data.scheme, data.metrics).score


def _speeds(taggers: dict[str, polytag.Tagger], sentences: list[list[str]], rounds: int) -> dict[str, float]:
    """Words a second of each tagger on the test split, medians of rounds in turn; the first round does not count."""
    n_words = sum(map(len, sentences))
    found: dict[str, list[float]] = {side: [] for side in taggers}
    for _ in range(rounds + 1):
        for side, tagger in taggers.items():
            began = time.perf_counter()
            tagger.predict_tags(sentences)
            found[side].append(n_words / (time.perf_counter() - began))
    return {side: statistics.median(speeds[1:]) for side, speeds in found.items()}


if __name__ == "__main__":
    main()
