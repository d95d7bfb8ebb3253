"""The corpus and the checkpoint of the course's chapter, as far as its page shows them."""

from __future__ import annotations

from pathlib import Path

from polytag.corpus.sample.reader import sample_sentences
from support.checkpoints import make_checkpoint

SIZES = {"train": 62, "validation": 16, "test": 16}
"""Sentences of the sample corpus, after the first two of the chapter."""

SPAN_TAGS = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC", "B-MISC", "I-MISC")
"""The tags of the data set on the hub, in the order of their ids."""

_FIRST = (
    "EU/NNP/B-NP/B-ORG rejects/VBZ/B-VP/O German/JJ/B-NP/B-MISC call/NN/I-NP/O to/TO/B-VP/O boycott/VB/I-VP/O "
    "British/JJ/B-NP/B-MISC lamb/NN/I-NP/O ././O/O",
    "Peter/NNP/B-NP/B-PER Blackburn/NNP/I-NP/I-PER",
)
_PIECES = ("rejects", "call", "boycott", "British", "la", "##mb", "Peter", "Blackburn", "S", "##yl", "##va", "##in")
"""Subwords of bert-base-cased."""


def write_course_corpus(folder: Path) -> None:
    """Save a data set with the columns, the tags and the first two sentences of the one on the hub."""
    import datasets

    columns = ("pos_tags", "chunk_tags", "ner_tags")
    rows = {split: [_row(line, columns) for line in _FIRST] if split == "train" else [] for split in SIZES}
    for split, size in SIZES.items():
        for sentence in sample_sentences(split)[:size]:
            rows[split].append({"tokens": sentence.words, **sentence.tags})
    names = {name: sorted({tag for own in rows.values() for row in own for tag in row[name]}) for name in columns}
    names["ner_tags"] = list(SPAN_TAGS)
    features = {name: datasets.List(datasets.ClassLabel(names=names[name])) for name in columns}
    features = datasets.Features({"tokens": datasets.List(datasets.Value("string")), **features})
    datasets.DatasetDict(
        {split: datasets.Dataset.from_list(own, features=features) for split, own in rows.items()}
    ).save_to_disk(folder)


def _row(line: str, columns: tuple[str, ...]) -> dict[str, list[str]]:
    cells = zip(*(word.split("/") for word in line.split()), strict=True)
    return dict(zip(("tokens", *columns), map(list, cells), strict=True))


def make_course_checkpoint(folder: Path) -> None:
    """A tiny checkpoint that splits the words of the chapter as bert-base-cased does."""
    make_checkpoint(folder, "bert", pieces=_PIECES)
