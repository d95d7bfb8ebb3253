"""The sentences of column files to tag: the words of each, or what is wrong with it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from polytag.corpus.column_sample import SAMPLE
from polytag.corpus.dialect import ColumnRow, Dialect, column_rows, recognise_dialect
from polytag.corpus.sentences import HALF_CHARACTER
from polytag.corpus.word_patterns import word_in, word_pattern
from polytag.errors import CorpusError, PolytagError, shorten
from polytag.plugin.reader import ReadingOptions
from polytag.prediction.incoming import IncomingLines

Lines = Iterator[tuple[int, str]]
"""Lines with their numbers."""
_QUIET = 1.0
"""Seconds without a line after which the form of columns is judged by the sentences so far."""


def words_of_columns(
    lines: Lines, name: str, options: ReadingOptions, incoming: IncomingLines | None = None
) -> Iterator[tuple[list[str], int]]:
    """The words of each sentence, with the number of documents that have begun so far.

    Args:
        lines: The lines.
        name: Name of the file, for messages.
        options: What the user says about its form; the rest is recognised.
        incoming: Where the lines come from, if they may have to be waited for: a sentence is complete at the empty line
            after it, and the form is judged by the lines that come without a pause.

    Raises:
        PolytagError: The form cannot be decided, or a line lacks the column of words.
    """

    def refuse(problem: PolytagError) -> None:
        raise problem

    for words, document in sentences_of_columns(lines, name, options, refuse, incoming):
        assert isinstance(words, list)
        yield words, document


def sentences_of_columns(
    lines: Lines,
    name: str,
    options: ReadingOptions,
    on_problem: Callable[[PolytagError], object],
    incoming: IncomingLines | None = None,
) -> Iterator[tuple[list[str] | PolytagError, int]]:
    """The words of each sentence, or the first problem in one, with the number of documents that have begun so far.

    Args:
        lines: The lines; one with halves of characters was not UTF-8.
        name, options, incoming: As for `words_of_columns`.
        on_problem: Called with a problem when it is found.

    Raises:
        PolytagError: The form cannot be decided.
    """
    texts = (line for _, line in lines)
    head = _head(texts, incoming)
    try:
        dialect = recognise_dialect(head, options)
    except CorpusError as error:
        raise PolytagError(f"{name}, {error}") from None
    word_of = _word_reader(dialect, name, options)
    words: list[str] = []
    problem: PolytagError | None = None
    document = 0
    every = itertools.chain(head, texts)
    for row in _rows_as_they_come(every, dialect, incoming) if incoming else column_rows(every, dialect):
        if (row is None or row.starts_sentence) and (words or problem):
            yield problem or words, document
            words, problem = [], None
        if row is None:
            continue
        document += row.starts_document
        try:
            words.append(word_of(row, not words and not problem))
        except PolytagError as error:
            on_problem(error)
            problem = problem or error
    if words or problem:
        yield problem or words, document


def _word_reader(dialect: Dialect, name: str, options: ReadingOptions) -> Callable[[ColumnRow, bool], str]:
    """A function from a row, and whether it is the first of its sentence, to its word."""
    index = None if options.columns else dialect.index
    pattern = word_pattern(options.word_pattern)

    def word_of(row: ColumnRow, is_first: bool) -> str:
        if bad := HALF_CHARACTER.search(row.line):
            place = len(row.line[: bad.start()].encode()) + 1
            raise PolytagError(f"{name}, line {row.number}: byte {place} of the line is not UTF-8. Repair the line.")
        cell = row.cells[dialect.words] if dialect.words < len(row.cells) else ""
        if not cell:
            raise PolytagError(
                f"{name}, line {row.number}: {shorten(row.line)!r} has no word in column {dialect.words + 1}. Repair "
                "the line, or name the columns: --columns tokens,_"
            )
        if not is_first and index is not None and row.cells[index : index + 1] in (["0"], ["1"]):
            raise PolytagError(
                f"{name}, line {row.number}: column {index + 1} numbers the words of a sentence, and starts anew here. "
                "Insert an empty line before it, or name the columns: --columns "
                f"{','.join('tokens' if at == dialect.words else '_' for at in range(len(dialect.names)))}"
            )
        return cell if pattern is None else word_in(cell, pattern, f"{name}, line {row.number}")

    return word_of


def _head(lines: Iterator[str], incoming: IncomingLines | None) -> list[str]:
    """The lines by which the form of columns is judged."""
    head = []
    for line in itertools.islice(lines, SAMPLE):
        head.append(line)
        if incoming and not line.strip(" \t") and any(map(str.strip, head)) and incoming.waits(_QUIET):
            break
    return head


def _rows_as_they_come(lines: Iterable[str], dialect: Dialect, incoming: IncomingLines) -> Iterator[ColumnRow | None]:
    """The rows of columns; None where an empty line has ended a sentence and the next line has not arrived."""
    rest, before, ended = iter(lines), 0, False
    unread: list[str] = []  # what follows the last word: it may say that the next one starts a document

    def until_a_pause(again: list[str]) -> Iterator[str]:
        nonlocal ended
        for line in again:
            unread.append(line)
            yield line
        for line in rest:
            unread.append(line)
            yield line
            if not line.strip(" \t") and incoming.waits():
                return
        ended = True

    while not ended:
        again = unread.copy()
        unread.clear()
        number = 0
        for row in column_rows(until_a_pause(again), dialect):
            number = row.number
            unread.clear()
            yield row._replace(number=before + number)
        before += number
        if number:
            dialect = replace(dialect, header=None)
        yield None
