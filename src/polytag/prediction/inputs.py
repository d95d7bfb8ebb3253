"""Read the input of `polytag predict`."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

from polytag.corpus.sentences import HALF_CHARACTER
from polytag.corpus.text_files import text_ending
from polytag.encoding.json_values import parse_json, without_infinities
from polytag.errors import PolytagError
from polytag.files import expand_home
from polytag.prediction.column_files import Lines

INPUT_FORMATS = ("text", "document", "words", "conll", "jsonl")
PARQUET = "parquet"
STDIN = "standard input"
TEXT = "--text"
"""Name of a text given on the command line, in messages."""
_BY_ENDING = {".jsonl": "jsonl", ".parquet": PARQUET, ".tsv": "conll"} | dict.fromkeys(
    (".bio", ".bio2", ".bioes", ".bmes", ".col", ".conll", ".conll2000", ".conll2003", ".iob", ".iob2", ".iobes"),
    "conll",
)

_TEXTS = (".txt", ".text")
_OF_CORPORA = (".ann", ".conllu", ".conllup", ".json", ".spacy")


class Item(NamedTuple):
    """A piece of the input that gives one result.

    Attributes:
        content: A text, or the words of a sentence.
        document: The document of a sentence, if known.
        others: What else its record has, to be passed on.
    """

    content: str | list[str]
    document: int | None = None
    others: Mapping[str, Any] = {}


def format_of(file: str) -> str:
    """The input format of a file, by its extension.

    Raises:
        PolytagError: The extension belongs to a corpus format that is not supported here.
    """
    ending = Path(file).suffix.lower()
    if ending in _OF_CORPORA:
        raise PolytagError(
            f"The file {file!r} has the extension of a corpus format that `polytag predict` does not read. Convert it, "
            f"`polytag corpus convert {file} FOLDER --format column`, and tag the result; or name its format with "
            "--input."
        )
    return _BY_ENDING.get(ending, "text")


def has_known_extension(name: str) -> bool:
    """Whether a file in a folder is one to tag: others, such as a README, are left out."""
    ending = text_ending(Path(name))
    return ending in _BY_ENDING or ending in _TEXTS


def check_file(path: Path) -> None:
    """Check that a file exists and is not a folder.

    Raises:
        PolytagError: The file does not exist, or is a folder.
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
            f"The file {str(path)!r} cannot be read: {error.strerror}. To tag text itself: polytag predict "
            "TAGGER --text TEXT"
        ) from error


def check_output(output: str | Path | None, *inputs: str) -> None:
    """Check that a file to write is none of the files to read, which it would replace.

    Raises:
        PolytagError: It is one of them.
    """
    if output is None:
        return
    for name in inputs:
        with suppress(OSError):  # one of them does not exist, or is a URL
            if expand_home(output).samefile(name):
                raise PolytagError(
                    f"The output {str(output)!r} is the input, and would replace it. Choose another file."
                )


def kind_of(item: Item) -> tuple[type, bool]:
    """A key that is equal for items that can be tagged together: texts, or sentences with or without documents."""
    return type(item.content), item.document is not None


def objects(lines: Lines, name: str) -> Iterator[Item]:
    """The items of JSON Lines: each is a text or the words of a sentence.

    Args:
        lines: The lines.
        name: Name of the file, for messages.

    Raises:
        PolytagError: A line is not JSON, or has neither a text nor words.
    """
    documents: dict[Hashable, int] = {}
    for number, line in lines:
        if not line.strip():
            continue
        try:
            found = parsed_object(line)
        except ValueError as error:
            raise PolytagError(f"{name}, line {number}: {error}") from error
        document = found.document
        number_of_document = None if document is None else documents.setdefault(document, len(documents))
        yield Item(found.content, number_of_document, found.others)


class ParsedObject(NamedTuple):
    """A line of JSON Lines.

    Attributes:
        content: Its text, or its words.
        document: The document of words, if it is said.
        others: Its other fields.
        used: The name of the field with the content.
    """

    content: str | list[str]
    document: int | str | None
    others: dict[str, Any]
    used: str


def parsed_object(
    line: str, fields: Sequence[str] = ("text", "tokens"), document_field: str = "document"
) -> ParsedObject:
    """Read a line of JSON Lines.

    Args:
        line: The line.
        fields: Names of the fields that may have the content; the first that exists has it.
        document_field: The field that says which sentences of words belong together.

    Raises:
        ValueError: It is not JSON, or has no content; the message says what to do.
    """
    try:
        record = parse_json(line)
    except ValueError as error:
        raise ValueError(f"not JSON: {error}. Write one object per line.") from error
    used = next((name for name in fields if name in record), "") if isinstance(record, dict) else ""
    found = record[used] if used else None
    if not (isinstance(found, str) or (isinstance(found, list) and all(isinstance(word, str) for word in found))):
        if tuple(fields) != ("text", "tokens"):
            raise ValueError(
                f"the object has neither a string nor a list of strings in {' or '.join(map(repr, fields))}."
            )
        raise ValueError('the object has neither a string "text" nor a list of strings "tokens". Add one of them.')
    if "\\u" in line and HALF_CHARACTER.search(json.dumps(record, ensure_ascii=False)):
        raise ValueError("an escape such as \\ud83d is half a character. Write both halves, or the character itself.")
    document = record.get(document_field) if isinstance(found, list) else None
    if not isinstance(document, int | str | None):
        raise ValueError(f'"{document_field}" is {document!r}. Use a number or a string.')
    others = {key: value for key, value in record.items() if key != used}
    return ParsedObject(found, document, without_infinities(others), used)


def split_at_blanks(line: str) -> list[str]:
    """The words of a line, separated by spaces or tabs."""
    # Not str.split(), as words may contain no-break spaces.
    return [word for word in line.replace("\t", " ").split(" ") if word]


def decoded_lines(source: Iterable[bytes], name: str, encoding: str | None = None) -> Lines:
    """The lines of standard input, numbered from 1, without line ends.

    Raises:
        PolytagError: A line is not in the encoding, which is UTF-8 by default, or cannot be read.
    """
    try:
        for number, line in enumerate(source, start=1):
            yield number, line.decode(encoding or "utf-8").removeprefix("\ufeff").rstrip("\r\n")
    except (UnicodeDecodeError, LookupError) as error:
        where = f", byte {error.start + 1}" if isinstance(error, UnicodeDecodeError) else ""
        raise PolytagError(
            f"{name}, line {number}{where}: not {encoding or 'UTF-8'}. Name its encoding, for instance "
            "--encoding cp1252."
        ) from error
    except OSError as error:
        raise PolytagError(f"{name} cannot be read: {error.strerror}. Check its type.") from error


@contextmanager
def open_input(file: str, text: str | None = None) -> Iterator[IO[bytes]]:
    """A text itself, else a file, or standard input for `-`.

    Raises:
        PolytagError: The file cannot be opened.
    """
    if text is not None:
        yield io.BytesIO(text.encode("utf-8", "surrogateescape"))
        return
    if file == "-":
        yield sys.stdin.buffer
        return
    try:
        source = Path(file).open("rb")  # noqa: SIM115  # closed below; errors while reading are handled elsewhere
    except OSError as error:
        raise PolytagError(f"The file {file!r} cannot be read: {error.strerror}.") from error
    with source:
        yield source
