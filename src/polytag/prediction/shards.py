"""The shards of a data lake: the unit of work, a file or a part of a large one, with one output each."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple

from polytag.corpus.text_files import encoding_of, lines_with_bad_bytes
from polytag.encoding.json_values import parse_json
from polytag.errors import PolytagError, shorten
from polytag.prediction.column_files import sentences_of_columns
from polytag.prediction.inputs import INPUT_FORMATS, format_of, has_known_extension
from polytag.prediction.lake_files import InputFile, explained, explained_parquet, on_disk, open_bytes_of
from polytag.prediction.row_options import DOCUMENT, TEXT, RowOptions, check_free, content_columns

SHARD_ROWS = 100_000
"""A file with more rows is split into parts of about this many, so that several workers can tag it."""

LAKE_FORMATS = ("parquet", *INPUT_FORMATS)
_OF_LINES = ("text", "words", "jsonl")
"""Formats that can be cut between any two lines."""
_AT_ONCE = 16
"""Files that are opened at the same time: an object store takes a while to answer."""
_HEAD = 65_536
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Shard:
    """A file, or consecutive row groups or lines of one.

    Attributes:
        file: Path or URL of the input.
        form: Its format, one of `LAKE_FORMATS`.
        output: The path of its output in the output folder.
        rows: Number of rows.
        before: Number of rows of the file (for lines: of lines) before it.
        part: First row group and the end, or first byte and the end; None for the whole file.
        version: Of the input file.
    """

    file: str
    form: str
    output: str
    rows: int
    before: int
    part: tuple[int, int] | None
    version: str


class _Part(NamedTuple):
    """Rows of a file: how many, how many come before, and from where to where."""

    rows: int
    before: int = 0
    start: int = 0
    end: int = 0


def chosen_files(files: Sequence[InputFile], input_format: str | None) -> tuple[list[InputFile], list[str]]:
    """The files to tag, and the paths of the files in folders whose extension is none that is read.

    Raises:
        PolytagError: No file is to tag.
    """
    chosen = [file for file in files if file.named or input_format or has_known_extension(file.name)]
    if not chosen:
        raise PolytagError(
            f"No file has an extension that is read here: the first is {shorten(files[0].path)!r}. Name their format: "
            f"--input {'|'.join(LAKE_FORMATS)}"
        )
    return chosen, [file.path for file in files if file not in chosen]


def shards_of(files: Sequence[InputFile], options: RowOptions) -> list[Shard]:
    """The shards of files.

    Args:
        files: The files.
        options: What the user says about them.

    Raises:
        PolytagError: A file has no rows, lacks a column or is damaged, or two outputs would have one name.
    """
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        shards = [shard for found in pool.map(partial(_shards, options=options), files) for shard in found]
    counts = Counter(shard.output for shard in shards)
    if twice := next((name for name, count in counts.items() if count > 1), None):
        one, other, *_ = [shard.file for shard in shards if shard.output == twice]
        raise PolytagError(
            f"The outputs of {one!r} and {other!r} would both be {twice!r}. Rename one, name the folder above them as "
            "the only input, or write to two folders."
        )
    return shards


def whole_file(file: InputFile, options: RowOptions) -> Shard:
    """A file as one shard, whatever its size.

    Raises:
        PolytagError: It has no rows, lacks a column or is damaged.
    """
    first, *others = _shards(file, options)
    return replace(first, rows=first.rows + sum(shard.rows for shard in others), part=None)


def _shards(file: InputFile, options: RowOptions) -> list[Shard]:
    form = options.input_format or format_of(file.name.removesuffix(".gz"))
    with explained(file.path):
        if form == "parquet":
            parts = _row_groups(file, options)
        else:
            if form != "jsonl" and options.named:
                raise PolytagError(
                    f"{file.path!r} is read as {form}, which has no columns with names. Leave out --text-column, "
                    "--tokens-column and --document-column, or name another format with --input."
                )
            parts = list(_lines(file, form, options))
    if not sum(rows for rows, *_ in parts):
        raise PolytagError(f"The file {file.path!r} has no rows. Leave it out.")
    name = PurePosixPath(file.name)
    stem = name.name.removesuffix(".gz")
    stem = stem.removesuffix(PurePosixPath(stem).suffix) or stem
    names = [stem] if len(parts) == 1 else [f"{stem}-{number:05d}" for number in range(len(parts))]
    return [
        Shard(
            file.path,
            form,
            str(name.with_name(f"{own}.{options.output_format}")),
            rows,
            before,
            None if len(parts) == 1 else (start, end),
            file.version,
        )
        for own, (rows, before, start, end) in zip(names, parts, strict=True)
    ]


def _row_groups(file: InputFile, options: RowOptions) -> list[_Part]:
    """Consecutive row groups of a Parquet file, by their number."""
    import pyarrow.parquet as pq

    with open_bytes_of(file.path) as source:
        with explained_parquet(file.path):
            opened = pq.ParquetFile(source)
        columns = content_columns(opened.schema_arrow, options, repr(file.path))
        sizes = [opened.metadata.row_group(group).num_rows for group in range(opened.metadata.num_row_groups)]
    borders, size = [0], 0
    if columns.document is None:  # a document may cross row groups
        for group, rows in enumerate(sizes[:-1]):
            size += rows
            if size >= SHARD_ROWS:
                borders.append(group + 1)
                size = 0
    borders.append(len(sizes))
    return [_Part(sum(sizes[start:end]), sum(sizes[:start]), start, end) for start, end in pairwise(borders)]


def _lines(file: InputFile, form: str, options: RowOptions) -> Iterator[_Part]:
    """Consecutive lines of a text file, by their bytes."""
    encoding = options.reading.encoding
    with open_bytes_of(file.path) as source:
        head = source.read(_HEAD)
        splittable = form in _OF_LINES and is_plain(file.path, head, encoding)
        if form == "jsonl":
            splittable = not _has_documents(_first_object(source, head, file, options), options) and splittable
        if splittable:
            source.seek(0)
            yield from _counted(source, blank_lines=form != "jsonl")
            return
    with on_disk(file.path) as path:
        lines = lines_with_bad_bytes(path, encoding)
        if form == "document":
            rows = int(any(line.strip() for _, line in lines))
        elif form == "conll":
            rows = sum(1 for _ in sentences_of_columns(lines, file.path, options.reading, lambda _: None))
        else:
            rows = sum(1 for _, line in lines if form != "jsonl" or line.strip())
    yield _Part(rows)


def is_plain(path: str, head: bytes, encoding: str | None) -> bool:
    """Whether the file with these first bytes is UTF-8, not compressed, and has lines that end with a line feed."""
    if head.startswith(_GZIP) or (b"\r" in head and b"\n" not in head):
        return False
    return encoding_of(Path(path), head, encoding) in ("utf-8", "utf-8-sig")


def _counted(source: IO[bytes], blank_lines: bool) -> Iterator[_Part]:
    rows = start = end = first = 0
    for number, line in enumerate(source):
        if rows == SHARD_ROWS:
            yield _Part(rows, first, start, end)
            rows, first, start = 0, number, end
        end += len(line)
        rows += blank_lines or bool(line.strip())
    if rows or not start:
        yield _Part(rows, first, start, end)


def _first_object(source: IO[bytes], head: bytes, file: InputFile, options: RowOptions) -> dict[str, Any]:
    """The first object of JSON Lines; empty if the line is none, which is found when the line is tagged.

    Raises:
        PolytagError: It lacks the field to tag, or has one that tagging adds.
    """
    if head.startswith(_GZIP):
        source.seek(0)
        with gzip.open(source) as opened:
            head = opened.read(_HEAD)
    text = head.decode(encoding_of(Path(file.path), head, options.reading.encoding), errors="replace")
    line = next(filter(str.strip, text.removeprefix("\ufeff").splitlines()), "")
    with suppress(ValueError):
        found = parse_json(line)
        if isinstance(found, dict):
            fields = options.fields
            used = next((name for name in fields if name in found), None)
            if used is None:
                raise PolytagError(
                    f"The first object of {file.path!r} has no field {' or '.join(map(repr, fields))}; it has "
                    f"{shorten(', '.join(found), 200) or 'none'}. Name one: --text-column NAME or --tokens-column NAME."
                )
            check_free([name for name in found if name != used], isinstance(found[used], list), repr(file.path))
            return found
    return {}


def _has_documents(first: dict[str, Any], options: RowOptions) -> bool:
    return options.document_column is not None or (DOCUMENT in first and not isinstance(first.get(TEXT), str))
