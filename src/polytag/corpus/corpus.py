"""A corpus: words in sentences, with one tag column per task."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain, compress, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from polytag.corpus.annotation import GAP, gap_is_no_tag
from polytag.corpus.tables import location
from polytag.corpus.tag_style import TagStyle
from polytag.corpus.task_columns import candidates_for, no_column_for, say_taken
from polytag.errors import CorpusError
from polytag.plugin.reader import (
    DOCUMENT,
    SPLITS,
    TOKENS,
    RecognisedForm,
    Remark,
    SentenceTable,
)
from polytag.plugin.scheme import UNANNOTATED, outside_first
from polytag.plugin.task import Task
from polytag.terminal import console

if TYPE_CHECKING:
    import datasets

_SKIP = "_"
_OF_ROWS = frozenset({"sentence", DOCUMENT})
"""Names of columns of a table that group its rows."""


@dataclass(frozen=True, eq=False, repr=False)
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

    def __getitem__(self, split: str) -> SentenceTable:
        """The table of one split, for `corpus["train"][0]`: words without annotation have the tag `UNANNOTATED`.

        Raises:
            CorpusError: The split does not exist.
        """
        table = self.split(split)
        gaps = self.columns_with_gaps & table.tags.keys()
        if gaps and split not in self._without_gaps:
            rows = {name: tuple(map(tuple, self.tags(split, name))) for name in gaps}
            self._without_gaps[split] = replace(table, tags={**table.tags, **rows})
        return self._without_gaps.get(split, table)

    @cached_property
    def _without_gaps(self) -> dict[str, SentenceTable]:
        """The tables of `__getitem__` that differ from those in `data`, by split."""
        return {}

    def show(
        self, split: str | None = None, row: int = 0, n: int = 1, *, label: str | None = None, match: str | None = None
    ) -> None:
        """Print sentences: their words over their tags.

        Args:
            split: Name of the split; the first one by default.
            row: Index of the first sentence, from 0.
            n: Number of sentences.
            label: Show only sentences with this tag (`B-ORG`), or with a span with this label (`ORG`).
            match: Show only sentences with this text, where words are joined by single spaces.

        Raises:
            CorpusError: The split or the row does not exist, or no sentence from the row on fits.
        """
        from polytag.corpus.show import find_rows, render_rows

        console().print(*render_rows(self, *find_rows(self, split, row, n, label=label, match=match)), sep="\n")

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

    def label_names(self, column: str) -> tuple[str, ...]:
        """The labels of a tag column: the names of a ClassLabel in id order, otherwise `O` and then the others, sorted.

        Raises:
            CorpusError: No split has the column.
        """
        names = self.labels(column)
        if names is not None:
            return names
        tags = {tag for split in self.splits_with(column) for row in self[split].tags[column] for tag in row}
        return tuple(sorted(tags - {UNANNOTATED}, key=outside_first))

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

    def __repr__(self) -> str:
        sizes = ", ".join(f"{split} {len(self.data[split]):,}" for split in self.splits)
        return f"Corpus({self.reference}: {sizes} sentences; {', '.join(self.columns)})"

    def _repr_html_(self) -> str:
        """The size of each split and the labels of each column, for notebooks."""
        from polytag.corpus.show import corpus_html

        return corpus_html(self)

    def _without(self, what: str) -> str:
        present = ", ".join(self.columns) or "none"
        return f"The corpus {self.reference!r} has no {what}; its tag columns are {present}."


def _words_tagged(table: SentenceTable, column: str, tag: str) -> Iterator[str]:
    """The words with a given tag."""
    for words, tags in zip(table.words, table.tags[column], strict=True):
        if tag in tags:
            yield from compress(words, map(tag.__eq__, tags))
