"""Write a corpus in another format or another label scheme, and verify that nothing got lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Unpack

from polytag.corpus.conversion_check import FALLBACK, compare_written
from polytag.corpus.corpus import Corpus
from polytag.corpus.load import as_corpus
from polytag.corpus.recognition import scheme_of_tags
from polytag.corpus.span_schemes import holds_spans, span_scheme_of
from polytag.errors import PolytagError
from polytag.files import check_replaceable, check_writable, expand_home, new_folder, remove_leftovers
from polytag.plugin.attribution import attributed
from polytag.plugin.reader import SPLITS, Reader, ReadingKeywords, SentenceTable
from polytag.plugin.registry import registry
from polytag.plugin.scheme import OUTSIDE, UNANNOTATED, respelled
from polytag.plugin.splitter import STANDARD
from polytag.plugin.surroundings import for_plugin

_DATASET_MARK = "dataset_dict.json"
_SPLIT_MARK = "dataset_info.json"

Tags = dict[str, list[list[str]]]


@dataclass(frozen=True, slots=True)
class Conversion:
    """The result of a conversion.

    Attributes:
        format: Name of the reader that wrote it.
        folder: The output folder.
        sentences: Number of sentences of each split.
        schemes: For each tag column its old and its new scheme.
        options: Options needed to read the folder again: `--columns tokens,ner_tags`; often empty.
        messages: What could not be kept, and other remarks.
    """

    format: str
    folder: Path
    sentences: Mapping[str, int]
    schemes: Mapping[str, tuple[str, str]]
    options: str
    messages: tuple[str, ...]


@attributed
def convert_corpus(
    corpus: Corpus | str,
    folder: str | Path,
    *,
    format: str | None = None,
    scheme: str | None = None,
    reader: str | None = None,
    corpus_scheme: str | None = None,
    tags_as_is: bool = False,
    overwrite: bool = False,
    splitter: str = STANDARD,
    **reading: Unpack[ReadingKeywords],
) -> Conversion:
    """Write a corpus into a folder, one file per split.

    The folder is written atomically, after it has been read again and its words, tags and documents compared with the
    corpus.

    Args:
        corpus: A corpus, or its name.
        folder: The output folder.
        format: Name of a reader that can write; None for the format of the corpus if possible, else JSON Lines.
        scheme: Name of the span scheme to convert all columns with spans to; None to keep theirs.
        reader, splitter, **reading: How to read the corpus, as in `load_corpus`.
        corpus_scheme: Name of the scheme of the spans; recognised if None.
        tags_as_is: Whether to write tags that no label scheme writes, as parts of spans.
        overwrite: Whether to replace an earlier converted corpus.

    Raises:
        PolytagError: The folder is in use, or the format cannot hold the words or tags of the corpus.
    """
    folder = expand_home(folder)
    check_folder(folder, overwrite)
    corpus = as_corpus(corpus, reader=reader, splitter=splitter, **reading)
    writer = _writer(corpus, format)
    messages = [*_left_out(corpus)]
    if writer.scheme is not None and scheme not in (None, writer.scheme):
        raise PolytagError(
            f"The format {writer.name!r} holds spans, not tags, and is read in the scheme {writer.scheme!r}: it cannot "
            f"be written in {scheme!r}. Leave --scheme out."
        )
    schemes, converted = _converted(
        corpus, writer.scheme or scheme, corpus_scheme, messages, writer.scheme is not None, tags_as_is
    )
    if (
        scheme is not None
        and not converted
        and all(not registry().schemes[now].encodes_spans for _, now in schemes.values())
    ):
        messages.append(
            f"No column has spans, so nothing was converted to the scheme {scheme!r}. If neighbouring words with one "
            "label are one span, say --corpus-scheme io."
        )
    tables = _tables(corpus, converted)
    with new_folder(folder, "corpus") as temporary:
        with for_plugin(), registry().readers.calling(writer.name, (OSError,)):
            writer.write(tables, temporary)
        written = Corpus(corpus.reference, writer.name, tables)
        spans = [column for column, (_, now) in schemes.items() if now == writer.scheme]
        options = compare_written(written, writer, temporary, spans if writer.scheme else corpus.columns, messages)
    sentences = {split: len(tables[split]) for split in written.splits}
    return Conversion(writer.name, folder, sentences, schemes, options, tuple(messages))


def check_folder(folder: Path, overwrite: bool) -> None:
    """Check that a corpus may be written to a folder.

    Raises:
        PolytagError: It exists and `overwrite` is False, or it is not a converted corpus with one file per split, or it
            cannot be replaced.
    """
    folder = expand_home(folder)
    remove_leftovers(folder)
    try:
        check_writable(folder)
        entries = list(folder.iterdir()) if folder.is_dir() else []
    except OSError as error:
        raise PolytagError(
            f"The folder {str(folder)!r} cannot be written: {error.strerror}. Choose another one."
        ) from error
    if not folder.exists() and not folder.is_symlink():
        return
    name = str(folder)
    if not folder.is_dir():
        raise PolytagError(f"The destination {name!r} is a file. Name a folder: it gets one file per split.")
    check_replaceable(folder)
    if not entries:
        return
    if not overwrite:
        raise PolytagError(f"The folder {name!r} exists already. Choose another one, or replace it with --overwrite.")
    saved = (folder / _DATASET_MARK).is_file()
    own = {name for reader in registry().readers.values() for name in reader.companions}

    def is_own(path: Path) -> bool:
        if saved:
            return path.name == _DATASET_MARK or (path / _SPLIT_MARK).is_file()
        return not path.is_dir() and (path.name.split(".")[0] in SPLITS or path.name in own)

    strange = [path.name for path in entries if not is_own(path)]
    if strange:
        raise PolytagError(
            f"The folder {name!r} has {sorted(strange)[0]!r}, which is not a file of a converted corpus, so "
            "--overwrite does not replace it. Choose another folder, or remove this one."
        )


def _writer(corpus: Corpus, format: str | None) -> Reader:
    readers = registry().readers
    if format is None:
        own = corpus.reader in readers and readers[corpus.reader].can_write
        return readers.get(corpus.reader if own else FALLBACK, "writing a corpus without --format")
    writer = readers[format]
    if not writer.can_write:
        able = ", ".join(reader.name for reader in readers.values() if reader.can_write)
        raise PolytagError(f"The format {format!r} is read-only. Choose one that can be written: {able}.")
    return writer


def _left_out(corpus: Corpus) -> Iterator[str]:
    """Messages about parts of the source that are not words, tags or documents."""
    readers = registry().readers
    if corpus.reader in readers and readers[corpus.reader].leaves_out:
        yield f"Words, tags and documents are kept. Not read, and so not written: {readers[corpus.reader].leaves_out}."
    others = dict.fromkeys(name for split in corpus.splits for name in corpus.data[split].left_out)
    if others:
        yield f"Columns without words or tags are left out: {', '.join(others)}."


def _converted(
    corpus: Corpus,
    scheme: str | None,
    declared: str | None,
    messages: list[str],
    by_the_rules: bool,
    tags_as_is: bool,
) -> tuple[dict[str, tuple[str, str]], dict[str, Tags]]:
    """The old and new schemes of all columns, and the tags, split by split, of the columns that change.

    With `by_the_rules`, invalid tags are rewritten even if the scheme stays the same.
    """
    target = None if scheme is None else registry().schemes[scheme]
    if target is not None and not target.encodes_spans:
        spans = ", ".join(known.name for known in registry().schemes.values() if known.encodes_spans)
        raise PolytagError(f"The scheme {scheme!r} cannot encode spans. Choose one of: {spans}.")
    schemes: dict[str, tuple[str, str]] = {}
    changed: dict[str, Tags] = {}
    for column in corpus.columns:
        of_column = {split: corpus.tags(split, column) for split in corpus.splits_with(column)}
        odd = False
        if holds_spans(corpus, column, declared, of_column):
            fit, odd = span_scheme_of(corpus, column, of_column, declared, tags_as_is=tags_as_is)
        else:
            fit = scheme_of_tags(corpus, column, of_column)
        if (
            target is None
            or not fit.scheme.encodes_spans
            or (fit.scheme.name == target.name and not (by_the_rules or odd))
        ):
            schemes[column] = fit.scheme.name, fit.scheme.name
            continue
        schemes[column] = fit.scheme.name, target.name
        if fit.violations:
            messages.append(
                f"{column}: {fit.violations} words violate the scheme {fit.scheme.name!r}, the first in {fit.example}. "
                "Spans are read as the shared tasks' scorer reads them, and are now written as the scheme requires."
            )
        for split in corpus.splits_with(column):
            changed.setdefault(split, {})[column] = [respelled(tags, fit.scheme, target) for tags in of_column[split]]
    return schemes, changed


def _tables(corpus: Corpus, converted: Mapping[str, Tags]) -> dict[str, SentenceTable]:
    """The tables to write: converted columns have their new tags."""
    found: dict[str, set[str]] = {}
    for of_split in converted.values():
        for column, rows in of_split.items():
            found.setdefault(column, set()).update(tag for row in rows for tag in row)
    tables = {}
    for split in corpus.splits:
        table = corpus.data[split]
        tags, labels = dict(table.tags), dict(table.labels)
        for column, rows in converted.get(split, {}).items():
            tags[column] = tuple(map(tuple, rows))
            if column in labels:
                labels[column] = tuple(sorted(found[column] - {UNANNOTATED}, key=lambda tag: (tag != OUTSIDE, tag)))
        tables[split] = replace(table, tags=tags, labels=labels, left_out=())
    return tables
