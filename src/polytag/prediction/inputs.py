"""Read the input of `polytag predict`."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from polytag.corpus.column_sample import SAMPLE
from polytag.corpus.dialect import column_rows, recognise_dialect
from polytag.corpus.sentences import HALF_CHARACTER
from polytag.corpus.word_patterns import word_in, word_pattern
from polytag.encoding.json_values import parse_json
from polytag.errors import CorpusError, PolytagError, shorten
from polytag.plugin.reader import ReadingOptions

INPUT_FORMATS = ("text", "document", "words", "conll", "jsonl")
STDIN = "standard input"
_BY_ENDING = {".jsonl": "jsonl", ".tsv": "conll"} | dict.fromkeys(
    (".bio", ".bio2", ".bioes", ".bmes", ".col", ".conll", ".conll2000", ".conll2003", ".iob", ".iob2", ".iobes"),
    "conll",
)

_OF_CORPORA = (".ann", ".conllu", ".conllup", ".json", ".parquet", ".spacy")
Item = tuple[str | list[str], int | None]
"""A text, or the words of a sentence; and the document of the sentence, if known."""

Lines = Iterator[tuple[int, str]]


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
            f"The file {str(path)!r} cannot be read: {error.strerror}. To tag text, pass it on standard input: echo "
            "TEXT | polytag predict TAGGER -"
        ) from error


def words_of_columns(
    lines: Lines, name: str, options: ReadingOptions, sample: int = SAMPLE
) -> Iterator[tuple[list[str], int]]:
    """The words of each sentence, with the number of documents that have begun so far.

    Args:
        lines: The lines.
        name: Name of the file, for messages.
        options: What the user says about its form; the rest is recognised.
        sample: Number of lines to wait for before its form is judged.

    Raises:
        PolytagError: The form cannot be decided, or a line lacks the column of words.
    """
    texts = (line for _, line in lines)
    head = list(itertools.islice(texts, sample))
    try:
        dialect = recognise_dialect(head, options)
    except CorpusError as error:
        raise PolytagError(f"{name}, {error}") from None
    index = None if options.columns else dialect.index
    pattern = word_pattern(options.word_pattern)
    words: list[str] = []
    document = 0
    for row in column_rows(itertools.chain(head, texts), dialect):
        if row.starts_sentence and words:
            yield words, document
            words = []
        document += row.starts_document
        cell = row.cells[dialect.words] if dialect.words < len(row.cells) else ""
        if not cell:
            raise PolytagError(
                f"{name}, line {row.number}: {shorten(row.line)!r} has no word in column {dialect.words + 1}. Repair "
                "the line, or name the columns: --columns tokens,_"
            )
        if words and index is not None and row.cells[index : index + 1] in (["0"], ["1"]):
            raise PolytagError(
                f"{name}, line {row.number}: column {index + 1} numbers the words of a sentence, and starts anew here. "
                "Insert an empty line before it, or name the columns: --columns "
                f"{','.join('tokens' if at == dialect.words else '_' for at in range(len(dialect.names)))}"
            )
        words.append(cell if pattern is None else word_in(cell, pattern, f"{name}, line {row.number}"))
    if words:
        yield words, document


def kind_of(item: Item) -> tuple[type, bool]:
    """A key that is equal for items that can be tagged together: texts, or sentences with or without documents."""
    return type(item[0]), item[1] is not None


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
            record = parse_json(line)
        except ValueError as error:
            raise PolytagError(f"{name}, line {number}: not JSON: {error}. Write one object per line.") from error
        found = record.get("text", record.get("tokens")) if isinstance(record, dict) else None
        if isinstance(found, str) or (isinstance(found, list) and all(isinstance(word, str) for word in found)):
            if HALF_CHARACTER.search("".join(found)):
                raise PolytagError(
                    f"{name}, line {number}: an escape such as \\ud83d is half a character. Write both halves, or the "
                    "character itself."
                )
            document = record.get("document") if isinstance(found, list) else None
            if not isinstance(document, int | str | None):
                raise PolytagError(f'{name}, line {number}: "document" is {document!r}. Use a number or a string.')
            yield found, None if document is None else documents.setdefault(document, len(documents))
        else:
            raise PolytagError(
                f'{name}, line {number}: the object has neither a string "text" nor a list of strings "tokens". Add one'
                " of them."
            )


def decoded_lines(source: IO[bytes], name: str, encoding: str | None = None) -> Lines:
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
def open_input(file: str) -> Iterator[IO[bytes]]:
    """A file, or standard input for `-`.

    Raises:
        PolytagError: The file cannot be opened.
    """
    if file == "-":
        yield sys.stdin.buffer
        return
    try:
        source = Path(file).open("rb")  # noqa: SIM115  # closed below; errors while reading are handled elsewhere
    except OSError as error:
        raise PolytagError(f"The file {file!r} cannot be read: {error.strerror}.") from error
    with source:
        yield source
