"""How fast raw text is split: words a second of each splitter, and of the rules of another version.

    python tests/benchmarks/split.py --corpus ../shared/data/conll2003
    git show VERSION:src/polytag/encoding/text.py > old.py
    python tests/benchmarks/split.py --corpus ../shared/data/conll2003 --against old.py

The texts are the documents of all splits, or groups of sentences where documents are unknown, with their words joined
by spaces, except marks that end something. All take turns, in the time of the processor; the best round counts. Words
are always those of the standard splitter, so that the figures are of the same text.
"""

from __future__ import annotations

import importlib.util
import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

from harness import Report, parser, table

import polytag
from polytag.encoding.splitters import split_function
from polytag.plugin.registry import registry

TOGETHER = 20
"""Sentences of a text where documents are unknown."""
NO_SPACE_BEFORE = frozenset([".", ",", ";", ":", "?", "!", ")", "%", "'s", "n't", "''"])


def main() -> None:
    """Time the splitters, and print a table."""
    options = parser(__doc__)
    options.add_argument("--corpus", required=True)
    options.add_argument("--against", type=Path, help="the file of another version with the rules of the standard one")
    options.add_argument("--rounds", type=int, default=7)
    chosen = options.parse_args()
    texts = list(_texts(polytag.load_corpus(chosen.corpus)))
    sides: dict[str, Callable[[str], object]] = {name: split_function(name) for name in registry().splitters}
    if chosen.against:
        other = _module(chosen.against)
        sides["against"] = getattr(other, "split_text", other.split_sentences)  # older versions have the latter
    words = sum(len(split_function()(text).words) for text in texts)
    report = Report("split", chosen, {"texts": len(texts), "words": words, "characters": sum(map(len, texts))})
    taken: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(chosen.rounds):
        for name, split in sides.items():
            begun = time.process_time()
            for text in texts:
                split(text)
            taken[name].append(time.process_time() - begun)
    speed = {name: words / min(seconds) for name, seconds in taken.items()}
    report.add(words_a_second=speed, seconds=taken)
    report.show(table("Splitting raw text", ["splitter", "words/s"], list(speed.items())))


def _texts(corpus: polytag.Corpus) -> Iterator[str]:
    for split in corpus.splits:
        rows = list(polytag.sentences_of(corpus.data[split]))
        numbers = (row.document if row.document is not None else place // TOGETHER for place, row in enumerate(rows))
        for _, group in itertools.groupby(zip(numbers, rows, strict=True), key=lambda pair: pair[0]):
            yield " ".join(_joined(row.words) for _, row in group)


def _joined(words: list[str]) -> str:
    return "".join(word if word in NO_SPACE_BEFORE else f" {word}" for word in words).strip()


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("against", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
