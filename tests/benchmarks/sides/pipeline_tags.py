"""transformers.pipeline tags the words of a tagger's corpus, each read at its first subword."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import transformers
from turns import pause, sentences, settings, versions


def label_of_each_word(words: list[str], found: list[dict[str, Any]]) -> list[str | None]:
    """The label of the first subword of each word; None for a word that has none."""
    labels: dict[int, str] = {}
    for subword in found:
        labels.setdefault(subword["start"], subword["entity"])
    start, tags = 0, []
    for word in words:
        tags.append(labels.get(start))
        start += len(word) + 1
    return tags


def main() -> None:
    pipe = transformers.pipeline(
        "token-classification", settings["tagger"], aggregation_strategy="none", ignore_labels=[], device="cpu"
    )
    words = [row["tokens"] for row in sentences(settings["file"])]
    pause(versions=versions("torch", "transformers"))
    found = pipe(words, batch_size=settings["batch_size"], is_split_into_words=True)
    tags = [label_of_each_word(*pair) for pair in zip(words, found, strict=True)]
    Path(settings["output"]).write_text(json.dumps(tags), encoding="utf-8")
    pause(words=sum(map(len, tags)))


main()
