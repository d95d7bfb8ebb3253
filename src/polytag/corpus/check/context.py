"""A corpus in memory, shared by all checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from itertools import chain

from polytag.corpus.annotation import GAP
from polytag.corpus.check.findings import Finding, Place, Severity
from polytag.corpus.corpus import Corpus
from polytag.corpus.odd_tags import unwritten
from polytag.corpus.recognition import recognise_scheme
from polytag.corpus.span_schemes import SplitTags, holds_spans, without_tags
from polytag.plugin.registry import registry
from polytag.plugin.scheme import LabelScheme

EXAMPLES = 3
"""Number of places shown per finding."""

_CONTEXT = 2
_SHOWN_WORD = 30


class CheckContext:
    """A corpus, read once for all checks; also gives the place of a word."""

    def __init__(self, corpus: Corpus, declared: str | None = None, examples: int = EXAMPLES) -> None:
        self.corpus = corpus
        self.examples = examples
        self.words = {split: corpus.words(split) for split in corpus.splits}
        self.tags = {
            column: {split: corpus.tags(split, column) for split in corpus.splits_with(column)}
            for column in corpus.columns
        }
        self.declared = None if declared is None else registry().schemes[declared]
        self.odd = {column: self._odd(column) for column in self.tags}
        self.judged = {column: self._judged(column) for column in self.tags}

    def _odd(self, column: str) -> set[str]:
        """The tags of a column with spans that no label scheme writes."""
        tags = self.tags[column]
        if not holds_spans(self.corpus, column, self.declared.name if self.declared else None, tags):
            return set()
        return unwritten(Counter(chain.from_iterable(chain.from_iterable(tags.values()))), self.declared)

    def _judged(self, column: str) -> SplitTags:
        """The tags of a column without those that no label scheme writes."""
        odd, tags = self.odd[column], self.tags[column]
        return without_tags(tags, odd) if odd else tags

    @cached_property
    def schemes(self) -> dict[str, LabelScheme]:
        """The scheme of each column: the recognised one, or the declared one for columns with spans."""
        found = {}
        for column, splits in self.judged.items():
            if self.declared and holds_spans(self.corpus, column, self.declared.name, self.tags[column]):
                found[column] = self.declared
            else:
                sentences = [sentence for of_split in splits.values() for sentence in of_split]
                found[column] = recognise_scheme(sentences, registry().schemes.working()).scheme
        return found

    def place(self, split: str, index: int, position: int | None = None, column: str | None = None) -> Place:
        """The place of a word or a sentence, with its context."""
        words = self.words[split][index]
        start = 0 if position is None else max(0, position - _CONTEXT)
        stop = len(words) if position is None else position + _CONTEXT + 1
        shown = [_shown(word) for word in words[start:stop]]
        if column is not None:
            tags = self.tags[column][split][index][start:stop]
            shown = [f"{word}/{tag or GAP}" for word, tag in zip(shown, tags, strict=True)]
        if position is None and len(shown) > 4 * _CONTEXT:
            shown = [*shown[: 4 * _CONTEXT], "…"]
        locate = self.corpus.locate
        where = locate(split, index) if position is None else self.corpus.locate_word(split, index, position)
        return Place(where, " ".join(shown))

    def finding(
        self,
        severity: Severity,
        code: str,
        message: str,
        count: int,
        column: str | None = None,
        places: Iterable[Callable[[], Place]] = (),
    ) -> Finding:
        """A finding with its first places; only these are computed."""
        chosen = [make() for _, make in zip(range(self.examples), places, strict=False)]
        return Finding(severity, code, message, count, column, tuple(chosen))


def _shown(word: str) -> str:
    """A printable form of a word: quoted and escaped if it has white space or invisible characters."""
    text = word if len(word) <= _SHOWN_WORD else word[:_SHOWN_WORD] + "…"
    return text if text and text.isprintable() and " " not in text else ascii(text)


def positions(sentences: dict[str, list[list[str]]]) -> Iterator[tuple[str, int, int, str]]:
    """Split, sentence, position and value of every word or tag."""
    for split, of_split in sentences.items():
        for index, sentence in enumerate(of_split):
            for position, value in enumerate(sentence):
                yield split, index, position, value
