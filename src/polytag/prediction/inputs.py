"""Read what is to be tagged."""

from __future__ import annotations

import json
import sys
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from polytag.corpus.dialect import column_rows
from polytag.corpus.sentences import HALF_CHARACTER
from polytag.errors import PolytagError

INPUT_FORMATS = ("text", "document", "words", "conll", "jsonl")
STDIN = "standard input"
_BY_ENDING = {".jsonl": "jsonl", ".tsv": "conll"} | dict.fromkeys(
    (".bio", ".bio2", ".bioes", ".bmes", ".col", ".conll", ".conll2000", ".conll2003", ".iob", ".iob2", ".iobes"),
    "conll",
)

_OF_CORPORA = (".ann", ".conllu", ".conllup", ".json", ".parquet", ".spacy")
Item = tuple[str | list[str], int | None]
"""A text, or the words of a sentence, and the sentence's document where that is known."""

Lines = Iterator[tuple[int, str]]


def format_of(file: str) -> str:
    """The input format that a file's ending stands for.

    Raises:
        PolytagError: It is the ending of a corpus in a format that is not read here.
    """
    ending = Path(file).suffix.lower()
    if ending in _OF_CORPORA:
        raise PolytagError(
            f"The file {file!r} ends as corpora do that `polytag predict` does not read. Convert it, `polytag corpus "
            f"convert {file} FOLDER --format column`, and tag what that writes; or say what it holds with --input."
        )
    return _BY_ENDING.get(ending, "text")


def check_file(path: Path) -> None:
    """Make sure that a file exists and is no folder.

    Raises:
        PolytagError: It does not, or is one.
    """
    try:
        if path.is_dir():
            raise PolytagError(f"{str(path)!r} is a folder. Name a file in it, or give - for standard input.")
        if not path.exists():
            raise PolytagError(
                f"The file {str(path)!r} does not exist. Check the path, or give - for standard input: echo TEXT | "
                "polytag predict TAGGER -"
            )
    except OSError as error:
        raise PolytagError(
            f"The file {str(path)!r} cannot be read: {error.strerror}. To tag text, give it on standard input: echo "
            "TEXT | polytag predict TAGGER -"
        ) from error


def first_columns(lines: Lines) -> Iterator[tuple[list[str], int]]:
    """The words of each sentence, and how many documents have begun by then."""
    words: list[str] = []
    document = 0
    for row in column_rows(line for _, line in lines):
        if row.starts_sentence and words:
            yield words, document
            words = []
        document += row.starts_document
        words.append(next(filter(None, row.cells)))
    if words:
        yield words, document


def kind_of(item: Item) -> tuple[type, bool]:
    """What can be tagged together: texts or sentences of words, with or without documents."""
    return type(item[0]), item[1] is not None


def objects(lines: Lines, name: str) -> Iterator[Item]:
    """The items of JSON Lines: a text or the words of a sentence each.

    Args:
        lines: The lines.
        name: Name of the file, for messages.

    Raises:
        PolytagError: A line is not JSON, or has neither.
    """
    documents: dict[Hashable, int] = {}
    for number, line in lines:
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as error:
            raise PolytagError(f"{name}, line {number}: not JSON: {error}. Write one object a line.") from error
        found = record.get("text", record.get("tokens")) if isinstance(record, dict) else None
        if isinstance(found, str) or (isinstance(found, list) and all(isinstance(word, str) for word in found)):
            if HALF_CHARACTER.search("".join(found)):
                raise PolytagError(
                    f"{name}, line {number}: an escape such as \\ud83d stands for half a character. Write both halves, "
                    "or the character itself."
                )
            document = record.get("document") if isinstance(found, list) else None
            if not isinstance(document, int | str | None):
                raise PolytagError(f'{name}, line {number}: "document" is {document!r}. Make it a number or a string.')
            yield found, None if document is None else documents.setdefault(document, len(documents))
        else:
            raise PolytagError(
                f'{name}, line {number}: the object has neither a string "text" nor a list of strings "tokens". Add one'
                " of them."
            )


def decoded_lines(source: IO[bytes], name: str) -> Lines:
    """The lines of a file, numbered from 1, without their ends.

    Raises:
        PolytagError: They are not UTF-8, or cannot be read.
    """
    try:
        for number, line in enumerate(source, start=1):
            yield number, line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise PolytagError(
            f"{name}, line {number}, byte {error.start + 1}: not UTF-8. Convert the file: iconv -f latin1 -t utf-8"
        ) from error
    except OSError as error:
        raise PolytagError(f"{name} cannot be read: {error.strerror}. Check what it is.") from error


@contextmanager
def open_input(file: str) -> Iterator[IO[bytes]]:
    """A file, or standard input for `-`.

    Raises:
        PolytagError: It cannot be opened.
    """
    if file == "-":
        yield sys.stdin.buffer
        return
    try:
        source = Path(file).open("rb")  # noqa: SIM115  # closed below; an error while reading is not an error of opening
    except OSError as error:
        raise PolytagError(f"The file {file!r} cannot be read: {error.strerror}.") from error
    with source:
        yield source
