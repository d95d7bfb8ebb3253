"""Options about the rows of a lake, and the columns of its tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from polytag.errors import PolytagError, shorten
from polytag.plugin.reader import ReadingOptions
from polytag.prediction.inputs import INPUT_FORMATS, PARQUET
from polytag.tagger.token_classifiers import LabelNames

if TYPE_CHECKING:
    import pyarrow as pa

ROW_FORMATS = (PARQUET, "jsonl")
"""What rows can be written as."""
RESULTS = ("spans", "words", "offsets", "sentence_starts", "tags", "scores")
"""The columns that tagging adds, named like the fields of `TaggedText`."""
TEXT, TOKENS, DOCUMENT = "text", "tokens", "document"
"""The names of columns that are read by default."""


@dataclass(frozen=True)
class RowOptions:
    """Everything that decides the bytes of an output, except the tagger and the input.

    Attributes:
        output_format: `parquet` or `jsonl`.
        input_format: Format of all inputs; None to choose it by each file's extension.
        text_column, tokens_column, document_column: The columns with the text, the words and the document of a row.
        lines: Tag each line of a text as a text of its own.
        decoding, min_score, task, labels, runtime, device: As in `Tagger.load`.
        reading: The form of text files.
    """

    output_format: str
    input_format: str | None = None
    text_column: str | None = None
    tokens_column: str | None = None
    document_column: str | None = None
    lines: bool = False
    decoding: str | None = None
    min_score: float = 0.0
    task: str | None = None
    labels: LabelNames | None = None
    runtime: str | None = None
    reading: ReadingOptions = field(default_factory=ReadingOptions)
    device: str | None = None

    def __post_init__(self) -> None:
        check_name("output format", self.output_format, ROW_FORMATS)
        if self.input_format is not None:
            check_name("input format", self.input_format, (PARQUET, *INPUT_FORMATS))
        if self.lines and self.input_format in ("words", "conll"):
            raise PolytagError(
                f"--lines is for text, and the input format {self.input_format} has words. Leave it out."
            )
        if self.text_column is not None and self.tokens_column is not None:
            raise PolytagError(
                "There are --text-column and --tokens-column. A row has a text or words: name one of them."
            )
        if self.document_column is not None and self.text_column is not None:
            raise PolytagError(
                "--document-column says which sentences of words belong together, and --text-column names whole texts. "
                "Leave one of them out."
            )

    @property
    def named(self) -> tuple[str, ...]:
        """The columns that the user named."""
        columns = (self.text_column, self.tokens_column, self.document_column)
        return tuple(name for name in columns if name is not None)

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of JSON Lines that may have a text or words; the first that exists has it."""
        named = [name for name in (self.text_column, self.tokens_column) if name is not None]
        return (*named,) if named else (TEXT, TOKENS)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for the manifest; what is not given is left out."""
        values = asdict(self)
        values["reading"] = {name: value for name, value in values["reading"].items() if value is not None}
        return {name: value for name, value in values.items() if value not in (None, False, {}, 0.0)}


@dataclass(frozen=True)
class ContentColumns:
    """The columns of a Parquet file that are read.

    Attributes:
        text: The column of texts; None if there are words.
        tokens: The column of words, a list of strings.
        document: The column that numbers or names documents.
    """

    text: str | None
    tokens: str | None
    document: str | None = None

    @property
    def content(self) -> str:
        """The column that is tagged."""
        return self.text if self.text is not None else self.tokens or ""


def content_columns(schema: pa.Schema, options: RowOptions, name: str) -> ContentColumns:
    """The columns of a table that are read.

    Args:
        schema: The schema of the table.
        options: What the user named.
        name: Name of the table, for messages.

    Raises:
        PolytagError: A column does not exist or has another type, two have one name, or tagging would add a column that
            exists.
    """
    if twice := next((column for column, count in Counter(schema.names).items() if count > 1), None):
        raise PolytagError(f"{name} has several columns named {twice!r}. Rename or drop all but one.")
    strings = [column.name for column in schema if is_text(column.type)]
    lists = [column.name for column in schema if is_words(column.type)]
    text, tokens = options.text_column, options.tokens_column
    if text is None and tokens is None:
        text = TEXT if TEXT in strings else None
        tokens = TOKENS if text is None and TOKENS in lists else None
        if text is None and tokens is None and len(strings) == 1 and options.document_column is None:
            (text,) = strings
    if text is None and tokens is None:
        raise PolytagError(
            f"{name} has neither a column of strings named {TEXT!r} nor one of lists of strings named {TOKENS!r}. "
            f"{_columns(schema)} Name one: --text-column NAME, or --tokens-column NAME."
        )
    for wanted, fitting, kind, option in (
        (text, strings, "strings", "--text-column"),
        (tokens, lists, "lists of strings", "--tokens-column"),
    ):
        if wanted is not None and wanted not in fitting:
            raise _unfit(schema, wanted, kind, option, name)
    document = options.document_column
    fits = {column.name for column in schema if _names_documents(column.type)}
    if document is None and tokens is not None and DOCUMENT in fits:
        document = DOCUMENT
    if document is not None and (document not in fits or text is not None):
        raise _unfit(schema, document, "integers or strings, next to words", "--document-column", name)
    check_free([column for column in schema.names if column != tokens], text is None, name)
    return ContentColumns(text, tokens, document)


def check_free(names: Sequence[str], adds_text: bool, where: str) -> None:
    """Check that no column has the name of one that tagging adds.

    Raises:
        PolytagError: One has.
    """
    for name in (*RESULTS, *((TEXT,) if adds_text else ())):
        if name in names:
            raise PolytagError(
                f"{where} already has a column {name!r}, which tagging adds. Rename or drop it: perhaps the file was "
                "tagged before."
            )


def _unfit(schema: pa.Schema, wanted: str, kind: str, option: str, name: str) -> PolytagError:
    found = f"is of type {schema.field(wanted).type}" if wanted in schema.names else "does not exist"
    return PolytagError(
        f"{name} has no column {wanted!r} of {kind}: it {found}. {_columns(schema)} Name another one: {option} NAME."
    )


def _columns(schema: pa.Schema) -> str:
    return f"Its columns: {shorten(', '.join(f'{column.name} ({column.type})' for column in schema), 300)}."


def is_text(kind: pa.DataType) -> bool:
    """Whether a column of this Arrow type has texts."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def is_words(kind: pa.DataType) -> bool:
    """Whether a column of this Arrow type has the words of sentences."""
    import pyarrow as pa

    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    return bool(is_list) and is_text(kind.value_type)


def _names_documents(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_integer(kind)) or is_text(kind)


def check_name(what: str, name: str, known: Sequence[str]) -> None:
    """Check that a name is known.

    Raises:
        PolytagError: It is not.
    """
    if name not in known:
        raise PolytagError(f"There is no {what} named {name!r}. Choose one of: {', '.join(known)}.")
