"""`polytag corpus check` of large corpora: of ordinary tags, and of a column with tens of thousands of labels.

    python tests/benchmarks/check_speed.py

The corpora are made by chance: words as frequent as in text, sentences of 3 to 40 words, parts of speech in a second
column. The third column has spans of three labels (`spans`), or one of many labels on every word: without prefix
(`labels`), with a usual one (`span labels`), with one that no scheme has (`odd labels`). Every check is a process of
its own; they take turns. Each should take less than ten seconds on two cores.
"""

from __future__ import annotations

import random
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

from harness import Report, console, parser, polytag_command, table, timed

PARTS_OF_SPEECH = ("NN", "NNP", "VB", "DT", "IN", "JJ")
SPANS = (*("O",) * 8, "B-PER", "I-PER", "B-LOC", "B-ORG")
SPLITS = {"train": 0.7, "dev": 0.15, "test": 0.15}
VOCABULARY = 60_000


def main() -> None:
    """Make the corpora, time the checks, and print a table."""
    options = parser(__doc__)
    options.add_argument("--words", type=int, default=300_000, help="words of each corpus")
    options.add_argument("--labels", type=int, default=35_000, help="different labels of the columns with many")
    options.add_argument("--rounds", type=int, default=3)
    chosen = options.parse_args()
    report = Report("check_speed", chosen)
    chance = random.Random(0)

    def one_of_many(prefix: str) -> Callable[[], str]:
        return lambda: f"{prefix}l{chance.randrange(chosen.labels)}"

    columns: dict[str, Callable[[], str]] = {
        "spans": lambda: chance.choice(SPANS),
        "labels": one_of_many(""),
        "span labels": one_of_many("B-"),
        "odd labels": one_of_many("Q-"),
    }
    seconds: dict[str, list[float]] = {name: [] for name in columns}
    memory: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, tag in columns.items():
            _write(Path(folder) / name, chosen.words, tag, chance)
        for number in range(1, chosen.rounds + 1):
            for name in columns:
                corpus = Path(folder) / name
                command = [polytag_command(), "corpus", "check", corpus, "--columns", "tokens,pos_tags,ner_tags"]
                took, memory[name] = timed(command, statuses=(0, 1))
                seconds[name].append(took)
            console.print(f"round {number}/{chosen.rounds}")
    rows = [[name, statistics.median(took), max(took), memory[name]] for name, took in seconds.items()]
    report.add(seconds=seconds, peak_megabytes=memory)
    report.show(table(f"corpus check, {chosen.words:,} words", ["column", "median s", "slowest s", "peak MB"], rows))


def _write(folder: Path, n_words: int, tag: Callable[[], str], chance: random.Random) -> None:
    folder.mkdir()
    for split, share in SPLITS.items():
        with (folder / f"{split}.conll").open("w", encoding="utf-8") as file:
            left = round(n_words * share)
            while left > 0:
                length = min(left, chance.randint(3, 40))
                left -= length
                for _ in range(length):
                    word = int(chance.paretovariate(0.6)) % VOCABULARY
                    file.write(f"w{word} {chance.choice(PARTS_OF_SPEECH)} {tag()}\n")
                file.write("\n")


if __name__ == "__main__":
    main()
