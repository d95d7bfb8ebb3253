"""A corpus: words in sentences, with one tag column per task, and how to load one."""

from __future__ import annotations

import hashlib
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain, compress, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from polytag.corpus.annotation import GAP, gap_is_no_tag
from polytag.corpus.source import locate, remarks_on_files
from polytag.corpus.tables import checked, location
from polytag.corpus.tag_style import TagStyle, with_canonical_tags
from polytag.corpus.task_columns import candidates_for, no_column_for, say_taken
from polytag.corpus.text_files import text_ending
from polytag.errors import CorpusError, CorpusWarning
from polytag.plugin.reader import (
    DOCUMENT,
    SPLITS,
    TOKENS,
    Reader,
    ReadingKeywords,
    ReadingOptions,
    RecognisedForm,
    Remark,
    SentenceTable,
    Source,
)
from polytag.plugin.registry import registry
from polytag.plugin.scheme import UNANNOTATED
from polytag.plugin.splitter import STANDARD
from polytag.plugin.task import Task

if TYPE_CHECKING:
    import datasets

_SKIP = "_"
_OF_ROWS = frozenset({"sentence", DOCUMENT})
"""Names of columns of a table that group its rows."""
_SHOWN_REMARKS = 3


@dataclass(frozen=True, eq=False)
class Corpus:
    """Words in sentences, in documents where known, with one tag column per task.

    Attributes:
        reference: The name that the user gave.
        reader: Name of the reader that read it.
        data: The table of each split, in the order of the source.
        remarks: Everything that the reader changed or left out.
        forms: The form of each file, if the reader recognised it.
        tag_styles: How the source writes the tags of each column with span tags; in `data` they are written `B-X`.
    """

    reference: str
    reader: str
    data: Mapping[str, SentenceTable]
    remarks: tuple[Remark, ...] = ()
    forms: Mapping[Path, RecognisedForm] = field(default_factory=dict)
    tag_styles: Mapping[str, TagStyle] = field(default_factory=dict)

    @cached_property
    def splits(self) -> tuple[str, ...]:
        """Names of the splits: train, validation, test, then any others in the order of the source."""
        return (
            *(name for name in SPLITS if name in self.data),
            *(name for name in self.data if name not in SPLITS),
        )

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Names of the tag columns of all splits, in the order of the source."""
        return tuple(dict.fromkeys(name for split in self.splits for name in self.data[split].tags))

    def splits_with(self, column: str) -> list[str]:
        """Names of the splits that have a tag column."""
        return [split for split in self.splits if column in self.data[split].tags]

    def split(self, name: str) -> SentenceTable:
        """The table of one split.

        Raises:
            CorpusError: The split does not exist; the message lists the existing ones.
        """
        if name not in self.data:
            raise CorpusError(
                f"The corpus {self.reference!r} has no split {name!r}; it has {', '.join(self.splits)}. "
                f"Choose one of these, or give the file with {name}=FILE."
            )
        return self.data[name]

    def default_split(self, wanted: str | None = None) -> str:
        """The split to score on: the wanted one, or `test` where it exists, or else the last.

        Raises:
            CorpusError: The wanted split does not exist.
        """
        name = wanted or ("test" if "test" in self.splits else self.splits[-1])
        self.split(name)
        return name

    def words(self, split: str) -> list[list[str]]:
        """The words of every sentence."""
        return [list(words) for words in self.split(split).words]

    def tags(self, split: str, column: str) -> list[list[str]]:
        """The tags of every sentence.

        A word without annotation has the tag `UNANNOTATED`: in the source its value is null, an empty string, -1 (for
        ids), or `-` if `-` is not a tag of the column (see `columns_with_gaps`).

        Raises:
            CorpusError: The split lacks the column.
        """
        columns = self.split(split).tags
        if column not in columns:
            raise CorpusError(
                f"The split {split!r} of the corpus {self.reference!r} has no tag column {column!r}; it has "
                f"{', '.join(columns) or 'none'}. Choose one of these."
            )
        if column not in self.columns_with_gaps:
            return [list(row) for row in columns[column]]
        return [[UNANNOTATED if tag == GAP else tag for tag in row] for row in columns[column]]

    @cached_property
    def columns_with_gaps(self) -> frozenset[str]:
        """The tag columns in which `-` means that a word is not annotated, judged by all splits."""
        counts: dict[str, Counter[str]] = {}
        marked: dict[str, Counter[str]] = {}
        for table in self.data.values():
            for column, rows in table.tags.items():
                of_split = Counter(chain.from_iterable(rows))
                counts.setdefault(column, Counter()).update(of_split)
                if of_split[GAP]:
                    marked.setdefault(column, Counter()).update(_words_tagged(table, column, GAP))
        return frozenset(column for column, words in marked.items() if gap_is_no_tag(counts[column], words))

    def labels(self, column: str) -> tuple[str, ...] | None:
        """Names of a ClassLabel column in id order, without names for missing annotation.

        None for a column of strings.
        """
        gap = GAP if column in self.columns_with_gaps else UNANNOTATED
        for split in self.splits_with(column):
            names = self.data[split].labels.get(column)
            return names if names is None else tuple(name for name in names if name not in (gap, UNANNOTATED))
        raise CorpusError(self._without(f"tag column {column!r}"))

    def documents(self, split: str) -> list[int] | None:
        """The document number of every sentence, or None if documents are unknown."""
        numbers = self.split(split).documents
        return None if numbers is None else list(numbers)

    def locate(self, split: str, index: int) -> str:
        """The start of a sentence: `eng.train:15`, or `train sentence 3` (from 1) if lines are unknown."""
        return location(self.split(split), split, index)

    def locate_word(self, split: str, index: int, position: int) -> str:
        """The place of a word: `eng.train:17` where files have a line for each word, else with its number from 1."""
        sentence = self.locate(split, index)
        file, _, line = sentence.rpartition(":")
        if self.reader == "column" and line.isdigit():
            return f"{file}:{int(line) + position}"
        return f"{sentence}, word {position + 1}"

    def n_words(self, split: str) -> int:
        """Number of words of a split."""
        return sum(map(len, self.split(split).words))

    @cached_property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits of the SHA-256 of all words and tags: equal content, equal fingerprint."""
        digest = hashlib.sha256()
        for split in self.splits:
            parts = [
                (TOKENS, self.words(split)),
                *((name, self.tags(split, name)) for name in sorted(self.data[split].tags)),
            ]
            for name, sentences in parts:
                digest.update(repr((split, name)).encode())
                for sentence in sentences:
                    digest.update(repr(sentence).encode())
        return digest.hexdigest()[:16]

    @property
    def document_boundaries(self) -> str:
        """Sixteen hexadecimal digits of the SHA-256 of the document boundaries."""
        digest = hashlib.sha256()
        for split in self.splits:
            documents = self.documents(split)
            starts = [index for index, pair in enumerate(pairwise(documents or ())) if pair[0] != pair[1]]
            digest.update(repr((split, documents is None, starts)).encode())
        return digest.hexdigest()[:16]

    def column_for(self, task: Task) -> str:
        """The tag column that holds a task: the first of the task's columns that the corpus has.

        If it has none of them, and the user named no column: the only one that can hold the task, and is no other
        task's by its name.

        Warns:
            CorpusWarning: The column has a name that is not the task's; said once.

        Raises:
            CorpusError: No column is the task's, or several could be; the message lists its tag columns.
        """
        for column in task.columns:
            if column in self.columns:
                return column
        candidates = candidates_for(self, task)
        if len(candidates) != 1:
            raise CorpusError(no_column_for(self, task, candidates))
        (column,) = candidates
        if self._taken.setdefault(task.name, "") != column:
            self._taken[task.name] = column
            say_taken(self, task, column)
        return column

    @cached_property
    def _taken(self) -> dict[str, str]:
        """The columns with other names that were taken for tasks, by task; it is said once."""
        return {}

    def keeping(self, columns: Sequence[str]) -> Corpus:
        """The same corpus with only these tag columns; `tokens`, `_`, `sentence` and `document` are ignored.

        Raises:
            CorpusError: The corpus has no such column; the message lists the existing ones.
        """
        others = {TOKENS, _SKIP, *(_OF_ROWS - set(self.columns))}
        kept = [name for name in columns if name not in others]
        for name in kept:
            if name not in self.columns:
                raise CorpusError(f"{self._without(f'tag column {name!r}')} Choose among these with --columns.")
        data = {
            split: replace(table, tags={name: rows for name, rows in table.tags.items() if name in kept})
            for split, table in self.data.items()
        }
        return replace(self, data=data)

    def form_lines(self) -> list[str]:
        """The form of the files, as the reader recognised it: one line, or one for each file if they differ."""
        lines = {path.name: form.description for path, form in self.forms.items()}
        kinds = sorted(set(lines.values()))
        return kinds if len(kinds) < 2 else [f"{name}: {line}" for name, line in lines.items()]

    def to_datasets(self) -> datasets.DatasetDict:
        """The same as a `datasets.DatasetDict`; `SentenceTable.to_dataset` makes the columns.

        Raises:
            PolytagError: The package `datasets` is not installed.
        """
        found = {split: self.data[split].to_dataset() for split in self.splits}  # which says what is not installed
        import datasets

        return datasets.DatasetDict(found)

    def _without(self, what: str) -> str:
        present = ", ".join(self.columns) or "none"
        return f"The corpus {self.reference!r} has no {what}; its tag columns are {present}."


def load_corpus(
    reference: str, *, reader: str | None = None, splitter: str = STANDARD, **reading: Unpack[ReadingKeywords]
) -> Corpus:
    """Load a corpus with the reader that accepts it.

    Args:
        reference: A file, a folder, `train=FILE,test=FILE`, the name of a hub dataset, or `sample`.
        reader: Name of the reader to use, if several accept the source or none does.
        splitter: Name of the splitter of texts that are annotated with offsets.
        **reading: What is known about its form, the fields of `ReadingOptions`: `columns`, `separator`, `comments`,
            `header`, `encoding`, `word_pattern`, `tag_style`, `offsets`. The rest is recognised.

    Warns:
        CorpusWarning: The reader changed or left out something; one warning per kind, with the first places.

    Raises:
        CorpusError: The source does not exist or may not be read, no reader or several accept it, or it is damaged.
    """
    options = ReadingOptions.of(reading)
    try:
        source = replace(locate(reference, options), splitter=splitter)
        for paths in source.files.values():
            if not any(path.stat().st_size for path in paths):
                raise CorpusError(f"The file {paths[0]} is empty. Check that this is the right file.")
        chosen = registry().readers[reader] if reader else _reader_for(source)
        data = chosen.read(source)
    except OSError as error:
        raise CorpusError(
            f"The corpus {reference!r} cannot be read: {error}. Check the path and its permissions."
        ) from error
    tables = checked(data, reference, options.columns)
    tables, styles, respelled = with_canonical_tags(tables, options.tag_style, reference)
    remarks = (*source.remarks, *remarks_on_files(source), *respelled)
    corpus = Corpus(reference, chosen.name, tables, remarks, dict(source.forms), styles)
    for rule, of_rule in remarks_by_rule(corpus).items():
        places = "; ".join(f"{remark.location}: {remark.example}" for remark in of_rule[:_SHOWN_REMARKS])
        more = len(of_rule) - _SHOWN_REMARKS
        others = (
            f"; and {more:,} more, which `polytag corpus check --examples {len(of_rule)}` shows" if more > 0 else ""
        )
        warnings.warn(f"{rule} {places}{others}.", CorpusWarning, stacklevel=2)
    return corpus.keeping(options.columns) if options.columns else corpus


def as_corpus(
    corpus: Corpus | str, *, reader: str | None = None, splitter: str = STANDARD, **reading: Unpack[ReadingKeywords]
) -> Corpus:
    """Return a corpus unchanged, or load it by name; the other arguments as in `load_corpus`."""
    return corpus if isinstance(corpus, Corpus) else load_corpus(corpus, reader=reader, splitter=splitter, **reading)


def _words_tagged(table: SentenceTable, column: str, tag: str) -> Iterator[str]:
    """The words with a given tag."""
    for words, tags in zip(table.words, table.tags[column], strict=True):
        if tag in tags:
            yield from compress(words, map(tag.__eq__, tags))


def accepting_readers(source: Source) -> list[Reader]:
    """The readers that accept a source; if some of them claim the extensions of its files, only these."""
    accepting = [reader for reader in registry().readers.values() if reader.accepts(source)]
    endings = {text_ending(path) for paths in source.files.values() for path in paths}
    return [reader for reader in accepting if endings and endings <= reader.endings] or accepting


def remarks_by_rule(corpus: Corpus) -> dict[str, list[Remark]]:
    """The remarks of the reader, grouped by the rule that it applied."""
    found: dict[str, list[Remark]] = {}
    for remark in corpus.remarks:
        found.setdefault(remark.rule, []).append(remark)
    return found


def _reader_for(source: Source) -> Reader:
    readers = registry().readers
    accepting = accepting_readers(source)
    if len(accepting) == 1:
        return readers[accepting[0].name]
    if accepting:
        names = [reader.name for reader in accepting]
        raise CorpusError(
            f"Several readers accept the corpus {source.reference!r}: {', '.join(names)}. Choose one, for "
            f"instance --reader {names[0]}."
        )
    if source.path is not None and source.path.is_dir() and not source.files:
        raise CorpusError(
            f"The folder {source.reference!r} has no corpus: no file name contains train, validation (dev, "
            "testa) or test (testb). Rename the files, or name each one: "
            "train=FILE,validation=FILE,test=FILE."
        )
    if source.path is None and not source.files:
        raise CorpusError(
            f"The corpus {source.reference!r} does not exist: no file or folder has that path, and no reader accepts "
            "it as a name, such as a dataset on the hub (owner/name). Check the path."
        )
    _refuse_two_formats(source)
    raise CorpusError(
        f"No reader accepts the corpus {source.reference!r}. Choose one of {', '.join(readers)} with --reader, or "
        "convert the corpus to the format of one of them."
    )


def _refuse_two_formats(source: Source) -> None:
    """Refuse files of one split that different readers accept, each alone."""
    for split, paths in source.files.items():
        formats: dict[str, Path] = {}
        for path in paths:
            alone = replace(source, path=path, files={split: (path,)})
            accepting = accepting_readers(alone)
            if len(accepting) == 1:
                formats.setdefault(accepting[0].name, path)
        if len(formats) > 1:
            (first, path), (second, other) = list(formats.items())[:2]
            raise CorpusError(
                f"The corpus {source.reference!r} holds the {split} split in two formats: {path.name} ({first}) and "
                f"{other.name} ({second}). Name the files to read: {split}={path}"
            )
