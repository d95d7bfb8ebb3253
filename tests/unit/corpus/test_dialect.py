"""One parser of column lines, and the three places that read column files with it."""

from itertools import count, islice, pairwise

import pytest

import polytag
from polytag.evaluation.prediction_files import read_predictions
from polytag.prediction.column_files import words_of_columns
from polytag.prediction.inputs import decoded_lines


def sentences(lines):
    found = []
    for row in polytag.column_rows(lines):
        if row.starts_sentence:
            found.append([])
        found[-1].append(row.cells)
    return found


def test_rows_say_where_they_stand_and_what_they_begin():
    rows = list(
        polytag.column_rows(["-DOCSTART- -X-\n", "\n", "a A\r\n", "b B\n", "\n", "c C\n", "###MEDLINE:1\n", "d D"])
    )
    assert [(row.number, row.line, row.cells) for row in rows] == [
        (3, "a A", ["a", "A"]),
        (4, "b B", ["b", "B"]),
        (6, "c C", ["c", "C"]),
        (8, "d D", ["d", "D"]),
    ]
    assert [row.starts_sentence for row in rows] == [True, False, True, True]
    assert [row.starts_document for row in rows] == [True, False, False, True]


@pytest.mark.parametrize(
    ("lines", "cells"),
    [
        (["New York\tNNP", " Rome \tNNP"], [["New York", "NNP"], ["Rome", "NNP"]]),
        (["a\t\tB"], [["a", "", "B"]]),
        (["a\tA", "\tB"], [["a", "A"], ["", "B"]]),
        (["a  A \t", "b\tB"], [["a", "A"], ["b", "B"]]),
        (["10\u00a0000 CD", "a\u2028b NN", "c\x85 NN"], [["10\u00a0000", "CD"], ["a\u2028b", "NN"], ["c\x85", "NN"]]),
    ],
    ids=["tabs", "nothing between tabs", "nothing before a tab", "blanks", "other white space"],
)
def test_tabs_separate_if_the_first_word_line_has_one_and_else_blanks(lines, cells):
    assert sentences(["", *lines]) == [cells]


def test_lines_of_white_space_and_marks_after_white_space_end_sentences():
    assert sentences(["a A", " \t", "b B", " -DOCSTART- O", "c C", "", ""]) == [
        [["a", "A"]],
        [["b", "B"]],
        [["c", "C"]],
    ]


def test_a_file_without_an_end_is_read_as_it_comes():
    endless = (f"word{number} TAG" for number in count())
    assert [row.cells[0] for row in islice(polytag.column_rows(endless), 2)] == ["word0", "word1"]


@pytest.mark.parametrize(
    ("content", "marked"),
    [
        (b"a A\n\n-DOCSTART- O\n", True),
        (b"\xef\xbb\xbf-DOCSTART- O\n", True),
        (b" \t###MEDLINE:1\n", True),
        (b"a -DOCSTART-\n", False),
        (b"", False),
    ],
)
def test_a_file_marks_documents_or_does_not(content, marked, tmp_path):
    (tmp_path / "a.conll").write_bytes(content)
    assert polytag.has_document_marks(tmp_path / "a.conll") == marked


@pytest.mark.parametrize(
    "text",
    [
        "-DOCSTART- O\n\na A\nb B\n\nc C\n\n -DOCSTART- O\n\nd D\n",
        "\ufeffa A\r\nb B\r\n\r\nc C\r\n -DOCSTART- O\r\nd D",
        "New York\tA\n\u00a0\tB\n \nb\tB\n###MEDLINE:1\nc\tC\nd \tD\n",
        "a A\nb\tB\n\nNew\u00a0York C\n",
    ],
    ids=["documents", "BOM and CRLF", "tabs", "blanks"],
)
def test_all_that_read_column_files_find_the_same_sentences_and_documents(text, tmp_path):
    path = tmp_path / "a.conll"
    path.write_bytes(text.encode())
    corpus = polytag.load_corpus(str(path))
    words, documents = corpus.words("train"), corpus.documents("train")
    predictions = read_predictions(path)
    assert predictions.words == words
    assert predictions.columns == [corpus.tags("train", "tags")]
    with path.open("rb") as file:
        to_tag = list(words_of_columns(decoded_lines(file, "a.conll"), "a.conll", polytag.ReadingOptions()))
    assert [words for words, _ in to_tag] == words
    begun = [before != after for (_, before), (_, after) in pairwise(to_tag)]
    assert begun == [before != after for before, after in pairwise(documents or [0] * len(words))]
    assert (documents is not None) == polytag.has_document_marks(path)
