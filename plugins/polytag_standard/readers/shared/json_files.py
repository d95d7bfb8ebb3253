"""Functions of the JSON readers: iterate over values, and recognise the format."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from polytag import CorpusError, Source, text_lines
from polytag_standard.readers.shared.lines import JSON_ENDINGS, files_ending

_CHUNK = 1 << 16  # characters
_WORDS = ("tokens", "words")
_BETWEEN = " \t\r\n,"


def json_values(path: Path) -> Iterator[tuple[int, Any]]:
    """Yield the line and the value of each JSON value: one per line, or the items of one array, in constant memory.

    Raises:
        CorpusError: The file is not UTF-8, or not JSON; the message names the line.
    """
    if _is_array(path):
        yield from _items(path)
        return
    for number, line in text_lines(path):
        if line.strip():
            try:
                yield number, json.loads(line)
            except ValueError as error:
                raise CorpusError(
                    f"{path.name}:{number}: this line is not JSON: {error}. Write one JSON object per line."
                ) from None


def _is_array(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(_CHUNK).decode("utf-8-sig", errors="replace").lstrip().startswith("[")


def _items(path: Path) -> Iterator[tuple[int, Any]]:
    decoder = json.JSONDecoder()
    try:
        with path.open(encoding="utf-8-sig") as file:
            text = file.read(_CHUNK)
            position = text.index("[") + 1
            before = 0  # lines already dropped from `text`
            while True:
                while position < len(text) and text[position] in _BETWEEN:
                    position += 1
                if text.startswith("]", position):
                    return
                try:
                    value, end = decoder.raw_decode(text, position)
                except ValueError as error:
                    more = file.read(max(_CHUNK, len(text)))
                    if not more:
                        line = before + text.count("\n", 0, position) + 1
                        raise CorpusError(
                            f"{path.name}:{line}: the JSON value that starts here is incomplete or invalid: {error}. "
                            "Make sure that the file is complete."
                        ) from None
                    before += text.count("\n", 0, position)
                    text, position = text[position:] + more, 0
                    continue
                yield before + text.count("\n", 0, position) + 1, value
                position = end
    except UnicodeDecodeError:
        for _ in text_lines(path):  # raises an error that names the line
            pass
        raise


def json_format(source: Source) -> str | None:
    """The reader that the JSON files of a source are for, judged by the first value of each.

    None if a file is something else, or if the files are for different readers.
    """
    if files_ending(source, JSON_ENDINGS) != {split: list(paths) for split, paths in source.files.items()}:
        return None
    found = {_format(path) for paths in source.files.values() for path in paths}
    return found.pop() if len(found) == 1 else None


def _format(path: Path) -> str:
    try:
        _, row = next(json_values(path), (0, None))
    except CorpusError:
        return "labelstudio" if _is_array(path) else "jsonl"  # whose error explains what is wrong
    if not isinstance(row, dict):
        return "jsonl"
    if isinstance(row.get("data"), dict):
        return "labelstudio"
    listed = next((row[name] for name in _WORDS if name in row), None)
    if not isinstance(row.get("text", row.get("data")), str) or (
        isinstance(listed, list) and any(isinstance(word, str) for word in listed)
    ):
        return "jsonl"
    entities = row.get("entities")
    offsets = isinstance(entities, list) and any(isinstance(span, dict) and "start_offset" in span for span in entities)
    if offsets or "data" in row or any(name in row for name in ("label", "labels", "relations")):
        return "doccano"
    return "spacy-json" if any(name in row for name in ("ents", "entities", "spans")) else "jsonl"
