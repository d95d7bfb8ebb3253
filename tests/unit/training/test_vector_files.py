"""Vectors of words from files of every format, and files that are wrong."""

import bz2
import gzip
import lzma
import struct
from pathlib import Path

import numpy as np
import pytest

from polytag.errors import PolytagError
from polytag.training.floret import FloretTable
from polytag.training.vector_files import FileVectors, read_vectors

WORDS = {"the": [0.5, -1.0, 2.0], "Paris": [1.5, 0.25, 0.0], "paris": [3.0, 3.0, 3.0], "rare": [9.0, 8.0, 7.0]}
LINES = "".join(f"{word} {' '.join(map(str, vector))}\n" for word, vector in WORDS.items())
HEADER = "4 3\n"
PARIS = [2, 3, 6, 15, 19, 21, 25, 27, 28, 31, 34, 38, 52, 53, 55, 61, 65, 66, 67, 73, 80, 86, 89, 96]
ZURICH = [
    *(0, 3, 4, 7, 9, 20, 24, 29, 34, 36, 37, 38, 40, 41, 42, 45, 46, 49, 53, 56, 57, 65, 66, 69, 74, 78, 80, 85, 88),
    91,
]


def binary(words: dict[str, list[float]], line_end: bytes = b"\n") -> bytes:
    rows = b"".join(word.encode() + b" " + struct.pack("<3f", *vector) + line_end for word, vector in words.items())
    return f"{len(words)} 3\n".encode() + rows


def read(path: Path, content: bytes | str, needed: set[str] = frozenset(), most_frequent: int = 9) -> FileVectors:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_vectors(path, needed, most_frequent)


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (LINES, "GloVe, text"),
        (HEADER + LINES, "word2vec or fastText, text"),
        ((HEADER + LINES).replace("\n", " \n"), "word2vec or fastText, text"),  # as fastText writes it
        ((HEADER + LINES).replace("\n", "\r\n"), "word2vec or fastText, text"),
        (LINES.replace(" ", "\t"), "GloVe, text"),
        ("\ufeff" + LINES, "GloVe, text"),
        ("\ufeff" + HEADER + LINES, "word2vec or fastText, text"),
        (binary(WORDS) + b"\n", "word2vec, binary"),
        (binary(WORDS), "word2vec, binary"),
        (binary(WORDS, b""), "word2vec, binary"),
        (gzip.compress(LINES.encode(), mtime=0), "GloVe, text"),
        (gzip.compress(binary(WORDS), mtime=0), "word2vec, binary"),
    ],
)
def test_each_format_is_recognised_by_its_content(tmp_path: Path, content: bytes | str, form: str) -> None:
    found = read(tmp_path / "vectors", content)
    assert found.form == form
    assert found.words == list(WORDS)
    assert found.vectors.tolist() == list(WORDS.values())


@pytest.mark.parametrize("content", [LINES, HEADER + LINES, binary(WORDS)])
def test_only_needed_and_most_frequent_words_are_kept(tmp_path: Path, content: bytes | str) -> None:
    assert read(tmp_path / "vectors", content, {"rare"}, 1).words == ["the", "rare"]
    assert read(tmp_path / "vectors", content, {"PARIS"}, 0).words == ["paris"], "a word also in lower case"


def test_the_first_of_two_vectors_of_a_word_counts(tmp_path: Path) -> None:
    assert read(tmp_path / "vectors", "a 1 2\na 3 4\n").vectors.tolist() == [[1, 2]]


def test_a_word_can_have_spaces(tmp_path: Path) -> None:
    assert read(tmp_path / "vectors", "a 1 2\n. . 3 4\n").words == ["a", ". ."]


def test_floret_computes_the_vector_of_each_needed_word(tmp_path: Path) -> None:
    table = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
    rows = "".join(f"{index} {x:.9g} {y:.9g}\n" for index, (x, y) in enumerate(table.tolist()))
    found = read(tmp_path / "vectors.floret", f"5 2 2 3 2 2166136261 < >\n{rows}", {"Ab"}, 9)
    assert (found.form, found.words) == ("floret", ["Ab", "ab"])
    expected = FloretTable(table, 2, 3, 2, 2166136261, "<", ">")
    np.testing.assert_allclose(found.vectors, [expected.vector("Ab"), expected.vector("ab")], rtol=1e-6)


def test_floret_looks_at_no_parts_that_are_longer_than_the_word() -> None:
    table, endless = (FloretTable(np.eye(97, dtype=np.float32), 3, longest, 2, 1, "<", ">") for longest in (9, 10**15))
    assert (table.vector("Paris") == endless.vector("Paris")).all()


@pytest.mark.parametrize(
    ("word", "rows"),
    [("a", [12, 67]), ("Paris", PARIS), ("Zürich", ZURICH)],
)
def test_floret_takes_the_rows_that_spacy_takes(word: str, rows: list[int]) -> None:
    """In a table with a one in a column for each row, a vector shows its rows; found with spaCy 3.8."""
    table = FloretTable(np.eye(97, dtype=np.float32), 3, 5, 2, 2166136261, "<", ">")
    assert np.flatnonzero(table.vector(word)).tolist() == rows


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "vectors is empty"),
        (LINES + "short 1 2\n", "line 5: it has 2 numbers after the word, and the vectors have 3"),
        (LINES + "\n", "line 5: it has 0 numbers"),
        (LINES + "word 1 x 3\n", "line 5: 'x' in the vector of 'word' is not a finite number"),
        (LINES + "word 1 nan 3\n", "line 5: 'nan' in the vector of 'word' is not a finite number"),
        (LINES + "word 1 2e38 3\n", "line 5: '2e38' in the vector of 'word' is not a finite number below 1e9"),
        (LINES.encode() + b"caf\xe9 1 2 3\n", r"line 5: the word b'caf\\xe9' is not UTF-8"),
        ("just text\n", "line 1: 'just text' is neither a word with its vector nor a header"),
        ("0 3\n", "line 1: it declares 0 words"),
        (HEADER + LINES + "more 1 2 3\n", "line 6: it follows the 4 words that line 1 declares"),
        ("9 3\n" + LINES, "ends after line 5: line 1 declares 9 words"),
        (HEADER + "the 1 2\n" + LINES, "line 2: it has 2 numbers after the word, and the vectors have 3"),
        (binary(WORDS)[:-9], "ends in word 4 of the 4"),
        (binary(WORDS | {"paris": [1, float("nan"), 2]}), "word 3: the vector of 'paris' has values"),
        (binary(WORDS | {"paris": [1, -2e38, 2]}), "word 3: the vector of 'paris' has values"),
        ("2 2 2 3 2 1 < >\n0 1 2\n1 1 2e38\n", "line 3: it has values that are not finite numbers below 1e9"),
        (binary(WORDS).replace(b"Paris", b"Par\xffs"), "word 2: the word .* is not UTF-8"),
        (gzip.compress(LINES.encode(), mtime=0)[:-12], "is damaged: it cannot be decompressed"),
        ("5 2 2 3 2 1 < >\n0 1 2\n2 1 2\n", "line 3: it begins with '2', and must begin with 1"),
        ("5 2 2 3 2 1 < >\n0 1 2\n", "ends after line 2: line 1 declares 5 rows"),
        ("5 2 2 3 9 1 < >\n0 1 2\n", "line 1: .* is no header of floret"),
        (binary(WORDS).replace(b"4 3", b"3 3"), "word 4: it follows the 3 words that the first line declares"),
        ("1 2 2 3 2 1 < >\n0 1 2\n1 3 4\n", "line 3: it follows the 1 rows that line 1 declares"),
        (b"PK\x03\x04\x14\0glove.txt", "is a ZIP archive. Unpack it"),
        (bz2.compress(LINES.encode()), "is compressed with bzip2"),
        (lzma.compress(LINES.encode()), "is compressed with xz"),
        (b"\xba\x16\x4f\x2f\x0c\0\0\0", r"is a model of fastText \(`.bin`\). Take its file of vectors"),
        (b"\x93NUMPY\1\0v\0{}", "is an array of NumPy"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(tmp_path: Path, content: bytes | str, message: str) -> None:
    with pytest.raises(PolytagError, match=message):
        read(tmp_path / "vectors", content, {"the"})


def test_parts_of_words_are_at_most_as_long_as_the_word(tmp_path: Path) -> None:
    rows = " 2 1 < >\n0 1 2\n1 3 4\n2 5 6\n"
    usual = read(tmp_path / "usual", "3 2 2 5" + rows, {"the"})
    endless = read(tmp_path / "endless", "3 2 2 999999999999999" + rows, {"the"})
    assert endless.vectors.tolist() == usual.vectors.tolist()


def test_a_file_without_any_of_the_words_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolytagError, match="has a vector for no word of the corpus"):
        read(tmp_path / "vectors", LINES, {"unknown"}, 0)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolytagError, match="cannot be read: No such file"):
        read_vectors(tmp_path / "none.txt", set(), 9)


def test_the_share_that_has_been_read_is_reported(tmp_path: Path) -> None:
    path, shares = tmp_path / "vectors", list[float]()
    path.write_text("".join(f"w{number} 1 2\n" for number in range(45_000)))
    read_vectors(path, set(), 9, shares.append)
    assert shares == sorted(shares)
    assert len(shares) == 2
    assert all(0 < share <= 1 for share in shares)
