"""The reader `conllu`: treebanks of Universal Dependencies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from polytag import (
    CorpusError,
    Reader,
    Sentence,
    SentenceTable,
    Source,
    corpus_from_sentences,
    has_document_marks,
    sentences_of,
    text_lines,
)
from polytag_standard.readers.shared.lines import (
    CONLLU_ENDINGS,
    files_ending,
    joined,
    split_files,
    write_lines,
)

_COLUMNS = {"upos": "upos", "xpos": "xpos", "lemma": "lemmas", "feats": "feats", "deprel": "deprel"}
"""Field of the format -> name of the tag column."""
_OTHER_FIELDS = ("id", "form", "head", "deps", "misc")
_FIELDS = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
_PLUS = "# global.columns = "
"""The first line of a file in CoNLL-U Plus, which names its columns."""
_OWN = "POLYTAG:"
_GAP = "-"
_PARTING = re.compile(r"\t| {2,}")
"""Where the library splits a line into fields; it ignores surplus fields."""
_BREAK = re.compile(r"[\t\n\r]|  |^ | $")
_SNIFFED = 4096


class ConlluReader(Reader):
    """Reads CoNLL-U files: syntactic words with part of speech, lemma, features and relation.

    Lines of multiword tokens (`1-2`) and empty nodes (`1.1`) are left out; `# newdoc` starts a document. CoNLL-U Plus
    files start with `# global.columns =`; the columns named there are read.
    """

    name: ClassVar[str] = "conllu"
    leaves_out: ClassVar[str] = "heads, enhanced relations, MISC, multiword tokens, empty nodes and comments"
    summary: ClassVar[str] = "CoNLL-U (.conllu) and CoNLL-U Plus files (.conllup) of Universal Dependencies"

    def accepts(self, source: Source) -> bool:
        """Whether any file ends in `.conllu` or `.conllup`; treebank folders also hold the plain text."""
        return bool(files_ending(source, CONLLU_ENDINGS))

    def read(self, source: Source) -> dict[str, SentenceTable]:
        """Read all `.conllu` and `.conllup` files, sentence by sentence.

        Raises:
            CorpusError: A line is not CoNLL-U; the message names file and line.
        """
        files = files_ending(source, CONLLU_ENDINGS) or source.files
        return corpus_from_sentences({split: _split(paths) for split, paths in files.items()})

    def write(self, data: Mapping[str, SentenceTable], folder: Path) -> None:
        """Write `train.conllu` and so on, or `train.conllup` if the corpus has columns that CoNLL-U lacks.

        CoNLL-U fields that the corpus lacks are `_`. The tag of a word without annotation is `-`.

        Raises:
            CorpusError: A word or tag is empty or has a tab, a line end, two spaces, or a space at its start or end; or
                a split is not named train, validation or test.
        """
        fields = {column: field for field, column in _COLUMNS.items()}
        every = dict.fromkeys(column for table in data.values() for column in table.tags)
        plain = set(every) <= set(fields)
        names = {column: fields[column] if column in fields else _OWN + column for column in every}
        if odd := [name for name in every if len(name.split()) != 1] or [
            a for a in every for b in every if a < b and a.lower() == b.lower()
        ]:
            raise CorpusError(
                f"The tag column {odd[0]!r} cannot go into CoNLL-U Plus: its name holds white space, or differs from "
                "another only in case. Choose the format jsonl."
            )
        for split, path in split_files(data, folder, ".conllu" if plain else ".conllup").items():
            write_lines(path, _lines(split, data[split], names, plain))


def _lines(split: str, table: SentenceTable, names: dict[str, str], plain: bool) -> Iterator[str]:
    columns = {names[column]: column for column in table.tags}
    order = _FIELDS if plain else ("id", "form", *columns, "misc")
    if not plain:
        yield _PLUS + " ".join(field if field.startswith(_OWN) else field.upper() for field in order)
    document: int | None = None
    for index, sentence in enumerate(sentences_of(table)):
        if sentence.document is not None and sentence.document != document:
            document = sentence.document
            yield "# newdoc"
        for position, word in enumerate(sentence.words):
            values = {field: sentence.tags[column][position] or _GAP for field, column in columns.items()}
            values |= {"id": str(position + 1), "form": word}
            for value in values.values():
                if not value or _BREAK.search(value):
                    place = sentence.location or f"{split} sentence {index + 1}"
                    raise CorpusError(
                        f"{place}, word {position + 1}: {value!r} cannot be written in CoNLL-U: it is empty, or has a "
                        "tab, a line end, two spaces, or a space at its start or end. Choose a format that can hold "
                        "it, for instance --format jsonl."
                    )
            yield "\t".join(values.get(field, "_") for field in order)
        yield ""


def _split(paths: Sequence[Path]) -> Iterator[Sentence]:
    documents_known = any(has_document_marks(path, ("# newdoc", "#newdoc")) for path in paths)
    return joined(paths, lambda path: _sentences(path, documents_known))


def _sentences(path: Path, documents_known: bool) -> Iterator[Sentence]:
    import conllu
    from conllu.exceptions import ParseException

    file = _NumberedLines(path)
    fields = _plus_fields(path)
    columns = (
        _COLUMNS
        if fields is None
        else {
            field.lower(): _COLUMNS.get(field.lower(), field.removeprefix(_OWN))
            for field in fields
            if field.lower() not in _OTHER_FIELDS
        }
    )
    width = len(fields or _FIELDS)
    document, document_has_sentences = 0, False
    blocks = iter(conllu.parse_incr(file, field_parsers=dict.fromkeys(("xpos", "feats", "deps", "misc"), _as_written)))
    while True:
        try:
            tokens = next(blocks, None)
        except ParseException as error:
            raise _broken(path, file.block, error) from None
        if tokens is None:
            return
        if document_has_sentences and any(key.startswith("newdoc") for key in tokens.metadata):
            document, document_has_sentences = document + 1, False
        read = [(number, line) for number, line in file.block if not line.strip().startswith("#")]
        rows = [
            (number, line, token)
            for (number, line), token in zip(read, tokens, strict=True)
            if not isinstance(token["id"], tuple)
        ]
        if not rows:
            continue
        for number, line, token in rows:
            there = len(_PARTING.split(line.strip()))
            if token["id"] is None or there != width or not token["form"]:
                raise CorpusError(
                    f"{path.name}:{number}: the line has {there} readable fields, and "
                    f"{'CoNLL-U' if fields is None else 'this file'} has {width}, separated by tabs or two spaces; the "
                    f"first two are number and form. Repair the line in {path}."
                )
        words = [token["form"] for *_, token in rows]
        tags = {column: [token[field] for *_, token in rows] for field, column in columns.items()}
        yield Sentence(words, tags, document if documents_known else None, f"{path.name}:{rows[0][0]}")
        document_has_sentences = True


def _plus_fields(path: Path) -> list[str] | None:
    """The column names in the first line of a CoNLL-U Plus file, or None."""
    with path.open("rb") as file:
        first = file.readline(_SNIFFED).decode("utf-8", errors="replace").lstrip("\ufeff")
    if not first.startswith(_PLUS):
        return None
    fields = first.removeprefix(_PLUS).split()
    lower = [field.lower() for field in fields]
    if "id" not in lower or "form" not in lower or len(set(lower)) < len(lower) or len(lower) < 3:
        raise CorpusError(
            f"{path.name}:1: the columns {' '.join(fields)} are not valid in CoNLL-U Plus: ID and FORM are required, "
            f"and no name may occur twice. Repair the line in {path}."
        )
    return fields


def _as_written(fields: list[str], index: int) -> str:
    return fields[index]


class _NumberedLines:
    """The file for the parser; keeps the lines of the current sentence with their numbers."""

    def __init__(self, path: Path) -> None:
        self.block: list[tuple[int, str]] = []
        self._path = path

    def read(self) -> str:
        """Unused: the parser checks that this method exists, and reads line by line."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[str]:
        ended = True
        for number, line in text_lines(self._path):
            if ended:
                self.block.clear()
            ended = not line.strip()
            if not ended:
                self.block.append((number, line))
            yield line + "\n"


def _broken(path: Path, block: Sequence[tuple[int, str]], error: Exception) -> CorpusError:
    import conllu
    from conllu.exceptions import ParseException

    number, reason = block[0][0], str(error)
    for candidate, line in block:
        try:
            conllu.parse(line)
        except ParseException as of_line:
            number, reason = candidate, str(of_line)
            break
    return CorpusError(
        f"{path.name}:{number}: this line is not CoNLL-U: {reason.rstrip('.')}. Repair the line in {path}: "
        "ten fields separated by tabs, with an empty line after each sentence."
    )
