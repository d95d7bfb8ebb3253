"""Load a corpus with the reader that accepts its source."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from polytag.corpus.corpus import Corpus
from polytag.corpus.source import locate, remarks_on_files
from polytag.corpus.tables import checked
from polytag.corpus.tag_style import with_canonical_tags
from polytag.corpus.text_files import text_ending
from polytag.errors import CorpusError, CorpusWarning, shorten
from polytag.plugin.attribution import attributed
from polytag.plugin.reader import Reader, ReadingKeywords, ReadingOptions, Remark, SentenceTable, Source
from polytag.plugin.registry import registry
from polytag.plugin.splitter import STANDARD
from polytag.plugin.surroundings import for_plugin

if TYPE_CHECKING:
    import datasets

_SHOWN_REMARKS = 3
_DAMAGED = (EOFError, zlib.error)
"""What reading a damaged compressed file raises."""


@attributed
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
        data = read_with(chosen, source)
    except _DAMAGED as error:
        raise CorpusError(
            f"The corpus {reference!r} cannot be read: a compressed file is damaged: {error}. Get it again."
        ) from error
    except OSError as error:
        raise CorpusError(
            f"The corpus {reference!r} cannot be read: {' '.join(str(error).split())}. Check the path and its "
            "permissions."
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
        warnings.warn(f"{rule} {places}{others}.", CorpusWarning, stacklevel=3)
    return corpus.keeping(options.columns) if options.columns else corpus


def as_corpus(
    corpus: Corpus | str, *, reader: str | None = None, splitter: str = STANDARD, **reading: Unpack[ReadingKeywords]
) -> Corpus:
    """Return a corpus unchanged, or load it by name; the other arguments as in `load_corpus`."""
    return corpus if isinstance(corpus, Corpus) else load_corpus(corpus, reader=reader, splitter=splitter, **reading)


def accepting_readers(source: Source) -> list[Reader]:
    """The readers that accept a source; if some of them claim the extensions of its files, only these."""
    readers = registry().readers
    accepting = [
        reader
        for reader in readers.values()
        if readers.asked(reader, partial(reader.accepts, source), (OSError, *_DAMAGED))
    ]
    endings = {text_ending(path) for paths in source.files.values() for path in paths}
    return [reader for reader in accepting if endings and endings <= reader.endings] or accepting


def read_with(reader: Reader, source: Source) -> Mapping[str, SentenceTable] | datasets.DatasetDict:
    """The splits of a source as a reader reads them; `checked` validates them.

    Raises:
        CorpusError: The source is broken.
        PluginError: The reader failed, or gave no corpus.
        OSError, EOFError, zlib.error: A file cannot be read, or a compressed one is damaged.
    """
    readers = registry().readers
    own = readers.providers(reader.name)[0].is_own
    with for_plugin(), readers.calling(reader.name, (OSError, *_DAMAGED) if own else _DAMAGED):
        data = reader.read(source)
        wrong = "" if own else _why_no_corpus(data)
    if wrong:
        raise readers.misfit(reader.name, f"{wrong} for the corpus {shorten(source.reference)!r}")
    return data


def _why_no_corpus(data: object) -> str:
    """The first wrong type in the result of a reader, if any; datasets are validated when they are converted."""
    if not isinstance(data, Mapping):
        return f"{repr(data)[:60]}, which is no corpus,"
    for split, table in data.items():
        if not isinstance(split, str):
            return f"a split named {repr(split)[:60]}"
        if isinstance(table, SentenceTable):
            for what, rows in (("words", table.words), *table.tags.items()):
                if not set(map(type, chain.from_iterable(rows))) <= {str}:
                    return f"{what} that are not strings"
        elif not (hasattr(table, "features") and hasattr(table, "num_rows")):
            return f"{repr(table)[:60]} as the split {split[:60]!r}"
    return ""


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
