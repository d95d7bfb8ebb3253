"""Readers: from a source (files, a folder, a name) to a corpus."""

from __future__ import annotations

import errno
import itertools
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from polytag.errors import CorpusError, PolytagError
from polytag.files import expanded
from polytag.plugin.scheme import UNANNOTATED

if TYPE_CHECKING:
    import datasets

TOKENS = "tokens"
"""The column of words."""
DOCUMENT = "document"
"""The column of document numbers, where documents are known."""
LOCATION = "location"
"""The column that says where a sentence begins (`eng.train:15`), where that is known."""

SPLITS = ("train", "validation", "test")

DOCUMENT_MARKS = ("-DOCSTART-", "###MEDLINE:")
"""What a line of a column file begins with where a document does, in CoNLL-2003 and in JNLPBA."""

_OF_BACKUPS = ("~", ".bak", ".orig", ".swp")
"""What editors and merges add to the name of what was there before."""

_FILE_ENDINGS = frozenset(
    {
        ".ann",
        ".bio",
        ".col",
        ".conll",
        ".conllu",
        ".csv",
        ".dev",
        ".iob",
        ".iob2",
        ".json",
        ".jsonl",
        ".parquet",
        ".spacy",
    }
    | {".test", ".testa", ".testb", ".train", ".tsv", ".txt"}
)
"""A name that ends like this and is not on disk is a mistyped file, not a hub dataset."""

HALF_CHARACTER = re.compile("[\ud800-\udfff]")
"""Half of a surrogate pair, which JSON can write, and nothing else."""

_BATCH = 10_000
"""Sentences held as Python objects before they are packed into Arrow memory, a tenth of the size."""

_SPLIT_WORDS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev", "devel", "development", "testa"),
    "test": ("test", "testb", "testing", "eval"),
}


class Sentence(NamedTuple):
    """One sentence as a reader yields it.

    Attributes:
        words: The words.
        tags: For each tag column, one tag a word; `UNANNOTATED` for a word without annotation.
        document: Number of its document in the file, or None where documents are not known.
        location: Where it begins: `eng.train:15`.
    """

    words: list[str]
    tags: dict[str, list[str]]
    document: int | None
    location: str


class Remark(NamedTuple):
    """Something in a source that did not reach the corpus as it was.

    Attributes:
        code: What kind it is, for programs: `span-cuts-word`.
        rule: What was done with all of this kind, as a sentence: `Spans that begin or end inside a word are widened.`
        location: File and line: `a.ann:3`.
        example: What is there: `T1 'New Yor'`.
    """

    code: str
    rule: str
    location: str
    example: str


@dataclass(frozen=True, slots=True)
class Source:
    """What the user named as a corpus, looked up on disk.

    Attributes:
        reference: What the user wrote.
        path: The file or folder of that name, or None when there is none.
        files: The files of each split; empty when the reference names no files.
        columns: Column names the user gave for formats that have none, or None.
        remarks: What a reader could not take over as it was, for the reader to add to: the user is told.
    """

    reference: str
    path: Path | None = None
    files: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    columns: tuple[str, ...] | None = None
    remarks: list[Remark] = field(default_factory=list, compare=False)


class Reader(ABC):
    """Turns a source into a corpus."""

    name: ClassVar[str]
    summary: ClassVar[str]
    leaves_out: ClassVar[str] = ""
    """What a source of this format may hold that does not reach the corpus: `"heads and comments"`."""
    endings: ClassVar[frozenset[str]] = frozenset()
    """Endings of the names of files that are in this format and no other, such as `.conllu`.

    Where several readers accept a source, one that claims the endings of all its files goes first. Without this, a
    reader that looks at what is in a file may take one in which words stand in columns by chance.
    """
    scheme: ClassVar[str | None] = None
    """For a format that holds spans rather than tags, the label scheme of the tags it is read as, and written from."""
    companions: ClassVar[frozenset[str]] = frozenset()
    """Names of the files that `write` leaves beside those of the splits: `{"tools.conf"}`."""

    @abstractmethod
    def accepts(self, source: Source) -> bool:
        """Whether this reader is the one for the source, judged by its name and the start of its files."""

    @abstractmethod
    def read(self, source: Source) -> datasets.DatasetDict:
        """Read the whole source.

        Returns:
            A split name to dataset mapping. Each dataset has the column `tokens` (list of str), tag columns
            (lists of str or of ClassLabel), and, where known, `document` (int) and `location` (str).

        Raises:
            CorpusError: The source is broken; the message names file and line.
        """

    @property
    def can_write(self) -> bool:
        """Whether `write` is implemented."""
        return type(self).write is not Reader.write

    def write(self, data: datasets.DatasetDict, folder: Path) -> None:
        """Write a corpus in this format: the counterpart of `read`, and optional.

        `read` must understand what this writes. A format that cannot hold a word, a tag or the names of the splits
        raises; what else gets lost on the way, such as documents, the caller finds out by reading the folder again,
        and says so.

        Args:
            data: As `read` returns it: the column `tokens`, tag columns (lists of str or of ClassLabel, null where a
                word has no annotation) and, where known, `document`; `location`, for error messages, is where a
                sentence comes from, and is not written. `sentences_of` goes through it. Columns that encode spans are
                in the scheme `scheme`, where that is not None.
            folder: An empty folder, which becomes the corpus: files named after their split (`train.jsonl`), and
                `companions`.

        Raises:
            PolytagError: The format cannot be written, or cannot hold this corpus; the message says what to do.
        """
        raise PolytagError(
            f"The reader {self.name!r} only reads: it cannot write a corpus. Choose a format that can be written, for "
            "instance --format jsonl."
        )


def is_there(path: Path) -> bool:
    """Whether a file, a folder, a pipe or a device has this path; none has one that is too long for any.

    What a user wrote may be a path or something else, such as a list of labels, of any length.

    Raises:
        OSError: It cannot be found out, as a folder on the way may not be entered.
    """
    try:
        return path.exists()
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return False
        raise


def column_names(text: str | None) -> list[str] | None:
    """Names of columns as they are written in one line: `tokens,pos_tags,_,ner_tags`; None where there is nothing."""
    return [name.strip() for name in text.split(",")] if text else None


def locate(reference: str, columns: Sequence[str] | None = None) -> Source:
    """Look up what the user named: a file, a folder, `train=FILE,test=FILE`, or a name that is not on disk.

    In `train=…`, a folder stands for all its files. In a folder, and for a single file, the split is read off the file
    name (`eng.testa` is `validation`); a single file whose name tells nothing is `train`.

    Raises:
        CorpusError: The reference is empty, or names a file that does not exist, or a pipe.
        OSError: A folder may not be looked into.
    """
    chosen = tuple(columns) if columns else None
    if not reference.strip():
        raise CorpusError("The corpus has no name. Give a file, a folder, a hub dataset, or `sample`.")
    path = expanded(reference)
    if is_there(path):
        files = _files_in(path) if path.is_dir() else {split_of(path.name) or "train": (_regular(path),)}
        return Source(reference, path, files, chosen)
    if "=" in reference:
        return Source(reference, files=_named_files(reference), columns=chosen)
    name = reference.partition("@")[0]
    if name.startswith((".", "/", "~")) or name.count("/") > 1 or path.suffix in _FILE_ENDINGS:
        raise CorpusError(f"The corpus {reference!r} does not exist: no file or folder has that path. Check the path.")
    return Source(reference, columns=chosen)


def split_of(name: str) -> str | None:
    """The split that a name of a file or split speaks of, or None: `eng.testa` and `dev` are `validation`."""
    return next(iter(_splits_in(name)), None)


def _splits_in(name: str) -> list[str]:
    words = "".join(c.lower() if c.isalnum() else " " for c in name).split()
    return [split for split, names in _SPLIT_WORDS.items() if any(word in names for word in words)]


def corpus_from_sentences(splits: Mapping[str, Iterable[Sentence]]) -> datasets.DatasetDict:
    """Build a corpus from sentences, split by split. The columns are those of the first sentence.

    Raises:
        CorpusError: A split has no sentence, or a sentence lacks a column that the ones before it have.
    """
    import datasets

    return datasets.DatasetDict({split: _dataset(split, sentences) for split, sentences in splits.items()})


def sentences_of(dataset: datasets.Dataset) -> Iterator[Sentence]:
    """The sentences of a split, with tags as names and `UNANNOTATED` where a word has none; for `Reader.write`."""
    tagged = {
        name: getattr(feature.feature, "names", None)
        for name, feature in dataset.features.items()
        if name != TOKENS and hasattr(feature, "feature")  # lists, also large ones
    }
    for batch in dataset.iter(batch_size=_BATCH):
        for i, words in enumerate(batch[TOKENS]):
            tags = {name: [_name_of(value, names) for value in batch[name][i]] for name, names in tagged.items()}
            document = batch[DOCUMENT][i] if DOCUMENT in batch else None
            yield Sentence(words, tags, document, batch[LOCATION][i] if LOCATION in batch else "")


def _name_of(value: str | int | None, names: Sequence[str] | None) -> str:
    if isinstance(value, str):
        return value
    return names[value] if names and value is not None and value >= 0 else UNANNOTATED


def _dataset(split: str, sentences: Iterable[Sentence]) -> datasets.Dataset:
    import datasets
    import pyarrow as pa
    from datasets.table import InMemoryTable

    rows: dict[str, list[Any]] = {}
    tables: list[pa.Table] = []
    features: datasets.Features | None = None
    for sentence in sentences:
        if reserved := sorted(sentence.tags.keys() & {TOKENS, LOCATION, DOCUMENT}):
            raise CorpusError(
                f"{sentence.location}: tags cannot stand in a column named {reserved[0]!r}, which holds something else "
                "in every corpus. Give the tags another name in the file."
            )
        row: dict[str, Any] = {TOKENS: sentence.words, **sentence.tags, LOCATION: sentence.location}
        if sentence.document is not None:
            row[DOCUMENT] = sentence.document
        if features is None:
            features, rows = _features(row), {name: [] for name in row}
        if row.keys() != rows.keys():
            odd = ", ".join(sorted(row.keys() ^ rows.keys()))
            raise CorpusError(
                f"{sentence.location}: this sentence and the ones before it differ in the columns they have "
                f"({odd}). Give every sentence the same columns."
            )
        for name, value in row.items():
            rows[name].append(value)
        if len(rows[TOKENS]) == _BATCH:
            tables.append(_table(rows, features))
            rows = {name: [] for name in rows}
    if features is None:
        raise CorpusError(f"The {split} split holds no sentence. Check that its file is not empty.")
    tables.append(_table(rows, features))
    return datasets.Dataset(InMemoryTable(pa.concat_tables(tables)))


def _table(rows: Mapping[str, list[Any]], features: datasets.Features) -> Any:
    import pyarrow as pa

    try:
        return pa.Table.from_pydict(rows, schema=features.arrow_schema)
    except UnicodeEncodeError as error:  # JSON can write half a character
        columns = [values for name, values in rows.items() if name not in (LOCATION, DOCUMENT)]
        for place, *parts in zip(rows[LOCATION], *columns, strict=True):
            for text in itertools.chain(*parts):
                if HALF_CHARACTER.search(text or ""):
                    raise CorpusError(
                        f"{place}: {text!r} holds half of a surrogate pair, which is no character. Texts that were cut "
                        "off in the middle of an emoji have it. Remove it."
                    ) from error
        raise


def _features(row: Mapping[str, object]) -> datasets.Features:
    import datasets

    text = datasets.Value("string")
    kinds = {LOCATION: text, DOCUMENT: datasets.Value("int32")}
    return datasets.Features({name: kinds.get(name, datasets.List(text)) for name in row})


def _named_files(reference: str) -> dict[str, tuple[Path, ...]]:
    files: dict[str, tuple[Path, ...]] = {}
    for part in reference.split(","):
        split, _, name = part.strip().partition("=")
        split = split_of(split) or split
        if split not in SPLITS or not name:
            raise CorpusError(
                f"{part.strip()!r} is not of the form SPLIT=FILE, where SPLIT is one of {', '.join(SPLITS)}. "
                "Example: train=a.conll,validation=b.conll"
            )
        path = expanded(name)
        if not is_there(path):
            raise CorpusError(f"The {split} file {name!r} does not exist. Check the path.")
        found = _visible(path) if path.is_dir() else [_regular(path)]
        if not found:
            raise CorpusError(f"The {split} folder {name!r} holds no file. Check the path.")
        files[split] = (*files.get(split, ()), *found)
    return files


def _regular(path: Path) -> Path:
    if not path.is_file():
        raise CorpusError(
            f"The corpus file {str(path)!r} is a pipe or a device, which can be read only once, and readers go through "
            "a file more than once. Write what comes out of it to a file, and name that."
        )
    return path


def _files_in(folder: Path) -> dict[str, tuple[Path, ...]]:
    files: dict[str, tuple[Path, ...]] = {}
    for path in _visible(folder):
        splits = _splits_in(path.name)
        if len(splits) > 1:
            raise CorpusError(
                f"The file {str(path)!r} could belong to {' or to '.join(splits)}. Say which files are which: "
                f"train={folder / 'FILE'},validation={folder / 'FILE'}, or move this one elsewhere."
            )
        for split in splits:
            files[split] = (*files.get(split, ()), path)
    return files


def _visible(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if path.is_file() and not path.name.startswith(".") and not path.name.endswith(_OF_BACKUPS)
    )
