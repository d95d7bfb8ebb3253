"""Report the mistakes of a tagger: the most frequent confusions, and every sentence with a mistake."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, TextIO

from polytag.plugin.scheme import OUTSIDE, LabelScheme, Span

Kind = Literal["tag", "label", "boundary", "label and boundary", "missed", "spurious"]

Tags = Sequence[Sequence[str]]

_EXAMPLES = 3
_AROUND = 3
_BREAKS = re.compile(r"[\t\r\n]")


@dataclass(frozen=True, slots=True)
class Example:
    """A mistake in its context.

    Attributes:
        text: The words of the gold span (or, without one, of the predicted span) in brackets, with three words of
            context on each side.
        predicted: The words of the predicted span if they differ from the words in brackets, else empty.
        location: File and line of the beginning of the sentence.
    """

    text: str
    predicted: str
    location: str


@dataclass(slots=True)
class Confusion:
    """A gold label, and the label that was predicted instead.

    Attributes:
        gold: Label of the gold span, or tag of the word in a scheme without spans; `O` for no span.
        predicted: The same for the prediction.
        kind: The kind of error: in the `tag` of a word; in the `label` or the `boundary` of a span, or both; or a
            `missed` or `spurious` span.
        count: Number of occurrences.
        examples: The first three examples.
    """

    gold: str
    predicted: str
    kind: Kind
    count: int = 0
    examples: list[Example] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Mistake:
    """A wrong span, or the wrong tag of a word.

    Attributes:
        kind, gold, predicted: As in `Confusion`.
        gold_span, predicted_span: The two spans, in words; None for a spurious and for a missed one. In a scheme
            without spans, the word.
    """

    kind: Kind
    gold: str
    predicted: str
    gold_span: Span | None
    predicted_span: Span | None


def confusions(
    words: Tags, gold: Tags, predicted: Tags, scheme: LabelScheme, locations: Sequence[str], limit: int
) -> list[Confusion]:
    """The most frequent confusions in descending order; ties in the order of label names.

    In a scheme with spans, each gold span that was not found is paired with the predicted span that shares most words
    with it, if any. Each predicted span is paired at most once. Unpaired spans are missed or spurious.

    Args:
        words: Words of every sentence.
        gold, predicted: Their tags, in `scheme`.
        scheme: The scheme.
        locations: File and line of the beginning of each sentence.
        limit: Maximum number to return.
    """
    found: dict[tuple[str, str, Kind], Confusion] = {}
    for sentence, gold_tags, predicted_tags, location in zip(words, gold, predicted, locations, strict=True):
        if gold_tags == predicted_tags:
            continue
        for mistake in mistakes_of(gold_tags, predicted_tags, scheme):
            key = mistake.gold, mistake.predicted, mistake.kind
            confusion = found.setdefault(key, Confusion(*key))
            confusion.count += 1
            if len(confusion.examples) < _EXAMPLES:
                confusion.examples.append(_example(sentence, mistake, location))
    ordered = sorted(found.values(), key=lambda found: (-found.count, found.gold, found.predicted, found.kind))
    return ordered[:limit]


def write_mistakes(
    sink: TextIO,
    words: Tags,
    tasks: Sequence[tuple[str, Tags, Tags, LabelScheme]],
    locations: Sequence[str],
) -> int:
    """Write every sentence with a mistake, with gold and predicted tags in columns.

    One word per line: the word, its gold tag, its predicted tag, and `*` if the two differ, separated by tabs. A line
    `# LOCATION TASK` precedes each sentence, and an empty line follows it. A sentence is written once for each task in
    which it has a mistake: in a scheme with spans, a missed or spurious span, else a wrong tag.

    Args:
        sink: The file to write to.
        words: Words of every sentence.
        tasks: Name, gold tags, predicted tags and label scheme of each task.
        locations: File and line of the beginning of each sentence.

    Returns:
        Number of sentences with a mistake.
    """
    wrong = 0
    for index, sentence in enumerate(words):
        mistaken = False
        for task, gold, predicted, scheme in tasks:
            if _differs(gold[index], predicted[index], scheme):
                mistaken = True
                sink.write(f"# {locations[index]} {task}\n")
                for word, right, found in zip(sentence, gold[index], predicted[index], strict=True):
                    mark = "" if right == found else "*"
                    sink.write("\t".join(_BREAKS.sub(" ", cell) for cell in (word, right, found, mark)) + "\n")
                sink.write("\n")
        wrong += mistaken
    return wrong


def _differs(gold: Sequence[str], predicted: Sequence[str], scheme: LabelScheme) -> bool:
    if list(gold) == list(predicted):
        return False
    return not scheme.encodes_spans or scheme.spans(gold) != scheme.spans(predicted)


def mistakes_of(gold: Sequence[str], predicted: Sequence[str], scheme: LabelScheme) -> Iterator[Mistake]:
    """The mistakes in a sentence, paired as `confusions` says.

    Args:
        gold, predicted: The tags of its words, in `scheme`.
        scheme: The scheme.
    """
    pairs = _in_spans if scheme.encodes_spans else _in_tags
    return pairs(gold, predicted, scheme)


def _in_tags(gold: Sequence[str], predicted: Sequence[str], _: LabelScheme) -> Iterator[Mistake]:
    for position, (right, found) in enumerate(zip(gold, predicted, strict=True)):
        if right != found:
            sides = (Span(position, position + 1, tag) for tag in (right, found))
            yield Mistake("tag", right, found, *sides)


def _in_spans(gold: Sequence[str], predicted: Sequence[str], scheme: LabelScheme) -> Iterator[Mistake]:
    right, found = scheme.spans(gold), scheme.spans(predicted)
    both = set(right).intersection(found)
    left = [span for span in found if span not in both]
    for span in right:
        if span in both:
            continue
        # Ties go to the first.
        nearest = max(left, key=lambda other: _shared(span, other), default=None)
        if nearest is None or not _shared(span, nearest):
            yield Mistake("missed", span.label, OUTSIDE, span, None)
            continue
        left.remove(nearest)
        same_words = nearest[:2] == span[:2]
        kind: Kind = "label" if same_words else "boundary" if nearest.label == span.label else "label and boundary"
        yield Mistake(kind, span.label, nearest.label, span, nearest)
    for span in left:
        yield Mistake("spurious", OUTSIDE, span.label, None, span)


def _shared(one: Span, other: Span) -> int:
    return max(0, min(one.end, other.end) - max(one.start, other.start))


def _example(words: Sequence[str], mistake: Mistake, location: str) -> Example:
    marked, other = mistake.gold_span, mistake.predicted_span
    if marked is None:
        marked, other = other, None
    assert marked is not None
    before = words[max(0, marked.start - _AROUND) : marked.start]
    inside = words[marked.start : marked.end]
    after = words[marked.end : marked.end + _AROUND]
    text = " ".join([*before, f"[{' '.join(inside)}]", *after])
    differs = other is not None and other[:2] != marked[:2]
    return Example(text, " ".join(words[other.start : other.end]) if other and differs else "", location)
