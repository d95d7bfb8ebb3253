"""Scale: time and peak memory when the corpus grows, and when the file to tag does.

    python tests/benchmarks/scale.py --corpus ../shared/data/conll2003

Trains `compact` for two epochs on the training split once, 4 times and 16 times over, and tags files of 10,000 and of
1,000,000 sentences with it, each in a process of its own. `÷ linear` is the time over that of the first row times the
size: of the last epoch's steps, in which nothing compiles any more, and of the whole run. Peak memory is the largest
resident set of the process. In the repetitions that make up a file, the first word of every fourth sentence is a new
one, so that the vocabulary grows as it does in real text.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
from pathlib import Path

from harness import Data, Report, Side, closing, console, parser, polytag_command, table, timed

NEW_WORD_EVERY = 4


def main() -> None:
    """Measure, and print tables."""
    options = parser(__doc__)
    options.add_argument("--corpus", required=True)
    options.add_argument("--times", type=int, nargs="*", default=[1, 4, 16])
    options.add_argument("--sentences", type=int, nargs="*", default=[10_000, 1_000_000])
    options.add_argument("--epochs", type=int, default=2)
    options.add_argument("--limit", type=int, help="sentences of the training split")
    options.add_argument("--tagger", type=Path, help="tagger to tag files with; the first one trained here by default")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        _run(chosen, Path(folder))


def _run(chosen: argparse.Namespace, folder: Path) -> None:
    limits = {"train": chosen.limit, "validation": 200, "test": 200}
    data = Data(folder / "data", chosen.corpus, "ner", limits)
    report = Report("scale", chosen, data.about)
    tables = []
    if chosen.times:
        trained = [_train(chosen, data, times, folder) for times in chosen.times]
        rows = []
        for times, words, epoch, whole, peak in trained:
            linear = [value * times / trained[0][0] for value in trained[0][2:4]]
            rows.append([f"{times}x", words, epoch, epoch / linear[0], whole, whole / linear[1], peak])
        columns = ["corpus", "words", "s, last epoch", "÷ linear", "s, whole run", "÷ linear, whole", "peak MB"]
        tables.append(table(f"Training compact, {chosen.epochs} epochs", columns, rows))
        report.add(training=[dict(zip(columns, row, strict=True)) for row in rows])
    if chosen.sentences:
        tagger = chosen.tagger or folder / f"tagger-{chosen.times[0]}"
        rows = []
        for size in chosen.sentences:
            seconds, peak, words = _predict(tagger, data, size, folder)
            rows.append([f"{size:,}", words, seconds, words / seconds, peak, peak / (rows[0][4] if rows else peak)])
        columns = ["sentences", "words", "seconds", "words/s", "peak MB", "÷ first"]
        tables.append(table("Tagging a file (polytag predict, whole command)", columns, rows))
        report.add(prediction=[dict(zip(columns, row, strict=True)) for row in rows])
    report.show(*tables)


def _train(chosen: argparse.Namespace, data: Data, times: int, folder: Path) -> tuple[int, int, float, float, float]:
    """Train on the training split, so many times over; seconds of the last epoch's steps, of the run, and memory."""
    console.print(f"training on {times}x")
    corpus = folder / f"corpus-{times}"
    corpus.mkdir()
    for split in ("train", "validation"):
        rows = (data.folder / f"{split}.jsonl").read_text(encoding="utf-8")
        (corpus / f"{split}.jsonl").write_text(rows * (times if split == "train" else 1), encoding="utf-8")
    options = {
        "task": "ner",
        "corpus": str(corpus),
        "encoder": "compact",
        "epochs": chosen.epochs,
        "output": str(folder / f"tagger-{times}"),
    }
    sides: list[Side] = []
    with closing(sides):
        sides.append(Side("polytag", sys.executable, "polytag_train.py", options=options))
        epochs = [sides[0].go()["seconds"] for _ in range(chosen.epochs)]
        whole = sides[0].go()
    return times, times * data.about["train"]["words"], epochs[-1], whole["seconds"], whole["peak_mb"]


def _predict(tagger: Path, data: Data, size: int, folder: Path) -> tuple[float, float, int]:
    """Tag a file of so many sentences; seconds, peak memory in MB, words."""
    console.print(f"tagging {size:,} sentences")
    file, words = folder / f"{size}.txt", 0
    with file.open("w", encoding="utf-8") as lines:
        for number, sentence in enumerate(itertools.islice(itertools.cycle(data.words["train"]), size)):
            repetition = number // len(data.words["train"])
            new = [f"{sentence[0]}{repetition}", *sentence[1:]]
            lines.write(" ".join(new if repetition and number % NEW_WORD_EVERY == 0 else sentence) + "\n")
            words += len(sentence)
    seconds, peak = timed([polytag_command(), "predict", tagger, file, "--input", "words", "--format", "conll"])
    file.unlink()
    return seconds, peak, words


if __name__ == "__main__":
    main()
