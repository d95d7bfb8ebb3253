"""Look at sentences of a corpus: find them, and show their words over their tags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from polytag.corpus.annotation import GAP
from polytag.corpus.corpus import Corpus
from polytag.errors import CorpusError, shorten
from polytag.plugin.reader import TOKENS, Sentence
from polytag.terminal import html_table, visible

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType

_SHOWN_LABELS = 120
"""Characters."""


def find_rows(
    corpus: Corpus,
    split: str | None = None,
    row: int = 0,
    n: int = 1,
    *,
    label: str | None = None,
    match: str | None = None,
) -> tuple[str, list[int]]:
    """The split and the indices of the sentences to show; arguments and errors as in `Corpus.show`."""
    name = split or corpus.splits[0]
    table = corpus[name]
    if not 0 <= row < len(table):
        raise CorpusError(
            f"The split {name!r} of the corpus {corpus.reference!r} has the rows 0 to {len(table) - 1:,}, and not "
            f"{row:,}. Choose one of these."
        )
    if n < 1:
        raise CorpusError(f"{n} sentences cannot be shown. Ask for 1 or more.")
    fitting = (index for index in range(row, len(table)) if _fits(table[index], label, match))
    found = list(islice(fitting, n))
    if not found:
        wanted = [f"the label {shorten(label)!r}"] if label is not None else []
        wanted += [f"the text {shorten(match)!r}"] if match is not None else []
        start = f"from row {row:,} on " if row else ""
        hint = "; `polytag corpus describe` lists the labels" if label is not None else ""
        raise CorpusError(
            f"No sentence of the split {name!r} of the corpus {corpus.reference!r} {start}has "
            f"{' and '.join(wanted)}. Choose another split{' or row' if row else ''}{hint}."
        )
    return name, found


def _fits(sentence: Sentence, label: str | None, match: str | None) -> bool:
    if match is not None and match not in " ".join(sentence.words):
        return False
    return label is None or any(_has(tag, label) for tags in sentence.tags.values() for tag in tags)


def _has(tag: str, label: str) -> bool:
    """Whether a tag is the wanted one, or belongs to a span with the wanted label; span tags are written `B-X`."""
    return tag == label or (tag[1:2] == "-" and tag[2:] == label)


def render_rows(corpus: Corpus, split: str, rows: Sequence[int]) -> Iterator[RenderableType]:
    """The sentences, each under its place."""
    from rich.text import Text

    for number, index in enumerate(rows):
        sentence = corpus[split][index]
        if number:
            yield Text()
        yield Text(heading(corpus, split, index), style="bold")
        yield WordsOverTags(sentence.words, sentence.tags)


def corpus_html(corpus: Corpus) -> str:
    """The size of each split and the labels of each column, for notebooks."""
    sizes = []
    for split in corpus.splits:
        documents = corpus.documents(split)
        number = "" if documents is None else f"{len(set(documents)):,}"
        sizes.append((split, number, f"{len(corpus.data[split]):,}", f"{corpus.n_words(split):,}"))
    names = ((column, corpus.label_names(column)) for column in corpus.columns)
    labels = [(column, str(len(own)), shorten(", ".join(own), _SHOWN_LABELS)) for column, own in names]
    heads = ("split", "documents", "sentences", "words")
    return html_table(heads, sizes, corpus.reference) + html_table(("column", "labels", "names"), labels)


def heading(corpus: Corpus, split: str, index: int) -> str:
    """The place of a sentence: `train[4]  eng.train:35`."""
    place = corpus.split(split).locations[index]
    return visible(f"{split}[{index}]  {place}".rstrip())


class WordsOverTags:
    """Words over their tags, aligned word by word, wrapped at the width of the terminal.

    Args:
        words: The words of a sentence.
        tags: For each tag column, a tag for each word.
    """

    def __init__(self, words: Sequence[str], tags: Mapping[str, Sequence[str]]) -> None:
        self._heads = [TOKENS, *map(visible, tags)]
        shown = ([tag or GAP for tag in own] for own in tags.values())
        self._rows = [list(map(visible, row)) for row in (words, *shown)]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        from rich.cells import cell_len, set_cell_size
        from rich.text import Text

        margin = max(map(cell_len, self._heads)) + 2
        widths = [max(map(cell_len, stack)) for stack in zip(*self._rows, strict=True)]
        for number, (start, end) in enumerate(_lines(widths, options.max_width - margin)):
            if number:
                yield Text()
            for head, row in zip(self._heads, self._rows, strict=True):
                cells = [set_cell_size(row[i], widths[i]) for i in range(start, end)]
                line = Text(no_wrap=True, overflow="ellipsis")
                line.append(set_cell_size(head, margin), style="bold").append(" ".join(cells).rstrip())
                yield line


def _lines(widths: Sequence[int], available: int) -> Iterator[tuple[int, int]]:
    start, used = 0, 0
    for position, width in enumerate(widths):
        if position > start and used + width > available:
            yield start, position
            start, used = position, 0
        used += width + 1
    yield start, len(widths)
