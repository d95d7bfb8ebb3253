"""The reader `labelstudio`: annotated tasks, exported by Label Studio."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from polytag import CorpusError, Remark, Sentence, SentenceTable, Source, shorten
from polytag_standard.readers.shared.offsets import (
    COLUMN,
    TextSpan,
    span_columns,
    split_text,
    text_of,
    text_spans,
    the_span_column,
)
from polytag_standard.readers.shared.texts import (
    TOKENIZER,
    WHITE_SPACE,
    AnnotatedText,
    AnnotatedTextReader,
    as_json,
    span_of,
    text_in,
)
from polytag_standard.readers.shared.units import Units

_CONTROL = "label"
"""The name of the labels in Label Studio's template for named entities."""
_ANNOTATIONS = ("annotations", "completions")
"""Names of the list of annotations, in current and in early versions."""
_CANCELLED = ("was_cancelled", "skipped")
_NO_TEXTS = frozenset({"annotator", "created_at", "updated_at"})
_ANNOTATION = "annotation_id"
"""The field of JSON_MIN that is null for a task that nobody annotated."""
_MISSING = "Texts without annotation are left out."
_OTHER_KIND = "Only spans of plain text (`labels`) are read; labels of hypertext, dialogues and pictures are left out."


class LabelStudioReader(AnnotatedTextReader):
    """Reads the JSON that Label Studio exports: tasks with `data` and `annotations` (or `completions`), and JSON_MIN.

    Cancelled annotations are left out. Of the others of a task, the one marked as ground truth is read, else the one
    that was updated last.
    Each control (`from_name`) is a tag column of its own; `label` is the column `ner_tags`. A text is split into words
    as in prediction, or at white space if `data` has `"tokenizer": "whitespace"`.
    """

    name: ClassVar[str] = "labelstudio"
    summary: ClassVar[str] = "JSON of Label Studio: tasks with a text and annotated spans of characters"
    leaves_out: ClassVar[str] = "white space, predictions, relations, choices and other data"
    ending: ClassVar[str] = ".json"
    _absent: ClassVar[Sequence[TextSpan] | None] = ()

    def _as_object(self, value: Any) -> dict[str, Any] | None:
        """The task; JSON_MIN has the data and the spans of each control side by side."""
        row = super()._as_object(value)
        if row is None or "data" in row or any(name in row for name in _ANNOTATIONS):
            return row
        controls = {name: regions for name, regions in row.items() if isinstance(regions, list)}
        results = [
            {"from_name": name, "value": region}
            for name, regions in controls.items()
            for region in regions
            if isinstance(region, dict) or _is_of_doccano(region)
        ]
        data = {name: text for name, text in row.items() if isinstance(text, str) and name not in _NO_TEXTS}
        is_annotated = row.get(_ANNOTATION, ...) is not None  # early versions export no such field
        return {"data": data, "annotations": [{"result": results}] if is_annotated else []}

    def _text(self, row: dict[str, Any], place: str, source: Source, units: Units) -> AnnotatedText | None:
        data = row.get("data")
        if not isinstance(data, dict):
            raise CorpusError(f"{place}: the task has no object `data`. Export the project as JSON.")
        given = next((row[name] for name in _ANNOTATIONS if row.get(name)), ())
        listed = [annotation for annotation in given if isinstance(annotation, dict)]
        done = [annotation for annotation in listed if not any(annotation.get(name) for name in _CANCELLED)]
        if not done:
            text = text_in(data, ("text", *(name for name in data if name != TOKENIZER)), place)
            source.remarks.append(Remark("text-without-annotations", _MISSING, place, repr(shorten(text, 60))))
            return None
        if len(done) < len(listed):
            rule = "Cancelled annotations are left out."
            example = f"{len(listed) - len(done)} of {len(listed)}"
            source.remarks.append(Remark("annotation-cancelled", rule, place, example))
        chosen = next((it for it in done if it.get("ground_truth")), max(done, key=_updated))
        if not isinstance(chosen.get("result"), list):
            raise CorpusError(f"{place}: the annotation has no list `result`. Export the project as JSON.")
        results = [result for result in chosen["result"] if isinstance(result, dict)]
        text = _text_of(data, results, place)
        if len(done) > 1:
            rule = "Of several annotations of a text, the one marked as ground truth is read, else the last updated."
            source.remarks.append(Remark("several-annotations", rule, place, f"{len(done)} of {shorten(text, 60)!r}"))
        spans: dict[str, list[TextSpan]] = {}
        for number, result in enumerate(results, 1):
            value = result.get("value")
            if _is_of_doccano(value):
                raise CorpusError(
                    f"{place}: the spans are lists, as doccano writes them. Read the file with the reader `doccano`, "
                    "and name it `.jsonl`."
                )
            if not isinstance(value, dict) or not isinstance(value.get("labels"), list):
                kind = str(result.get("type", ""))
                if kind.endswith("labels"):
                    source.remarks.append(Remark("labels-of-another-kind", _OTHER_KIND, place, kind))
                continue  # a choice, a relation
            control = str(result.get("from_name", _CONTROL))
            column = spans.setdefault(COLUMN if control == _CONTROL else control, [])
            where = f"{place}, result {number}"
            for label in value["labels"]:
                recorded = value.get("text")
                known = recorded if isinstance(recorded, str) else None
                column.append(span_of({**value, "label": label}, text, where, units, known))
        is_ours = data.get(TOKENIZER) == WHITE_SPACE
        return AnnotatedText(text, split_text(text, source, whitespace=is_ours), spans, in_characters=is_ours)

    def _columns(self, data: Mapping[str, SentenceTable]) -> list[str]:
        columns = list(dict.fromkeys(name for table in data.values() for name in span_columns(table)))
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
        return {"data": {"text": text, TOKENIZER: WHITE_SPACE}, "annotations": [{"result": results}]}

    def _lines(self, rows: Iterable[dict[str, Any]]) -> Iterator[str]:
        yield "["
        before = ""
        for row in rows:
            if before:
                yield before + ","
            before = as_json(row)
        yield before
        yield "]"


def _is_of_doccano(value: object) -> bool:
    """Whether a value is a span as doccano writes it: start, end and label."""
    return isinstance(value, list) and list(map(type, value)) == [int, int, str]


def _updated(annotation: Mapping[str, Any]) -> str:
    """The time of the last change of an annotation; nothing if it is unknown."""
    return str(annotation.get("updated_at") or "")


def _text_of(data: dict[str, Any], results: Sequence[dict[str, Any]], place: str) -> str:
    """The annotated text: `text`, or the only text, or the only one that contains the recorded texts of the spans.

    Raises:
        CorpusError: None exists, or several could be it.
    """
    texts = {name: value for name, value in data.items() if name != TOKENIZER and isinstance(value, str)}
    if "text" in texts or len(texts) <= 1:
        return text_in(data, ("text", *texts), place)
    values = [result["value"] for result in results if isinstance(result.get("value"), dict)]
    said = [value["text"] for value in values if isinstance(value.get("labels"), list) and "text" in value]
    fitting = [name for name, text in texts.items() if said and all(str(part) in text for part in said)]
    if len(fitting) != 1:
        raise CorpusError(
            f"{place}: `data` has several texts ({shorten(', '.join(texts))}), and it is unclear which one was "
            "annotated. Name that field `text`."
        )
    return str(texts[fitting[0]])
