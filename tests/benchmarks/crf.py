"""What a CRF costs and brings, over Viterbi decoding that is constrained by the label scheme.

    python tests/benchmarks/crf.py --corpus ../shared/data/conll2003 --task ner --task chunk --seeds 3
    python tests/benchmarks/crf.py --corpus ../shared/data/conll2003 --encoder MINILM --cased
    python tests/benchmarks/crf.py --corpus ../shared/data/conll2003 --steps 60

For each task and seed two taggers are trained that differ in the decoding alone. They are compared on the test split,
with the 95% interval of the difference of their scores, and predict it in turns. With `--steps`, two trainings take
turns instead, a stretch of so many steps each: only the time of a step is measured, so that work beside it counts alike
for both.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from harness import Data, Report, Side, closing, console, median_ratio, parser, table, take_turns

import polytag

DECODINGS = ("viterbi", "crf")


def main() -> None:
    """Train both, and print tables."""
    options = parser(__doc__)
    options.add_argument("--corpus", required=True)
    options.add_argument("--encoder", default="compact", help="`compact`, or a checkpoint")
    options.add_argument("--cased", action="store_true", help="give an uncased encoder capital letters")
    options.add_argument("--task", action="append", help="default: ner")
    options.add_argument("--epochs", type=int, help="default: the encoder's own")
    options.add_argument("--seeds", type=int, default=1, help="runs per decoding, each with the next seed")
    options.add_argument("--first-seed", type=int, default=0, help="the first run's, to take a long series in parts")
    options.add_argument("--steps", type=int, help="time stretches of so many steps instead of whole trainings")
    options.add_argument("--rounds", type=int, default=5, help="stretches, or predictions, per decoding")
    options.add_argument("--limit", type=int, help="sentences to train on, with --steps")
    chosen = options.parse_args()
    chosen.task = chosen.task or ["ner"]
    report = Report("crf", chosen)
    with tempfile.TemporaryDirectory() as folder:
        run = _steps if chosen.steps else _taggers
        rows = [row for task in chosen.task for row in run(chosen, task, Path(folder))]
    report.add(rows=rows)
    report.show(table("CRF over constrained Viterbi", list(rows[0]), [list(row.values()) for row in rows]))


def _options(chosen: argparse.Namespace, task: str, decoding: str) -> dict[str, Any]:
    given = {"task": task, "encoder": chosen.encoder, "cased": chosen.cased, "decoding": decoding}
    return given | ({"epochs": chosen.epochs} if chosen.epochs else {})


def _steps(chosen: argparse.Namespace, task: str, folder: Path) -> list[dict[str, Any]]:
    """Time stretches of steps, in turns."""
    data = Data(folder / task, chosen.corpus, task, {"train": chosen.limit, "validation": 64})
    sides: list[Side] = []
    with closing(sides):
        for decoding in DECODINGS:
            given = {**_options(chosen, task, decoding), "corpus": str(data.folder)}
            sides.append(Side(decoding, sys.executable, "polytag_train.py", options=given))
        take_turns(sides, 1, steps=max(20, chosen.steps // 3))  # compiles, and warms caches
        found = take_turns(sides, chosen.rounds, steps=chosen.steps)
    viterbi, crf = ([one["seconds"] / one["subwords"] for one in found[name]] for name in DECODINGS)
    return [{"task": task, "rounds": chosen.rounds, "time of training, crf ÷ viterbi": median_ratio(crf, viterbi)}]


def _taggers(chosen: argparse.Namespace, task: str, folder: Path) -> list[dict[str, Any]]:
    """Train a tagger with each decoding and seed, and compare them."""
    corpus = polytag.load_corpus(chosen.corpus)
    rows = []
    for seed in range(chosen.first_seed, chosen.first_seed + chosen.seeds):
        taggers, seconds = [], []
        for decoding in DECODINGS:
            output = folder / f"{task}-{seed}-{decoding}"
            given = _options(chosen, task, decoding)
            result = polytag.train(corpus=chosen.corpus, output=output, seed=seed, quiet=True, **given)
            taggers.append(output)
            seconds.append(sum(epoch.seconds for epoch in result.history))
        row = {"task": task, "seed": seed, **_compared(taggers, corpus, task)}
        row["training, crf ÷ viterbi"] = seconds[1] / seconds[0]
        row["words/s, crf ÷ viterbi"] = _speed(taggers, corpus, chosen.rounds)
        console.print(row)
        rows.append(row)
    return rows


def _compared(taggers: list[Path], corpus: polytag.Corpus, task: str) -> dict[str, Any]:
    found = polytag.compare(*taggers, corpus, "test").tasks[task]
    low, high = found.interval or (float("nan"), float("nan"))
    return {"viterbi": found.a, "crf": found.b, "difference": f"{found.difference:+.4f} ({low:+.4f} to {high:+.4f})"}


def _speed(taggers: list[Path], corpus: polytag.Corpus, rounds: int) -> float:
    """The speed of the second tagger over that of the first; they predict in turns."""
    loaded = [polytag.Tagger.load(tagger) for tagger in taggers]
    sentences, documents = corpus.words("test"), corpus.documents("test")
    ratios = []
    for number in range(rounds + 1):
        seconds = []
        for tagger in loaded:
            began = time.perf_counter()
            tagger.predict(sentences, documents)
            seconds.append(time.perf_counter() - began)
        if number:  # the first fills caches
            ratios.append(seconds[0] / seconds[1])
    return statistics.median(ratios)


if __name__ == "__main__":
    main()
