"""The base class of readers of annotated texts in JSON."""

from __future__ import annotations

import itertools
import json
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from polytag import (
    UNANNOTATED,
    CorpusError,
    Reader,
    Remark,
    Sentence,
    SentenceTable,
    Source,
    corpus_from_sentences,
    shorten,
)
from polytag_standard.readers.shared.json_files import json_format, json_values
from polytag_standard.readers.shared.lines import split_files, write_lines
from polytag_standard.readers.shared.offsets import (
    COLUMN,
    Offsets,
    TextSpan,
    documents_of,
    named_column,
    tagged_sentences,
    text_spans,
    the_span_column,
)
from polytag_standard.readers.shared.units import UnitJudge, Units, locate_span

ACCEPTED = "accept"
TOKENIZER = "tokenizer"
WHITE_SPACE = "whitespace"


@dataclass(frozen=True, slots=True)
class AnnotatedText:
    """An annotated text.

    Attributes:
        text: The text.
        offsets: Offsets of the words of each sentence.
        spans: The spans of each column that the text is annotated for.
        tags: The tags of all words, for columns without spans.
        misplaced: Number of words with another text than is recorded for them.
        in_characters: Whether the offsets in the file are known to count characters.
    """

    text: str
    offsets: Offsets
    spans: Mapping[str, Sequence[TextSpan]]
    tags: Mapping[str, Sequence[str]] = field(default_factory=dict)
    misplaced: int = 0
    in_characters: bool = False

    @property
    def all_spans(self) -> Sequence[TextSpan]:
        """The spans of all columns."""
        return list(itertools.chain.from_iterable(self.spans.values()))


class AnnotatedTextReader(Reader):
    """Reads texts with spans of characters; each text is a document."""

    scheme: ClassVar[str | None] = "iob2"
    ending: ClassVar[str] = ".jsonl"
    _absent: ClassVar[Sequence[TextSpan] | None] = None
    """The spans of a column that a text lacks; None means no annotation."""

    def accepts(self, source: Source) -> bool:
        """Whether all files end in `.json` or `.jsonl` and start with a text of this format."""
        return json_format(source) == self.name

    def read(self, source: Source) -> dict[str, SentenceTable]:
        """Read all files, text by text, twice: first for the names of the columns and the unit of the offsets.

        Raises:
            CorpusError: A text is invalid, or the unit of the offsets is unclear; the message names file and line.
        """
        unheard = Source(source.reference, options=source.options)
        spans: dict[str, None] = {}
        tags: dict[str, None] = {}
        units: dict[Path, Units] = {}
        for split, paths in source.files.items():
            read = left_out = 0
            for path in paths:
                judge = UnitJudge(path.name, source)
                for place, row in self._rows(path, source):
                    text = judge.hear(partial(self._text, row, place, unheard))
                    if text is None:
                        left_out += 1
                        continue
                    read += 1
                    spans.update(dict.fromkeys(text.spans))
                    tags.update(dict.fromkeys(text.tags))
                units[path] = judge.verdict()
            if left_out and not read:
                raise CorpusError(
                    f"{paths[0].name}: none of the {left_out} texts of the {split} split has an annotation that was "
                    "accepted. Check that annotated texts were exported."
                )
        names = {name: name for name in spans} or {COLUMN: COLUMN}
        if not tags and list(names) == [COLUMN]:
            names = {COLUMN: named_column(source.options.columns, self.name)}
        return corpus_from_sentences(
            {split: self._sentences(paths, units, names, list(tags), source) for split, paths in source.files.items()}
        )

    def write(self, data: Mapping[str, SentenceTable], folder: Path) -> None:
        """Write a file per split, with one text per document, or per sentence if documents are unknown.

        Raises:
            CorpusError: The format cannot hold the columns; a word is empty or holds white space; a word has no
                annotation; or a split is not named train, validation or test.
        """
        columns = self._columns(data)
        for split, path in split_files(data, folder, self.ending).items():
            write_lines(path, self._lines(self._row(document, columns) for document in documents_of(data[split])))

    @abstractmethod
    def _text(self, row: dict[str, Any], place: str, source: Source, units: Units) -> AnnotatedText | None:
        """The text in a JSON object, with its offsets read in these units; None if it is left out."""

    @abstractmethod
    def _row(self, sentences: Sequence[Sentence], columns: Sequence[str]) -> dict[str, Any]:
        """The JSON object of a document, with these columns of spans."""

    def _columns(self, data: Mapping[str, SentenceTable]) -> list[str]:
        """The columns of spans to write."""
        return [the_span_column(data, self.name)]

    def _lines(self, rows: Iterable[dict[str, Any]]) -> Iterator[str]:
        return map(as_json, rows)

    def _as_object(self, value: Any) -> dict[str, Any] | None:
        """The JSON object of a text in a JSON value of the file."""
        return value if isinstance(value, dict) else None

    def _rows(self, path: Path, source: Source) -> Iterator[tuple[str, dict[str, Any]]]:
        for place, value in json_values(path, source.options.encoding):
            row = self._as_object(value)
            if row is None:
                raise CorpusError(f"{place}: this is not a JSON object. Check that this is the right file.")
            yield place, row

    def _sentences(
        self,
        paths: Sequence[Path],
        units: Mapping[Path, Units],
        names: Mapping[str, str],
        tags: Sequence[str],
        source: Source,
    ) -> Iterator[Sentence]:
        numbers = itertools.count()
        for path in paths:
            for place, row in self._rows(path, source):
                text = self._text(row, place, source, units[path])
                if text is None:
                    continue
                length = sum(map(len, text.offsets))
                yield from tagged_sentences(
                    text.text,
                    text.offsets,
                    {name: text.spans.get(found, self._absent) for found, name in names.items()},
                    {name: text.tags.get(name, [UNANNOTATED] * length) for name in tags},
                    document=next(numbers),
                    locate=place,
                    source=source,
                )


def as_json(row: dict[str, Any]) -> str:
    """An object as a line of JSON."""
    return json.dumps(row, ensure_ascii=False)


def text_in(row: Mapping[str, Any], names: Iterable[str], place: str) -> str:
    """The first of these fields that is a string.

    Raises:
        CorpusError: None is a string.
    """
    for name in names:
        value = row.get(name)
        if isinstance(value, str):
            return value
    raise CorpusError(f"{place}: this object has no text. Check that this is the right file.")


def spans_in(
    row: Mapping[str, Any], names: Iterable[str], text: str, place: str, units: Units, source: Source
) -> list[TextSpan] | None:
    """The spans of the first of these fields that exists; None if none does.

    Spans that were rejected or not answered are left out, with a remark.

    Raises:
        CorpusError: It is not a list of spans.
    """
    value = next((row[name] for name in names if row.get(name) is not None), None)
    if value is None:
        return None
    if not isinstance(value, list):
        raise CorpusError(f'{place}: the spans are not a list. Write them like [[0, 5, "PER"]].')
    spans = []
    for number, found in enumerate(value, 1):
        span = span_of(found, text, f"{place}, span {number}", units)
        if isinstance(found, dict) and found.get("answer", ACCEPTED) != ACCEPTED:
            rule = "Spans that were rejected or ignored are left out."
            example = f"{span.label} {shorten(text[span.start : span.end])!r}"
            source.remarks.append(Remark("span-not-accepted", rule, span.location, example))
            continue
        spans.append(span)
    return spans


def span_of(value: Any, text: str, where: str, units: Units, recorded: str | None = None) -> TextSpan:
    """The span in a list of three values or in an object.

    Args:
        value: The list or the object.
        text: The text that it belongs to.
        where: File and line, for messages.
        units: The unit of its offsets, as in `locate_span`.
        recorded: Its text in the file.

    Raises:
        CorpusError: The value is not a span of the text.
    """
    if isinstance(value, dict):
        start = value.get("start", value.get("start_offset"))
        end = value.get("end", value.get("end_offset"))
        value = [start, end, value.get("label")]
    if (
        not isinstance(value, list)
        or len(value) != 3
        or not all(isinstance(offset, int) and not isinstance(offset, bool) for offset in value[:2])
        or not isinstance(value[2], str)
        or not value[2]
    ):
        raise CorpusError(
            f'{where}: {shorten(repr(value))} is not a span. Write a start, an end and a label: [0, 5, "PER"], or the '
            "same as an object."
        )
    (start, end), unit = locate_span(value[:2], text, units, where, recorded)
    return TextSpan(start, end, value[2], where, unit=unit)


def annotated_spans(sentences: Sequence[Sentence], offsets: Offsets, column: str) -> list[tuple[int, int, str]] | None:
    """The spans of a document, or None if none of its words is annotated."""
    if not any(tag for sentence in sentences for tag in sentence.tags[column]):
        return None
    return text_spans(sentences, offsets, column)
