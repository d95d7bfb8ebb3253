"""The reader `column`: one word per line with its tags in columns, as in the CoNLL shared tasks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import ClassVar

from polytag import (
    DOCUMENT_MARKS,
    TOKENS,
    ColumnRow,
    CorpusError,
    Reader,
    Sentence,
    SentenceTable,
    Source,
    column_rows,
    corpus_from_sentences,
    has_document_marks,
    sentences_of,
    text_lines,
)
from polytag_standard.readers.shared.lines import (
    CLAIMED_ENDINGS,
    joined,
    same_columns,
    split_files,
    write_lines,
)

_ENDINGS = frozenset(
    {
        ".bio",
        ".bio2",
        ".bioes",
        ".bmes",
        ".col",
        ".conll",
        ".conll2000",
        ".conll2003",
        ".dev",
        ".iob",
        ".iob2",
    }
    | {".iobes", ".test", ".testa", ".testb", ".train", ".tsv", ".txt"}
)
_DOCUMENT_START = DOCUMENT_MARKS[0]
_SKIP = "_"
_GAP = "-"
_NAMES_BY_COUNT = {
    2: (TOKENS, "tags"),
    3: (TOKENS, "pos_tags", "chunk_tags"),
    4: (TOKENS, "pos_tags", "chunk_tags", "ner_tags"),
}
_RESERVED = frozenset({"document", "location"})
_BREAKS = frozenset("\t\n\r")
_SNIFFED_LINES = 50
_SNIFFED_BYTES = 65_536


class ColumnReader(Reader):
    """Reads column files: a word and its tags on each line, an empty line between sentences.

    Columns are separated by tabs if the first word line has one, else by spaces. Lines that start with `-DOCSTART-`, or
    `###MEDLINE:` as in JNLPBA, start a document. The tag `-` means no annotation. Without column names, 3 columns are
    read as CoNLL-2000 (part of speech, chunk) and 4 as CoNLL-2003 (part of speech, chunk, named entity).
    """

    name: ClassVar[str] = "column"
    summary: ClassVar[str] = "One word per line with its tags in columns (CoNLL-2000, CoNLL-2003, IOB files)"

    def accepts(self, source: Source) -> bool:
        """Whether every file has a usual extension of column files, or its first lines are columns."""
        paths = [path for split in source.files.values() for path in split]
        endings = {path.suffix.lower() for path in paths}
        if not paths or endings & CLAIMED_ENDINGS:
            return False
        return all(path.suffix.lower() in _ENDINGS or _looks_like_columns(path) for path in paths)

    def read(self, source: Source) -> dict[str, SentenceTable]:
        """Read all files, line by line.

        Raises:
            CorpusError: Lines differ in their number of columns, or the names given do not fit; names file
                and line.
        """
        if source.options.columns:
            _check_names(source.options.columns)
        if source.path is not None:  # files that are named individually are meant to be joined
            for paths in source.files.values():
                _check_versions(paths)
        return corpus_from_sentences(
            {split: _split(paths, source.options.columns) for split, paths in source.files.items()}
        )

    def write(self, data: Mapping[str, SentenceTable], folder: Path) -> None:
        """Write `train.conll` and so on, columns separated by spaces, `-` for a word without annotation.

        Raises:
            CorpusError: A word or tag is empty or has white space, splits differ in their columns, or one is not named
                train, validation or test.
        """
        same_columns(data, "column files of one corpus")
        columns = list(next(iter(data.values())).tags)
        if odd := [name for name in columns if "," in name or name in (_SKIP, TOKENS)]:
            raise CorpusError(
                f"The tag column {odd[0]!r} cannot go into a column file: --columns could not name it. Choose the "
                "format jsonl."
            )
        for split, path in split_files(data, folder, ".conll").items():
            write_lines(path, _lines(split, data[split], len(columns)))


def _lines(split: str, table: SentenceTable, n_tags: int) -> Iterator[str]:
    document: int | None = None
    for index, sentence in enumerate(sentences_of(table)):
        if sentence.document is not None and sentence.document != document:
            document = sentence.document
            yield " ".join([_DOCUMENT_START, *["O"] * n_tags])
            yield ""
        rows = zip(sentence.words, *sentence.tags.values(), strict=True)
        for position, (word, *tags) in enumerate(rows):
            fields = [word, *(tag or _GAP for tag in tags)]
            line = " ".join(fields)
            if not all(fields) or line.count(" ") != n_tags or not _BREAKS.isdisjoint(line) or _starts_document(word):
                raise _unwritable(sentence.location or f"{split} sentence {index + 1}", position, fields)
            yield line
        yield ""


def _starts_document(word: str) -> bool:
    return word.startswith(DOCUMENT_MARKS)


def _unwritable(place: str, position: int, fields: Sequence[str]) -> CorpusError:
    word = fields[0]
    odd = next((field for field in fields if not field or " " in field or not _BREAKS.isdisjoint(field)), word)
    reason = "is empty" if not odd else "would start a document" if _starts_document(odd) else "has white space"
    return CorpusError(
        f"{place}, word {position + 1}: the {'word' if odd == word else 'tag'} {odd!r} cannot be written to a column "
        f"file: it {reason}. Choose a format that can hold it, for instance --format jsonl."
    )


def _check_versions(paths: Sequence[Path]) -> None:
    """Refuse one split in several schemes: joining the files would repeat each sentence."""
    seen: dict[Path, Path] = {}
    for path in paths:
        other = seen.setdefault(path.with_suffix(""), path)
        if other is not path:
            raise CorpusError(
                f"{other} and {path} differ only in their extensions, and look like two versions of the same "
                f"sentences. Name the files to read: train={path},…"
            )


def _check_names(names: Sequence[str]) -> None:
    written = ",".join(names)
    kept = [name for name in names if name != _SKIP]
    if names[0] != TOKENS:
        raise CorpusError(
            f"The first column of a column file is the word, so its name has to be {TOKENS!r}, not "
            f"{names[0]!r}. Example: --columns {TOKENS},pos_tags,{_SKIP},ner_tags ({_SKIP} skips a column)."
        )
    if len(kept) < 2:
        raise CorpusError(f"The columns {written} name no tag column. Example: --columns {TOKENS},ner_tags")
    repeated = sorted({name for name in kept if kept.count(name) > 1})
    if repeated:
        raise CorpusError(f"The columns {written} name {repeated[0]!r} twice. Give each column its own name.")
    if reserved := sorted(_RESERVED & set(kept)):
        raise CorpusError(
            f"A tag column cannot be named {reserved[0]!r}: polytag uses that name for the position of a sentence. "
            "Choose another name."
        )


def _split(paths: Sequence[Path], names: tuple[str, ...] | None) -> Iterator[Sentence]:
    documents_known = any(map(has_document_marks, paths))
    return joined(paths, lambda path: _sentences(path, names, documents_known))


def _sentences(path: Path, names: tuple[str, ...] | None, documents_known: bool) -> Iterator[Sentence]:
    columns: list[list[str]] = []
    first: ColumnRow | None = None
    began = document = 0

    def sentence() -> Sentence:
        tags = {name: columns[i] for i, name in enumerate(names or ()) if i and name != _SKIP}
        return Sentence(columns[0], tags, document if documents_known else None, f"{path.name}:{began}")

    for row in column_rows(line for _, line in text_lines(path)):
        if first is None:
            first, names = row, _names(path, row.number, len(row.cells), names)
        if names is None or len(row.cells) != len(names):
            raise _ragged(path, row, first, len(names or ()))
        if not all(row.cells):
            raise CorpusError(
                f"{path.name}:{row.number}: column {row.cells.index('') + 1} of {row.line!r} is empty. Give every word "
                f"a text and a tag in each column ({path})."
            )
        if row.starts_sentence:
            if began:
                yield sentence()
                document += row.starts_document
            began = row.number
            columns = [[] for _ in row.cells]
        for column, value in zip(columns, row.cells, strict=True):
            column.append(value)
    if began:
        yield sentence()


def _names(path: Path, number: int, count: int, given: tuple[str, ...] | None) -> tuple[str, ...]:
    if count == 1:
        raise CorpusError(
            f"{path.name}:{number}: the line has one column, and a word needs at least one tag. If {path} is "
            "a column file, separate word and tags by spaces or tabs; plain text has to be tagged first."
        )
    if given is None:
        return _NAMES_BY_COUNT.get(count, (TOKENS, *(f"column_{i}" for i in range(2, count + 1))))
    if len(given) != count:
        raise CorpusError(
            f"{path.name}:{number}: the line has {count} columns and --columns names {len(given)} "
            f"({','.join(given)}). Name every column of {path}, with {_SKIP} for one to skip."
        )
    return given


def _ragged(path: Path, row: ColumnRow, first: ColumnRow, expected: int) -> CorpusError:
    hint = "Repair the line, or insert an empty line if a sentence ends there."
    if row.line.startswith("#"):
        hint = "Column files have no comments: remove the line."
    elif "\t" in first.line.strip(" \t") and "\t" not in row.line:
        hint = f"Columns are separated by tabs, as on line {first.number}: use tabs here too."
    return CorpusError(
        f"{path.name}:{row.number}: the line {row.line!r} has {_plural(len(row.cells))}, and line {first.number} of "
        f"{path} has {expected}. {hint}"
    )


def _plural(count: int) -> str:
    return "1 column" if count == 1 else f"{count} columns"


def _looks_like_columns(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(_SNIFFED_BYTES)
    if b"\0" in head:
        return False
    # The last line may be truncated.
    whole = head.split(b"\n")[: -1 if len(head) == _SNIFFED_BYTES else None]
    texts = [raw.decode("utf-8", errors="replace").rstrip("\r").strip(" \t\ufeff") for raw in whole]
    counts = {len(row.cells) for row in islice(column_rows(texts), _SNIFFED_LINES)}
    return len(counts) == 1 and counts != {1}
