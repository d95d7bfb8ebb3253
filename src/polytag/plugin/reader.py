"""Readers: a source (files, a folder, a name) to a corpus."""

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
"""The column of document numbers, if documents are known."""

LOCATION = "location"
"""The column with the start of each sentence (`eng.train:15`), if it is known."""

SPLITS = ("train", "validation", "test")
DOCUMENT_MARKS = ("-DOCSTART-", "###MEDLINE:")
"""The starts of a line of a column file that mark a new document, in CoNLL-2003 and in JNLPBA."""


class Sentence(NamedTuple):
    """One sentence, as yielded by a reader.

    Attributes:
        words: The words.
        tags: For each tag column, one tag per word; `UNANNOTATED` for a word without annotation.
        document: Number of its document in the file, or None if documents are unknown.
        location: Its start: `eng.train:15`.
    """

    words: list[str]
    tags: dict[str, list[str]]
    document: int | None
    location: str


class Remark(NamedTuple):
    """Something in a source that a reader changed or left out.

    Attributes:
        code: The kind, for programs: `span-cuts-word`.
        rule: The treatment of this kind, as a sentence: `Spans that start or end inside a word are widened.`
        location: File and line: `a.ann:3`.
        example: The content at that place: `T1 'New Yor'`.
    """

    code: str
    rule: str
    location: str
    example: str


@dataclass(frozen=True, slots=True)
class Source:
    """The source of a corpus, found on disk.

    Attributes:
        reference: The name that the user gave.
        path: The file or folder with that name, or None.
        files: The files of each split; empty if the reference names no files.
        columns: Column names from the user, for formats without column names, or None.
        remarks: A list to which the reader adds everything that it changes or leaves out; shown to the user.
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
    """Content of this format that does not become part of the corpus: `"heads and comments"`."""
    endings: ClassVar[frozenset[str]] = frozenset()
    """Extensions of files that are always in this format, such as `.conllu`.

    If several readers accept a source, a reader that claims the extensions of all its files takes precedence. Otherwise
    a reader that judges by content could accept a file whose words form columns by chance.
    """
    scheme: ClassVar[str | None] = None
    """For a format with spans instead of tags, the label scheme of the tags that are read and written."""
    companions: ClassVar[frozenset[str]] = frozenset()
    """Names of files that `write` writes in addition to the files of the splits: `{"tools.conf"}`."""

    @abstractmethod
    def accepts(self, source: Source) -> bool:
        """Whether this reader can read the source, judged by its name and the start of its files."""

    @abstractmethod
    def read(self, source: Source) -> datasets.DatasetDict:
        """Read the whole source.

        Returns:
            A split name to dataset mapping. Each dataset has the column `tokens` (list of str), tag columns
            (lists of str or of ClassLabel), and, if known, `document` (int) and `location` (str).

        Raises:
            CorpusError: The source is broken; the message names file and line.
        """

    @property
    def can_write(self) -> bool:
        """Whether `write` is implemented."""
        return type(self).write is not Reader.write

    def write(self, data: datasets.DatasetDict, folder: Path) -> None:
        """Write a corpus in this format: the optional inverse of `read`.

        `read` must be able to read the output. If the format cannot hold a word, a tag or the names of the splits,
        raise an error. The caller finds other losses, such as documents, by reading the folder again, and reports them.

        Args:
            data: As returned by `read`: the column `tokens`, tag columns (lists of str or of ClassLabel, null for a
                word without annotation) and, if known, `document`; `location` is the origin of a sentence for error
                messages, and is not written. `sentences_of` iterates over it. Columns with spans are in the scheme
                `scheme`, if that is not None.
            folder: An empty folder for the corpus: files named after their split (`train.jsonl`), and `companions`.

        Raises:
            PolytagError: The format cannot be written, or cannot hold this corpus; the message says what to do.
        """
        raise PolytagError(
            f"The reader {self.name!r} cannot write a corpus. Choose a format that can be written, for "
            "instance --format jsonl."
        )
