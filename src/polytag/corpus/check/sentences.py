"""What is odd about the sentences and documents of a corpus."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import partial
from itertools import combinations

from polytag.corpus.check.context import Material
from polytag.corpus.check.findings import Finding, Place
from polytag.plugin.scheme import UNANNOTATED

LONG_SENTENCE = 512
LONG_DOCUMENT = 10_000
_TELLING_LENGTH = 10
"""Sentences of so many words hardly recur by chance; datelines and scores do."""


def check_sentences(material: Material) -> Iterator[Finding]:
    """Sentences that recur, with other tags or in other splits, and what is too long."""
    yield from _tagged_differently(material)
    yield from _shared(material)
    yield from _long_sentences(material)
    yield from _documents(material)


def _tagged_differently(material: Material) -> Iterator[Finding]:
    places: defaultdict[tuple[str, ...], list[tuple[str, int]]] = defaultdict(list)
    for split, sentences in material.words.items():
        for index, words in enumerate(sentences):
            places[tuple(words)].append((split, index))
    recurring = [at for at in places.values() if len(at) > 1]
    for column, splits in material.tags.items():
        differing = []
        within = across = 0
        for at in recurring:
            tagged: dict[tuple[str, ...], tuple[str, int]] = {}
            of_splits: defaultdict[str, set[tuple[str, ...]]] = defaultdict(set)
            for split, index in at:
                tags = tuple(splits[split][index]) if split in splits else ()
                if tags and UNANNOTATED not in tags:
                    tagged.setdefault(tags, (split, index))
                    of_splits[split].add(tags)
            if len(tagged) > 1:
                differing.append(list(tagged.items()))
                within += any(len(found) > 1 for found in of_splits.values())
                across += any(a != b for a, b in combinations(of_splits.values(), 2))
        if not differing:
            continue
        ordered = sorted(differing, key=lambda found: -len(found[0][0]))  # long ones tell most
        yield material.finding(
            "warning",
            "tagged-differently",
            f"{len(differing):,} sentences recur with different tags ({within:,} within a split, {across:,} across "
            "splits). Some may depend on their context; the others are slips.",
            len(differing),
            column,
            (partial(_side_by_side, material, column, found) for found in ordered),
        )


def _side_by_side(material: Material, column: str, found: list[tuple[tuple[str, ...], tuple[str, int]]]) -> Place:
    (one, here), (other, there) = found[:2]
    position = next(i for i, (a, b) in enumerate(zip(one, other, strict=True)) if a != b)
    first = material.place(*here, position, column)
    second = material.place(*there, position, column)
    return Place(first.location, f"{first.example}  but {second.location}: {second.example}")


def _shared(material: Material) -> Iterator[Finding]:
    """A warning, not an error: what recurs in newswire is mostly short, and published corpora have it."""
    for split in material.words:
        if split == "train" or "train" not in material.words:
            continue
        trained: dict[tuple[str, ...], int] = {}
        for index, words in enumerate(material.words["train"]):
            trained.setdefault(tuple(words), index)
        sentences = material.words[split]
        shared = [index for index, words in enumerate(sentences) if tuple(words) in trained]
        if not shared:
            continue
        telling = sum(len(sentences[index]) >= _TELLING_LENGTH for index in shared)
        longest = sorted(shared, key=lambda index: -len(sentences[index]))
        yield material.finding(
            "warning",
            "shared-with-training",
            f"{len(shared):,} of {len(sentences):,} sentences of {split} ({len(shared) / len(sentences):.1%}) also "
            f"stand in train, {telling:,} of them with {_TELLING_LENGTH} words or more. Short lines recur by chance; "
            "long ones are copies, and scores on them measure memory.",
            len(shared),
            None,
            (partial(material.place, split, index) for index in longest),
        )


def _long_sentences(material: Material) -> Iterator[Finding]:
    long = [
        (split, index, len(words))
        for split, sentences in material.words.items()
        for index, words in enumerate(sentences)
        if len(words) > LONG_SENTENCE
    ]
    if long:
        longest = max(length for _, _, length in long)
        yield material.finding(
            "warning",
            "long-sentence",
            f"{len(long):,} sentences have over {LONG_SENTENCE} words, the longest {longest:,}. They are tagged "
            "whole, in windows; usually an empty line between sentences is missing.",
            len(long),
            None,
            (partial(material.place, split, index) for split, index, _ in long),
        )


def _documents(material: Material) -> Iterator[Finding]:
    for split, sentences in material.words.items():
        documents = material.corpus.documents(split)
        if documents is None:
            continue
        lengths: Counter[int] = Counter()
        first: dict[int, int] = {}
        scattered: dict[int, int] = {}
        before = None
        for index, (document, words) in enumerate(zip(documents, sentences, strict=True)):
            lengths[document] += len(words)
            if document != before and document in first:
                scattered.setdefault(document, index)
            first.setdefault(document, index)
            before = document
        long = [document for document, length in lengths.items() if length > LONG_DOCUMENT]
        if long:
            yield material.finding(
                "warning",
                "long-document",
                f"{len(long):,} documents of {split} have over {LONG_DOCUMENT:,} words, the longest "
                f"{max(lengths.values()):,}; usually the marks between documents are missing, and sentences that have "
                "nothing to do with each other become each other's context.",
                len(long),
                None,
                (partial(material.place, split, first[document]) for document in long),
            )
        if scattered:
            yield material.finding(
                "warning",
                "scattered-document",
                f"The sentences of {len(scattered):,} documents of {split} do not stand together: others come between.",
                len(scattered),
                None,
                (partial(material.place, split, index) for index in scattered.values()),
            )
