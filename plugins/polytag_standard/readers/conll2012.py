"""The reader `conll2012`: files of the shared task CoNLL-2012, as OntoNotes is distributed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from polytag import (
    UNANNOTATED,
    CorpusError,
    Reader,
    Remark,
    Sentence,
    SentenceTable,
    Source,
    Span,
    corpus_from_sentences,
    shorten,
    text_lines,
)
from polytag_standard.readers.shared.lines import first_lines, joined
from polytag_standard.schemes import Iob2

_BEGIN, _END = "#begin document", "#end document"
_NUMBER, _WORD, _POS, _ENTITY = 2, 3, 4, 10
_FEWEST_COLUMNS = 11
_NO_WORD = "[WORD]"
"""What the files have that are distributed without the text."""
_NOTHING = "-"
_CELL = re.compile(r"(?P<opened>(?:\([^()*|]+)*)\*?(?P<closed>\)*)")


class Conll2012Reader(Reader):
    """Reads files of CoNLL-2012: words, parts of speech (`pos_tags`), and named entities as IOB2 (`ner_tags`).

    A document of the corpus is a part of a document of the file.
    """

    name: ClassVar[str] = "conll2012"
    summary: ClassVar[str] = "CoNLL-2012 (OntoNotes): `#begin document`, and eleven or more columns"
    leaves_out: ClassVar[str] = "parses, lemmas, senses, speakers, arguments and coreference"
    scheme: ClassVar[str | None] = "iob2"

    def accepts(self, source: Source) -> bool:
        """Whether every file begins with `#begin document`."""
        paths = [path for paths in source.files.values() for path in paths]
        return bool(paths) and all(_begins_document(path, source.options.encoding) for path in paths)

    def read(self, source: Source) -> dict[str, SentenceTable]:
        """Read all files, line by line.

        Raises:
            CorpusError: A line is not in the format, an empty line is missing, or the files have no words; the message
                names file and line.
        """
        return corpus_from_sentences(
            {split: joined(paths, lambda path: _sentences(path, source)) for split, paths in source.files.items()}
        )


def _begins_document(path: Path, encoding: str | None) -> bool:
    return next((line for line in first_lines(path, encoding, 50) if line.strip()), "").startswith(_BEGIN)


def _sentences(path: Path, source: Source) -> Iterator[Sentence]:
    document = -1
    began, rows = 0, list[list[str]]()
    for number, line in text_lines(path, source.options.encoding):
        cells = line.split()
        if cells and not line.startswith((_BEGIN, _END)):
            _check(path, number, line, cells, rows)
            began = began if rows else number
            rows.append(cells)
            continue
        if rows:
            yield _sentence(path, began, rows, max(document, 0), source)
            rows = []
        document += line.startswith(_BEGIN)
    if rows:
        yield _sentence(path, began, rows, max(document, 0), source)


def _check(path: Path, number: int, line: str, cells: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if len(cells) < _FEWEST_COLUMNS:
        raise CorpusError(
            f"{path.name}:{number}: the line {shorten(line)!r} has {len(cells)} columns, and a word of CoNLL-2012 has "
            f"{_FEWEST_COLUMNS} or more. Repair the line in {path}."
        )
    if cells[_NUMBER] != str(len(rows)):
        before = f"the line before it has {rows[-1][_NUMBER]}" if rows else "it starts a sentence"
        raise CorpusError(
            f"{path.name}:{number}: the word has the number {shorten(cells[_NUMBER])!r}, and {before}, but the words "
            "of a sentence are numbered 0, 1, 2, … An empty line is missing before this line, or one of the two "
            f"numbers is wrong: look at both lines in {path}."
        )
    if cells[_WORD] == _NO_WORD:
        raise CorpusError(
            f"{path.name}:{number}: the words are {_NO_WORD}: the file is distributed without its text. Make the files "
            "with the words from OntoNotes first, with the scripts of the shared task."
        )


def _sentence(path: Path, began: int, rows: Sequence[Sequence[str]], document: int, source: Source) -> Sentence:
    tags = {
        "pos_tags": [UNANNOTATED if row[_POS] == _NOTHING else row[_POS] for row in rows],
        "ner_tags": _entities(path, began, [row[_ENTITY] for row in rows], source),
    }
    return Sentence([row[_WORD] for row in rows], tags, document, f"{path.name}:{began}")


def _entities(path: Path, began: int, cells: Sequence[str], source: Source) -> list[str]:
    """The tags of `(PERSON*`, `*`, `*)` and `(GPE)`; of nested spans, the outer one is kept."""
    if all(cell == _NOTHING for cell in cells):
        return [UNANNOTATED] * len(cells)
    spans: list[Span] = []
    opened: list[tuple[int, str]] = []
    for position, cell in enumerate(cells):
        place = f"{path.name}:{began + position}"
        found = _CELL.fullmatch(cell)
        if found is None:
            raise CorpusError(
                f"{place}: the column of named entities has {shorten(cell)!r}, which is none of `*`, `(PERSON*`, `*)` "
                f"and `(PERSON)`. Repair the line in {path}."
            )
        opened += [(position, label) for label in found["opened"].split("(") if label]
        for _ in found["closed"]:
            if not opened:
                raise CorpusError(f"{place}: a named entity ends here that did not begin. Repair the line in {path}.")
            start, label = opened.pop()
            if opened:
                rule = "Of nested named entities, only the outer one is read; these are left out."
                source.remarks.append(Remark("span-overlaps", rule, place, f"{label}, {position + 1 - start} words"))
                continue
            spans.append(Span(start, position + 1, label))
    if opened:
        start, label = opened[-1]
        raise CorpusError(
            f"{path.name}:{began + start}: the named entity {shorten(label)!r} does not end in this sentence. Repair "
            f"the line in {path}."
        )
    return Iob2().tags(spans, len(cells))
