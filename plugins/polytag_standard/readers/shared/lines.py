"""Functions of the text readers: numbered lines, file extensions, and numbering of documents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from polytag import CorpusError, Sentence, SentenceTable, Source, split_of, text_ending, text_lines

BRAT_ENDINGS = frozenset({".ann"})
CONLLU_ENDINGS = frozenset({".conllu", ".conllup"})
JSON_ENDINGS = frozenset({".json", ".jsonl"})
PARQUET_ENDINGS = frozenset({".parquet"})
SPACY_ENDINGS = frozenset({".spacy"})
CLAIMED_ENDINGS = BRAT_ENDINGS | CONLLU_ENDINGS | JSON_ENDINGS | PARQUET_ENDINGS | SPACY_ENDINGS

_BOM = "\ufeff"


def files_ending(source: Source, endings: frozenset[str]) -> dict[str, list[Path]]:
    """The files of each split whose names end in one of `endings`; splits without any are left out."""
    chosen = {split: [path for path in paths if text_ending(path) in endings] for split, paths in source.files.items()}
    return {split: paths for split, paths in chosen.items() if paths}


def first_lines(path: Path, encoding: str | None, count: int) -> list[str]:
    """The first lines of a file, to judge its format; none if it is not text."""
    try:
        return [line for _, line in islice(text_lines(path, encoding), count)]
    except CorpusError:
        return []


def joined(paths: Sequence[Path], read: Callable[[Path], Iterator[Sentence]]) -> Iterator[Sentence]:
    """Yield the sentences of several files of one split, with documents numbered consecutively over the files.

    Args:
        paths: The files.
        read: Yields the sentences of a file, with documents numbered from 0.

    Raises:
        CorpusError: A file has no sentence.
    """
    documents = 0
    for path in paths:
        last = -1
        for sentence in read(path):
            last = max(last, sentence.document or 0)
            number = None if sentence.document is None else documents + sentence.document
            yield sentence._replace(document=number)
        if last < 0:
            raise CorpusError(f"{path} has no sentence. Check that this is the right file.")
        documents += last + 1


def split_files(data: Mapping[str, SentenceTable], folder: Path, ending: str) -> dict[str, Path]:
    """The output file of each split: `train.jsonl` and so on.

    Raises:
        CorpusError: A split is not named train, validation or test.
    """
    for split in data:
        if split_of(split) != split:
            raise CorpusError(
                f"The split {split!r} cannot be written to a file of its own: in a folder of files only train, "
                "validation and test are recognised. Choose the format dataset, which holds splits of any name."
            )
    return {split: folder / f"{split}{ending}" for split in data}


def same_columns(data: Mapping[str, SentenceTable], what: str) -> None:
    """Check that all splits have the same columns.

    Raises:
        CorpusError: They do not.
    """
    kinds = {split: ", ".join(table.tags) for split, table in data.items()}
    (first, columns), *others = kinds.items()
    for split, found in others:
        if found != columns:
            raise CorpusError(
                f"The split {first!r} has the tag columns {columns}, and {split!r} has {found}: {what} need the same "
                "in all. Choose the format jsonl, or the columns that all splits have, with --columns."
            )


def write_lines(path: Path, texts: Iterable[str]) -> None:
    """Write lines as `text_lines` reads them."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for text in texts:
            if text.startswith(_BOM):
                file.write(_BOM)  # otherwise reading would strip the one that is content
            file.write(text + "\n")
