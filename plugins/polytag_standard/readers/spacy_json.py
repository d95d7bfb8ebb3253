"""The reader `spacy-json`: texts with spans in the JSON of spaCy and Prodigy."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from polytag import UNANNOTATED, CorpusError, Remark, Sentence, SentenceTable, Source, shorten
from polytag_standard.readers.shared.offsets import (
    COLUMN,
    Offsets,
    Unit,
    span_columns,
    split_text,
    text_of,
    the_span_column,
)
from polytag_standard.readers.shared.spacy2 import TOKEN_COLUMNS, holds_documents, read_documents
from polytag_standard.readers.shared.texts import (
    ACCEPTED,
    AnnotatedText,
    AnnotatedTextReader,
    annotated_spans,
    spans_in,
    text_in,
)
from polytag_standard.readers.shared.units import Units, in_characters

_BLANKS = " \n"


class SpacyJsonReader(AnnotatedTextReader):
    """Reads texts with spans in the JSON of spaCy and Prodigy: `text` and `ents`, `entities` or `spans`.

    `ents`, `entities` and a list `spans` are the column `ner_tags`; in an object `spans` each group is a column of its
    own. If `tokens` exist, they are the words, with their `tag` (column `pos_tags`) and `pos` (`upos`); `sents` then
    gives the sentences, and without `sents` the whole text is one sentence. Of spaCy 2, it reads the pairs of training
    data (`["text", {"entities": [[0, 4, "PER"]]}]`) and the JSON of its training command (`paragraphs`, `sentences`,
    `tokens`).
    """

    name: ClassVar[str] = "spacy-json"
    summary: ClassVar[str] = "JSON of spaCy and Prodigy: one text per line, with spans of characters, also with tokens"
    leaves_out: ClassVar[str] = "white space, dependencies, lemmas and other fields"

    def read(self, source: Source) -> dict[str, SentenceTable]:
        """Read all files, text by text, twice: first for the names of the columns and the unit of the offsets.

        Raises:
            CorpusError: A text is invalid, or the unit of the offsets is unclear; the message names file and line.
        """
        return read_documents(source) if holds_documents(source) else super().read(source)

    def _as_object(self, value: Any) -> dict[str, Any] | None:
        """The object of a text; a pair of a text and its annotations is joined."""
        if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], dict):
            return {**value[1], "text": value[0]}
        return super()._as_object(value)

    def _text(self, row: dict[str, Any], place: str, source: Source, units: Units) -> AnnotatedText | None:
        text = text_in(row, ("text",), place)
        if row.get("answer", ACCEPTED) != ACCEPTED:
            rule = "Examples that were rejected or ignored are left out."
            source.remarks.append(Remark("text-not-accepted", rule, place, repr(shorten(text, 60))))
            return None
        groups = row.get("spans")
        spans = {}
        if isinstance(groups, dict):
            spans = {
                str(name): spans_in({"spans": group}, ("spans",), text, place, units, source) or []
                for name, group in groups.items()
            }
            row = {**row, "spans": None}
        entities = spans_in(row, ("ents", "entities", "spans"), text, place, units, source)
        if entities is not None:
            spans = {COLUMN: entities, **spans}
        if row.get("tokens") is None:
            return AnnotatedText(text, split_text(text, source), spans)
        every = _tokens(row["tokens"], text, place, units[0])
        tokens = [token for token in every if text[token["start"] : token["end"]].strip()]
        tags = {column: [str(token.get(key, UNANNOTATED)) for token in tokens] for column, key in TOKEN_COLUMNS.items()}
        sentences = _starts(row.get("sents"), text, place, units[0])
        offsets = _sentences_of([(token["start"], token["end"]) for token in tokens], sentences)
        known = {name: values for name, values in tags.items() if any(values)}
        misplaced = _count_misplaced(text, every)
        is_of_python = not misplaced and not any("text" in token for token in every)  # spaCy writes no text of tokens
        return AnnotatedText(text, offsets, spans, known, misplaced, is_of_python and units[0] == "characters")

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


def _tokens(value: object, text: str, place: str, unit: Unit) -> list[dict[str, Any]]:
    """The tokens, with `start` and `end` in characters."""
    if isinstance(value, list) and all(
        isinstance(token, dict) and isinstance(token.get("start"), int) and isinstance(token.get("end"), int)
        for token in value
    ):
        character = in_characters(text, unit)
        try:
            placed = [{**token, "start": character(token["start"]), "end": character(token["end"])} for token in value]
        except ValueError:  # beyond the text, or inside a character
            placed = []
        edges = [0, *(edge for token in placed for edge in (token["start"], token["end"])), len(text)]
        if len(placed) == len(value) and edges == sorted(edges):
            return placed
    raise CorpusError(
        f'{place}: `tokens` is not a list of objects with "start" and "end", in order and within the text. '
        "Repair it, or leave it out."
    )


def _count_misplaced(text: str, tokens: Sequence[dict[str, Any]]) -> int:
    """Number of tokens with a space at an edge or another text than they record, and of gaps that are not blank."""
    count = 0
    before = 0
    for token in tokens:
        found, recorded = text[token["start"] : token["end"]], token.get("text")
        is_other = isinstance(recorded, str) and found != recorded
        count += is_other or (bool(found.strip(_BLANKS)) and found != found.strip(_BLANKS))
        count += bool(text[before : token["start"]].strip(_BLANKS))
        before = token["end"]
    return count + bool(text[before:].strip(_BLANKS))


def _starts(sentences: object, text: str, place: str, unit: Unit) -> list[int] | None:
    """The starts of the sentences in characters; None if they are unknown."""
    if sentences is None:
        return None
    if not isinstance(sentences, list) or not all(
        isinstance(sentence, dict) and isinstance(sentence.get("start"), int) for sentence in sentences
    ):
        raise CorpusError(
            f'{place}: `sents` is not a list of objects with "start" and "end". Repair it, or leave it out.'
        )
    try:
        return sorted(map(in_characters(text, unit), (sentence["start"] for sentence in sentences)))
    except ValueError:
        raise CorpusError(
            f"{place}: a sentence of `sents` starts beyond the text, or inside a character. Repair it, or leave it out."
        ) from None


def _sentences_of(words: Sequence[tuple[int, int]], starts: Sequence[int] | None) -> Offsets:
    if starts is None:
        return [words] if words else []
    # A sentence may start with white space, which is not a word.
    found: list[list[tuple[int, int]]] = []
    before = 0
    for word in words:
        begun = bisect_right(starts, word[0])
        if begun > before or not found:
            found.append([])
        found[-1].append(word)
        before = begun
    return found
