"""The reader `conllu`: treebanks of Universal Dependencies."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from polytag import (
    TOKENS,
    UNANNOTATED,
    CorpusError,
    Reader,
    Remark,
    Sentence,
    SentenceTable,
    Source,
    corpus_from_sentences,
    sentences_of,
    shorten,
    text_ending,
    text_lines,
)
from polytag_standard.readers.shared.lines import (
    CLAIMED_ENDINGS,
    CONLLU_ENDINGS,
    files_ending,
    joined,
    split_files,
    write_lines,
)
from polytag_standard.readers.shared.treebanks import (
    FIELDS,
    PLUS,
    is_conllu,
    keys_of_span_tags,
    plus_fields,
    values_of_misc,
)

_COLUMNS = {"upos": "upos", "xpos": "xpos", "lemma": "lemmas", "feats": "feats", "deprel": "deprel"}
"""Field of the format -> name of the tag column."""
_OTHER_FIELDS = ("id", "form", "head", "deps", "misc")
_NONE = "_"
_GAP_IS_NONE = frozenset({"upos", "xpos", "deprel"})
"""Fields in which `_` means that a word is not annotated. A word without features has the value `_`."""
_RESERVED = frozenset({TOKENS, "document", "location"})
_OWN = "POLYTAG:"
_GAP = "-"
_PARTING = re.compile(r"\t| {2,}")
"""Where the library splits a line into fields; it ignores surplus fields."""
_BREAK = re.compile(r"[\t\n\r]|  |^ | $")
_OF_SENTENCES = re.compile(r"#\s*(?:sent_id\s*=\s*(?P<id>.*\S)|text\s*=|newdoc\b|newpar\b)")
"""Comments that stand before the first word of a sentence."""


def _as_written(fields: list[str], index: int) -> str:
    return fields[index]


_PARSERS = dict.fromkeys(("xpos", "feats", "deps", "misc"), _as_written)


class ConlluReader(Reader):
    """Reads CoNLL-U files: syntactic words with part of speech, lemma, features and relation.

    Lines of multiword tokens (`1-2`) and empty nodes (`1.1`) are left out; `# newdoc` starts a document. A word is not
    annotated where UPOS, XPOS or DEPREL is `_`, and a field that is `_` everywhere is no column. A `KEY=VALUE` of MISC
    is a column if its values are span tags, or `--columns` names it. CoNLL-U Plus files start with
    `# global.columns =`; the columns named there are read.
    """

    name: ClassVar[str] = "conllu"
    leaves_out: ClassVar[str] = "heads, enhanced relations, other MISC, multiword tokens, empty nodes and comments"
    summary: ClassVar[str] = "CoNLL-U (.conllu) and CoNLL-U Plus files (.conllup) of Universal Dependencies"

    def accepts(self, source: Source) -> bool:
        """Whether any file ends in `.conllu` or `.conllup`, or the first lines of all files are CoNLL-U.

        Treebank folders also hold the plain text.
        """
        if files_ending(source, CONLLU_ENDINGS):
            return True
        paths = [path for paths in source.files.values() for path in paths if text_ending(path) not in CLAIMED_ENDINGS]
        return bool(paths) and all(is_conllu(path, source.options.encoding) for path in paths)

    def read(self, source: Source) -> dict[str, SentenceTable]:
        """Read all files that are CoNLL-U, sentence by sentence.

        Raises:
            CorpusError: A line is not CoNLL-U, the ids of a sentence do not run 1, 2, 3, …, or nothing is annotated;
                the message names file and line.
        """
        files = files_ending(source, CONLLU_ENDINGS) or source.files
        paths = [path for paths in files.values() for path in paths]
        for path in (path for paths in source.files.values() for path in paths):
            if path not in paths:
                source.passed_over[path] = "not CoNLL-U"
        wanted = set(source.options.columns or ()) - {TOKENS, _NONE, *_COLUMNS.values()}
        keys = keys_of_span_tags(paths, {*_COLUMNS.values(), *_RESERVED}, wanted, source)
        tables = corpus_from_sentences({split: _split(paths, keys, source) for split, paths in files.items()})
        fields = {field: name for path in paths for field, name in _columns(_plus(path, source)).items()}
        empty = _empty_columns(tables, {name for field, name in fields.items() if field in _COLUMNS})
        if all(set(table.tags) <= empty for table in tables.values()):
            raise CorpusError(
                f"{paths[0].name}:1: no word of {source.reference!r} is annotated: every field other than ID and FORM "
                "is `_`. Check that this is the right file."
            )
        return {split: _without(table, empty) for split, table in tables.items()}

    def write(self, data: Mapping[str, SentenceTable], folder: Path) -> None:
        """Write `train.conllu` and so on, or `train.conllup` if the corpus has columns that CoNLL-U lacks.

        CoNLL-U fields that the corpus lacks are `_`. The tag of a word without annotation is `_` in UPOS, XPOS and
        DEPREL, and `-` in other columns.

        Raises:
            CorpusError: A word or tag is empty or has a tab, a line end, two spaces, or a space at its start or end; or
                a split is not named train, validation or test.
        """
        fields = {column: field for field, column in _COLUMNS.items()}
        every = dict.fromkeys(column for table in data.values() for column in table.tags)
        names = {
            column: fields[column] if column in fields and _can_hold(fields[column], column, data) else _OWN + column
            for column in every
        }
        plain = not any(name.startswith(_OWN) for name in names.values())
        if odd := [name for name in every if len(name.split()) != 1] or [
            a for a in every for b in every if a < b and a.lower() == b.lower()
        ]:
            raise CorpusError(
                f"The tag column {odd[0]!r} cannot go into CoNLL-U Plus: its name holds white space, or differs from "
                "another only in case. Choose the format jsonl."
            )
        for split, path in split_files(data, folder, ".conllu" if plain else ".conllup").items():
            write_lines(path, _lines(split, data[split], names, plain))


def _can_hold(field: str, column: str, data: Mapping[str, SentenceTable]) -> bool:
    """Whether a field of CoNLL-U can hold a column: `_` means something else there, or that nothing is annotated."""
    tags = {tag for table in data.values() for row in table.tags.get(column, ()) for tag in row}
    return bool(tags - {_NONE, UNANNOTATED}) and not (field in _GAP_IS_NONE and _NONE in tags)


def _lines(split: str, table: SentenceTable, names: dict[str, str], plain: bool) -> Iterator[str]:
    columns = {names[column]: column for column in table.tags}
    order = FIELDS if plain else ("id", "form", *columns, "misc")
    if not plain:
        yield PLUS + " ".join(field if field.startswith(_OWN) else field.upper() for field in order)
    document: int | None = None
    for index, sentence in enumerate(sentences_of(table)):
        if sentence.document is not None and sentence.document != document:
            document = sentence.document
            yield "# newdoc"
        for position, word in enumerate(sentence.words):
            values = {
                field: sentence.tags[column][position] or (_NONE if field in _GAP_IS_NONE else _GAP)
                for field, column in columns.items()
            }
            values |= {"id": str(position + 1), "form": word}
            for value in values.values():
                if not value or _BREAK.search(value):
                    place = sentence.location or f"{split} sentence {index + 1}"
                    raise CorpusError(
                        f"{place}, word {position + 1}: {shorten(value)!r} cannot be written in CoNLL-U: it is empty, "
                        "or has a tab, a line end, two spaces, or a space at its start or end. Change it, or choose a "
                        "format that can hold it, for instance --format jsonl."
                    )
            yield "\t".join(values.get(field, "_") for field in order)
        yield ""


def _columns(fields: Sequence[str] | None) -> dict[str, str]:
    """Field -> name of its tag column; `fields` are the columns of a CoNLL-U Plus file."""
    if fields is None:
        return _COLUMNS
    return {
        field.lower(): _COLUMNS.get(field.lower(), field.removeprefix(_OWN))
        for field in fields
        if field.lower() not in _OTHER_FIELDS
    }


def _plus(path: Path, source: Source) -> list[str] | None:
    return plus_fields(path, source.options.encoding)


def _empty_columns(tables: Mapping[str, SentenceTable], columns: Collection[str]) -> set[str]:
    """The columns among these in which no word of any split has a value."""
    nothing = {UNANNOTATED, _NONE}
    used = {
        name
        for table in tables.values()
        for name, rows in table.tags.items()
        if name not in columns or any(not nothing.issuperset(row) for row in rows)
    }
    return {name for table in tables.values() for name in table.tags} - used


def _without(table: SentenceTable, names: Collection[str]) -> SentenceTable:
    return replace(table, tags={name: rows for name, rows in table.tags.items() if name not in names})


def _split(paths: Sequence[Path], keys: Mapping[str, str], source: Source) -> Iterator[Sentence]:
    encoding = source.options.encoding
    documents_known = any(_starts_documents(path, encoding) for path in paths)
    return joined(paths, lambda path: _sentences(path, keys, documents_known, source))


def _starts_documents(path: Path, encoding: str | None) -> bool:
    return any(_is_comment(line, "newdoc") for _, line in text_lines(path, encoding) if "newdoc" in line)


def _is_comment(line: str, key: str) -> bool:
    text = line.strip()
    return text.startswith("#") and text[1:].lstrip().startswith(key)


def _sentences(path: Path, keys: Mapping[str, str], documents_known: bool, source: Source) -> Iterator[Sentence]:
    from conllu.exceptions import ParseException
    from conllu.parser import parse_token_and_metadata

    fields = _plus(path, source)
    columns = _columns(fields)
    names = [field.lower() for field in fields or FIELDS]
    document, document_has_sentences = 0, False
    seen: dict[str, str] = {}
    for block in _blocks(path, source.options.encoding):
        try:
            tokens = parse_token_and_metadata("\n".join(line for _, line in block), names, _PARSERS)
        except ParseException as error:
            raise _broken(path, block, error) from None
        read = _word_lines(path, block, seen, source)
        if document_has_sentences and any(key.startswith("newdoc") for key in tokens.metadata):
            document, document_has_sentences = document + 1, False
        rows = [
            (number, line, token)
            for (number, line), token in zip(read, tokens, strict=True)
            if not isinstance(token["id"], tuple)
        ]
        if not rows:
            continue
        for number, line, token in rows:
            there = line.strip().count("\t") + 1
            if there != len(names) or "  " in line:
                there = len(_PARTING.split(line.strip()))
            if token["id"] is None or there != len(names) or not token["form"]:
                format = "CoNLL-U" if fields is None else "this file"
                raise CorpusError(
                    f"{path.name}:{number}: the line has {there} readable fields, and {format} has {len(names)}, "
                    f"separated by tabs or two spaces; the first two are number and form. Repair the line in {path}."
                )
        _check_ids(path, [(number, token["id"]) for number, _, token in rows])
        tags = {
            column: [UNANNOTATED if token[field] == _NONE else token[field] for *_, token in rows]
            if field in _GAP_IS_NONE
            else [token[field] for *_, token in rows]
            for field, column in columns.items()
        }
        if keys:
            pairs = [values_of_misc(token.get("misc")) for *_, token in rows]
            tags |= {key: [of_word.get(key, missing) for of_word in pairs] for key, missing in keys.items()}
        words = [token["form"] for *_, token in rows]
        yield Sentence(words, tags, document if documents_known else None, f"{path.name}:{rows[0][0]}")
        document_has_sentences = True


def _blocks(path: Path, encoding: str | None) -> Iterator[list[tuple[int, str]]]:
    """The lines of each sentence with their numbers."""
    block: list[tuple[int, str]] = []
    for number, line in text_lines(path, encoding):
        if line.strip():
            block.append((number, line))
        elif block:
            yield block
            block = []
    if block:
        yield block


def _word_lines(
    path: Path, block: Sequence[tuple[int, str]], seen: dict[str, str], source: Source
) -> list[tuple[int, str]]:
    """The lines of a sentence that are no comments; `seen` has the place of each `sent_id` of the file."""
    read: list[tuple[int, str]] = []
    for number, line in block:
        text = line.lstrip()
        if not text.startswith("#"):
            read.append((number, line))
            continue
        found = _OF_SENTENCES.match(text)
        if found is None:
            continue
        if read:
            raise CorpusError(
                f"{path.name}:{number}: the comment {shorten(text)!r} stands inside the sentence that starts on line "
                f"{read[0][0]}. An empty line is missing between line {read[-1][0]} and this one, or the comment "
                f"belongs elsewhere: look at both lines in {path}."
            )
        if name := found["id"]:
            place = f"{path.name}:{number}"
            if name in seen:
                rule = "Several sentences have the same sent_id; all are read."
                example = f"{shorten(name)!r} is also at {seen[name]}"
                source.remarks.append(Remark("repeated-sent-id", rule, place, example))
            seen.setdefault(name, place)
    return read


def _check_ids(path: Path, ids: Sequence[tuple[int, int]]) -> None:
    before, last = 0, 0
    for number, found in ids:
        if found != last + 1:
            if not before:
                what = f"the sentence starts with the id {found}"
                advice = "Either the line before was separated from it by an empty line, or ids are wrong"
            elif found == 1:
                what = f"the id is 1, and line {before} of the same sentence has {last}"
                advice = f"An empty line is missing between line {before} and this one, or one of the two ids is wrong"
            else:
                what = f"the id is {found}, and line {before} before it has {last}"
                advice = f"A line or an empty line is missing between line {before} and this one, or an id is wrong"
            raise CorpusError(
                f"{path.name}:{number}: {what}, but the ids of a sentence run 1, 2, 3, … {advice}: look at both lines "
                f"in {path}."
            )
        before, last = number, found


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
        f"{path.name}:{number}: this line is not CoNLL-U: {shorten(reason.rstrip('.'), 120)}. Repair the line in "
        f"{path}: ten fields separated by tabs, with an empty line after each sentence."
    )
