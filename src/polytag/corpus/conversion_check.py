"""Read a converted corpus again, and compare it with the one that was written."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from polytag.corpus.corpus import Corpus
from polytag.corpus.load import accepting_readers, read_with
from polytag.corpus.source import locate
from polytag.corpus.tables import checked
from polytag.errors import CorpusError
from polytag.plugin.reader import TOKENS, Reader, ReadingKeywords, ReadingOptions

FALLBACK = "jsonl"
"""The format that holds every corpus."""


def compare_written(corpus: Corpus, writer: Reader, folder: Path, held: Sequence[str], messages: list[str]) -> str:
    """Read the folder again and compare it with the corpus; return the options that are needed to read it.

    Args:
        corpus: The corpus that was written.
        writer: The reader that wrote it.
        folder: The output folder.
        held: The columns that must be named if the format has no column names.
        messages: Gets a message for everything that got lost.

    Raises:
        CorpusError: Words or tags differ from the corpus.
    """
    named = (TOKENS, *held)
    with _own_cache():
        again, said = _read_again(corpus, writer, folder, named)
    options = [f"--{name.replace('_', '-')} {value}" for name, value in said.items() if not isinstance(value, bool)]
    options += [f"--no-{name}" for name, value in said.items() if value is False]
    lost = [name for name in corpus.columns if name not in again.columns]
    if problem := _difference(corpus, again, [name for name in corpus.columns if name not in lost]):
        raise CorpusError(
            f"The format {writer.name!r} does not preserve this corpus: {problem}. Choose another one, for "
            f"instance --format {FALLBACK}."
        )
    if lost:
        messages.append(f"The format {writer.name!r} cannot hold the tag columns {', '.join(lost)}: left out.")
    if added := [name for name in again.columns if name not in corpus.columns]:
        messages.append(f"The format {writer.name!r} has more columns; they are empty (_): {', '.join(added)}.")
    for split in corpus.splits:
        before, after = _grouped(corpus.documents(split)), _grouped(again.documents(split))
        if before != after:
            messages.append(
                f"{split}: the format {writer.name!r} does not keep document boundaries: before there were "
                f"{_number(before)}, now there are {_number(after)}."
            )
    accepting = [reader.name for reader in accepting_readers(locate(str(folder)))]
    if accepting != [writer.name]:
        options.insert(0, f"--reader {writer.name}")
    return " ".join(options)


def _read_again(
    corpus: Corpus, writer: Reader, folder: Path, named: tuple[str, ...]
) -> tuple[Corpus, dict[str, str | bool]]:
    """The corpus in a folder, and the fewest options with which it has the words and tags that were written."""
    columns = ",".join(named)
    ways: list[dict[str, str | bool]] = [
        {},
        {"columns": columns},
        {"columns": columns, "separator": "space", "comments": "none", "header": False, "tag_style": "B-X"},
    ]
    errors: list[Exception] = []
    best: tuple[Corpus, dict[str, str | bool]] | None = None
    for way in ways:
        try:
            found = _read(writer, folder, ReadingOptions.of(cast(ReadingKeywords, way)))
        except (OSError, CorpusError) as error:
            errors.append(error)
            continue
        kept = [name for name in corpus.columns if name in found.columns]
        # With fewer options if these gain nothing: formats with column names have no use for them.
        if best is None or set(found.columns) > set(best[0].columns) or _difference(corpus, best[0], kept):
            best = found, way
        if len(kept) == len(corpus.columns) and not _difference(corpus, found, kept):
            return found, way
    if best is None:
        raise CorpusError(
            f"The format {writer.name!r} cannot hold the corpus {corpus.reference!r}: the output cannot be read again "
            f"({errors[0]}). Choose another one, for instance --format {FALLBACK}."
        ) from errors[0]
    return best


def _read(reader: Reader, folder: Path, options: ReadingOptions) -> Corpus:
    data = checked(read_with(reader, locate(str(folder), options)), str(folder))
    return Corpus(str(folder), reader.name, data)


def _difference(before: Corpus, after: Corpus, columns: tuple[str, ...] | list[str]) -> str:
    """A message about the first word or tag that differs, or an empty string."""
    for split in before.splits:
        if split not in after.splits:
            return f"the split {split!r} is missing"
        pairs = [("word", before.words(split), after.words(split))]
        for column in columns:
            if split in before.splits_with(column):
                if split not in after.splits_with(column):
                    return f"the tag column {column!r} is missing"
                pairs.append((f"tag in {column!r}", before.tags(split, column), after.tags(split, column)))
        for what, old, new in pairs:
            if len(old) != len(new):
                return f"{split} has {len(old):,} sentences, and then {len(new):,}"
            for index, (left, right) in enumerate(zip(old, new, strict=True)):
                if left != right:
                    return f"{before.locate(split, index)}, {what}: {_first_difference(left, right)}"
    return ""


def _first_difference(left: list[str], right: list[str]) -> str:
    for old, new in zip(left, right, strict=False):
        if old != new:
            return f"{old or 'no annotation'!r} becomes {new or 'no annotation'!r}"
    return f"{len(left)} words become {len(right)}"


def _grouped(documents: list[int] | None) -> list[int] | None:
    """Documents numbered from 0 in order of appearance."""
    if documents is None:
        return None
    numbers: dict[int, int] = {}
    return [numbers.setdefault(document, len(numbers)) for document in documents]


def _number(documents: list[int] | None) -> str:
    return "no documents" if documents is None else f"{len(set(documents)):,} documents"


@contextmanager
def _own_cache() -> Iterator[None]:
    """Use a temporary dataset cache, since the copy is only read to be compared.

    A format that needs the library `datasets` has imported it to write.
    """
    datasets: Any = sys.modules.get("datasets")
    if datasets is None:
        yield
        return
    from datasets.utils import disable_progress_bars, enable_progress_bars, is_progress_bar_enabled

    usual, drawn = datasets.config.HF_DATASETS_CACHE, is_progress_bar_enabled()
    with tempfile.TemporaryDirectory(prefix="polytag-") as folder:
        datasets.config.HF_DATASETS_CACHE = Path(folder)
        disable_progress_bars()
        try:
            yield
        finally:
            datasets.config.HF_DATASETS_CACHE = usual
            if drawn:
                enable_progress_bars()
