"""Readers: from a source (files, a folder, a name) to a corpus."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from polytag.errors import PolytagError

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
