"""Small corpora that were once misread, and what polytag says about a corpus.

Each folder of `tests/data/cases` is a corpus of a few lines, written after a report of somebody who brought real data.
"""

from __future__ import annotations

import re
import shlex
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from polytag import Corpus, CorpusError, CorpusWarning, check, convert_tags, describe, load_corpus, scheme
from polytag.corpus.recognition import scheme_of

FOLDER = Path(__file__).parents[1] / "data/cases"

_LISTS = ("columns",)
_SWITCHES = {"--header": ("header", True), "--no-header": ("header", False)}
_VALUED = ("columns", "separator", "comments", "encoding", "word-pattern", "tag-style", "offsets", "reader")
_OPTION = re.compile(
    r"(?P<switch>--(?:no-)?header)\b"
    rf"|--(?P<name>{'|'.join((*_VALUED, 'corpus-scheme'))})[ =](?P<value>'[^']*'|\"[^\"]*\"|[^\s`]+)"
)


def case(name: str) -> str:
    """The folder of a case."""
    folder = FOLDER / name
    assert folder.is_dir(), folder
    return str(folder)


def file_with(folder: Path, content: str | bytes, name: str = "train.conll") -> str:
    """Write a corpus of one file."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def loaded(reference: str | Path, **options: Any) -> Corpus:
    """A corpus; what the reader warns of is left aside."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CorpusWarning)
        return load_corpus(str(reference), **options)


def only_tags(corpus: Corpus, split: str = "train") -> list[list[str]]:
    """The tags of a corpus that has one tag column."""
    (column,) = corpus.columns
    return corpus.tags(split, column)


def sentences(corpus: Corpus, column: str | None = None, split: str = "train") -> list[str]:
    """Each sentence with the tags of a column, by default the only one: `Anna/B-PER slept/O`."""
    rows = only_tags(corpus, split) if column is None else corpus.tags(split, column)
    return [
        " ".join(map("/".join, zip(words, tags, strict=True)))
        for words, tags in zip(corpus.words(split), rows, strict=True)
    ]


def read(reference: str | Path, column: str | None = None, **options: Any) -> list[str]:
    """The sentences of the split `train`, as `sentences` gives them."""
    return sentences(loaded(reference, **options), column)


def refusal(reference: str | Path, **options: Any) -> str:
    """The message with which a corpus is refused."""
    with pytest.raises(CorpusError) as caught:
        loaded(reference, **options)
    message = str(caught.value)
    assert all(len(part) <= 800 for part in message.splitlines()), message
    return message


def told(reference: str | Path, **options: Any) -> str:
    """All that polytag says about a corpus: the refusal; or the warnings, the dialect, and the findings of a check."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            corpus = load_corpus(str(reference), **options)
        except CorpusError as error:
            return str(error)
    parts = [str(warning.message) for warning in caught if issubclass(warning.category, CorpusWarning)]
    parts.append(str(describe(corpus).dialect))
    for finding in check(corpus):
        parts += [finding.message, *(f"{place.location}: {place.example}" for place in finding.places)]
    return "\n".join(parts)


def proposals(message: str) -> list[dict[str, Any]]:
    """The options that a message proposes, as keyword arguments of `load_corpus` (or `corpus_scheme`).

    Options that follow each other, as in `--no-header --columns _,tokens,ner_tags`, are one proposal.
    """
    found: list[dict[str, Any]] = []
    end = -1
    for match in _OPTION.finditer(message):
        if end < 0 or message[end : match.start()].strip():
            found.append({})
        end = match.end()
        if match["switch"]:
            name, value = _SWITCHES[match["switch"]]
        else:
            name = match["name"].replace("-", "_")
            text = match["value"].rstrip(".,;:)")
            end = match.start("value") + len(text)
            (plain,) = shlex.split(text) or [""]
            value = plain.split(",") if name in _LISTS else plain
        found[-1][name] = value
    return found


def spans(corpus: Corpus, column: str | None = None, corpus_scheme: str | None = None) -> list[list[tuple[str, str]]]:
    """The text and the label of each span of the split `train`, in the scheme given or else the recognised one."""
    chosen = column or corpus.columns[-1]
    read_as = scheme(corpus_scheme) if corpus_scheme else scheme_of(corpus, chosen).scheme
    pairs = zip(corpus.words("train"), corpus.tags("train", chosen), strict=True)
    return [
        [(" ".join(words[span.start : span.end]), span.label) for span in read_as.spans(tags)] for words, tags in pairs
    ]


def in_iob2(corpus: Corpus, column: str | None = None) -> list[list[str]]:
    """The tags of the split `train`, converted from the recognised scheme."""
    chosen = column or corpus.columns[-1]
    read_as = scheme_of(corpus, chosen).scheme
    return [convert_tags(tags, read_as, scheme("iob2")) for tags in corpus.tags("train", chosen)]


def findings(reference: str | Path, **options: Any) -> Mapping[str, int]:
    """How often each code of `check` was found."""
    return {finding.code: finding.count for finding in check(loaded(reference, **options))}
