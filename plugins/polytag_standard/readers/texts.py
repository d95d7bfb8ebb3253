"""The readers of annotated texts in JSON: `doccano`, `labelstudio` and `spacy-json`."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from polytag import UNANNOTATED, CorpusError, Reader, Remark, Sentence, Source, corpus_from_sentences
from polytag_standard.readers.files import split_files, tagged, write_lines
from polytag_standard.readers.json_files import json_format, json_values
from polytag_standard.readers.offsets import (
    COLUMN,
    Offsets,
    TextSpan,
    documents_of,
    named_column,
    span_columns,
    split_text,
    tagged_sentences,
    text_of,
    text_spans,
    the_span_column,
)

if TYPE_CHECKING:
    import datasets

_TOKENIZER = "tokenizer"
_WHITE_SPACE = "whitespace"
_CONTROL = "label"
"""What Label Studio's template for named entities calls its labels."""
TOKEN_COLUMNS = {"pos_tags": "tag", "upos": "pos"}
"""Tag column -> what spaCy calls it."""
_MISSING = "Texts that nobody annotated are left out."


@dataclass(frozen=True, slots=True)
class AnnotatedText:
    """A text as a reader finds it.

    Attributes:
        text: The text.
        offsets: Where the words of each sentence are.
        spans: The spans of each column that the text is annotated for.
        tags: The tags of all words, for columns that hold no spans.
    """

    text: str
    offsets: Offsets
    spans: Mapping[str, Sequence[TextSpan]]
    tags: Mapping[str, Sequence[str]] = field(default_factory=dict)


class AnnotatedTextReader(Reader):
    """Reads texts with spans of characters, one after the other; each text is a document."""

    scheme: ClassVar[str | None] = "iob2"
    ending: ClassVar[str] = ".jsonl"
    _absent: ClassVar[Sequence[TextSpan] | None] = None
    """The spans of a column that a text does not have; None for no annotation."""

    def accepts(self, source: Source) -> bool:
        """Whether all files end in `.json` or `.jsonl` and begin with a text of this format."""
        return json_format(source) == self.name

    def read(self, source: Source) -> datasets.DatasetDict:
        """Read all files, text by text, twice: the first time for the names of the columns.

        Raises:
            CorpusError: A text is not as it should be; the message names file and line.
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
            names = {COLUMN: named_column(source.columns, self.name)}
        return corpus_from_sentences(
            {split: self._sentences(paths, names, list(tags), source) for split, paths in source.files.items()}
        )

    def write(self, data: datasets.DatasetDict, folder: Path) -> None:
        """Write a file for each split: a text for each document, or for each sentence where none are known.

        Raises:
            CorpusError: The format cannot hold the columns; a word is empty or holds white space; a word has no
                annotation; or a split has a name that no file can be recognised by.
        """
        columns = self._columns(data)
        for split, path in split_files(data, folder, self.ending).items():
            write_lines(path, self._lines(self._row(document, columns) for document in documents_of(data[split])))

    @abstractmethod
    def _text(self, row: dict[str, Any], place: str, source: Source) -> AnnotatedText | None:
        """What an object says; None if it is to be left out."""

    @abstractmethod
    def _row(self, sentences: Sequence[Sentence], columns: Sequence[str]) -> dict[str, Any]:
        """The object for a document, with these columns of spans."""

    def _columns(self, data: datasets.DatasetDict) -> list[str]:
        """The columns of spans to write."""
        return [the_span_column(data, self.name)]

    def _lines(self, rows: Iterable[dict[str, Any]]) -> Iterator[str]:
        return map(_json, rows)

    def _texts(self, paths: Sequence[Path], source: Source) -> Iterator[tuple[str, AnnotatedText]]:
        for path in paths:
            for line, row in json_values(path):
                place = f"{path.name}:{line}"
                if not isinstance(row, dict):
                    raise CorpusError(f"{place}: this is no JSON object. Check that this is the right file.")
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


class DoccanoReader(AnnotatedTextReader):
    """Reads JSON Lines of doccano: `text`, and in `label` (or `labels`, `entities`) the spans.

    A span is `[start, end, label]` or an object with `start_offset`, `end_offset` and `label`. A text is split into
    words as text to tag is, but at white space where `tokenizer` is `"whitespace"`, as `write` writes it.
    """

    name: ClassVar[str] = "doccano"
    summary: ClassVar[str] = "JSON Lines of doccano: a text a line, with spans of characters"
    leaves_out: ClassVar[str] = "white space, relations, comments and other fields"

    def _text(self, row: dict[str, Any], place: str, source: Source) -> AnnotatedText:
        text = _string(row, ("text", "data"), place)
        spans = _spans_of(row, ("label", "labels", "entities"), place)
        offsets = split_text(text, row.get(_TOKENIZER) == _WHITE_SPACE)
        return AnnotatedText(text, offsets, {} if spans is None else {COLUMN: spans})

    def _row(self, sentences: Sequence[Sentence], columns: Sequence[str]) -> dict[str, Any]:
        text, offsets = text_of(sentences)
        row: dict[str, Any] = {"text": text}
        for column in columns:
            spans = _annotated(sentences, offsets, column)
            if spans is not None:
                row["label"] = [list(span) for span in spans]
        return {**row, _TOKENIZER: _WHITE_SPACE}


class LabelStudioReader(AnnotatedTextReader):
    """Reads the JSON that Label Studio exports: tasks with `data` and `annotations`.

    Of the annotations of a task that were not cancelled the one marked as ground truth is read, else the first. Each
    control (`from_name`) is a tag column of its own; `label` is the column `ner_tags`. Offsets are code points; where
    the text that a span says it covers only fits units of UTF-16, as older versions count, they are those. A text is
    split into words as text to tag is, but at white space where `data` has `"tokenizer": "whitespace"`.
    """

    name: ClassVar[str] = "labelstudio"
    summary: ClassVar[str] = "JSON of Label Studio: tasks with a text and annotated spans of characters"
    leaves_out: ClassVar[str] = "white space, predictions, relations, choices and other data"
    ending: ClassVar[str] = ".json"
    _absent: ClassVar[Sequence[TextSpan] | None] = ()

    def _text(self, row: dict[str, Any], place: str, source: Source) -> AnnotatedText | None:
        data = row.get("data")
        if not isinstance(data, dict):
            raise CorpusError(f"{place}: the task has no object `data`. Export the project as JSON.")
        text = _string(data, ("text", *(name for name in data if name != _TOKENIZER)), place)
        done = [it for it in row.get("annotations") or () if isinstance(it, dict) and not it.get("was_cancelled")]
        if not done:
            source.remarks.append(Remark("text-without-annotations", _MISSING, place, repr(text[:60])))
            return None
        if len(done) > 1:
            rule = "Of several annotations of a text the one marked as ground truth is read, else the first."
            source.remarks.append(Remark("several-annotations", rule, place, f"{len(done)} of {text[:60]!r}"))
        chosen = next((it for it in done if it.get("ground_truth")), done[0])
        spans: dict[str, list[TextSpan]] = {}
        for number, result in enumerate(chosen.get("result") or (), 1):
            value = result.get("value") if isinstance(result, dict) else None
            if not isinstance(value, dict) or not isinstance(value.get("labels"), list):
                continue  # a choice, a relation
            control = str(result.get("from_name", _CONTROL))
            column = spans.setdefault(COLUMN if control == _CONTROL else control, [])
            where = f"{place}, result {number}"
            for label in value["labels"]:
                span = _span({**value, "label": label}, where)
                column.append(_as_said(span, text, value.get("text")))
        offsets = split_text(text, data.get(_TOKENIZER) == _WHITE_SPACE)
        return AnnotatedText(text, offsets, spans)

    def _columns(self, data: datasets.DatasetDict) -> list[str]:
        columns = list(dict.fromkeys(name for dataset in data.values() for name in span_columns(dataset)))
        return columns or [the_span_column(data, self.name)]

    def _row(self, sentences: Sequence[Sentence], columns: Sequence[str]) -> dict[str, Any]:
        text, offsets = text_of(sentences)
        results = [
            {
                "from_name": _CONTROL if column == COLUMN else column,
                "to_name": "text",
                "type": "labels",
                "value": {"start": start, "end": end, "text": text[start:end], "labels": [label]},
            }
            for column in columns
            if column in sentences[0].tags
            for start, end, label in text_spans(sentences, offsets, column)
        ]
        return {"data": {"text": text, _TOKENIZER: _WHITE_SPACE}, "annotations": [{"result": results}]}

    def _lines(self, rows: Iterable[dict[str, Any]]) -> Iterator[str]:
        yield "["
        before = ""
        for row in rows:
            if before:
                yield before + ","
            before = _json(row)
        yield before
        yield "]"


class SpacyJsonReader(AnnotatedTextReader):
    """Reads texts with spans as spaCy and Prodigy write them: `text` and `ents`, `entities` or `spans`.

    `ents`, `entities` and a list `spans` are the column `ner_tags`; in an object `spans` each group is a column of its
    own. Where there are `tokens`, these are the words, with their `tag` (column `pos_tags`) and `pos` (`upos`), and
    sentences are as `sents` says, or else the whole text is one.
    """

    name: ClassVar[str] = "spacy-json"
    summary: ClassVar[str] = "JSON of spaCy and Prodigy: a text a line, with spans of characters, also with tokens"
    leaves_out: ClassVar[str] = "white space, dependencies, lemmas and other fields"

    def _text(self, row: dict[str, Any], place: str, source: Source) -> AnnotatedText | None:
        text = _string(row, ("text",), place)
        if row.get("answer", "accept") != "accept":
            rule = "Examples that were rejected or ignored are left out."
            source.remarks.append(Remark("text-not-accepted", rule, place, repr(text[:60])))
            return None
        groups = row.get("spans")
        spans = {}
        if isinstance(groups, dict):
            spans = {str(name): _spans_of({"spans": group}, ("spans",), place) or [] for name, group in groups.items()}
            row = {**row, "spans": None}
        entities = _spans_of(row, ("ents", "entities", "spans"), place)
        if entities is not None:
            spans = {COLUMN: entities, **spans}
        if "tokens" not in row:
            return AnnotatedText(text, split_text(text), spans)
        tokens = [
            token for token in _tokens(row["tokens"], len(text), place) if text[token["start"] : token["end"]].strip()
        ]
        tags = {column: [str(token.get(key, UNANNOTATED)) for token in tokens] for column, key in TOKEN_COLUMNS.items()}
        offsets = _sentences_of([(token["start"], token["end"]) for token in tokens], row.get("sents"), place)
        return AnnotatedText(text, offsets, spans, {name: values for name, values in tags.items() if any(values)})

    def _columns(self, data: datasets.DatasetDict) -> list[str]:
        columns = list(dict.fromkeys(name for dataset in data.values() for name in span_columns(dataset)))
        if not columns and not any(name in TOKEN_COLUMNS for dataset in data.values() for name in tagged(dataset)):
            the_span_column(data, self.name)  # which raises
        return columns

    def _row(self, sentences: Sequence[Sentence], columns: Sequence[str]) -> dict[str, Any]:
        text, offsets = text_of(sentences)
        spans = {column: _annotated(sentences, offsets, column) for column in columns if column in sentences[0].tags}
        listed = {
            column: [{"start": start, "end": end, "label": label} for start, end, label in found]
            for column, found in spans.items()
            if found is not None
        }
        tokens: list[dict[str, Any]] = []
        for sentence, words in zip(sentences, offsets, strict=True):
            for position, (start, end) in enumerate(words):
                token: dict[str, Any] = {"id": len(tokens), "start": start, "end": end}
                for column, key in TOKEN_COLUMNS.items():
                    if column not in columns and column in sentence.tags and sentence.tags[column][position]:
                        token[key] = sentence.tags[column][position]
                tokens.append(token)
        row: dict[str, Any] = {"text": text}
        if COLUMN in listed:
            row["ents"] = listed.pop(COLUMN)
        if listed:
            row["spans"] = {name: [{**span, "kb_id": ""} for span in group] for name, group in listed.items()}
        return {**row, "sents": [{"start": words[0][0], "end": words[-1][1]} for words in offsets], "tokens": tokens}


def _json(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False)


def _string(row: Mapping[str, Any], names: Iterable[str], place: str) -> str:
    for name in names:
        value = row.get(name)
        if isinstance(value, str):
            return value
    raise CorpusError(f"{place}: there is no text in this object. Check that this is the right file.")


def _spans_of(row: Mapping[str, Any], names: Iterable[str], place: str) -> list[TextSpan] | None:
    """The spans of the first of these fields that there is; None if there is none."""
    value = next((row[name] for name in names if row.get(name) is not None), None)
    if value is None:
        return None
    if not isinstance(value, list):
        raise CorpusError(f'{place}: the spans are no list. Write them like [[0, 5, "PER"]].')
    return [_span(span, f"{place}, span {number}") for number, span in enumerate(value, 1)]


def _span(value: Any, place: str) -> TextSpan:
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
            f'{place}: {value!r} is no span. Write a start, an end and a label: [0, 5, "PER"], or the same as an '
            "object."
        )
    return TextSpan(value[0], value[1], value[2], place)


def _as_said(span: TextSpan, text: str, said: object) -> TextSpan:
    """The span with its offsets in code points, going by the text that it says it covers.

    Raises:
        CorpusError: It covers another text.
    """
    if not isinstance(said, str) or text[span.start : span.end].split() == said.split():
        return span
    units = text.encode("utf-16-le")
    start, end = (len(units[: 2 * offset].decode("utf-16-le", errors="ignore")) for offset in (span.start, span.end))
    if text[start:end].split() == said.split():
        return span._replace(start=start, end=end)
    raise CorpusError(
        f"{span.location}: the span from {span.start} to {span.end} says that it is {said!r}, and the text has "
        f"{text[span.start : span.end]!r} there. Repair the offsets, or remove the span."
    )


def _tokens(value: object, length: int, place: str) -> list[dict[str, Any]]:
    if isinstance(value, list) and all(
        isinstance(token, dict) and isinstance(token.get("start"), int) and isinstance(token.get("end"), int)
        for token in value
    ):
        edges = [0, *(edge for token in value for edge in (token["start"], token["end"])), length]
        if edges == sorted(edges):
            return value
    raise CorpusError(
        f'{place}: `tokens` is no list of objects with "start" and "end", in order and within the text. Repair it, or '
        "leave it out."
    )


def _sentences_of(words: Sequence[tuple[int, int]], sentences: object, place: str) -> Offsets:
    if sentences is None:
        return [words] if words else []
    if not isinstance(sentences, list) or not all(
        isinstance(sentence, dict) and isinstance(sentence.get("start"), int) for sentence in sentences
    ):
        raise CorpusError(f'{place}: `sents` is no list of objects with "start" and "end". Repair it, or leave it out.')
    starts = {sentence["start"] for sentence in sentences}
    found: list[list[tuple[int, int]]] = []
    for word in words:
        if word[0] in starts or not found:
            found.append([])
        found[-1].append(word)
    return found


def _annotated(sentences: Sequence[Sentence], offsets: Offsets, column: str) -> list[tuple[int, int, str]] | None:
    """The spans of a document, or None if nobody annotated any of its words."""
    if not any(tag for sentence in sentences for tag in sentence.tags[column]):
        return None
    return text_spans(sentences, offsets, column)
