"""Convert sentences to tables, and tables to sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from polytag.errors import CorpusError, shorten
from polytag.plugin.reader import DOCUMENT, LOCATION, TOKENS, Sentence, SentenceTable
from polytag.plugin.scheme import UNANNOTATED

HALF_CHARACTER = re.compile("[\ud800-\udfff]")
"""Half of a surrogate pair; of all formats, only JSON can contain one."""


def corpus_from_sentences(splits: Mapping[str, Iterable[Sentence]]) -> dict[str, SentenceTable]:
    """Build a corpus from sentences, split by split. The first sentence determines the columns.

    The sentences are read one at a time, and not kept.

    Raises:
        CorpusError: A split has no sentence, or the columns of a sentence differ from the previous ones.
    """
    words, tags = _Texts({None: None}), _Texts({None: UNANNOTATED})
    return {split: _table(split, sentences, words, tags) for split, sentences in splits.items()}


def sentences_of(table: SentenceTable) -> Iterator[Sentence]:
    """The sentences of a split, with `UNANNOTATED` as the tag of words without annotation; for `Reader.write`."""
    return map(table.__getitem__, range(len(table)))


class _Texts(dict[Any, Any]):
    """Every text once, so that equal texts are one object."""

    def __missing__(self, text: str) -> str:
        text.encode()  # refuses half of a surrogate pair
        plain = self[text] = str.__str__(text)  # not of a subclass, such as numpy's
        return plain


def _table(split: str, sentences: Iterable[Sentence], words: _Texts, tags: _Texts) -> SentenceTable:
    of_words: list[tuple[str, ...]] = []
    of_tags: dict[str, list[tuple[str, ...]]] = {}
    documents: list[int] = []
    locations: list[str] = []
    names: set[str] | None = None
    for sentence in sentences:
        if reserved := sorted(sentence.tags.keys() & {TOKENS, LOCATION, DOCUMENT}):
            raise CorpusError(
                f"{sentence.location}: a tag column cannot be named {reserved[0]!r}, which polytag uses. Give the "
                "tags another name in the file."
            )
        present = {*sentence.tags, *[DOCUMENT] * (sentence.document is not None)}
        if names is None:
            names, of_tags = present, {name: [] for name in sentence.tags}
        if present != names:
            odd = ", ".join(sorted(present ^ names))
            raise CorpusError(
                f"{sentence.location}: this sentence and the previous ones have different columns ({shorten(odd)}). "
                "Give every sentence the same columns."
            )
        try:
            of_words.append(tuple(map(words.__getitem__, sentence.words)))
            for name, values in sentence.tags.items():
                of_tags[name].append(tuple(map(tags.__getitem__, values)))
        except UnicodeEncodeError as error:  # JSON can write half a character
            raise CorpusError(
                f"{sentence.location}: {shorten(str(error.object))!r} has half of a surrogate pair, which is not a "
                "character. It is left when a text is cut in the middle of an emoji. Remove it."
            ) from error
        locations.append(sentence.location)
        if sentence.document is not None:
            documents.append(sentence.document)
    if names is None:
        raise CorpusError(f"The {split} split has no sentence. Check that its file is not empty.")
    columns = {name: tuple(rows) for name, rows in of_tags.items()}
    return SentenceTable(tuple(of_words), columns, tuple(documents) if documents else None, tuple(locations))
