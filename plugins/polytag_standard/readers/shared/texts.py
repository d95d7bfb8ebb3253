"""The base class of readers of annotated texts in JSON."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from polytag import UNANNOTATED, CorpusError, Reader, Sentence, SentenceTable, Source, corpus_from_sentences
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
    """

    text: str
    offsets: Offsets
    spans: Mapping[str, Sequence[TextSpan]]
    tags: Mapping[str, Sequence[str]] = field(default_factory=dict)


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
        """Read all files, text by text, twice: the first time for the names of the columns.

        Raises:
            CorpusError: A text is invalid; the message names file and line.
        """
        unheard = Source(source.reference)
        spans: dict[str, None] = {}
        tags: dict[str, None] = {}
        for paths in source.files.values():
            for _, text in self._texts(paths, unheard):
                spans.update(dict.fromkeys(text.spans))
                tags.update(dict.fromkeys(text.tags))
        names = {name: name for name in spans} or {COLUMN: COLUMN}
        if not tags and list(names) == [COLUMN]:
            names = {COLUMN: named_column(source.options.columns, self.name)}
        return corpus_from_sentences(
            {split: self._sentences(paths, names, list(tags), source) for split, paths in source.files.items()}
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
    def _text(self, row: dict[str, Any], place: str, source: Source) -> AnnotatedText | None:
        """The text in a JSON object; None if it is left out."""

    @abstractmethod
    def _row(self, sentences: Sequence[Sentence], columns: Sequence[str]) -> dict[str, Any]:
        """The JSON object of a document, with these columns of spans."""

    def _columns(self, data: Mapping[str, SentenceTable]) -> list[str]:
        """The columns of spans to write."""
        return [the_span_column(data, self.name)]

    def _lines(self, rows: Iterable[dict[str, Any]]) -> Iterator[str]:
        return map(as_json, rows)

    def _texts(self, paths: Sequence[Path], source: Source) -> Iterator[tuple[str, AnnotatedText]]:
        for path in paths:
            for line, row in json_values(path):
                place = f"{path.name}:{line}"
                if not isinstance(row, dict):
                    raise CorpusError(f"{place}: this is not a JSON object. Check that this is the right file.")
                text = self._text(row, place, source)
                if text is not None:
                    yield place, text

    def _sentences(
        self, paths: Sequence[Path], names: Mapping[str, str], tags: Sequence[str], source: Source
    ) -> Iterator[Sentence]:
        for number, (place, text) in enumerate(self._texts(paths, source)):
            length = sum(map(len, text.offsets))
            yield from tagged_sentences(
                text.text,
                text.offsets,
                {name: text.spans.get(found, self._absent) for found, name in names.items()},
                {name: text.tags.get(name, [UNANNOTATED] * length) for name in tags},
                document=number,
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


def spans_in(row: Mapping[str, Any], names: Iterable[str], place: str) -> list[TextSpan] | None:
    """The spans of the first of these fields that exists; None if none does.

    Raises:
        CorpusError: It is not a list of spans.
    """
    value = next((row[name] for name in names if row.get(name) is not None), None)
    if value is None:
        return None
    if not isinstance(value, list):
        raise CorpusError(f'{place}: the spans are not a list. Write them like [[0, 5, "PER"]].')
    return [span_of(span, f"{place}, span {number}") for number, span in enumerate(value, 1)]


def span_of(value: Any, place: str) -> TextSpan:
    """The span in a list of three values or in an object.

    Raises:
        CorpusError: The value is not a span.
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
            f'{place}: {value!r} is not a span. Write a start, an end and a label: [0, 5, "PER"], or the same as an '
            "object."
        )
    return TextSpan(value[0], value[1], value[2], place)


def annotated_spans(sentences: Sequence[Sentence], offsets: Offsets, column: str) -> list[tuple[int, int, str]] | None:
    """The spans of a document, or None if none of its words is annotated."""
    if not any(tag for sentence in sentences for tag in sentence.tags[column]):
        return None
    return text_spans(sentences, offsets, column)
