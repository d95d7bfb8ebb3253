"""Scores of parts of a split: per label, and per bucket of spans or words that have something in common."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from math import inf
from typing import NamedTuple

import numpy as np

from polytag.corpus.splits import Split
from polytag.evaluation.results import Tags
from polytag.evaluation.significance import Array, bootstrap_interval, paired_bootstrap
from polytag.plugin.scheme import UNANNOTATED, LabelScheme

NEEDS_TRAINING = "seen in training", "frequency in training"
"""The dimensions that need the training split."""
NEEDS_DOCUMENTS = "position in the document"
"""The dimension that needs documents."""
FEWEST_SENTENCES = 10
"""Fewest sentences with an item of a bucket for an interval.

A bootstrap knows only the sentences it draws from. Of three, it often draws none, which would count as a score of 0;
and three that are right would all make a score of 1, as if it were certain. Of ten, it draws none once in 20,000 times.
"""

_LENGTHS = {1: "1 word", 2: "2 words", 3: "3 words", 4: "4 words", inf: "5 words and more"}
_SIZES = {5: "1 to 5 words", 10: "6 to 10 words", 20: "11 to 20 words", 40: "21 to 40 words", inf: "over 40 words"}
_TIMES = {0: "never", 1: "once", 5: "2 to 5 times", 20: "6 to 20 times", 100: "21 to 100 times", inf: "over 100 times"}
_PLACES = {1: "first sentence", 5: "sentences 2 to 5", 20: "sentences 6 to 20", inf: "later sentences"}
_SEEN_SPANS = "with this label", "only with another label", "all words, but not as a span", "not all words"
_SEEN_WORDS = "with this tag", "only with another tag", "without annotation", "unseen"
_CAPITALS = "lower case", "Capitalised", "ALL CAPITALS", "miXed", "no letters with case", "words of several kinds"


class Item(NamedTuple):
    """A span of a split; or a word, if the scheme has no spans.

    Attributes:
        sentence: Index of the sentence.
        start, end: Its words, end exclusive.
        label: Label of the span, or tag of the word.
    """

    sentence: int
    start: int
    end: int
    label: str


class Sides(NamedTuple):
    """Gold and predicted items of one task; an item is correct if it is on both sides.

    Attributes:
        gold, predicted: The items.
        sentences: Number of sentences.
        spans: Whether the items are spans.
    """

    gold: Sequence[Item]
    predicted: Sequence[Item]
    sentences: int
    spans: bool


class Dimension(NamedTuple):
    """A division of items into buckets.

    Attributes:
        name: What divides them: `span length`.
        buckets: Names of the buckets.
        place: The index of the bucket of an item. It depends only on the item, so that a correct item is in one bucket.
    """

    name: str
    buckets: Sequence[str]
    place: Callable[[Item], int]


@dataclass(frozen=True, slots=True)
class Bucket:
    """The score of one bucket.

    Attributes:
        dimension, name: The dimension and the bucket.
        gold, predicted, correct: Numbers of items.
        score: F1 of the spans, or accuracy of the words, 0..1.
        interval: Its 95% confidence interval, by resampling sentences; None if fewer than `FEWEST_SENTENCES` have an
            item.
    """

    dimension: str
    name: str
    gold: int
    predicted: int
    correct: int
    score: float
    interval: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class BucketDifference:
    """The difference of two systems in one bucket.

    Attributes:
        dimension, name: The dimension and the bucket.
        gold: Number of gold items.
        a, b: The scores of the two systems.
        difference: The second minus the first.
        interval: The 95% confidence interval of the difference, by paired bootstrap over sentences; None if fewer than
            `FEWEST_SENTENCES` have an item.
    """

    dimension: str
    name: str
    gold: int
    a: float
    b: float
    difference: float
    interval: tuple[float, float] | None


def sides_of(gold: Tags, predicted: Tags, scheme: LabelScheme) -> Sides:
    """The items of gold and predicted tags.

    Args:
        gold: Tags of every sentence, in `scheme`.
        predicted: The same, `UNANNOTATED` wherever gold is.
        scheme: The label scheme of both.
    """
    return Sides(_items(gold, scheme), _items(predicted, scheme), len(gold), scheme.encodes_spans)


def _items(sentences: Tags, scheme: LabelScheme) -> list[Item]:
    if scheme.encodes_spans:
        return [Item(index, *span) for index, tags in enumerate(sentences) for span in scheme.spans(tags)]
    return [
        Item(index, position, position + 1, tag)
        for index, tags in enumerate(sentences)
        for position, tag in enumerate(tags)
        if tag != UNANNOTATED
    ]


def by_label(sides: Sides) -> Dimension:
    """The dimension with a bucket per label."""
    names = sorted({item.label for item in chain(sides.gold, sides.predicted)})
    ids = {name: index for index, name in enumerate(names)}
    return Dimension("label", names, lambda item: ids[item.label])


def dimensions(data: Split, scheme: LabelScheme, training: tuple[Split, Tags] | None) -> list[Dimension]:
    """The dimensions that are known of a split.

    Args:
        data: The split.
        scheme: The label scheme of the task.
        training: The training split, and its tags in the scheme; without it, `NEEDS_TRAINING` are missing.
    """
    words = data.sentences
    found = []
    if scheme.encodes_spans:
        found.append(Dimension("span length", *_upto(_LENGTHS, lambda item: item.end - item.start)))
    found.append(Dimension("sentence length", *_upto(_SIZES, lambda item: len(words[item.sentence]))))
    if training:
        found += _of_training(words, scheme, *training)
    found.append(Dimension("capitals", _CAPITALS, lambda item: _capitals(words[item.sentence][item.start : item.end])))
    if data.documents is not None:
        numbers = _numbers(data.documents)
        found.append(Dimension(NEEDS_DOCUMENTS, *_upto(_PLACES, lambda item: numbers[item.sentence])))
    return found


def _of_training(words: Tags, scheme: LabelScheme, training: Split, tags: Tags) -> Iterator[Dimension]:
    counts = Counter(chain.from_iterable(training.sentences))
    labels: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
    for item in _items(tags, scheme):
        labels[_text(training.sentences, item)].add(item.label)

    def seen(item: Item) -> int:
        text = _text(words, item)
        known = labels.get(text, ())
        if item.label in known:
            return 0
        if known:
            return 1
        return 2 if all(word in counts for word in text) else 3

    yield Dimension(NEEDS_TRAINING[0], _SEEN_SPANS if scheme.encodes_spans else _SEEN_WORDS, seen)
    yield Dimension(NEEDS_TRAINING[1], *_upto(_TIMES, lambda item: min(counts[word] for word in _text(words, item))))


def _upto(buckets: Mapping[float, str], number: Callable[[Item], int]) -> tuple[Sequence[str], Callable[[Item], int]]:
    """Buckets of a number by their highest value, and the function that places an item."""
    highest = list(buckets)
    return list(buckets.values()), lambda item: bisect_left(highest, number(item))


def _text(words: Tags, item: Item) -> tuple[str, ...]:
    return tuple(words[item.sentence][item.start : item.end])


def _capitals(words: Sequence[str]) -> int:
    kinds = {_capitals_of(word) for word in words}
    return kinds.pop() if len(kinds) == 1 else len(_CAPITALS) - 1


def _capitals_of(word: str) -> int:
    """The index in `_CAPITALS`; a single capital letter is Capitalised, and letters without case are no letters."""
    if word.lower() == word.upper():
        return 4
    if word == word.lower():
        return 0
    letters = [char for char in word if char.lower() != char.upper()]
    if letters[0].isupper() and all(char.islower() for char in letters[1:]):
        return 1
    return 2 if all(char.isupper() for char in letters) else 3


def _numbers(documents: Sequence[int]) -> list[int]:
    """The number of each sentence in its document, from 1."""
    counts: Counter[int] = Counter()
    numbers = []
    for document in documents:
        counts[document] += 1
        numbers.append(counts[document])
    return numbers


def bucket_scores(sides: Sides, dimension: Dimension, seed: int) -> list[Bucket]:
    """The scores of the buckets that have an item.

    Args:
        sides: The items.
        dimension: Their division. Words without spans are divided by their gold tag, except by label.
        seed: Seed of the intervals.
    """
    found = []
    for name, counts in _statistics(sides, dimension):
        correct, predicted, gold = (int(total) for total in counts.sum(0))
        if gold or predicted:
            interval = bootstrap_interval(counts, _f1, seed) if _enough(counts) else None
            score = float(_f1(counts.sum(0)))
            found.append(Bucket(dimension.name, name, gold, predicted, correct, score, interval))
    return found


def bucket_differences(first: Sides, second: Sides, dimension: Dimension, seed: int) -> list[BucketDifference]:
    """The difference of two systems in each bucket that has an item.

    Args:
        first, second: The items of the two systems, with the same gold items.
        dimension: Their division.
        seed: Seed of the intervals.
    """
    found = []
    for (name, a), (_, b) in zip(_statistics(first, dimension), _statistics(second, dimension), strict=True):
        totals = a.sum(0), b.sum(0)
        if any(map(np.any, totals)):
            interval = paired_bootstrap(a, b, _f1, seed)[1:] if _enough(a + b) else None
            score_a, score_b = (float(_f1(total)) for total in totals)
            gold = int(totals[0][2])
            found.append(BucketDifference(dimension.name, name, gold, score_a, score_b, score_b - score_a, interval))
    return found


def _statistics(sides: Sides, dimension: Dimension) -> Iterator[tuple[str, Array]]:
    """Each bucket, and its numbers of correct, predicted and gold items: float64 (sentences, 3)."""
    predicted = sides.predicted
    right = set(predicted)
    correct = [item for item in sides.gold if item in right]
    if not sides.spans and dimension.name != "label":
        predicted = sides.gold
    groups = [
        (np.fromiter((item.sentence for item in items), np.int64), np.fromiter(map(dimension.place, items), np.int64))
        for items in (correct, predicted, sides.gold)
    ]
    for index, name in enumerate(dimension.buckets):
        columns = [np.bincount(of[where == index], minlength=sides.sentences) for of, where in groups]
        yield name, np.stack(columns, axis=1).astype(np.float64)


def _enough(counts: Array) -> bool:
    """Whether so many sentences have an item that resampling them says something."""
    return int(np.count_nonzero(counts.any(axis=1))) >= FEWEST_SENTENCES


def _f1(totals: Array) -> Array:
    """F1, float64 (...), of summed counts, float64 (..., 3). With one predicted item per gold item: the accuracy."""
    # If the denominator is 0, so is the numerator, and the ratio counts as 0.
    f1: Array = 2 * totals[..., 0] / np.maximum(totals[..., 1] + totals[..., 2], 1)
    return f1
