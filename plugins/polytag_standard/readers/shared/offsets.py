"""Character spans to word tags and back, for the readers of annotated texts."""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from polytag import (
    OUTSIDE,
    TOKENS,
    UNANNOTATED,
    CorpusError,
    Remark,
    Sentence,
    SentenceTable,
    Source,
    sentences_of,
    shorten,
    split_sentences,
)
from polytag_standard.schemes import Iob2

COLUMN = "ner_tags"
"""The tag column of formats that do not name their columns."""

GAPS = frozenset({UNANNOTATED, "-"})
"""Tags for a word without annotation in a column of spans."""
_BREAKS = frozenset(" \n")
_MARK = "\ufeff"

Unit = Literal["characters", "utf16"]
"""What offsets in a file count."""

Offsets = Sequence[Sequence[tuple[int, int]]]
"""For each sentence, the start and end of its words in the text."""


class TextSpan(NamedTuple):
    """Characters `start` to `end` (exclusive) of a text, with a label.

    Attributes:
        start, end: In code points.
        label: Label of the span.
        location: File and line, for messages.
        name: Its identifier in the file (`T1`), or empty.
        unit: The unit of its offsets in the file, if the text that is recorded for it fits only in that one.
    """

    start: int
    end: int
    label: str
    location: str
    name: str = ""
    unit: Unit | None = None


def split_text(text: str, source: Source, whitespace: bool = False) -> list[list[tuple[int, int]]]:
    """Split a text into sentences and words; return the offsets of the words.

    Args:
        text: The text.
        source: Names the splitter.
        whitespace: Whether to split sentences at line ends and words at white space, as in texts that polytag wrote
            from words. Other texts are split as in prediction, with the splitter of the source.
    """
    if not whitespace:
        text = text.replace(_MARK, " ")  # a byte order mark is not a word
        return [[(word.start, word.end) for word in sentence] for sentence in split_sentences(text, source.splitter)]
    sentences = []
    position = 0
    for line in text.split("\n"):
        words = []
        for word in line.split(" "):
            if word:
                words.append((position, position + len(word)))
            position += len(word) + 1
        if words:
            sentences.append(words)
    return sentences


def tagged_sentences(
    text: str,
    sentences: Offsets,
    columns: Mapping[str, Sequence[TextSpan] | None],
    others: Mapping[str, Sequence[str]] | None = None,
    *,
    document: int,
    locate: str | Callable[[int], str],
    source: Source,
) -> Iterator[Sentence]:
    """Yield the sentences of a text with its spans as tags in IOB2.

    A span that starts or ends inside a word is widened to whole words. Of overlapping spans, the longest is kept, or
    the first of equally long ones. Every span that is widened or left out adds a remark. A sentence never ends inside a
    span.

    Args:
        text: The text.
        sentences: Offsets of the words of each sentence.
        columns: The spans of each column; None if the text is not annotated for it.
        others: Tags of all words, for columns without spans.
        document: Its number in the file.
        locate: Returns the location for messages of the text, or of a sentence that starts at a given character.
        source: Gets the remarks.

    Raises:
        CorpusError: A span is not within the text.
    """
    words = list(itertools.chain.from_iterable(sentences))
    tags: dict[str, Sequence[str]] = {name: _tags(text, words, spans, source) for name, spans in columns.items()}
    inside = {
        position
        for column in tags.values()
        for position, tag in enumerate(column)
        if tag.startswith("I-")  # only a continuation of a span has this prefix
    }
    tags.update(others or {})
    bounds = list(itertools.accumulate(map(len, sentences), initial=0))
    for start, end in itertools.pairwise([bound for bound in bounds if bound not in inside]):
        if start < end:
            yield Sentence(
                [text[slice(*words[position])] for position in range(start, end)],
                {name: list(column[start:end]) for name, column in tags.items()},
                document,
                locate if isinstance(locate, str) else locate(words[start][0]),
            )


def _tags(text: str, words: Sequence[tuple[int, int]], spans: Sequence[TextSpan] | None, source: Source) -> list[str]:
    if spans is None:
        return [UNANNOTATED] * len(words)
    starts, ends = [start for start, _ in words], [end for _, end in words]
    placed = []
    for span in spans:
        if not 0 <= span.start <= span.end <= len(text):
            raise CorpusError(
                f"{span.location}: the span from {span.start} to {span.end} is not within the text, which has "
                f"{len(text)} characters. Make sure that the annotations belong to this text."
            )
        first, last = bisect_right(ends, span.start), bisect_left(starts, span.end) - 1
        if span.start == span.end or first > last:
            source.remarks.append(_remark("span-without-word", "Spans that cover no word are left out.", text, span))
            continue
        if starts[first] < span.start or ends[last] > span.end:
            rule = "Spans that start or end inside a word are widened to whole words."
            widened = f", widened to {_shown(text[starts[first] : ends[last]])}"
            source.remarks.append(_remark("span-cuts-word", rule, text, span, widened))
        placed.append((first, last + 1, span))
    tags = [OUTSIDE] * len(words)
    for first, end, span in sorted(placed, key=lambda it: (it[0] - it[1], it[2].start - it[2].end, it[0])):
        if tags[first:end] != [OUTSIDE] * (end - first):
            rule = "Of overlapping spans, only the longest is kept; these are left out."
            source.remarks.append(_remark("span-overlaps", rule, text, span))
            continue
        tags[first:end] = [f"B-{span.label}", *[f"I-{span.label}"] * (end - first - 1)]
    return tags


def _remark(code: str, rule: str, text: str, span: TextSpan, more: str = "") -> Remark:
    name = f"{span.name} " if span.name else ""
    example = f"{name}{span.label} {span.start}-{span.end} {_shown(text[span.start : span.end])}{more}"
    return Remark(code, rule, span.location, example)


def _shown(text: str) -> str:
    return repr(shorten(text, 60))


# Writing


def span_columns(table: SentenceTable) -> list[str]:
    """Names of the tag columns with spans in IOB2; the corpus is in the reader's scheme."""
    others = GAPS | {OUTSIDE}
    return [
        name
        for name, rows in table.tags.items()
        if all(tag in others or tag.partition("-")[0] in ("B", "I") for tag in set(itertools.chain.from_iterable(rows)))
    ]


def the_span_column(data: Mapping[str, SentenceTable], format: str) -> str:
    """The one column with spans.

    Raises:
        CorpusError: None or several exist.
    """
    found = [span_columns(table) for table in data.values()]
    columns = list(dict.fromkeys(name for names in found for name in names))
    if len(columns) == 1 and all(found):
        return columns[0]
    if len(columns) == 1:
        raise CorpusError(
            f"Not every split has the tag column {columns[0]!r}, and a text of the format {format!r} has to be "
            "annotated. Choose the format jsonl, or convert the splits that have it."
        )
    if not columns:
        raise CorpusError(
            f"The format {format!r} holds spans, and no tag column of this corpus has spans. Choose the format jsonl."
        )
    chosen = COLUMN if COLUMN in columns else columns[0]
    raise CorpusError(
        f"The format {format!r} holds one column of spans, and this corpus has {', '.join(columns)}. Choose one: "
        f"--columns {TOKENS},{chosen} (for column files, with _ for each column to skip)."
    )


def named_column(columns: Sequence[str] | None, format: str) -> str:
    """The name of the only tag column of a format without column names.

    Raises:
        CorpusError: `columns` names several, none of them the default.
    """
    names = [name for name in columns or () if name not in (TOKENS, "_")]
    if not names or COLUMN in names:
        return COLUMN
    if len(names) > 1:
        raise CorpusError(
            f"The format {format!r} has one column of tags, and --columns names {', '.join(names)}. Name one: "
            f"--columns {TOKENS},{names[-1]}"
        )
    return names[0]


def documents_of(table: SentenceTable) -> Iterator[list[Sentence]]:
    """The sentences of each document; single sentences if documents are unknown."""
    alone = itertools.count()
    for _, group in itertools.groupby(
        sentences_of(table), key=lambda it: next(alone) if it.document is None else it.document
    ):
        yield list(group)


def text_of(sentences: Sequence[Sentence]) -> tuple[str, list[list[tuple[int, int]]]]:
    """A text of these sentences that `split_text` can split at white space, and the offsets of the words.

    Raises:
        CorpusError: A word is empty, or has white space.
    """
    offsets = []
    position = 0
    for sentence in sentences:
        words = []
        for number, word in enumerate(sentence.words, 1):
            if not word or not _BREAKS.isdisjoint(word):
                raise CorpusError(
                    f"{sentence.location}, word {number}: the word {shorten(word)!r} "
                    f"{'has white space' if word else 'is empty'}, and cannot be written to a text that is split at "
                    "white space. Change it, or choose a format that can hold it, for instance --format jsonl."
                )
            words.append((position, position + len(word)))
            position += len(word) + 1
        offsets.append(words)
    return "\n".join(" ".join(sentence.words) for sentence in sentences), offsets


def text_spans(sentences: Sequence[Sentence], offsets: Offsets, column: str) -> list[tuple[int, int, str]]:
    """Start, end and label of all spans of an IOB2 column.

    Raises:
        CorpusError: A word has no annotation, or a span no label.
    """
    found = []
    for sentence, words in zip(sentences, offsets, strict=True):
        tags = sentence.tags[column]
        for number, tag in enumerate(tags, 1):
            if tag in GAPS or tag in ("B", "I", "B-", "I-"):
                lacking = (
                    "no annotation, which a list of spans cannot express" if tag in GAPS else "a tag without label"
                )
                raise CorpusError(
                    f"{sentence.location}, word {number}: the word {shorten(sentence.words[number - 1])!r} has "
                    f"{lacking}. Choose a format that holds tags, for instance --format jsonl."
                )
        found += [(words[start][0], words[end - 1][1], label) for start, end, label in Iob2().spans(tags)]
    return found
