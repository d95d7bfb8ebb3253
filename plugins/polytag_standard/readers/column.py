"""The reader `column`: one word per line with its tags in columns, as in the CoNLL shared tasks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from polytag import (
    DOCUMENT_MARKS,
    TOKENS,
    ColumnRow,
    CorpusError,
    Dialect,
    Reader,
    ReadingOptions,
    RecognisedForm,
    Sentence,
    SentenceTable,
    Source,
    column_rows,
    corpus_from_sentences,
    has_document_marks,
    recognise_dialects,
    sentences_of,
    shorten,
    text_ending,
    text_lines,
    word_in,
    word_pattern,
)
from polytag_standard.readers.shared.lines import (
    CLAIMED_ENDINGS,
    first_lines,
    joined,
    same_columns,
    split_files,
    write_lines,
)
from polytag_standard.readers.shared.treebanks import is_conllu

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
_USUAL_ORDER = ("pos_tags", "chunk_tags", "ner_tags")
_RESERVED = frozenset({"document", "location"})
_BREAKS = frozenset("\t\n\r")
_SENTENCE_NUMBERS = frozenset(
    {"sentence", "sentence #", "sentence_id", "sentence_idx", "sentence_number", "sent", "sent_id", "sid"}
)
_SNIFFED_LINES = 50
_CONLL_2012 = "#begin document"


class ColumnReader(Reader):
    """Reads column files: a word and its tags on each line, an empty line between sentences.

    The dialect of each file is recognised: separator, comments, header, and what each column holds. Lines that start
    with `-DOCSTART-`, or `###MEDLINE:` as in JNLPBA, start a document. The tag `-` means no annotation. Columns without
    names are named as in CoNLL-2000 (part of speech, chunk) and CoNLL-2003 (part of speech, chunk, named entity),
    unless they hold something else.
    """

    name: ClassVar[str] = "column"
    summary: ClassVar[str] = "One word per line with its tags in columns (CoNLL-2000, CoNLL-2003, IOB files)"

    def accepts(self, source: Source) -> bool:
        """Whether every file has a usual extension of column files, or its first lines are columns."""
        paths = [path for split in source.files.values() for path in split]
        endings = {text_ending(path) for path in paths}
        if not paths or endings & CLAIMED_ENDINGS:
            return False
        encoding = source.options.encoding
        return all(_may_be_columns(path, encoding, text_ending(path) in _ENDINGS) for path in paths)

    def read(self, source: Source) -> dict[str, SentenceTable]:
        """Read all files, line by line.

        Raises:
            CorpusError: Lines differ in their number of columns, the dialect cannot be decided, or the options do not
                fit the files; names file and line.
        """
        if source.options.columns:
            _check_names(source.options.columns)
        if source.path is not None:  # files that are named individually are meant to be joined
            for paths in source.files.values():
                _check_versions(paths)
        files = [path for paths in source.files.values() for path in paths]
        dialects = recognise_dialects(list(dict.fromkeys(files)), source.options)
        for path, dialect in dialects.items():
            _check_dialect(path, dialect, source.options)
            source.forms[path] = RecognisedForm(str(dialect), dialect.options())
        return corpus_from_sentences(
            {split: _split(paths, dialects, source.options) for split, paths in source.files.items()}
        )

    def write(self, data: Mapping[str, SentenceTable], folder: Path) -> None:
        """Write `train.conll` and so on, columns separated by spaces, `-` for a word without annotation.

        Raises:
            CorpusError: A word or tag is empty or has white space, splits differ in their columns, or one is not named
                train, validation or test.
        """
        same_columns(data, "column files of one corpus")
        columns = _in_usual_order(list(next(iter(data.values())).tags))
        if odd := [name for name in columns if "," in name or name in (_SKIP, TOKENS)]:
            raise CorpusError(
                f"The tag column {odd[0]!r} cannot go into a column file: --columns could not name it. Choose the "
                "format jsonl."
            )
        for split, path in split_files(data, folder, ".conll").items():
            table = replace(data[split], tags={name: data[split].tags[name] for name in columns})
            write_lines(path, _lines(split, table, len(columns)))


def _in_usual_order(columns: list[str]) -> list[str]:
    """The columns of CoNLL-2000 and CoNLL-2003 in the order of these corpora, in which they are read without names."""
    known = _USUAL_ORDER[: len(columns)]
    return list(known) if len(columns) > 1 and set(columns) == set(known) else columns


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
        f"file: it {reason}. Change it, or choose a format that can hold it, for instance --format jsonl."
    )


def _check_versions(paths: Sequence[Path]) -> None:
    """Refuse one split in several schemes: joining the files would repeat each sentence."""
    seen: dict[Path, Path] = {}
    for path in paths:
        plain = path.with_suffix("") if path.suffix.lower() == ".gz" else path
        other = seen.setdefault(plain.with_suffix(""), path)
        if other is not path:
            raise CorpusError(
                f"{other} and {path} differ only in their extensions, and look like two versions of the same "
                f"sentences. Name the files to read: train={path},…"
            )


def _check_names(names: Sequence[str]) -> None:
    written = ",".join(names)
    kept = [name for name in names if name != _SKIP]
    if kept.count(TOKENS) != 1:
        found = "name none" if TOKENS not in kept else f"name {kept.count(TOKENS)}"
        raise CorpusError(
            f"One column holds the words, and is named {TOKENS!r}; the columns {written} {found}. Example: --columns "
            f"{TOKENS},pos_tags,{_SKIP},ner_tags ({_SKIP} skips a column)."
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


def _check_dialect(path: Path, dialect: Dialect, options: ReadingOptions) -> None:
    """Refuse files without words or tags."""
    names = dialect.names
    if len(names) == 1:
        row = next(column_rows((line for _, line in text_lines(path, options.encoding)), dialect))
        raise CorpusError(
            f"{path.name}:{row.number}: the line has one column, and a word needs at least one tag. If {path} is a "
            "column file, separate word and tags by spaces or tabs, or name what separates them with "
            "--separator; plain text has to be tagged first."
        )
    if names and not any(name not in (TOKENS, _SKIP) for name in names):
        raise CorpusError(
            f"{path.name}: no column holds both words and tags: {dialect}. Name the columns of {path}: --columns "
            f"{','.join([TOKENS, 'tags', *[_SKIP] * (len(names) - 2)])}"
        )
    if names and TOKENS not in names:
        raise CorpusError(
            f"{path.name}: no column holds words: {dialect}. Name the columns of {path}: --columns "
            f"{','.join([TOKENS, 'tags', *[_SKIP] * (len(names) - 2)])}"
        )


def _split(paths: Sequence[Path], dialects: Mapping[Path, Dialect], options: ReadingOptions) -> Iterator[Sentence]:
    documents_known = any(has_document_marks(path, encoding=options.encoding) for path in paths)
    pattern = word_pattern(options.word_pattern)
    return joined(paths, lambda path: _sentences(path, dialects[path], options, pattern, documents_known))


def _sentences(
    path: Path, dialect: Dialect, options: ReadingOptions, pattern: re.Pattern[str] | None, documents_known: bool
) -> Iterator[Sentence]:
    names = dialect.names
    tagged = [(index, name) for index, name in enumerate(names) if name not in (TOKENS, _SKIP)]
    kept = [index for index, name in enumerate(names) if name != _SKIP]
    index_column = None if options.columns else dialect.index
    header = [] if options.columns else [cell.lower() for cell in dialect.header or ()]
    numbering = next((i for i, cell in enumerate(header) if cell in _SENTENCE_NUMBERS and names[i] == _SKIP), None)
    rows: list[ColumnRow] = []
    document = 0

    def sentence() -> Sentence:
        columns = list(zip(*(row.cells for row in rows), strict=True))
        words = list(columns[dialect.words])
        if pattern is not None:
            words = [word_in(word, pattern, f"{path.name}:{row.number}") for row, word in zip(rows, words, strict=True)]
        tags = {name: list(columns[index]) for index, name in tagged}
        if index_column is not None:
            _check_index(path, rows, index_column)
        if numbering is not None:
            _check_numbering(path, rows, numbering)
        return Sentence(words, tags, document if documents_known else None, f"{path.name}:{rows[0].number}")

    for row in column_rows((line for _, line in text_lines(path, options.encoding)), dialect):
        if row.starts_sentence and rows:
            yield sentence()
            document += row.starts_document
            rows = []
        if len(row.cells) != len(names):
            raise _ragged(path, row, rows[0] if rows else None, dialect)
        if not all(row.cells) and (empty := [at for at in kept if not row.cells[at]]):
            raise CorpusError(
                f"{path.name}:{row.number}: column {empty[0] + 1} of {shorten(row.line)!r} is empty. Give "
                f"every word a text and a tag in each column ({path})."
            )
        rows.append(row)
    if rows:
        yield sentence()


def _check_numbering(path: Path, rows: Sequence[ColumnRow], column: int) -> None:
    """Refuse a column that numbers sentences, and tells apart what no empty line does."""
    filled = [(row.number, row.cells[column]) for row in rows if row.cells[column]]
    for number, cell in filled:
        if cell != filled[0][1]:
            raise CorpusError(
                f"{path.name}:{number}: column {column + 1} numbers the sentences, and has {shorten(cell)!r} after "
                f"{shorten(filled[0][1])!r} without an empty line between. Read {path} as a table: --reader csv; or "
                "insert an empty line after each sentence."
            )


def _check_index(path: Path, rows: Sequence[ColumnRow], column: int) -> None:
    first = int(rows[0].cells[column]) if rows[0].cells[column].isdecimal() else -1
    for expected, row in enumerate(rows, first):
        if row.cells[column] != str(expected) or first < 0:
            raise CorpusError(
                f"{path.name}:{row.number}: column {column + 1} numbers the words of a sentence, and has "
                f"{shorten(row.cells[column])!r} where {expected} follows. If a sentence ends before this line, insert "
                f"an empty line; if the column is no index, name the columns with --columns, {_SKIP} for this one."
            )


def _ragged(path: Path, row: ColumnRow, before: ColumnRow | None, dialect: Dialect) -> CorpusError:
    expected = len(dialect.names)
    hint = "Repair the line, or insert an empty line if a sentence ends there."
    if row.line.startswith("#"):
        hint = (
            "If it is a comment, insert an empty line before it, since comments are between sentences; or name the "
            "start of comments, which then may be anywhere: --comments '#'."
        )
    elif dialect.separator == "\t" and "\t" not in row.line:
        hint = "Columns are separated by tabs: use tabs here too."
    place = f" ({shorten(before.line)!r} on line {before.number} has {expected})" if before else ""
    return CorpusError(
        f"{path.name}:{row.number}: the line {shorten(row.line)!r} has {_plural(len(row.cells))}, and most lines of "
        f"{path} have {expected}{place}. {hint}"
    )


def _plural(count: int) -> str:
    return "1 column" if count == 1 else f"{count} columns"


def _may_be_columns(path: Path, encoding: str | None, named_so: bool) -> bool:
    """Whether a file can hold columns; `named_so`: whether it has a usual extension of column files."""
    head = first_lines(path, encoding, _SNIFFED_LINES)
    if not head:
        return named_so  # reading it explains what is wrong
    written = [line for line in head if line.strip(" \t")]
    if any(line.startswith(_CONLL_2012) for line in written) or is_conllu(path, encoding):
        return False
    if named_so:
        return True
    try:
        counts = {len(row.cells) for row in column_rows(written)}
    except CorpusError:  # undecided: perhaps the file is in another format
        return False
    return len(counts) == 1 and counts != {1} and not any("\0" in line for line in head)
