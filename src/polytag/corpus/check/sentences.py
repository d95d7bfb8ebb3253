"""Checks of sentences and documents."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import partial
from itertools import combinations

from polytag.corpus.check.context import CheckContext
from polytag.corpus.check.findings import Finding, Place
from polytag.plugin.scheme import UNANNOTATED

LONG_SENTENCE = 512
LONG_DOCUMENT = 10_000
_TELLING_LENGTH = 10
"""Sentences with this many words rarely recur by chance; datelines and scores do."""


def check_sentences(context: CheckContext) -> Iterator[Finding]:
    """Sentences that recur with other tags or in other splits, and sentences and documents that are too long."""
    yield from _tagged_differently(context)
    yield from _shared(context)
    yield from _long_sentences(context)
    yield from _documents(context)


def _tagged_differently(context: CheckContext) -> Iterator[Finding]:
    places: defaultdict[tuple[str, ...], list[tuple[str, int]]] = defaultdict(list)
    for split, sentences in context.words.items():
        for index, words in enumerate(sentences):
            places[tuple(words)].append((split, index))
    recurring = [at for at in places.values() if len(at) > 1]
    for column, splits in context.tags.items():
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
        ordered = sorted(differing, key=lambda found: -len(found[0][0]))  # long ones are most informative
        yield context.finding(
            "warning",
            "tagged-differently",
            f"{len(differing):,} sentences recur with different tags ({within:,} within a split, {across:,} across "
            "splits). Some may depend on their context; the others are errors.",
            len(differing),
            column,
            (partial(_side_by_side, context, column, found) for found in ordered),
        )


def _side_by_side(context: CheckContext, column: str, found: list[tuple[tuple[str, ...], tuple[str, int]]]) -> Place:
    (one, here), (other, there) = found[:2]
    position = next(i for i, (a, b) in enumerate(zip(one, other, strict=True)) if a != b)
    first = context.place(*here, position, column)
    second = context.place(*there, position, column)
    return Place(first.location, f"{first.example}  but {second.location}: {second.example}")


def _shared(context: CheckContext) -> Iterator[Finding]:
    """A warning, not an error: recurring sentences in newswire are mostly short, and published corpora have them."""
    for split in context.words:
        if split == "train" or "train" not in context.words:
            continue
        trained: dict[tuple[str, ...], int] = {}
        for index, words in enumerate(context.words["train"]):
            trained.setdefault(tuple(words), index)
        sentences = context.words[split]
        shared = [index for index, words in enumerate(sentences) if tuple(words) in trained]
        if not shared:
            continue
        telling = sum(len(sentences[index]) >= _TELLING_LENGTH for index in shared)
        longest = sorted(shared, key=lambda index: -len(sentences[index]))
        yield context.finding(
            "warning",
            "shared-with-training",
            f"{len(shared):,} of {len(sentences):,} sentences of {split} ({len(shared) / len(sentences):.1%}) also "
            f"occur in train, {telling:,} of them with {_TELLING_LENGTH} words or more. Short lines recur by chance; "
            "long ones are copies, and scores on them measure memory.",
            len(shared),
            None,
            (partial(context.place, split, index) for index in longest),
        )


def _long_sentences(context: CheckContext) -> Iterator[Finding]:
    long = [
        (split, index, len(words))
        for split, sentences in context.words.items()
        for index, words in enumerate(sentences)
        if len(words) > LONG_SENTENCE
    ]
    if long:
        longest = max(length for _, _, length in long)
        yield context.finding(
            "warning",
            "long-sentence",
            f"{len(long):,} sentences have over {LONG_SENTENCE} words, the longest {longest:,}. They are tagged "
            "whole, in windows; usually an empty line between sentences is missing.",
            len(long),
            None,
            (partial(context.place, split, index) for split, index, _ in long),
        )


def _documents(context: CheckContext) -> Iterator[Finding]:
    for split, sentences in context.words.items():
        documents = context.corpus.documents(split)
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
            yield context.finding(
                "warning",
                "long-document",
                f"{len(long):,} documents of {split} have over {LONG_DOCUMENT:,} words, the longest "
                f"{max(lengths.values()):,}; usually the document boundaries are missing, and unrelated sentences "
                "become context of each other.",
                len(long),
                None,
                (partial(context.place, split, first[document]) for document in long),
            )
        if scattered:
            yield context.finding(
                "warning",
                "scattered-document",
                f"The sentences of {len(scattered):,} documents of {split} are not contiguous: others are in between.",
                len(scattered),
                None,
                (partial(context.place, split, index) for index in scattered.values()),
            )
