"""The agreement of two annotators: two corpora with the same words."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from operator import ne
from typing import Any, NamedTuple, Unpack

from polytag.corpus.corpus import Corpus
from polytag.corpus.load import as_corpus
from polytag.corpus.recognition import scheme_of_tags
from polytag.corpus.span_schemes import holds_spans, span_scheme_of
from polytag.errors import CorpusError, PolytagError, shorten
from polytag.plugin.attribution import attributed
from polytag.plugin.reader import ReadingKeywords
from polytag.plugin.registry import registry
from polytag.plugin.scheme import OUTSIDE, UNANNOTATED, Span, convert_tags
from polytag.plugin.task_choice import split_choice, task_named

_SCHEME = "iob2"
"""The scheme in which the tags of both are compared, whatever their own is."""
_NOTHING = "nothing"


class Disagreement(NamedTuple):
    """A place that two annotators tag differently.

    Attributes:
        location: Its file and line in the first corpus.
        text: Its words, and those around it if a span has other bounds.
        a, b: The tag that each gives; for spans, each span with its label.
    """

    location: str
    text: str
    a: str
    b: str


@dataclass(frozen=True, slots=True)
class TypeAgreement:
    """Two annotators on one type of span, or on one tag.

    Attributes:
        kappa: Cohen's kappa of the question whether a word is in a span of this type; None if both always say the same.
        f1: F1 of the spans of this type; None for a column without spans.
        a, b, both: Number of spans (or words) that each has, and that both have alike.
    """

    kappa: float | None
    f1: float | None
    a: int
    b: int
    both: int


@dataclass(frozen=True, slots=True)
class ColumnAgreement:
    """Two annotators on one tag column.

    Attributes:
        words: Number of words that both have annotated.
        same: Share of these words with the same tag.
        kappa: Cohen's kappa of the tags of words; None if both give all words one and the same tag.
        f1: F1 of spans, the same whichever annotator counts as right; None for a column without spans.
        types: The agreement on each type of span, or on each tag.
        differing: Number of places with different tags.
        places: The first of these places.
    """

    words: int
    same: float
    kappa: float | None
    f1: float | None
    types: dict[str, TypeAgreement]
    differing: int
    places: Sequence[Disagreement]


@dataclass(frozen=True, slots=True, repr=False)
class Agreement:
    """Two annotators of the same words.

    Attributes:
        a, b: The names of the corpora as the user gave them.
        words: Number of words.
        columns: The agreement on each tag column, or task.
    """

    a: str
    b: str
    words: int
    columns: dict[str, ColumnAgreement]

    def to_dict(self) -> dict[str, Any]:
        """The same as plain data for JSON."""
        found = asdict(self)
        for column, of_column in self.columns.items():
            found["columns"][column]["places"] = [place._asdict() for place in of_column.places]
        return found

    def __repr__(self) -> str:
        said = ", ".join(
            f"{name} kappa {'-' if found.kappa is None else format(found.kappa, '.4f')}"
            for name, found in self.columns.items()
        )
        return f"Agreement({self.a}, {self.b}: {said})"


@attributed
def agreement(
    a: Corpus | str,
    b: Corpus | str,
    split: str | None = None,
    *,
    task: Sequence[str] = (),
    places: int = 5,
    reader: str | None = None,
    corpus_scheme: str | None = None,
    tags_as_is: bool = False,
    **reading: Unpack[ReadingKeywords],
) -> Agreement:
    """Measure the agreement of two annotators, given two corpora with the same words.

    Cohen's kappa is (p - e) / (1 - e) of the share p of words with the same tag and the share e that is expected by
    chance (Cohen, A coefficient of agreement for nominal scales, 1960). Most words are outside all spans, so that the
    F1 of spans says more about them (Hripcsak and Rothschild, Agreement, the F-measure, and reliability in information
    retrieval, 2005). Sentences may end at different words; the label schemes may differ.

    Args:
        a, b: The corpora, or their names.
        split: Name of the split; by default all splits.
        task: Names of tasks, or `NAME=COLUMN`; by default all tag columns that both have are compared.
        places: Number of places with different tags to report for each column.
        reader, corpus_scheme, tags_as_is, **reading: How to read both corpora, as in training.

    Raises:
        CorpusError: A corpus is invalid, or the words differ; the message says where.
        PolytagError: The corpora have no tag column in common.
    """
    both = [as_corpus(one, reader=reader, **reading) for one in (a, b)]
    pairs = _splits(both[0], both[1], split)
    for names in pairs:
        _check_words(both[0], both[1], *names)
    words = [word for name, _ in pairs for sentence in both[0].words(name) for word in sentence]
    found = {}
    for name, columns in _columns(both[0], both[1], task).items():
        sides = [
            _Side(corpus, column, [pair[side] for pair in pairs], corpus_scheme, tags_as_is)
            for side, (corpus, column) in enumerate(zip(both, columns, strict=True))
        ]
        if sides[0].has_spans != sides[1].has_spans:
            raise PolytagError(
                f"{name}: only one of {both[0].reference!r} and {both[1].reference!r} has spans. Name the columns to "
                "compare with --task NAME=COLUMN, or say --corpus-scheme io if neighbouring words with one label are "
                "one span."
            )
        found[name] = _compared(sides[0], sides[1], words, places)
    return Agreement(both[0].reference, both[1].reference, len(words), found)


class _Side:
    """A column of one annotator: one tag for each word of all splits, in `_SCHEME` if it has spans."""

    def __init__(
        self, corpus: Corpus, column: str, splits: Sequence[str], declared: str | None, tags_as_is: bool
    ) -> None:
        of_column = {split: corpus.tags(split, column) for split in corpus.splits_with(column)}
        self.has_spans = holds_spans(corpus, column, declared, of_column)
        if self.has_spans:
            fit, _ = span_scheme_of(corpus, column, of_column, declared, tags_as_is=tags_as_is, used=splits)
        else:
            fit = scheme_of_tags(corpus, column, of_column)
        target = registry().schemes[_SCHEME]
        self.tags: list[str] = []
        self._starts: list[int] = []
        self._sentences: list[tuple[str, int]] = []
        self._corpus = corpus
        for split in splits:
            if split not in of_column:
                corpus.tags(split, column)  # which says that it has no column
            for index, tags in enumerate(of_column[split]):
                self._starts.append(len(self.tags))
                self._sentences.append((split, index))
                self.tags += convert_tags(tags, fit.scheme, target) if self.has_spans else tags

    def locate(self, position: int) -> str:
        """The file and line of a word."""
        sentence = bisect_right(self._starts, position) - 1
        return self._corpus.locate_word(*self._sentences[sentence], position - self._starts[sentence])


def _splits(a: Corpus, b: Corpus, wanted: str | None) -> list[tuple[str, str]]:
    """The splits to compare with each other."""
    if wanted is not None:
        a.split(wanted)
        b.split(wanted)
        return [(wanted, wanted)]
    if len(a.splits) == len(b.splits) == 1:
        return [(a.splits[0], b.splits[0])]
    if a.splits != b.splits:
        raise CorpusError(
            f"The corpus {a.reference!r} has the splits {', '.join(a.splits)}, and {b.reference!r} has "
            f"{', '.join(b.splits)}. Name one that both have with --split."
        )
    return [(split, split) for split in a.splits]


def _check_words(a: Corpus, b: Corpus, split_a: str, split_b: str) -> None:
    """Check that two splits have the same words, however they are cut into sentences."""
    own, other = _numbered(a, split_a), _numbered(b, split_b)
    for here, there in itertools.zip_longest(own, other):
        if here is None or there is None:
            longer, shorter = (a, b) if there is None else (b, a)
            word, *where = here or there or ("", 0, 0)
            split = split_a if there is None else split_b
            raise CorpusError(
                f"The corpora {a.reference!r} and {b.reference!r} do not have the same words: {shorter.reference!r} "
                f"ends where {longer.reference!r} has {shorten(word)!r} ({longer.locate_word(split, *where)}). Give "
                "two annotations of the same text."
            )
        if here[0] != there[0]:
            raise CorpusError(
                f"The corpora {a.reference!r} and {b.reference!r} do not have the same words: "
                f"{a.locate_word(split_a, *here[1:])} has {shorten(here[0])!r}, and "
                f"{b.locate_word(split_b, *there[1:])} has {shorten(there[0])!r}. Give two annotations of the "
                "same text."
            )


def _numbered(corpus: Corpus, split: str) -> Iterator[tuple[str, int, int]]:
    for index, words in enumerate(corpus.split(split).words):
        for position, word in enumerate(words):
            yield word, index, position


def _columns(a: Corpus, b: Corpus, wanted: Sequence[str]) -> dict[str, tuple[str, str]]:
    """The two columns of each comparison."""
    if wanted:
        tasks = [task_named(*split_choice(text), "the comparison") for text in wanted]
        return {task.name: (a.column_for(task), b.column_for(task)) for task in tasks}
    shared = [column for column in a.columns if column in b.columns]
    if not shared:
        raise PolytagError(
            f"The corpora have no tag column in common: {a.reference!r} has {', '.join(a.columns) or 'none'}, and "
            f"{b.reference!r} has {', '.join(b.columns) or 'none'}. Name a task that both hold, for instance "
            "--task ner."
        )
    return {column: (column, column) for column in shared}


def _compared(a: _Side, b: _Side, words: Sequence[str], wanted: int) -> ColumnAgreement:
    """Compare two columns, leaving out words that only one annotator has annotated."""
    annotated = [UNANNOTATED not in pair for pair in zip(a.tags, b.tags, strict=True)]
    tags = [[tag if own else UNANNOTATED for tag, own in zip(side.tags, annotated, strict=True)] for side in (a, b)]
    pairs = Counter(pair for pair, own in zip(zip(*tags, strict=True), annotated, strict=True) if own)
    n_words = sum(pairs.values())
    if not n_words:
        raise PolytagError("No word has a tag in both corpora. Give two annotations of the same text.")
    same = sum(count for (one, other), count in pairs.items() if one == other) / n_words
    if not a.has_spans:
        names = sorted({tag for pair in pairs for tag in pair})
        types = {name: _of_tag(pairs, name) for name in names}
        different = [index for index, pair in enumerate(zip(*tags, strict=True)) if ne(*pair)]
        found = [Disagreement(a.locate(i), words[i], tags[0][i], tags[1][i]) for i in different[:wanted]]
        return ColumnAgreement(n_words, same, kappa(pairs), None, types, len(different), found)
    scheme = registry().schemes[_SCHEME]
    spans = [scheme.spans(side) for side in tags]
    types = {}
    of_types = Counter[tuple[str, str]]()
    for (one, other), count in pairs.items():
        of_types[_type(one), _type(other)] += count
    for name in sorted({span.label for side in spans for span in side}):
        of_a, of_b = ({span for span in side if span.label == name} for side in spans)
        counts = len(of_a), len(of_b), len(of_a & of_b)
        types[name] = TypeAgreement(_of_tag(of_types, name).kappa, _f1(*counts), *counts)
    places = list(_places(a, words, *spans))
    totals = len(spans[0]), len(spans[1]), len(set(spans[0]) & set(spans[1]))
    return ColumnAgreement(n_words, same, kappa(pairs), _f1(*totals), types, len(places), places[:wanted])


def kappa(pairs: Counter[tuple[str, str]]) -> float | None:
    """Cohen's kappa, given how often each pair of tags occurs; None if both always give the same single tag."""
    total = sum(pairs.values())
    own, other = Counter[str](), Counter[str]()
    for (tag, tag_of_other), count in pairs.items():
        own[tag] += count
        other[tag_of_other] += count
    chance = sum(own[tag] * other[tag] for tag in own) / total**2
    same = sum(count for (one, two), count in pairs.items() if one == two) / total
    return None if chance == 1 else (same - chance) / (1 - chance)


def _of_tag(pairs: Counter[tuple[str, str]], tag: str) -> TypeAgreement:
    """The agreement on the question whether a word has a tag."""
    answers = Counter[tuple[str, str]]()
    for (of_a, of_b), count in pairs.items():
        answers[str(of_a == tag), str(of_b == tag)] += count
    own, other = (sum(count for said, count in answers.items() if said[side] == "True") for side in (0, 1))
    return TypeAgreement(kappa(answers), f1=None, a=own, b=other, both=answers["True", "True"])


def _type(tag: str) -> str:
    return tag if tag == OUTSIDE else tag.partition("-")[2]


def _f1(own: int, other: int, both: int) -> float | None:
    """F1, the harmonic mean of precision and recall; None if neither has a span."""
    return 2 * both / (own + other) if own + other else None


def _places(a: _Side, words: Sequence[str], own: Sequence[Span], other: Sequence[Span]) -> Iterator[Disagreement]:
    """Stretches of words with spans that only one annotator has; overlapping spans are one place."""
    shared = set(own) & set(other)
    left = sorted((span, side) for side, spans in enumerate((own, other)) for span in spans if span not in shared)
    place: list[tuple[Span, int]] = []
    end = 0
    for span, side in left:
        if place and span.start >= end:
            yield _place(a, words, place)
            place = []
        place.append((span, side))
        end = max(end, span.end) if len(place) > 1 else span.end
    if place:
        yield _place(a, words, place)


def _place(a: _Side, words: Sequence[str], spans: Sequence[tuple[Span, int]]) -> Disagreement:
    start, end = min(span.start for span, _ in spans), max(span.end for span, _ in spans)
    said = [
        ", ".join(
            span.label
            if (span.start, span.end) == (start, end)
            else f"{span.label} {' '.join(words[span.start : span.end])}"
            for span, of in spans
            if of == side
        )
        for side in (0, 1)
    ]
    return Disagreement(a.locate(start), " ".join(words[start:end]), *(text or _NOTHING for text in said))
