"""Contracts of label schemes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise, product

from polytag.errors import PolytagError
from polytag.plugin.scheme import OUTSIDE, UNANNOTATED, LabelScheme, Span, convert_tags
from polytag.testing.contracts import BrokenContractError, Contract, Workbench

_LABELS = ("PER", "MISC-OTHER")
_EXHAUSTIVE = 4
"""All sets of spans over this many words are tested, and a random choice for longer sentences."""
_LONG_SENTENCES = 200


def _keeps_spans(scheme: LabelScheme, bench: Workbench) -> None:
    for spans, length in _sentences(scheme):
        tags = _written(scheme, spans, length)
        if (found := scheme.spans(tags)) != spans:
            raise BrokenContractError(f"tags({spans}, {length}) is {tags}, but spans() of these tags is {found}.")


def _allows_what_it_writes(scheme: LabelScheme, bench: Workbench) -> None:
    for spans, length in _sentences(scheme):
        tags = _written(scheme, spans, length)
        if broken := scheme.violations(tags):
            raise BrokenContractError(
                f"tags({spans}, {length}) is {tags}, but allows() forbids the tag at position {broken[0]}. "
                "Constrained decoding could never predict these spans."
            )


def _reads_anything(scheme: LabelScheme, bench: Workbench) -> None:
    own = sorted({tag for spans, length in _sentences(scheme) for tag in _written(scheme, spans, length)})
    tags = [*own[:6], OUTSIDE, UNANNOTATED, "-", "B-", "-PER", "PER", "é-☃"]
    for sequence in [[], *([tag] for tag in tags), *map(list, product(tags, repeat=2)), *_random_sequences(tags)]:
        spans = scheme.spans(sequence)
        ordered = all(before.end <= after.start for before, after in pairwise(spans))
        if not ordered or not all(0 <= span.start < span.end <= len(sequence) for span in spans):
            raise BrokenContractError(
                f"spans({sequence}) is {spans}: spans must be in order, without overlap, and inside the sentence, "
                "also for tags that are invalid in the scheme."
            )
        for span in spans:
            if UNANNOTATED in sequence[span.start : span.end]:
                raise BrokenContractError(f"spans({sequence}) holds {span}, which covers a word nobody annotated.")
        if outside := set(scheme.violations(sequence)) - set(range(len(sequence))):
            raise BrokenContractError(f"violations({sequence}) names positions outside the sentence: {outside}.")


def _continues(scheme: LabelScheme, bench: Workbench) -> None:
    (outside,) = scheme.tags([], 1)
    tags = sorted({tag for spans, length in _sentences(scheme) for tag in _written(scheme, spans, length)})
    for tag in tags:
        later = scheme.continuation(tag)
        alone = {span.label for span in scheme.spans([tag])}
        continued = {span.label for span in scheme.spans([tag, later])}
        if continued - alone or (later == outside) != (tag == outside):
            raise BrokenContractError(
                f"continuation({tag!r}) is {later!r}: the later subwords of a word must be in a span with the same "
                "label as the first one."
            )


def _refuses(scheme: LabelScheme, bench: Workbench) -> None:
    impossible: list[tuple[list[Span], int]] = [
        ([Span(0, 2, "PER"), Span(1, 3, "PER")], 3),
        ([Span(0, 4, "PER")], 3),
        ([Span(-1, 1, "PER")], 3),
        ([Span(1, 1, "PER")], 3),
    ]
    if not scheme.encodes_spans:
        impossible = [([Span(0, 1, "PER")], 1)]
    elif not scheme.separates_neighbours:
        impossible.append(([Span(0, 1, "PER"), Span(1, 2, "PER")], 2))
    for spans, length in impossible:
        try:
            tags = scheme.tags(spans, length)
        except PolytagError:
            continue
        raise BrokenContractError(
            f"tags({spans}, {length}) is {tags}, and should raise a PolytagError: no tags can hold these spans."
        )


def _converts(scheme: LabelScheme, bench: Workbench) -> None:
    for other in bench.registry.schemes.values():
        if not other.encodes_spans or not scheme.encodes_spans:
            continue
        for spans, length in _sentences(scheme):
            if not other.separates_neighbours and _neighbours(spans):
                continue
            tags = _written(scheme, spans, length)
            there = convert_tags(tags, scheme, other)
            if (back := convert_tags(there, other, scheme)) != tags:
                raise BrokenContractError(f"{tags} is {there} in {other.name}, and that is {back} converted back.")


CONTRACTS = (
    Contract("label scheme", "spans survive being written as tags", _keeps_spans),
    Contract("label scheme", "it allows its own tags", _allows_what_it_writes),
    Contract("label scheme", "any sequence of tags can be read", _reads_anything),
    Contract("label scheme", "later subwords continue the span of their word", _continues),
    Contract("label scheme", "spans that no tags can hold are refused", _refuses),
    Contract("label scheme", "conversion to any other scheme and back changes nothing", _converts),
)


def _written(scheme: LabelScheme, spans: list[Span], length: int) -> list[str]:
    tags = scheme.tags(spans, length)
    if len(tags) != length or not all(isinstance(tag, str) and tag for tag in tags):
        raise BrokenContractError(f"tags({spans}, {length}) is {tags!r}: it must give each word one tag, a str.")
    return tags


def _sentences(scheme: LabelScheme) -> Iterator[tuple[list[Span], int]]:
    """Spans and number of words of sentences that a scheme can write; without spans if it encodes none."""
    if not scheme.encodes_spans:
        yield from (([], length) for length in range(_EXHAUSTIVE))
        return
    for spans, length in _all_sentences():
        if scheme.separates_neighbours or not _neighbours(spans):
            yield spans, length


def _neighbours(spans: list[Span]) -> bool:
    """Whether two neighbouring spans have the same label."""
    return any((one.end, one.label) == (other.start, other.label) for one, other in pairwise(spans))


def _all_sentences() -> Iterator[tuple[list[Span], int]]:
    for length in range(_EXHAUSTIVE + 1):
        yield from ((spans, length) for spans in _span_sets(length))
    choose = random.Random(0)
    for _ in range(_LONG_SENTENCES):
        spans, end = [], 0
        for _ in range(choose.randrange(9)):
            start = end + choose.choice((0, 0, 1, 2))
            end = start + choose.randint(1, 4)
            spans.append(Span(start, end, choose.choice(_LABELS)))
        yield spans, end + choose.randrange(3)


def _span_sets(length: int, start: int = 0) -> list[list[Span]]:
    if start == length:
        return [[]]
    found = _span_sets(length, start + 1)
    for end in range(start + 1, length + 1):
        rest = _span_sets(length, end)
        found = [*found, *([Span(start, end, label), *spans] for label in _LABELS for spans in rest)]
    return found


def _random_sequences(tags: list[str]) -> Iterator[list[str]]:
    choose = random.Random(0)
    return (choose.choices(tags, k=choose.randint(3, 10)) for _ in range(_LONG_SENTENCES))
