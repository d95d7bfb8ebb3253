"""The reader `jsonl`: one sentence per line, as a JSON object with lists of words and tags."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from polytag import (
    TOKENS,
    UNANNOTATED,
    CorpusError,
    Reader,
    ReadingOptions,
    Sentence,
    SentenceTable,
    Source,
    corpus_from_sentences,
    sentences_of,
    shorten,
)
from polytag_standard.readers.shared.json_files import json_format, json_values
from polytag_standard.readers.shared.lines import JSON_ENDINGS, files_ending, joined, split_files, write_lines

_WORDS = (TOKENS, "words")
_DOCUMENT = "document"
_RESERVED = frozenset({_DOCUMENT, "location"})
_EXAMPLE = '{"tokens": ["Peter", "sleeps"], "ner_tags": ["B-PER", "O"]}'


class JsonLinesReader(Reader):
    """Reads JSON Lines, or an array of such objects: `tokens` (or `words`), lists with one tag per word, `document`.

    Fields that are not lists are left out. `--columns` chooses the lists to read. A null tag means a word without
    annotation.
    """

    name: ClassVar[str] = "jsonl"
    leaves_out: ClassVar[str] = "fields other than lists of tags"
    summary: ClassVar[str] = "JSON Lines (.jsonl, .json) or a JSON array: objects with the words and the tags as lists"

    def accepts(self, source: Source) -> bool:
        """Whether all files end in `.jsonl` or `.json`, and are not all for the same other JSON reader."""
        return (
            bool(source.files)
            and files_ending(source, JSON_ENDINGS) == {split: list(paths) for split, paths in source.files.items()}
            and json_format(source) in (None, self.name)
        )

    def read(self, source: Source) -> dict[str, SentenceTable]:
        """Read all files, object by object.

        Raises:
            CorpusError: An object is invalid; the message names file and line.
        """
        return corpus_from_sentences({split: _split(paths, source.options) for split, paths in source.files.items()})

    def write(self, data: Mapping[str, SentenceTable], folder: Path) -> None:
        """Write `train.jsonl` and so on, one sentence per line.

        Raises:
            CorpusError: A split is not named train, validation or test.
        """
        for split, path in split_files(data, folder, ".jsonl").items():
            write_lines(path, map(_line, sentences_of(data[split])))


def _line(sentence: Sentence) -> str:
    row: dict[str, Any] = {TOKENS: sentence.words}
    row.update({name: [tag or None for tag in tags] for name, tags in sentence.tags.items()})
    if sentence.document is not None:
        row[_DOCUMENT] = sentence.document
    return json.dumps(row, ensure_ascii=False)


def _split(paths: Sequence[Path], options: ReadingOptions) -> Iterator[Sentence]:
    return joined(paths, lambda path: _sentences(path, options))


def _sentences(path: Path, options: ReadingOptions) -> Iterator[Sentence]:
    documents: dict[int | str, int] = {}
    for place, value in json_values(path, options.encoding):
        if not isinstance(value, dict):
            raise CorpusError(
                f"{place}: this is not a JSON object. Write one object per line, or an array of objects, like "
                f"{_EXAMPLE}"
            )
        row = dict(value)
        field = next((name for name in _WORDS if name in row), None)
        if field is None:
            raise CorpusError(f"{place}: the object has no field {TOKENS!r} with the words. Write it like {_EXAMPLE}")
        words = row.pop(field)
        if not _are_strings(words):
            raise CorpusError(f"{place}: {field!r} is not a list of strings. Write it like {_EXAMPLE}")
        if not words:
            continue
        document = row.get(_DOCUMENT)
        if document is not None:
            if isinstance(document, bool) or not isinstance(document, int | str):
                raise CorpusError(f"{place}: {_DOCUMENT!r} is neither a number nor a name. Use one of the two.")
            document = documents.setdefault(document, len(documents))
        yield Sentence(words, _tags(row, len(words), options.columns, place), document, place)


def _tags(row: dict[str, Any], n_words: int, wanted: Collection[str] | None, place: str) -> dict[str, list[str]]:
    tags: dict[str, list[str]] = {}
    for name, value in row.items():
        if name in _RESERVED or not isinstance(value, list) or not value or (wanted and name not in wanted):
            continue
        if all(isinstance(item, int) for item in value):
            raise CorpusError(
                f"{place}: {shorten(name)!r} is a list of numbers without names. Write the tags as strings, or leave "
                "the field out with --columns."
            )
        if not _are_strings([item for item in value if item is not None]):
            if any(isinstance(item, str) for item in value):
                raise CorpusError(
                    f"{place}: {shorten(name)!r} has values that are not strings. Write every tag as a string, and "
                    "null for a word without annotation."
                )
            continue
        if len(value) != n_words and not any(value):
            continue
        if len(value) != n_words:
            raise CorpusError(
                f"{place}: {shorten(name)!r} has {len(value)} tags for {n_words} words. Give every word exactly one "
                "tag, or leave the field out with --columns."
            )
        tags[name] = [item or UNANNOTATED for item in value]
    if not tags:
        raise CorpusError(f"{place}: the object has no list of tags for its words. Write it like {_EXAMPLE}")
    return tags


def _are_strings(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
