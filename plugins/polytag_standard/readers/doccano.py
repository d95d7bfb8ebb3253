"""The reader `doccano`: texts with spans, exported by the annotation tool doccano."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from polytag import Sentence, Source
from polytag_standard.readers.shared.offsets import COLUMN, split_text, text_of
from polytag_standard.readers.shared.texts import (
    TOKENIZER,
    WHITE_SPACE,
    AnnotatedText,
    AnnotatedTextReader,
    annotated_spans,
    spans_in,
    text_in,
)
from polytag_standard.readers.shared.units import Units


class DoccanoReader(AnnotatedTextReader):
    """Reads JSON Lines of doccano: `text`, and its spans in `label` (or `labels`, `entities`).

    A span is `[start, end, label]` or an object with `start_offset`, `end_offset` and `label`. A text is split into
    words as in prediction, or at white space if `tokenizer` is `"whitespace"`, which `write` sets.
    """

    name: ClassVar[str] = "doccano"
    summary: ClassVar[str] = "JSON Lines of doccano: one text per line, with spans of characters"
    leaves_out: ClassVar[str] = "white space, relations, comments and other fields"

    def _text(self, row: dict[str, Any], place: str, source: Source, units: Units) -> AnnotatedText:
        text = text_in(row, ("text", "data"), place)
        spans = spans_in(row, ("label", "labels", "entities"), text, place, units, source)
        is_ours = row.get(TOKENIZER) == WHITE_SPACE
        columns = {} if spans is None else {COLUMN: spans}
        return AnnotatedText(text, split_text(text, source, whitespace=is_ours), columns, in_characters=is_ours)

    def _row(self, sentences: Sequence[Sentence], columns: Sequence[str]) -> dict[str, Any]:
        text, offsets = text_of(sentences)
        row: dict[str, Any] = {"text": text}
        for column in columns:
            spans = annotated_spans(sentences, offsets, column)
            if spans is not None:
                row["label"] = [list(span) for span in spans]
        return {**row, TOKENIZER: WHITE_SPACE}
