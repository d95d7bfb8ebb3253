"""What each alignment strategy and each decoding scores, with one pretrained encoder.

    python tests/benchmarks/alignment.py --corpus ../shared/data/conll2003 --encoder FOLDER --json alignment.json

For each strategy one tagger is trained, jointly on all tasks, then scored on validation with both decodings. On two
cores and CoNLL-2003 a training takes a few minutes an epoch.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

import polytag

STRATEGIES = ("first", "last", "all", "mean")
DECODINGS = ("viterbi", "argmax")


def main() -> None:
    """Train and score, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--encoder", required=True)
    parser.add_argument("--task", action="append", help="default: ner and pos")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--cased", action="store_true", help="give an uncased encoder capital letters")
    parser.add_argument("--context", default="sentence")
    parser.add_argument("--window", type=int)
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()

    corpus = polytag.load_corpus(chosen.corpus)
    rows = []
    tasks = tuple(chosen.task or ("ner", "pos"))
    for strategy in STRATEGIES:
        with tempfile.TemporaryDirectory() as folder:
            result = polytag.train(
                task=tasks,
                corpus=chosen.corpus,
                encoder=chosen.encoder,
                cased=chosen.cased,
                output=Path(folder) / "tagger",
                alignment=strategy,
                epochs=chosen.epochs,
                context=chosen.context,
                window=chosen.window,
                batch_size=chosen.batch_size,
                seed=chosen.seed,
            )
            scores = {}
            for decoding in DECODINGS:
                tagger = polytag.Tagger.load(result.output, decoding)
                scores[decoding] = polytag.evaluate(tagger, corpus, "validation").tasks
        for task in tasks:
            found = {decoding: scores[decoding][task].score for decoding in DECODINGS}
            rows.append({"task": task, "strategy": strategy, **found})
            print(json.dumps(rows[-1]), flush=True)
    rows.sort(key=lambda row: tasks.index(row["task"]))

    table = Table("task", "strategy", *DECODINGS)
    for row in rows:
        table.add_row(row["task"], row["strategy"], *(f"{row[name]:.4f}" for name in DECODINGS))
    Console().print(table)
    if chosen.json:
        chosen.json.write_text(json.dumps({"settings": vars(chosen) | {"json": None}, "rows": rows}, indent=2))


if __name__ == "__main__":
    main()
