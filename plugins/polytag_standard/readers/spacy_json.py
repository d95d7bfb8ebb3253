"""The reader `spacy-json`: texts with spans in the JSON of spaCy and Prodigy."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from polytag import UNANNOTATED, CorpusError, Remark, Sentence, SentenceTable, Source
from polytag_standard.readers.shared.offsets import COLUMN, Offsets, span_columns, split_text, text_of, the_span_column
from polytag_standard.readers.shared.texts import AnnotatedText, AnnotatedTextReader, annotated_spans, spans_in, text_in

TOKEN_COLUMNS = {"pos_tags": "tag", "upos": "pos"}
"""Tag column -> spaCy's name."""


class SpacyJsonReader(AnnotatedTextReader):
    """Reads texts with spans in the JSON of spaCy and Prodigy: `text` and `ents`, `entities` or `spans`.

    `ents`, `entities` and a list `spans` are the column `ner_tags`; in an object `spans` each group is a column of its
    own. If `tokens` exist, they are the words, with their `tag` (column `pos_tags`) and `pos` (`upos`); `sents` then
    gives the sentences, and without `sents` the whole text is one sentence.
    """

    name: ClassVar[str] = "spacy-json"
    summary: ClassVar[str] = "JSON of spaCy and Prodigy: one text per line, with spans of characters, also with tokens"
    leaves_out: ClassVar[str] = "white space, dependencies, lemmas and other fields"

    def _text(self, row: dict[str, Any], place: str, source: Source) -> AnnotatedText | None:
        text = text_in(row, ("text",), place)
        if row.get("answer", "accept") != "accept":
            rule = "Examples that were rejected or ignored are left out."
            source.remarks.append(Remark("text-not-accepted", rule, place, repr(text[:60])))
            return None
        groups = row.get("spans")
        spans = {}
        if isinstance(groups, dict):
            spans = {str(name): spans_in({"spans": group}, ("spans",), place) or [] for name, group in groups.items()}
            row = {**row, "spans": None}
        entities = spans_in(row, ("ents", "entities", "spans"), place)
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

    def _columns(self, data: Mapping[str, SentenceTable]) -> list[str]:
        columns = list(dict.fromkeys(name for table in data.values() for name in span_columns(table)))
        if not columns and not any(name in TOKEN_COLUMNS for table in data.values() for name in table.tags):
            the_span_column(data, self.name)  # which raises
        return columns

    def _row(self, sentences: Sequence[Sentence], columns: Sequence[str]) -> dict[str, Any]:
        text, offsets = text_of(sentences)
        spans = {
            column: annotated_spans(sentences, offsets, column) for column in columns if column in sentences[0].tags
        }
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


def _tokens(value: object, length: int, place: str) -> list[dict[str, Any]]:
    if isinstance(value, list) and all(
        isinstance(token, dict) and isinstance(token.get("start"), int) and isinstance(token.get("end"), int)
        for token in value
    ):
        edges = [0, *(edge for token in value for edge in (token["start"], token["end"])), length]
        if edges == sorted(edges):
            return value
    raise CorpusError(
        f'{place}: `tokens` is not a list of objects with "start" and "end", in order and within the text. '
        "Repair it, or leave it out."
    )


def _sentences_of(words: Sequence[tuple[int, int]], sentences: object, place: str) -> Offsets:
    if sentences is None:
        return [words] if words else []
    if not isinstance(sentences, list) or not all(
        isinstance(sentence, dict) and isinstance(sentence.get("start"), int) for sentence in sentences
    ):
        raise CorpusError(
            f'{place}: `sents` is not a list of objects with "start" and "end". Repair it, or leave it out.'
        )
    # A sentence may start with white space, which is not a word.
    starts = sorted(sentence["start"] for sentence in sentences)
    found: list[list[tuple[int, int]]] = []
    before = 0
    for word in words:
        begun = bisect_right(starts, word[0])
        if begun > before or not found:
            found.append([])
        found[-1].append(word)
        before = begun
    return found
