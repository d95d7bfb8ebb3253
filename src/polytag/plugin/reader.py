"""Readers: a source (files, a folder, a name) to a corpus."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, TypedDict

from polytag.errors import CorpusError, PolytagError
from polytag.plugin.scheme import UNANNOTATED
from polytag.plugin.splitter import STANDARD

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


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SentenceTable:
    """The sentences of one split, column by column; `corpus_from_sentences` builds it.

    Nothing in it changes. Equal words are one object, and so are equal tags: a word takes 8 bytes per column.

    Attributes:
        words: The words of each sentence.
        tags: For each tag column, the tags of each sentence: one per word, `UNANNOTATED` for a word without annotation.
        documents: The document number of each sentence, or None if documents are unknown.
        locations: The start of each sentence (`eng.train:15`), empty where it is unknown.
        labels: For each tag column whose names are fixed in advance (a ClassLabel), these names in id order.
        left_out: Names of the columns of the source that hold neither words nor tags.

    Raises:
        ValueError: The columns differ in their number of sentences.
    """

    words: tuple[tuple[str, ...], ...]
    tags: Mapping[str, tuple[tuple[str, ...], ...]]
    documents: tuple[int, ...] | None
    locations: tuple[str, ...]
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        lengths = {LOCATION: len(self.locations), **{name: len(rows) for name, rows in self.tags.items()}}
        if self.documents is not None:
            lengths[DOCUMENT] = len(self.documents)
        for name, length in lengths.items():
            if length != len(self):
                raise ValueError(f"The column {name!r} has {length} sentences, and {TOKENS!r} has {len(self)}.")

    def __len__(self) -> int:
        """Number of sentences."""
        return len(self.words)

    def __repr__(self) -> str:
        return f"SentenceTable({len(self):,} sentences: {', '.join((TOKENS, *self.tags))})"

    def __getitem__(self, index: int) -> Sentence:
        """The sentence with this index, from 0; a negative index counts from the end."""
        tags = {name: list(rows[index]) for name, rows in self.tags.items()}
        document = None if self.documents is None else self.documents[index]
        return Sentence(list(self.words[index]), tags, document, self.locations[index])

    def to_dataset(self) -> datasets.Dataset:
        """The same as a `datasets.Dataset`.

        Returns:
            A dataset with the column `tokens` (list of str), the tag columns (lists of str, or of ClassLabel where the
            names are known; null for a word without annotation), and, where they are known, `location` (str) and
            `document` (int).

        Raises:
            PolytagError: The package `datasets` is not installed.
        """
        try:
            import datasets
            import pyarrow as pa
            from datasets.table import InMemoryTable
        except ImportError as error:
            raise PolytagError(
                "Datasets, saved and as Parquet files, need the package datasets, which is not installed. Install it: "
                "pip install polytag"
            ) from error

        text = datasets.Value("string")
        features = {TOKENS: datasets.List(text)}
        columns: dict[str, Sequence[object]] = {TOKENS: self.words}
        for name, rows in self.tags.items():
            names = self.labels.get(name)
            features[name] = datasets.List(text if names is None else datasets.ClassLabel(names=list(names)))
            values: dict[str, object] = dict(zip(names, range(len(names)), strict=True)) if names else {}
            values[UNANNOTATED] = None
            columns[name] = [[values.get(tag, tag) for tag in row] for row in rows]
        if any(self.locations):
            features[LOCATION], columns[LOCATION] = text, self.locations
        if self.documents is not None:
            small = max(map(abs, self.documents), default=0) < 1 << 31
            features[DOCUMENT], columns[DOCUMENT] = datasets.Value("int32" if small else "int64"), self.documents
        table = pa.Table.from_pydict(columns, schema=datasets.Features(features).arrow_schema)
        return datasets.Dataset(InMemoryTable(table))


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


SEPARATORS = {"tab": "\t", "space": " ", "comma": ",", "semicolon": ";"}
"""The names of separators of columns."""


class ReadingKeywords(TypedDict, total=False):
    """The fields of `ReadingOptions` as keyword arguments, with the types that are accepted for them."""

    columns: str | Sequence[str] | None
    separator: str | None
    comments: str | None
    header: bool | None
    encoding: str | None
    word_pattern: str | None
    tag_style: str | None
    offsets: Literal["characters", "utf16"] | None


@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """Statements of the user about the form of a corpus; None leaves a part to the reader.

    Attributes:
        columns: Names of the columns of a column file in their order, `tokens` for the words and `_` for a column to
            skip; in formats with column names, the tag columns to keep.
        separator: What separates columns: `tab`, `space`, `comma`, `semicolon`, or one character.
        comments: The text at the start of comment lines; `none` if the files have no comments.
        header: Whether the first line names the columns.
        encoding: Encoding of text files, as Python names it.
        word_pattern: Regular expression for the cells of words, matched as a whole; its first group is the word.
        tag_style: How span tags are written, by an example: `B-X`, `B_X`, `b-x`, `X-B`; after a comma, the spelling of
            `O`: `B-X,0`.
        offsets: Unit of the offsets of annotations in text: `characters`, or `utf16` for UTF-16 units, as programs in
            JavaScript and Java count.
    """

    columns: tuple[str, ...] | None = None
    separator: str | None = None
    comments: str | None = None
    header: bool | None = None
    encoding: str | None = None
    word_pattern: str | None = None
    tag_style: str | None = None
    offsets: Literal["characters", "utf16"] | None = None

    @classmethod
    def of(cls, keywords: ReadingKeywords) -> ReadingOptions:
        """The options in keyword arguments; `columns` may be a text with commas."""
        names = keywords.get("columns")
        if isinstance(names, str):
            names = [name.strip() for name in names.split(",")]
        values: dict[str, Any] = {**keywords, "columns": tuple(names) if names else None}
        return cls(**values)

    def separator_character(self) -> str | None:
        """The character that separates columns, if the user named it.

        Raises:
            CorpusError: The option is neither a name nor one character.
        """
        if self.separator is None:
            return None
        character = SEPARATORS.get(self.separator, self.separator)
        if len(character) != 1:
            raise CorpusError(
                f"--separator {self.separator!r} is neither {', '.join(SEPARATORS)} nor a single character."
            )
        return character

    def given(self) -> dict[str, Any]:
        """The options that are set, by name."""
        values = {part.name: getattr(self, part.name) for part in fields(self)}
        return {name: value for name, value in values.items() if value is not None}


NOTHING_SAID = ReadingOptions()
"""Nothing is said: the reader recognises everything."""


class RecognisedForm(NamedTuple):
    """The form of a file, as a reader recognised it.

    Attributes:
        description: One line for the user: `tab-separated, comments #, index, tokens, ner_tags`.
        options: The options that say the same.
    """

    description: str
    options: ReadingOptions


@dataclass(frozen=True, slots=True)
class Source:
    """The source of a corpus, found on disk.

    Attributes:
        reference: The name that the user gave.
        path: The file or folder with that name, or None.
        files: The files of each split; empty if the reference names no files.
        options: What the user says about its form.
        passed_over: Files of a folder that are in no split, with the reason; shown to the user after reading. The
            reader adds files of splits that it does not read, and removes the files that it reads.
        remarks: A list to which the reader adds everything that it changes or leaves out; shown to the user.
        splitter: Name of the splitter of texts that are annotated with offsets.
        forms: The form of each file, if readers recognise it; the reader adds it.
    """

    reference: str
    path: Path | None = None
    files: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    options: ReadingOptions = NOTHING_SAID
    passed_over: dict[Path, str] = field(default_factory=dict, compare=False)
    remarks: list[Remark] = field(default_factory=list, compare=False)
    splitter: str = STANDARD
    forms: dict[Path, RecognisedForm] = field(default_factory=dict, compare=False)


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
    def read(self, source: Source) -> Mapping[str, SentenceTable] | datasets.DatasetDict:
        """Read the whole source.

        Returns:
            The splits: tables, as `corpus_from_sentences` builds them, or datasets. Each dataset has the column
            `tokens` (list of str), tag columns (lists of str or of ClassLabel), and, if known, `document` (int) and
            `location` (str); it is converted to a table.

        Raises:
            CorpusError: The source is broken; the message names file and line.
        """

    @property
    def can_write(self) -> bool:
        """Whether `write` is implemented."""
        return type(self).write is not Reader.write

    def write(self, data: Mapping[str, SentenceTable], folder: Path) -> None:
        """Write a corpus in this format: the optional inverse of `read`.

        `read` must be able to read the output. If the format cannot hold a word, a tag or the names of the splits,
        raise an error. The caller finds other losses, such as documents, by reading the folder again, and reports them.

        Args:
            data: The table of each split; `sentences_of` iterates over one. The location of a sentence is its origin
                for error messages, and is not written. Columns with spans are in the scheme `scheme`, if that is not
                None.
            folder: An empty folder for the corpus: files named after their split (`train.jsonl`), and `companions`.

        Raises:
            PolytagError: The format cannot be written, or cannot hold this corpus; the message says what to do.
        """
        raise PolytagError(
            f"The reader {self.name!r} cannot write a corpus. Choose a format that can be written, for "
            "instance --format jsonl."
        )
