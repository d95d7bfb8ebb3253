"""The lines of text files, in any encoding that they declare or the user names, compressed or not."""

from __future__ import annotations

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

from polytag.errors import CorpusError

_BOM = codecs.BOM_UTF8
GZIP = b"\x1f\x8b"
_HEAD = 65_536
# UTF-32 first: its mark for little-endian order begins with that of UTF-16.
_DECLARED = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_UTF8 = frozenset({"utf-8", "utf-8-sig"})


class EncodingError(CorpusError):
    """A text file is not UTF-8, and nobody has named its encoding.

    Args:
        problem: The first sentence of the message, without its full stop.
        advice: What to do, where there is an option `--encoding`.
    """

    def __init__(self, problem: str, advice: str) -> None:
        super().__init__(f"{problem}. {advice}")
        self.problem = problem


class TextForm(NamedTuple):
    r"""Storage of a text file: encoding, compression and line ends.

    Attributes:
        encoding: Its encoding, as Python names it.
        compressed: Whether it is compressed with gzip.
        line_end: `\n`, `\r\n` or `\r`.
    """

    encoding: str
    compressed: bool
    line_end: str


def text_form(path: Path, encoding: str | None = None) -> TextForm:
    """The storage of a text file, judged by its first bytes.

    Args:
        path: The file.
        encoding: Its encoding, if the user named it.

    Raises:
        CorpusError: Python does not know the encoding, or the file looks like UTF-16 and does not say so.
        OSError: The file cannot be read.
    """
    with open_bytes(path) as file:
        head = file.read(_HEAD)
        known = encoding_of(path, head, encoding)
        text = head.decode(known, errors="replace")
        end = "\r\n" if "\r\n" in text else "\r" if "\r" in text and "\n" not in text else "\n"
        return TextForm(known, isinstance(file, gzip.GzipFile), end)


def text_ending(path: Path) -> str:
    """The extension of a file in lower case, without `.gz`: `.conll` for `train.CONLL.gz`."""
    ending = path.suffix.lower()
    return Path(path.stem).suffix.lower() if ending == ".gz" else ending


def text_lines(path: Path, encoding: str | None = None) -> Iterator[tuple[int, str]]:
    r"""The lines of a text file with their numbers from 1, without line ends and byte order marks.

    A line ends with `\n` or `\r\n`, or, in a file without `\n`, with `\r`: other characters that Unicode counts as line
    ends occur inside words. A byte order mark at the start of a line, where files were joined, is not content.

    Args:
        path: The file; if it is compressed with gzip, its content is read.
        encoding: Its encoding, as Python names it; by default UTF-16 or UTF-32 if its byte order mark says so, and else
            UTF-8.

    Raises:
        CorpusError: Python does not know the encoding, or a line is not in it; the message names line and byte.
        OSError: The file cannot be read.
    """
    yield from _lines(path, encoding, "strict")


def lines_with_bad_bytes(path: Path, encoding: str | None = None) -> Iterator[tuple[int, str]]:
    """The lines of a text file, as `text_lines` reads them, where a line that is not UTF-8 concerns its row alone.

    Bytes that are not UTF-8 become halves of characters, as Python's `surrogateescape` makes them.

    Raises:
        CorpusError: Python does not know the encoding, or a line is not in it and it is not UTF-8.
        OSError: The file cannot be read.
    """
    yield from _lines(path, encoding, "surrogateescape")


def _lines(path: Path, encoding: str | None, errors: str) -> Iterator[tuple[int, str]]:
    try:
        with open_bytes(path) as file:
            head = file.read(_HEAD)
            file.seek(0)
            known = encoding_of(path, head, encoding)
            if known in _UTF8:
                yield from _utf8_lines(path, file, head, errors)
            else:
                yield from _other_lines(path, file, known)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise CorpusError(f"{path} is damaged: it cannot be decompressed ({error}). Compress it again.") from error


def open_bytes(path: Path) -> IO[bytes]:
    """The content of a file, decompressed if it is compressed with gzip.

    Raises:
        OSError: The file cannot be read.
    """
    file = path.open("rb")
    compressed = file.read(len(GZIP)) == GZIP
    file.seek(0)
    if not compressed:
        return file
    file.close()
    return gzip.open(path, "rb")  # type: ignore[return-value]  # a reader of bytes


def whole_text(path: Path, encoding: str | None = None) -> str:
    r"""The content of a text file with its line ends as they are, for formats whose offsets count them.

    Args:
        path: The file; if it is compressed with gzip, its content is read.
        encoding: Its encoding, as in `text_lines`.

    Raises:
        CorpusError: Python does not know the encoding, or a line is not in it; the message names line and byte.
        OSError: The file cannot be read.
    """
    for _ in text_lines(path, encoding):  # raises an error that names the line
        pass
    with open_bytes(path) as file:
        content = file.read()
    return content.decode(encoding_of(path, content[:_HEAD], encoding))


def encoding_of(path: Path, head: bytes, encoding: str | None) -> str:
    """The encoding of a text file: the named one, or what its first bytes say.

    Raises:
        CorpusError: Python does not know the encoding, or the file looks like UTF-16 and does not say so.
    """
    if encoding is not None:
        try:
            name = codecs.lookup(encoding).name
            "".encode(name)  # not for codecs that turn bytes into bytes
        except LookupError as error:
            raise CorpusError(
                f"--encoding {encoding!r} is no encoding that Python knows. Examples: utf-8, utf-16, latin-1, cp1252."
            ) from error
        return name
    for mark, name in _DECLARED:
        if head.startswith(mark):
            return name
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) > len(head) / 4:
        likely = "utf-16-be" if even > odd else "utf-16-le"
        raise EncodingError(f"{path} looks like UTF-16 without a byte order mark", f"Name it: --encoding {likely}")
    return "utf-8"


def _utf8_lines(path: Path, file: IO[bytes], head: bytes, errors: str) -> Iterator[tuple[int, str]]:
    offset = 0
    rows = file if b"\n" in head or b"\r" not in head else re.findall(rb"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+\Z", file.read())
    for number, raw in enumerate(rows, 1):
        line = raw.removeprefix(_BOM)
        try:
            yield number, line.decode("utf-8", errors).rstrip("\r\n")
        except UnicodeDecodeError as error:
            column = error.start + len(raw) - len(line)
            raise EncodingError(
                f"{path.name}:{number}: byte {column + 1} of this line (0x{raw[column]:02x}, offset {offset + column} "
                f"of {path}) is not valid UTF-8",
                "Repair the line, or name the encoding of the file, for instance --encoding cp1252 (Western Europe).",
            ) from None
        offset += len(raw)


def _other_lines(path: Path, file: IO[bytes], encoding: str) -> Iterator[tuple[int, str]]:
    number = 0
    try:
        with io.TextIOWrapper(file, encoding, newline="") as text:
            for number, line in enumerate(text, 1):  # the message names the last line
                yield number, line.removeprefix("\ufeff").rstrip("\r\n")
    except UnicodeError as error:
        raise CorpusError(
            f"{path.name}:{number + 1}: this line or the next is not valid {encoding} ({error}). Repair it, or name "
            f"the encoding of {path} with --encoding."
        ) from None
