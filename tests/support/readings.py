"""Readings of small corpora in the form of public ones, recorded when a reader went by the number of columns alone.

Each folder of `tests/data/readings` has a corpus of invented text, and the file beside it what was read. To record a
reading anew, because it is meant to change: `PYTHONPATH=tests python -m support.readings NAME`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from polytag import Corpus, load_corpus

FOLDER = Path(__file__).parents[1] / "data/readings"
NAMES = ("bc5cdr", "conll2000", "conll2002", "conll2003", "ewt", "jnlpba")


def reading(corpus: Corpus) -> dict[str, Any]:
    """All there is in a corpus, as plain data: for each sentence its place, its document, its words and its tags."""
    splits: dict[str, Any] = {}
    for split in corpus.splits:
        words, documents = corpus.words(split), corpus.documents(split)
        tags = {column: corpus.tags(split, column) for column in corpus.split(split).tags}
        splits[split] = [
            {
                "location": corpus.locate(split, index),
                "document": None if documents is None else documents[index],
                "tokens": words[index],
                **{column: rows[index] for column, rows in tags.items()},
            }
            for index in range(len(words))
        ]
    return {"reader": corpus.reader, "columns": list(corpus.columns), "splits": splits}


def recorded(name: str) -> dict[str, Any]:
    """The reading that was recorded."""
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return found


def record(name: str) -> None:
    """Write the reading of today, one sentence per line."""
    found = reading(load_corpus(str(FOLDER / name)))
    head = ", ".join(f"{json.dumps(key)}: {json.dumps(found[key])}" for key in ("reader", "columns"))
    splits = []
    for split, sentences in found["splits"].items():
        lines = ",\n".join(json.dumps(sentence, ensure_ascii=False) for sentence in sentences)
        splits.append(f"{json.dumps(split)}: [\n{lines}\n]")
    text = f'{{{head}, "splits": {{\n' + ",\n".join(splits) + "\n}}\n"
    (FOLDER / f"{name}.json").write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    for chosen in sys.argv[1:]:
        record(chosen)
