"""Read word vectors from files: word2vec (text and binary), GloVe, fastText and floret."""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from collections.abc import Callable, Set
from pathlib import Path
from typing import IO, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from polytag.corpus.text_files import GZIP
from polytag.errors import PolytagError, shorten
from polytag.training.floret import FloretTable

_LONGEST = 2**20
"""Maximum bytes of a line, and of a word of a binary file: a file without line ends must not fill the memory."""

_NO_TEXT = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_NUMBER_BYTES = 4
_MAX_WIDTH = 4096
_LARGEST_NUMBER = 1e9
"""Vectors have numbers near 1; the squares of such a large one, and sums of them, still fit into float32."""
_FLORET_FIELDS = 8
_REPORT_EVERY = 20_000


_OTHER_FORMATS = {
    b"PK\x03\x04": "a ZIP archive. Unpack it, and name a file of it",
    b"BZh9": "compressed with bzip2. Decompress it",
    b"\xfd7zXZ": "compressed with xz. Decompress it",
    b"\xba\x16\x4f\x2f": "a model of fastText (`.bin`). Take its file of vectors (`.vec`)",
    b"\x93NUMPY": "an array of NumPy, without words. Take a file of word2vec, GloVe, fastText (`.vec`) or floret",
}
"""How files begin that are offered for download next to vectors, or instead of them."""


class FileVectors(NamedTuple):
    """Vectors of a file.

    Attributes:
        words: The words.
        vectors: float32 (words, width).
        form: The format of the file, for people.
    """

    words: list[str]
    vectors: NDArray[np.float32]
    form: str


def read_vectors(
    path: Path, needed: Set[str], most_frequent: int, report: Callable[[float], None] = lambda share: None
) -> FileVectors:
    """Read the vectors of some words; the file is read line by line, and no other vectors are kept.

    The format follows from the first line: `words width` begins word2vec's formats, text or binary, and fastText's
    `.vec`; eight fields begin floret's; GloVe's files begin with a word and its vector. Each can be compressed with
    gzip. Words are in the order of their frequency in all of them but floret's, which has no words: there, vectors are
    computed for the needed words.

    Args:
        path: The file.
        needed: Words that are looked for, as they are written and in lower case.
        most_frequent: Number of first words of the file whose vectors are read in addition.
        report: Called now and then with the share of the file that has been read.

    Raises:
        PolytagError: The file is empty, cannot be read, or has a malformed line; the message names file and line.
    """
    try:
        size = max(path.stat().st_size, 1)
        with path.open("rb") as raw:
            file: IO[bytes] = raw
            if raw.read(len(GZIP)) == GZIP:
                file = gzip.GzipFile(fileobj=raw)  # type: ignore[assignment]  # a reader of bytes
            raw.seek(0)
            found = _Reading(path, file, needed, most_frequent, lambda: report(raw.tell() / size)).read()
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise PolytagError(f"{path} is damaged: it cannot be decompressed ({error}). Download it again.") from error
    except OSError as error:
        raise PolytagError(
            f"The file of vectors {str(path)!r} cannot be read: {error.strerror or error}. Check the path."
        ) from error
    if not found.words:
        raise PolytagError(
            f"{path} has a vector for no word of the corpus, and none are taken in addition. Is it for another "
            "language? Choose another file, or more with --vector-words."
        )
    return found


class _Reading:
    """A file that is being read."""

    def __init__(
        self, path: Path, file: IO[bytes], needed: Set[str], most_frequent: int, report: Callable[[], None]
    ) -> None:
        self._path, self._file = path, file
        self._needed = needed | {word.lower() for word in needed}
        self._most_frequent = most_frequent
        self._report = report
        self._rows: dict[str, NDArray[np.float32]] = {}

    def read(self) -> FileVectors:
        first = self._line(1).removeprefix(codecs.BOM_UTF8)
        if not first:
            raise PolytagError(f"{self._path} is empty. Download the vectors again.")
        for mark, what in _OTHER_FORMATS.items():
            if first.startswith(mark):
                raise PolytagError(f"{self._path} is {what}.")
        fields = first.split()
        if len(fields) == _FLORET_FIELDS and all(map(_is_count, fields[:6])):
            return self._floret(fields)
        if len(fields) == 2 and all(map(_is_count, fields)):
            count, width = map(int, fields)
            if not 1 <= width <= _MAX_WIDTH or not count:
                self._refuse(1, f"it declares {count} words and vectors of {width} numbers")
            if self._is_binary(width):
                self._binary(count, width)
                return self._found(width, "word2vec, binary")
            self._text(width, 2, count)
            return self._found(width, "word2vec or fastText, text")
        width = len(fields) - 1
        if not 2 <= width <= _MAX_WIDTH or _number(fields[-1]) is None:
            self._refuse(
                1, f"{_shown(first)} is neither a word with its vector nor a header: the numbers of words and columns"
            )
        self._keep(1, *self._parts(1, first, width))
        self._text(width, 2)
        return self._found(width, "GloVe, text")

    def _found(self, width: int, form: str) -> FileVectors:
        vectors = np.array(list(self._rows.values()), dtype=np.float32).reshape(-1, width)
        return FileVectors(list(self._rows), vectors, form)

    def _text(self, width: int, number: int, count: int | None = None) -> None:
        """Read the lines from `number` on; `count` of them if the file declares it."""
        last = None if count is None else number + count
        while line := self._line(number):
            if number == last:
                if line.strip():
                    self._refuse(number, f"it follows the {count:,} words that line 1 declares")
                continue
            self._keep(number, *self._parts(number, line, width))
            number += 1
            if number % _REPORT_EVERY == 0:
                self._report()
        if last is not None and number < last:
            raise PolytagError(
                f"{self._path} ends after line {number - 1:,}: line 1 declares {count:,} words. Download it again."
            )

    def _parts(self, number: int, line: bytes, width: int) -> tuple[bytes, list[bytes]]:
        """The word and the numbers of a line; in GloVe's files, words can have spaces."""
        fields = line.rstrip().rsplit(None, width)
        if len(fields) != width + 1:
            found = max(len(line.split()) - 1, 0)
            self._refuse(number, f"it has {found} numbers after the word, and the vectors have {width}: {_shown(line)}")
        return fields[0], fields[1:]

    def _keep(self, number: int, raw: bytes, numbers: list[bytes]) -> None:
        word = self._decoded(number, raw)
        if not self._is_wanted(word):
            return
        found = [_number(text) for text in numbers]
        for text, value in zip(numbers, found, strict=True):
            if value is None:
                where = f"{_shown(text)} in the vector of {shorten(word)!r}"
                self._refuse(number, f"{where} is not a finite number below 1e9")
        self._rows[word] = np.array(found, dtype=np.float32)

    def _is_wanted(self, word: str) -> bool:
        return word not in self._rows and (word in self._needed or len(self._rows) < self._most_frequent)

    def _is_binary(self, width: int) -> bool:
        """Whether what follows the first word is not text."""
        start = self._file.tell()
        head = self._file.read(_LONGEST)
        self._file.seek(start)
        vector = head.partition(b" ")[2][: _NUMBER_BYTES * width]
        try:
            text = codecs.getincrementaldecoder("utf-8")().decode(vector)  # the end may be a part of a character
        except UnicodeDecodeError:
            return True
        return bool(_NO_TEXT.search(text))

    def _binary(self, count: int, width: int) -> None:
        size = _NUMBER_BYTES * width
        for number in range(1, count + 1):
            raw = bytearray()
            while (byte := self._file.read(1)) not in (b" ", b""):
                raw += byte
                if len(raw) > _LONGEST:
                    self._refuse_word(number, "it has no end")
            data = self._file.read(size)
            if len(data) < size:
                raise PolytagError(
                    f"{self._path} ends in word {number:,} of the {count:,} that its first line declares. Either it is "
                    "incomplete, or a text file whose second line is malformed. Download it again."
                )
            word = self._decoded(number, bytes(raw).lstrip(b"\n"), "word")
            if self._is_wanted(word):
                vector = np.frombuffer(data, dtype="<f4")
                if not (np.abs(vector) < _LARGEST_NUMBER).all():
                    self._refuse_word(
                        number, f"the vector of {shorten(word)!r} has values that are not finite numbers below 1e9"
                    )
                self._rows[word] = vector.astype(np.float32)
            if number % _REPORT_EVERY == 0:
                self._report()
        if self._file.read(_LONGEST).strip():
            self._refuse_word(count + 1, f"it follows the {count:,} words that the first line declares")

    def _floret(self, fields: list[bytes]) -> FileVectors:
        buckets, width, shortest, longest, hashes, seed = map(int, fields[:6])
        table_fits = 0 < buckets < 2**31 and 0 < width <= _MAX_WIDTH and 0 < shortest <= longest and 1 <= hashes <= 4
        if not table_fits:
            self._refuse(1, f"{_shown(b' '.join(fields))} is no header of floret")
        lines: list[NDArray[np.float32]] = []
        for index in range(buckets):
            number = index + 2
            line = self._line(number)
            if not line:
                raise PolytagError(
                    f"{self._path} ends after line {number - 1:,}: line 1 declares {buckets:,} rows. Download it again."
                )
            name, numbers = self._parts(number, line, width)
            if name != str(index).encode():
                self._refuse(number, f"it begins with {_shown(name)}, and must begin with {index}")
            found = [_number(text) for text in numbers]
            if None in found:
                self._refuse(number, "it has values that are not finite numbers below 1e9")
            lines.append(np.array(found, dtype=np.float32))
            if number % _REPORT_EVERY == 0:
                self._report()
        if self._line(buckets + 2).strip():
            self._refuse(buckets + 2, f"it follows the {buckets:,} rows that line 1 declares")
        begin, end = (self._decoded(1, text) for text in fields[6:])
        table = FloretTable(np.stack(lines), shortest, longest, hashes, seed, begin, end)
        for word in sorted(self._needed):
            self._rows[word] = table.vector(word)
        return self._found(width, "floret")

    def _line(self, number: int) -> bytes:
        """The next line, empty at the end of the file."""
        line = self._file.readline(_LONGEST)
        if len(line) == _LONGEST:
            self._refuse(number, f"it is longer than {_LONGEST:,} bytes")
        return line

    def _decoded(self, number: int, raw: bytes, noun: str = "line") -> str:
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            self._refuse(number, f"the word {raw[:40]!r} is not UTF-8", noun)

    def _refuse_word(self, number: int, problem: str) -> NoReturn:
        self._refuse(number, problem, "word")

    def _refuse(self, number: int, problem: str, noun: str = "line") -> NoReturn:
        raise PolytagError(
            f"{self._path}, {noun} {number:,}: {problem}. Repair or remove the {noun}, or download the vectors again."
        )


def _is_count(text: bytes) -> bool:
    return text.isdigit() and len(text) < 16


def _number(text: bytes) -> float | None:
    """The number of a vector; None for other text, and for numbers that no vector has."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < _LARGEST_NUMBER else None


def _shown(text: bytes) -> str:
    return repr(shorten(text.decode("utf-8", "replace").strip()))
