"""The JSON of spaCy 2's training command: documents with paragraphs, sentences and tokens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from polytag import UNANNOTATED, CorpusError, Sentence, SentenceTable, Source, corpus_from_sentences
from polytag_standard.readers.shared.json_files import json_values
from polytag_standard.readers.shared.lines import joined
from polytag_standard.readers.shared.offsets import COLUMN

TOKEN_COLUMNS = {"pos_tags": "tag", "upos": "pos"}
"""Tag column -> spaCy's name."""

_ENTITY = "ner"
_KEYS = {COLUMN: _ENTITY, **TOKEN_COLUMNS}
_MISSING = "-"


def holds_documents(source: Source) -> bool:
    """Whether the first value of a file is such a document."""
    paths = [path for paths in source.files.values() for path in paths]
    return any("paragraphs" in row for path in paths for _, row in _first(path, source) if isinstance(row, dict))


def read_documents(source: Source) -> dict[str, SentenceTable]:
    """Read files of such documents: `orth` is the word, `ner` in BILUO the column `ner_tags`, `tag` is `pos_tags`.

    Raises:
        CorpusError: A document is not in the format; the message names file and line.
    """
    keys = {
        column: key
        for column, key in _KEYS.items()
        if any(token.get(key) for paths in source.files.values() for _, token in _tokens(paths, source))
    } or {COLUMN: _ENTITY}
    return corpus_from_sentences(
        {split: joined(paths, lambda path: _sentences(path, keys, source)) for split, paths in source.files.items()}
    )


def _first(path: Path, source: Source) -> Iterator[tuple[str, Any]]:
    for found in json_values(path, source.options.encoding):
        yield found
        return


def _tokens(paths: Sequence[Path], source: Source) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for path in paths:
        for _, place, tokens in _groups(path, source):
            for token in tokens:
                yield place, token


def _groups(path: Path, source: Source) -> Iterator[tuple[int, str, list[Mapping[str, Any]]]]:
    """For each sentence: the number of its document, its place, and its tokens."""
    for document, (place, row) in enumerate(json_values(path, source.options.encoding)):
        for paragraph in _objects(row, "paragraphs", place):
            for number, sentence in enumerate(_objects(paragraph, "sentences", place), 1):
                yield document, f"{place}, sentence {number}", _objects(sentence, "tokens", place)


def _objects(owner: Any, name: str, place: str) -> list[Mapping[str, Any]]:
    found = owner.get(name) if isinstance(owner, dict) else None
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise CorpusError(
            f"{place}: `{name}` is no list of objects: the JSON of spaCy 2 has `paragraphs` with `sentences` with "
            "`tokens`. Check that this is the right file."
        )
    return found


def _sentences(path: Path, keys: Mapping[str, str], source: Source) -> Iterator[Sentence]:
    for document, place, tokens in _groups(path, source):
        words = [token.get("orth") for token in tokens]
        if not all(isinstance(word, str) and word for word in words):
            raise CorpusError(f"{place}: a token has no `orth`, which is its word. Repair it, or leave it out.")
        if words:
            tags = {column: [_tag(key, token.get(key)) for token in tokens] for column, key in keys.items()}
            yield Sentence([str(word) for word in words], tags, document, place)


def _tag(key: str, value: object) -> str:
    return UNANNOTATED if value is None or (key == _ENTITY and value == _MISSING) else str(value)
