"""How corpora in random dialects are read: right, refused or misread.

`PYTHONPATH=tests python -m support.random_readings` counts them by each part of the dialect, and shows those that fail.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polytag import Corpus, CorpusError, load_corpus
from support.cases import proposals
from support.random_dialects import RandomCorpus, boundaries, canonical, corpus

RIGHT, REFUSED, UNHELPED, MISREAD, BROKEN = "right", "refused", "unhelped", "misread", "broken"
OUTCOMES = (RIGHT, REFUSED, UNHELPED, MISREAD, BROKEN)
_SHOWN = 10


@dataclass(frozen=True)
class Outcome:
    """How a corpus was read.

    Attributes:
        corpus: The corpus.
        kind: `right`: all words, tags and documents. `refused`: the options that the message proposes give at least two
            readings, one of them right. `unhelped`: refused, and they do not. `misread`: it was read, and not right.
            `broken`: an error that is no `CorpusError`.
        detail: The message, or the first difference.
    """

    corpus: RandomCorpus
    kind: str
    detail: str = ""

    def __str__(self) -> str:
        start = "".join(f"\n    {line[:100]!r}" for line in self.corpus.text.splitlines()[:8])
        return f"{self.corpus.number} {self.kind}: {self.corpus.dialect}\n  {self.detail[:600]}{start}"


def outcome(made: RandomCorpus, folder: Path, **options: Any) -> Outcome:
    """Read a corpus, by default with no option, and compare it with what it was made from."""
    path = folder / made.name
    path.write_bytes(made.content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = load_corpus(str(path), **options)
        except CorpusError as error:
            helped = not options and _helps(made, path, str(error))
            return Outcome(made, REFUSED if helped else UNHELPED, str(error))
        except Exception as error:  # what is not refused in a line is a fault of its own
            return Outcome(made, BROKEN, f"{type(error).__name__}: {error}")
    wrong = difference(made, found)
    return Outcome(made, MISREAD, wrong) if wrong else Outcome(made, RIGHT)


def outcomes(numbers: Iterable[int]) -> Iterator[Outcome]:
    """Read the corpora that are made from these numbers."""
    with tempfile.TemporaryDirectory() as folder:
        for number in numbers:
            yield outcome(corpus(number), Path(folder))


def _helps(made: RandomCorpus, path: Path, message: str) -> bool:
    """Whether the options of a message are at least two readings, one of them right."""
    readings: dict[str, bool] = {}
    for options in proposals(message):
        try:
            found = load_corpus(str(path), **options)
        except CorpusError:
            continue
        readings[found.fingerprint] = not difference(made, found)
    return len(readings) > 1 and any(readings.values())


def difference(made: RandomCorpus, found: Corpus) -> str:
    """The first difference between a corpus and what was read from it; empty if there is none.

    A column whose tags are all the same may be left out.
    """
    if found.splits != ("train",):
        return f"the splits are {found.splits}"
    words = found.words("train")
    if words != made.words:
        place, expected, read = _first(made.words, words)
        return f"sentence {place} has the words {read}, not {expected}"
    columns = [found.tags("train", column) for column in found.columns]
    read_columns = [[[canonical(tag, made.dialect) for tag in row] for row in rows] for rows in columns]
    expected_columns = [[[canonical(tag, made.dialect) for tag in row] for row in rows] for rows in made.tags]
    if len(columns) < len(made.tags):
        expected_columns = [rows for rows in expected_columns if len({tag for row in rows for tag in row}) > 1]
    if len(read_columns) != len(expected_columns):
        return f"the tag columns are {found.columns}, and {len(expected_columns)} were written"
    for name, expected_rows, rows in zip(found.columns, expected_columns, read_columns, strict=True):
        if rows != expected_rows:
            place, expected, read = _first(expected_rows, rows)
            return f"sentence {place} has the {name} {read}, not {expected}"
    if boundaries(found.documents("train")) != boundaries(made.documents):
        return f"the documents are {found.documents('train')}, not {made.documents}"
    return ""


def _first(expected: list[list[str]], found: list[list[str]]) -> tuple[int, object, object]:
    for place, (one, other) in enumerate(zip(expected, found, strict=False), 1):
        if one != other:
            return place, one, other
    return min(len(expected), len(found)) + 1, f"{len(expected)} sentences in all", f"{len(found)} sentences in all"


def table(found: Iterable[Outcome]) -> str:
    """The number of outcomes for each value of each part of the dialect."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for one in found:
        for name, value in [("all", "corpora"), *one.corpus.dialect.parts().items()]:
            counts[name, value, one.kind] += 1
    lines = [f"{'':38}" + "".join(f"{kind:>9}" for kind in OUTCOMES)]
    for name, value in dict.fromkeys((name, value) for name, value, _ in counts):
        numbers = "".join(f"{counts[name, value, kind] or '':>9}" for kind in OUTCOMES)
        lines.append(f"{name + ' ' + value:38}{numbers}")
    return "\n".join([*lines[:2], *sorted(lines[2:])])


def main() -> int:
    """Read random corpora, and print how."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=2_000, help="how many corpora")
    parser.add_argument("--first", type=int, default=0, help="the number of the first corpus")
    parser.add_argument("--one", type=int, help="print this corpus, and how it is read")
    parser.add_argument("--show", choices=OUTCOMES, action="append", help=f"print the first {_SHOWN} of a kind")
    parser.add_argument("--only", default="", help="corpora with this part alone: separator=tab")
    chosen = parser.parse_args()
    if chosen.one is not None:
        (found,) = outcomes([chosen.one])
        print(found.corpus.text, found, f"  all said: {found.corpus.dialect.options()}", sep="\n")
        return 0
    name, _, value = chosen.only.partition("=")
    numbers = range(chosen.first, chosen.first + chosen.number)
    began = time.perf_counter()
    results = list(outcomes(n for n in numbers if not name or corpus(n).dialect.parts()[name] == value))
    print(table(results))
    for kind in chosen.show or (UNHELPED, MISREAD, BROKEN):
        for one in [one for one in results if one.kind == kind][:_SHOWN]:
            print(one)
    print(f"{len(results):,} corpora in {time.perf_counter() - began:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
