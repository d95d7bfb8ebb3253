"""Describe a corpus: its size, the label scheme and the labels of each tag column, and an example."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Unpack

from polytag.corpus.corpus import Corpus
from polytag.corpus.load import as_corpus
from polytag.corpus.recognition import scheme_of
from polytag.corpus.show import WordsOverTags
from polytag.corpus.word_patterns import likely_word_pattern
from polytag.plugin.attribution import attributed
from polytag.plugin.reader import ReadingKeywords
from polytag.plugin.scheme import UNANNOTATED, LabelScheme
from polytag.plugin.splitter import STANDARD
from polytag.terminal import visible

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

_SHOWN_LABELS = 15

_EXAMPLE_WORDS = range(6, 13)


@dataclass(frozen=True, slots=True)
class SplitSummary:
    """The size of a split; `documents` is None if they are unknown, `longest` is in words."""

    documents: int | None
    sentences: int
    words: int
    longest: int


@dataclass(frozen=True, slots=True)
class ColumnSummary:
    """A tag column.

    Attributes:
        kind: `strings` or `ClassLabel`.
        scheme: Name of its label scheme.
        violations: Number of words whose tag violates the scheme.
        first_violation: Location of the first one, with the surrounding words and tags; empty if there is none.
        labels: Number of distinct tags, or of the names of a ClassLabel.
        unannotated: Number of words without annotation.
        tags: Split -> tag -> number of words.
        spans: Split -> label -> number of spans; empty in a scheme without spans.
    """

    kind: str
    scheme: str
    violations: int
    first_violation: str
    labels: int
    unannotated: int
    tags: dict[str, dict[str, int]]
    spans: dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True)
class Example:
    """One sentence with its tags, column by column."""

    location: str
    words: list[str]
    tags: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Description:
    """The content of `polytag corpus describe`.

    Attributes:
        reference: The name that the user gave.
        reader: Name of the reader that read it.
        dialect: How the files are written, where the reader recognises it, in one line, or in one each if they differ:
            ``tab-separated, comments `#`, index, tokens, ner_tags``.
        word_pattern: What `--word-pattern` could be, if every cell seems to hold more than a word; else empty.
        fingerprint: Sixteen hexadecimal digits of the SHA-256 of all words and tags.
        splits: Number of documents, sentences and words, and the longest sentence (in words), of each split.
        columns: The label scheme of each tag column, and the counts of its tags and span labels.
        example: A sentence that shows the tags of all columns.
    """

    reference: str
    reader: str
    dialect: str
    word_pattern: str
    fingerprint: str
    splits: dict[str, SplitSummary]
    columns: dict[str, ColumnSummary]
    example: Example

    def to_dict(self) -> dict[str, Any]:
        """The same as plain data, for JSON."""
        return asdict(self)


@attributed
def describe(
    corpus: Corpus | str,
    split: str | None = None,
    *,
    reader: str | None = None,
    splitter: str = STANDARD,
    **reading: Unpack[ReadingKeywords],
) -> Description:
    """Count everything in a corpus, recognise its label schemes, and pick a sentence that shows its tags.

    Args:
        corpus: A corpus, or what names one.
        split: Describe this split alone.
        reader, splitter, **reading: How to read the corpus, as in `load_corpus`.

    Raises:
        CorpusError: The corpus cannot be read, or has no such split.
    """
    corpus = as_corpus(corpus, reader=reader, splitter=splitter, **reading)
    if split is not None:
        corpus = replace(corpus, data={split: corpus.split(split)})
    summaries: dict[str, ColumnSummary] = {}
    schemes: dict[str, LabelScheme] = {}
    for column in corpus.columns:
        summaries[column], schemes[column] = _column(corpus, column)
    splits = {split: _split(corpus, split) for split in corpus.splits}
    example = _example(corpus, corpus.splits[0], schemes)
    dialect = "\n".join(corpus.form_lines())
    words = {word for split in corpus.splits for sentence in corpus.split(split).words for word in sentence}
    pattern = likely_word_pattern(words) if corpus.forms else ""
    return Description(
        corpus.reference, corpus.reader, dialect, pattern, corpus.fingerprint, splits, summaries, example
    )


def _split(corpus: Corpus, split: str) -> SplitSummary:
    lengths = [len(words) for words in corpus.words(split)]
    documents = corpus.documents(split)
    return SplitSummary(
        documents=None if documents is None else len(set(documents)),
        sentences=len(lengths),
        words=sum(lengths),
        longest=max(lengths),
    )


def _column(corpus: Corpus, column: str) -> tuple[ColumnSummary, LabelScheme]:
    fit = scheme_of(corpus, column)
    tags: dict[str, dict[str, int]] = {}
    spans: dict[str, dict[str, int]] = {}
    unannotated = 0
    for split in corpus.splits_with(column):
        sentences = corpus.tags(split, column)
        counts = Counter(tag for sentence in sentences for tag in sentence)
        unannotated += counts.pop(UNANNOTATED, 0)
        tags[split] = _by_count(counts)
        if fit.scheme.encodes_spans:
            spans[split] = _by_count(
                Counter(span.label for sentence in sentences for span in fit.scheme.spans(sentence))
            )
    names = corpus.labels(column)
    summary = ColumnSummary(
        kind="strings" if names is None else "ClassLabel",
        scheme=fit.scheme.name,
        violations=fit.violations,
        first_violation=fit.example,
        labels=len({tag for counts in tags.values() for tag in counts}) if names is None else len(names),
        unannotated=unannotated,
        tags=tags,
        spans=spans,
    )
    return summary, fit.scheme


def _by_count(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _example(corpus: Corpus, split: str, schemes: Mapping[str, LabelScheme]) -> Example:
    words = corpus.words(split)
    tags = {column: corpus.tags(split, column) for column in schemes if split in corpus.splits_with(column)}

    def merit(index: int) -> tuple[int, int, bool, int]:
        # Every column should show two spans, with two labels if possible, in a sentence that fits in a line or two.
        labels = [[span.label for span in schemes[column].spans(tags[column][index])] for column in tags]
        length = len(words[index])
        fits = length in _EXAMPLE_WORDS
        return _up_to_two(labels), _up_to_two(map(set, labels)), fits, 0 if fits else -length

    best = max(range(len(words)), key=merit)
    shown = {column: rows[best] for column, rows in tags.items()}
    return Example(corpus.locate(split, best), words[best], shown)


def _up_to_two(collections: Iterable[Collection[str]]) -> int:
    return sum(min(2, len(collection)) for collection in collections)


def render(description: Description) -> RenderableType:
    """The description as rich tables and text."""
    from rich.console import Group
    from rich.text import Text

    title = Text.assemble(
        (visible(description.reference), "bold"),
        f"  (reader {description.reader}, fingerprint {description.fingerprint})",
    )
    parts: list[RenderableType] = [title, *([Text(visible(description.dialect))] if description.dialect else [])]
    if description.word_pattern:
        hint = f"Every cell holds more than a word? Read it with --word-pattern '{visible(description.word_pattern)}'"
        parts.append(Text(hint, style="yellow"))
    parts += [Text(), _splits_table(description.splits)]
    for name, column in description.columns.items():
        parts += [Text(), *_column_parts(name, column)]
    example = description.example
    parts += [Text(), Text(f"Example: {visible(example.location)}"), WordsOverTags(example.words, example.tags)]
    return Group(*parts)


def _splits_table(splits: Mapping[str, SplitSummary]) -> Table:
    from rich.text import Text

    table = _table("split", "documents", "sentences", "words", "longest sentence")
    for name, split in splits.items():
        documents = "-" if split.documents is None else f"{split.documents:,}"
        table.add_row(Text(visible(name)), documents, f"{split.sentences:,}", f"{split.words:,}", f"{split.longest:,}")
    return table


def _column_parts(name: str, column: ColumnSummary) -> Iterator[RenderableType]:
    from rich.text import Text

    yield Text.assemble((visible(name), "bold"), f": {column.kind}, scheme {column.scheme}, {column.labels:,} labels")
    if column.violations:
        place = f"the first is in {visible(column.first_violation)}"
        yield Text(f"{column.violations:,} words violate the scheme; {place}", style="yellow")
    if column.unannotated:
        yield Text(f"{column.unannotated:,} words have no annotation")
    counts = column.spans or column.tags
    totals: Counter[str] = Counter()
    for of_split in counts.values():
        totals.update(of_split)
    table = _table("spans" if column.spans else "tag", *counts)
    for label, _ in totals.most_common(_SHOWN_LABELS):
        numbers = (f"{of_split.get(label, 0):,}" for of_split in counts.values())
        table.add_row(Text(visible(label) or "(no label)"), *numbers)
    if len(totals) > _SHOWN_LABELS:
        table.add_row(f"and {len(totals) - _SHOWN_LABELS:,} more", *("" for _ in counts))
    yield table


def _table(first: str, *numbers: str) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column(first)
    for heading in numbers:
        table.add_column(heading, justify="right")
    return table
