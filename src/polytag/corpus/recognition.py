"""Recognise the label scheme of a tag column."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from polytag.corpus.annotation import have_spans
from polytag.corpus.corpus import Corpus
from polytag.errors import CorpusError, PolytagError
from polytag.plugin.registry import registry
from polytag.plugin.scheme import OUTSIDE, UNANNOTATED, LabelScheme, PrefixScheme, Span, join_tag, split_tag

_PREFERENCE = ("iob2", "iobes", "bilou", "iob1", "ioe2", "ioe1")
_CONTEXT = 2

Bigrams = Counter[tuple[str | None, str | None]]


@dataclass(frozen=True, slots=True)
class SchemeFit:
    """The fit of a label scheme to tags.

    Attributes:
        scheme: The scheme.
        violations: Number of words whose tag violates the scheme.
        words: Number of words with a tag.
        example: Location, words and tags of the first violation, or empty.
    """

    scheme: LabelScheme
    violations: int
    words: int
    example: str


def recognise_scheme(sentences_of_tags: Iterable[Sequence[str]], schemes: Sequence[LabelScheme]) -> SchemeFit:
    """The scheme that fits the tags best; `UNANNOTATED` words are ignored.

    Tags that mostly have no prefix (`NNP`) are flat. Otherwise the span scheme with the fewest violations is chosen;
    ties are broken in the order iob2, iobes, bilou, iob1, ioe2, ioe1, then by name. A scheme that cannot separate
    neighbouring spans has to be declared.

    Raises:
        PolytagError: No plugin provides a label scheme.
    """
    sentences = list(sentences_of_tags)
    if not schemes:
        raise PolytagError("No plugin provides a label scheme: see `polytag plugins`.")
    bigrams = _bigrams(sentences)
    spans = _have_spans(bigrams)
    known = [scheme for scheme in schemes if scheme.separates_neighbours]
    candidates = [scheme for scheme in known if scheme.encodes_spans == spans] or known or list(schemes)
    # The same pair of tags occurs thousands of times: each scheme judges it once.
    reduced = _by_prefix(bigrams) if spans else bigrams

    def disallowed(scheme: LabelScheme) -> int:
        judges_prefixes = type(scheme).allows is PrefixScheme.allows
        return _disallowed(reduced if judges_prefixes else bigrams, scheme)

    best = min(candidates, key=lambda scheme: (disallowed(scheme), _rank(scheme)))
    return _fit(sentences, best, disallowed(best))


def scheme_that_writes(labels: Iterable[str], schemes: Iterable[LabelScheme]) -> LabelScheme:
    """The span scheme of a set of labels, judged only by their prefixes.

    The scheme uses all the prefixes, and if possible needs no other prefix for a span of one word: `I` alone is iob1,
    `I` and `B` are iob2. Ties are broken as in `recognise_scheme`.

    Raises:
        PolytagError: No scheme has all the prefixes.
    """
    prefixes = {_prefixed(label) for label in labels} - {_prefixed(OUTSIDE)}
    known = [scheme for scheme in schemes if scheme.encodes_spans and prefixes <= _written(scheme)]
    if not known:
        shown = ", ".join(sorted(prefix.partition("-")[0] for prefix in prefixes))
        raise PolytagError(f"No installed label scheme has the prefixes {shown}. Rename the labels with --labels.")
    return min(known, key=lambda scheme: (not set(scheme.tags([Span(0, 1, "X")], 1)) <= prefixes, _rank(scheme)))


def unreadable_tags(tags: Iterable[str], scheme: LabelScheme) -> Iterator[str]:
    """The tags that a label scheme cannot read: it allows them nowhere, and does not have their prefix.

    A tag without a prefix (`PER`) counts as the inside of a span, as `split_tag` reads it.
    """
    known = {_prefixed(OUTSIDE), *(_written(scheme) if scheme.encodes_spans else ())}
    own = list(tags)
    near: list[str | None] = [None, *own]

    def allowed(tag: str) -> bool:
        return any(scheme.allows(other, tag) or scheme.allows(tag, other) for other in near)

    # One at a time: each of them is compared with all tags, and a damaged tagger can have a hundred thousand.
    return (tag for tag in own if _prefixed(tag) not in known and not allowed(tag))


def scheme_of(corpus: Corpus, column: str, declared: str | None = None) -> SchemeFit:
    """The scheme of a tag column: the declared one, or the one recognised from all splits.

    Raises:
        CorpusError: The column violates the declared scheme; the message shows the first place.
        UnknownNameError: No scheme has the declared name.
    """
    tags = {split: corpus.tags(split, column) for split in corpus.splits_with(column)}
    return scheme_of_tags(corpus, column, tags, declared)


def scheme_of_tags(
    corpus: Corpus, column: str, tags: Mapping[str, list[list[str]]], declared: str | None = None
) -> SchemeFit:
    """The scheme of a tag column, as `scheme_of` gives it, where the tags of every split have been read already.

    Raises:
        CorpusError: The column breaks the declared scheme; the message shows the first place.
        UnknownNameError: No scheme has the declared name.
    """
    sentences = [sentence for of_split in tags.values() for sentence in of_split]
    if declared is None:
        fit = recognise_scheme(sentences, registry().schemes.working())
    else:
        scheme = registry().schemes[declared]
        fit = _fit(sentences, scheme, _disallowed(_bigrams(sentences), scheme))
    if not fit.violations:
        return fit
    example = _place(corpus, tags, fit.scheme)
    if declared is None:
        return SchemeFit(fit.scheme, fit.violations, fit.words, example)
    raise CorpusError(
        f"The column {column!r} of the corpus {corpus.reference!r} is not in the scheme {declared!r}: "
        f"{fit.violations} of {fit.words} words have a tag that the scheme does not allow there. The first is in "
        f"{example}. Repair the tags, declare another scheme, or declare none to have it recognised."
    )


def _prefixed(tag: str) -> str:
    return join_tag(split_tag(tag)[0], "X")


def _written(scheme: LabelScheme) -> set[str]:
    # A span of one word, two adjacent spans, a span of three words: together they use every prefix of a scheme.
    neighbours = [Span(6, 7, "X"), Span(2, 3, "X")] if scheme.separates_neighbours else []
    return set(scheme.tags([Span(0, 1, "X"), Span(3, 6, "X"), *neighbours], 7))


def _bigrams(sentences: Iterable[Sequence[str]]) -> Bigrams:
    counts: Bigrams = Counter()
    for sentence in sentences:
        edges: list[str | None] = [None, *sentence, None]
        counts.update(itertools.pairwise(edges))
    return counts


def _have_spans(bigrams: Bigrams) -> bool:
    tags: Counter[str] = Counter()
    for (_, after), count in bigrams.items():
        if after is not None:
            tags[after] += count
    return have_spans(tags)


def _disallowed(bigrams: Bigrams, scheme: LabelScheme) -> int:
    return sum(count for pair, count in bigrams.items() if UNANNOTATED not in pair and not scheme.allows(*pair))


def _by_prefix(bigrams: Bigrams) -> Bigrams:
    """The same pairs with the labels `X` and `Y`, which schemes of prefixes judge alike: a few, whatever the labels."""
    counts: Bigrams = Counter()
    for (before, after), count in bigrams.items():
        if not before or not after:
            pair = before and with_label(before, "X"), after and with_label(after, "X")
        else:
            same = split_tag(before)[1] == split_tag(after)[1]
            pair = with_label(before, "X"), with_label(after, "X" if same else "Y")
        counts[pair] += count
    return counts


def with_label(tag: str, label: str) -> str:
    """A tag with another label: `B-PER` gives `B-X`, and `PER`, which has no prefix, `XX`; `O`, `B` and `B-` stay."""
    if len(tag) < 3 and (len(tag) < 2 or tag[1] == "-"):
        return tag
    return f"{tag[:2]}{label}" if tag[1] == "-" else f"{label}{label}"


def _rank(scheme: LabelScheme) -> tuple[int, str]:
    known = scheme.name in _PREFERENCE
    return _PREFERENCE.index(scheme.name) if known else len(_PREFERENCE), scheme.name


def _fit(sentences: Sequence[Sequence[str]], scheme: LabelScheme, disallowed: int) -> SchemeFit:
    words = sum(tag != UNANNOTATED for sentence in sentences for tag in sentence)
    if not disallowed:
        return SchemeFit(scheme, 0, words, "")
    broken = list(_violations(sentences, scheme))
    index, position = broken[0]
    example = f"sentence {index + 1}, word {position + 1}: {' '.join(_around(sentences[index], position))}"
    return SchemeFit(scheme, len(broken), words, example)


def _violations(sentences: Iterable[Sequence[str]], scheme: LabelScheme) -> Iterator[tuple[int, int]]:
    for index, sentence in enumerate(sentences):
        for position in scheme.violations(sentence):
            yield index, position


def _place(corpus: Corpus, tags: Mapping[str, list[list[str]]], scheme: LabelScheme) -> str:
    for split, sentences in tags.items():
        for index, position in _violations(sentences, scheme):
            words = corpus.split(split).words[index]
            pairs = [f"{word}/{tag}" for word, tag in zip(words, sentences[index], strict=True)]
            return (
                f"the sentence at {corpus.locate(split, index)}, word {position + 1}: "
                f"{' '.join(_around(pairs, position))}"
            )
    return ""


def _around(items: Sequence[str], position: int) -> Sequence[str]:
    return items[max(0, position - _CONTEXT) : position + _CONTEXT + 1]
