"""Contracts of readers."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from polytag.corpus.corpus import Corpus
from polytag.corpus.load import accepting_readers
from polytag.corpus.sentences import corpus_from_sentences
from polytag.corpus.source import locate
from polytag.corpus.tables import as_tables
from polytag.errors import CorpusError, PolytagError, message_of
from polytag.plugin.blame import describe
from polytag.plugin.reader import TOKENS, Reader, ReadingOptions, Sentence, SentenceTable, Source
from polytag.plugin.registry import Registry
from polytag.plugin.scheme import UNANNOTATED
from polytag.plugin.task import Task
from polytag.testing.contracts import BrokenContractError, Contract, NotCheckableError, Workbench
from polytag.testing.tasks import example_tags

if TYPE_CHECKING:
    import datasets

_WORDS = (
    ["EU", "rejects", "German", "call", "."],
    ["O'Brien", "#1", "said", '"', "été", "日本", "\\n", "&amp;", "1/2"],
    ["Go"],
    ["She", "met", "Bob", "in", "Rio"],
)
_REGULAR = (["She", "met", "Bob", "in", "Rio"],) * 4
"""Lines with equal numbers of words look like columns."""
_SIZES = {"train": 4, "validation": 2, "test": 1}

_Content = dict[str, list[tuple[list[str], dict[str, list[str]]]]]
"""Words and tags of the sentences of each split."""


class _Trial(NamedTuple):
    """A source, and its content if the reader has written it."""

    source: Source
    written: _Content | None


class _Refused(NamedTuple):
    """The corpora that the reader was offered to write, with the error that it raised for each."""

    offers: list[str]


def _judges_anything(reader: Reader, bench: Workbench) -> None:
    (bench.folder / "empty").mkdir()
    (bench.folder / "train.empty").touch()
    (bench.folder / "train.binary").write_bytes(bytes(range(256)))
    names = [str(bench.folder / name) for name in ("empty", "train.empty", "train.binary")]
    for name in ("no-such-corpus", "owner/name", *names):
        accepted = reader.accepts(locate(name))
        if not isinstance(accepted, bool):
            raise BrokenContractError(f"accepts() of the source {name!r} is {accepted!r}, and must be a bool.")


def _reads(reader: Reader, bench: Workbench) -> None:
    source = _trial(reader, bench).source
    if not reader.accepts(source):
        raise BrokenContractError(f"It does not accept {source.reference!r}, which it should read.")
    data = reader.read(source)
    for split, sentences in _content(reader, data).items():
        if not sentences:
            raise BrokenContractError(f"The split {split!r} of {source.reference!r} has no sentence.")
        for words, tags in sentences:
            if not tags or any(len(column) != len(words) for column in tags.values()):
                raise BrokenContractError(
                    f"The sentence {words} of the split {split!r} has the tags {tags}: every word needs one in each "
                    "column."
                )


def _round_trip(reader: Reader, bench: Workbench) -> None:
    if not reader.can_write:
        return
    trial = _trial(reader, bench)
    if trial.written is None:  # it is a source that the author named
        trial = _rewritten(reader, bench, _tables(reader, trial.source))
    _compare(trial.written or {}, _content(reader, reader.read(trial.source)))


def _is_recognised(reader: Reader, bench: Workbench) -> None:
    if not reader.can_write:
        return
    trial = _written(reader, bench, _REGULAR)
    if isinstance(trial, _Refused):
        return
    if others := [other.name for other in accepting_readers(trial.source) if other.name != reader.name]:
        raise BrokenContractError(
            f"Its output is also accepted by {', '.join(others)}, so users would need --reader {reader.name}. "
            "Claim the extension of its files with the attribute `endings`."
        )


def _keeps_gaps(reader: Reader, bench: Workbench) -> None:
    if not reader.can_write:
        return
    trial = _written(reader, bench, _WORDS, gap=True)
    if not isinstance(trial, _Refused):
        _compare(trial.written or {}, _content(reader, reader.read(trial.source)))


def _explains(reader: Reader, bench: Workbench) -> None:
    source = _trial(reader, bench).source
    files = [path for path in bench.folder.rglob("*") if path.is_file()]
    for path in files:
        path.write_bytes(b"\xff\xfe broken \x00\n" * 3)
    if not files:
        return
    try:
        reader.read(source)
    except CorpusError as error:
        if not any(name in str(error) for name in (*(path.name for path in files), source.reference)):
            raise BrokenContractError(f"Its error for a broken file does not name the file: {error}") from None
    except Exception as error:
        raise BrokenContractError(
            f"A file that is not UTF-8 makes read() raise {type(error).__name__}: {error}. Raise a CorpusError that "
            "says which file and line are wrong, and what to do."
        ) from None
    else:
        raise BrokenContractError("A file that is not in its format is read without an error.")


CONTRACTS = (
    Contract("reader", "accepts() answers for any source", _judges_anything),
    Contract("reader", "every word it reads has its tags", _reads),
    Contract("reader", "it reads its own output", _round_trip),
    Contract("reader", "no other reader accepts its output", _is_recognised),
    Contract("reader", "words without annotation are preserved, or refused", _keeps_gaps),
    Contract("reader", "a broken file is a CorpusError that names it", _explains),
)


def _trial(reader: Reader, bench: Workbench) -> _Trial:
    """A source for the reader: the one that the author named, or else one that it writes; its files may be changed."""
    if reader.name in bench.sources:
        return _Trial(_named(reader, bench), None)
    advice = f'sources = {{"{reader.name}": "tests/train.{reader.name}"}}'
    if not reader.can_write:
        raise NotCheckableError(
            f"It cannot write. Name a source in `sources` of the PluginConformance test, {advice}, or with `polytag "
            f"plugins check --source {reader.name}=FILE`."
        )
    trial = _written(reader, bench, _WORDS)
    if isinstance(trial, _Refused):
        raise BrokenContractError(
            "write() refuses a corpus of every installed task. It must write a corpus of the tasks that it supports, "
            f"and the plugin must add such a task; or name a source that it reads and writes, {advice}. It was offered:"
            + "".join(f"\n{offer}" for offer in trial.offers)
        )
    return trial


def _named(reader: Reader, bench: Workbench) -> Source:
    """A copy of the source that the author named."""
    named = Path(bench.sources[reader.name])
    folder = Path(tempfile.mkdtemp(dir=bench.folder))
    if named.is_dir():
        return locate(str(shutil.copytree(named, folder / named.name)))
    if named.is_file():
        return locate(str(shutil.copy(named, folder)))
    return locate(str(bench.sources[reader.name]))


def _written(
    reader: Reader, bench: Workbench, sentences: Sequence[Sequence[str]], gap: bool = False
) -> _Trial | _Refused:
    """A written corpus: of the source that the author named, or else of the first task that the format can hold."""
    if reader.name in bench.sources:
        data = _tables(reader, _named(reader, bench))
        try:
            return _rewritten(reader, bench, _with_gap(data) if gap else data)
        except PolytagError as error:
            return _Refused([f"the source: {message_of(error)}"])
    offers = []
    for task in bench.registry.tasks.undisputed():
        try:
            tags = {len(words): _tags(task, reader, bench.registry, len(words)) for words in sentences}
        except PolytagError:  # a scheme is missing, which is not the reader's fault
            continue
        for column in task.columns:
            data = corpus_from_sentences(
                {split: _sentences(sentences[:size], column, tags, gap) for split, size in _SIZES.items()}
            )
            try:
                return _rewritten(reader, bench, data)
            except PolytagError as error:
                offers.append(f"{task.name} in the column {column!r}: {message_of(error)}")
    return _Refused(offers)


def _rewritten(reader: Reader, bench: Workbench, data: Mapping[str, SentenceTable]) -> _Trial:
    """Write a corpus; other errors than a refusal show where they come from."""
    folder = Path(tempfile.mkdtemp(dir=bench.folder))
    columns = list(dict.fromkeys(column for table in data.values() for column in table.tags))
    try:
        reader.write(data, folder)
    except PolytagError:
        raise
    except Exception as error:
        raise BrokenContractError(
            f"write() of a corpus with the column {', '.join(columns)} raised {describe(error)}. If the format cannot "
            "hold it, raise a CorpusError."
        ) from error
    # Some formats have no column names; users give these with --columns.
    return _Trial(locate(str(folder), ReadingOptions(columns=(TOKENS, *columns))), _content(reader, data))


def _tags(task: Task, reader: Reader, registry: Registry, length: int) -> list[str]:
    """Tags of a sentence: spans are in the scheme of the reader, if it has one, else in the task's."""
    kinds = example_tags(task, registry)
    tags = [kinds[position % len(kinds)] for position in range(length + len(kinds))]
    scheme = registry.schemes[task.scheme]
    if not scheme.encodes_spans:
        return tags[:length]
    target = scheme if reader.scheme is None else registry.schemes[reader.scheme]
    return target.tags([span for span in scheme.spans(tags) if span.end <= length], length)


def _sentences(
    sentences: Sequence[Sequence[str]], column: str, tags: Mapping[int, Sequence[str]], gap: bool
) -> Iterator[Sentence]:
    for number, words in enumerate(sentences):
        own = list(tags[len(words)])
        if gap and number == 0:
            own[0] = UNANNOTATED
        yield Sentence(list(words), {column: own}, None, f"sentence {number + 1}")


def _with_gap(data: Mapping[str, SentenceTable]) -> dict[str, SentenceTable]:
    """The same corpus, where the first words are not annotated."""
    changed = {}
    for split, table in data.items():
        tags = {name: ((UNANNOTATED, *rows[0][1:]), *rows[1:]) for name, rows in table.tags.items()}
        changed[split] = replace(table, tags=tags)
    return changed


def _tables(reader: Reader, source: Source) -> dict[str, SentenceTable]:
    return as_tables(reader.read(source), source.reference)


def _content(reader: Reader, data: Mapping[str, SentenceTable] | datasets.DatasetDict) -> _Content:
    """Words and tags as in all commands, with the format's notation for missing annotation converted."""
    corpus = Corpus("corpus", reader.name, as_tables(data, "corpus"))
    content: _Content = {}
    for split in corpus.splits:
        columns = {
            column: corpus.tags(split, column) for column in corpus.columns if split in corpus.splits_with(column)
        }
        rows = [dict(zip(columns, tags, strict=True)) for tags in zip(*columns.values(), strict=True)]
        content[split] = list(zip(corpus.words(split), rows, strict=True))
    return content


def _compare(written: _Content, read: _Content) -> None:
    for split, sentences in written.items():
        if len(read.get(split, [])) != len(sentences):
            raise BrokenContractError(
                f"{len(sentences)} sentences were written as the split {split!r}, and {len(read.get(split, []))} read."
            )
        for (words, tags), (words_read, tags_read) in zip(sentences, read[split], strict=True):
            if words_read != words:
                raise BrokenContractError(f"The words {words} were written, and {words_read} read.")
            if any(tags_read.get(name) != column for name, column in tags.items()):
                raise BrokenContractError(f"For the words {words}, the tags {tags} were written, and {tags_read} read.")
