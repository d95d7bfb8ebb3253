"""Functions of the JSON readers: iterate over values, and recognise the format."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from polytag import CorpusError, Source, text_lines
from polytag_standard.readers.shared.lines import JSON_ENDINGS, files_ending

_CHUNK = 1 << 16  # characters
_WORDS = ("tokens", "words")
_JUDGED = 50
_OF_LABEL_STUDIO = frozenset({"annotation_id", "lead_time"})
"""Fields of Label Studio's JSON_MIN, whose texts without spans have no other sign."""
_BETWEEN = " \t\r\n,"


def json_values(path: Path, encoding: str | None = None) -> Iterator[tuple[str, Any]]:
    """Yield the place and the value of each JSON value: one per line, or the items of one array, in constant memory.

    The place is the file and the line, with the number of the item if others begin on the same line of an array:
    `train.json:1, item 2`.

    Raises:
        CorpusError: The file is not in its encoding, or not JSON; the message names the line.
    """
    if _is_array(path, encoding):
        before = 0
        for item, (number, value) in enumerate(_items(path, encoding), 1):
            yield f"{path.name}:{number}" + (f", item {item}" if number == before else ""), value
            before = number
        return
    for number, line in text_lines(path, encoding):
        if line.strip():
            try:
                yield f"{path.name}:{number}", json.loads(line)
            except RecursionError:
                raise _too_deep(path, number) from None
            except ValueError as error:
                raise CorpusError(
                    f"{path.name}:{number}: this line is not JSON: {error}. Write one JSON object per line."
                ) from None


def _is_array(path: Path, encoding: str | None) -> bool:
    """Whether a file is one array: it starts with `[`, and its first line is not an array with others below."""
    lines = (line for _, line in text_lines(path, encoding) if line.strip())
    first = next(lines, "").strip()
    if not first.startswith("["):
        return False
    if not first.endswith("]") or not next(lines, "").lstrip().startswith("["):
        return True
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return True
    return False


def _items(path: Path, encoding: str | None) -> Iterator[tuple[int, Any]]:
    decoder = json.JSONDecoder()
    chunks = _chunks(path, encoding)
    text = next(chunks)
    position = text.index("[") + 1
    line, counted = 1, 0  # the line at position `counted`; a file of one line has many values
    while True:
        while position < len(text) and text[position] in _BETWEEN:
            position += 1
        if text.startswith("]", position):
            break
        line, counted = line + text.count("\n", counted, position), position
        try:
            value, end = decoder.raw_decode(text, position)
        except RecursionError:
            raise _too_deep(path, line) from None
        except ValueError as error:
            more = next(chunks, "")
            while more and len(more) < len(text) and (further := next(chunks, "")):
                more += further
            if not more:
                raise CorpusError(
                    f"{path.name}:{line}: the JSON value that starts here is incomplete or invalid: {error}. "
                    "Make sure that the file is complete."
                ) from None
            text, position, counted = text[position:] + more, 0, 0
            continue
        yield line, value
        position = end
    rest = text[position + 1 :]
    for more in itertools.chain([rest], chunks):
        if more.strip():
            line += text.count("\n", counted, position)
            raise CorpusError(
                f"{path.name}:{line}: the JSON array ends here, and more follows. Write one array, or one JSON object "
                "per line."
            )


def _too_deep(path: Path, line: int) -> CorpusError:
    return CorpusError(
        f"{path.name}:{line}: the JSON value that starts here is nested too deeply to be a sentence or a text. Check "
        f"that {path} is the right file."
    )


def _chunks(path: Path, encoding: str | None) -> Iterator[str]:
    """The text of a file in pieces; each line ends with a line feed."""
    lines: list[str] = []
    size = 0
    for _, line in text_lines(path, encoding):
        lines.append(line + "\n")
        size += len(line)
        if size > _CHUNK:
            yield "".join(lines)
            lines, size = [], 0
    yield "".join(lines)


def json_format(source: Source) -> str | None:
    """The reader that the JSON files of a source are for, judged by the first value of each.

    None if a file is something else, or if the files are for different readers.
    """
    if files_ending(source, JSON_ENDINGS) != {split: list(paths) for split, paths in source.files.items()}:
        return None
    found = {_format(path, source.options.encoding) for paths in source.files.values() for path in paths}
    return found.pop() if len(found) == 1 else None


def _format(path: Path, encoding: str | None) -> str:
    rows = islice(json_values(path, encoding), _JUDGED)
    try:
        return next((found for _, row in rows if (found := _format_of(row)) is not None), "jsonl")
    except CorpusError:
        return "labelstudio" if _starts_with_bracket(path, encoding) else "jsonl"  # whose error explains what is wrong


def _starts_with_bracket(path: Path, encoding: str | None) -> bool:
    try:
        return _is_array(path, encoding)
    except CorpusError:
        return False


def _format_of(row: Any) -> str | None:
    """The reader for a value; None if it can be for several."""
    if isinstance(row, list) and len(row) == 2 and isinstance(row[0], str) and isinstance(row[1], dict):
        return "spacy-json"  # training data of spaCy 2
    if not isinstance(row, dict):
        return "jsonl"
    if isinstance(row.get("data"), dict) or any(map(_is_regions, row.values())):
        return "labelstudio"
    listed = next((row[name] for name in _WORDS if name in row), None)
    if isinstance(listed, list) and any(isinstance(word, str) for word in listed):
        return "jsonl"
    if isinstance(row.get("paragraphs"), list):
        return "spacy-json"
    if not isinstance(row.get("text", row.get("data")), str):
        return "jsonl"
    entities = row.get("entities")
    offsets = isinstance(entities, list) and any(isinstance(span, dict) and "start_offset" in span for span in entities)
    if offsets or "data" in row or any(row.get(name) for name in ("label", "labels", "relations")):
        return "doccano"
    if any(name in row for name in _OF_LABEL_STUDIO):
        return "labelstudio"
    if any(name in row for name in ("label", "labels", "relations")):
        return "doccano"
    return "spacy-json" if any(name in row for name in ("ents", "entities", "spans")) else None


def _is_regions(value: object) -> bool:
    """Whether a value is the spans of a text in Label Studio's JSON_MIN."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(region, dict) and isinstance(region.get("labels"), list) for region in value)
    )
