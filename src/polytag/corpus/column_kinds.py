"""Kinds of columns in column files, judged by their content."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field
from enum import Enum

from polytag.corpus.tag_style import CANONICAL, PREFIXES, TagStyle, recognise_tag_style
from polytag.plugin.reader import TOKENS
from polytag.plugin.scheme import OUTSIDE


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


EMPTY = frozenset({"_", ""})
"""A column with nothing else has no content."""

UPOS = _set("ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X")
"""The parts of speech of Universal Dependencies."""
PENN = _set(
    "CC CD DT EX FW IN JJ JJR JJS LS MD NN NNS NNP NNPS PDT POS PRP PRP$ RB RBR RBS RP SYM TO UH VB VBD VBG VBN "
    "VBP VBZ WDT WP WP$ WRB . , : ( ) $ # '' `` \" -LRB- -RRB- HYPH NFP ADD AFX XX GW"
)
"""The parts of speech of the Penn Treebank, as LDC, CoNLL-2003 and OntoNotes write them."""
_KNOWN_TAGS = (UPOS, PENN)

SKIP = "_"
"""Name of columns that are left out."""
WORD_NAMES = _set("token tokens word words form forms text wordform surface")
"""Names of columns of words in headers, in lower case."""
TAG_NAMES = _set(
    "tag tags label labels ner ner_tag ner_tags entity entities pos pos_tag pos_tags upos xpos chunk chunk_tag "
    "chunk_tags lemma bio iob iob2 nested nested_tags inner outer"
)
"""Names of columns of tags in headers, in lower case."""

OTHER_NAMES = _set(
    "# id idx index no i document document_id doc doc_id docid sentence sentence_id sentence_idx sentence_number sent "
    "sent_id sid start end"
) | {"sentence #"}
"""Names of other columns in headers, in lower case."""

_BY_POSITION = {2: ("tags",), 3: ("pos_tags", "chunk_tags"), 4: ("pos_tags", "chunk_tags", "ner_tags")}
_LAYERS = ("ner_tags", "nested_tags")
_STARTS = ({0}, {1}, {0, None}, {1, None})
"""Where the sentences of an index begin: all at 0 or 1, or only the first, and the others after the one before."""
_EVIDENCE = 4
"""Numbers that rise so many times are offsets."""
_WORDS_PER_RESTART = 3
"""Words per restart of an index inside a sentence, at least: a column of flags (0 and 1) has fewer."""
_TELLING = 2
"""So many different parts of speech with a letter in them show that a column holds tags."""
_NUMBER = re.compile(r"[-+]?[0-9]+([-.,:][0-9]+)*")


class Kind(Enum):
    """The content of a column.

    `INDEX` numbers the words of a sentence, or of the file; `IDENTIFIER` is one text per sentence, such as the name of
    its document; `OFFSET` rises within each sentence; `EMPTY` has nothing but `_`; `OUTSIDE` has nothing but `O`.
    """

    WORDS = "tokens"
    SPANS = "span tags"
    OUTSIDE = "O alone"
    FLAT = "flat tags"
    INDEX = "index"
    IDENTIFIER = "identifier"
    OFFSET = "offsets"
    EMPTY = "empty"


LEFT_OUT = frozenset({Kind.INDEX, Kind.IDENTIFIER, Kind.OFFSET, Kind.EMPTY})
"""Kinds of columns that are neither words nor tags."""


@dataclass(slots=True)
class ColumnContent:
    """The content of one column in a sample of sentences.

    Attributes:
        counts: How often each cell occurs.
        is_index, is_constant, is_rising: Whether all sentences so far fit these descriptions.
        last: The last index of the file so far.
        starts: Whether sentences begin at 0, at 1, or after the last index (None).
        restarts: How often an index starts anew inside a sentence, as it does where an empty line is missing.
    """

    counts: Counter[str] = field(default_factory=Counter)
    is_index: bool = True
    is_constant: bool = True
    is_rising: bool = True
    last: int = -1
    starts: set[int | None] = field(default_factory=set)
    restarts: int = 0

    def add(self, cells: Sequence[str]) -> None:
        """Add the cells of a sentence."""
        self.counts.update(cells)
        self.is_constant = self.is_constant and len(set(cells)) == 1
        if not (self.is_index or self.is_rising):
            return
        if not all(cell.isascii() and cell.isdigit() for cell in cells):
            self.is_index = self.is_rising = False
            return
        numbers = [int(cell) for cell in cells]
        self.starts.add(None if numbers[0] == self.last + 1 and self.last >= 0 else numbers[0])
        steps = set()
        for before, after in itertools.pairwise(numbers):
            self.is_rising = self.is_rising and after > before
            if after in (0, 1) and after <= before:
                self.restarts += 1
                self.starts.add(after)
            else:
                steps.add(after - before)
        self.last = numbers[-1]
        self.is_index = self.is_index and steps <= {1} and self.starts in _STARTS

    @property
    def counts_words(self) -> bool:
        """Whether the cells number words, even if empty lines are missing between some sentences."""
        return self.is_index and sum(self.counts.values()) >= _WORDS_PER_RESTART * (self.restarts + bool(self.restarts))

    def merged(self, other: ColumnContent) -> ColumnContent:
        """The content of both, read one after the other."""
        return ColumnContent(
            self.counts + other.counts,
            self.is_index and other.is_index,
            self.is_constant and other.is_constant,
            self.is_rising and other.is_rising,
            other.last,
            self.starts | other.starts,
            self.restarts + other.restarts,
        )


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a file.

    Attributes:
        kinds: What each column holds.
        names: `tokens` for the words, the name of a tag column, `_` for a column that is left out.
        styles: How span tags are written, column by column; None for a column without span tags.
        tags: The tags that occur, column by column.
        other: Another reading that fits as well: its names; None if there is none.
    """

    kinds: tuple[Kind, ...]
    names: tuple[str, ...]
    styles: tuple[TagStyle | None, ...]
    tags: tuple[frozenset[str], ...]
    other: tuple[str, ...] | None = None

    @property
    def words(self) -> int | None:
        """The number of the column of words, from 0; None if no column can be the words."""
        return self.names.index(TOKENS) if TOKENS in self.names else None

    def is_span_tag(self, index: int, cell: str) -> bool:
        """Whether a cell is a span tag in the style of a column."""
        style = self.styles[index] or CANONICAL
        tag = style.read(cell)
        return tag == OUTSIDE or (tag[:1] in PREFIXES and tag[1:2] in ("", "-"))

    def is_tag(self, index: int, cell: str) -> bool:
        """Whether a cell occurs in a column of flat tags, or is in the tagset of all its tags."""
        tags = self.tags[index]
        return cell in tags or any(cell in known and tags <= known for known in _KNOWN_TAGS)


def layout_of(content: Sequence[ColumnContent], n_sentences: int) -> Layout:
    """Kinds and names of the columns of a file.

    Names follow CoNLL-2000 (part of speech, chunk) and CoNLL-2003 (part of speech, chunk, named entity), unless the
    content contradicts it.

    Args:
        content: The columns.
        n_sentences: Number of sentences in the sample.

    Returns:
        The layout; if no column can be the words, none of its names is `tokens`.
    """
    styles = tuple(recognise_tag_style(column.counts) for column in content)
    n_words = sum(content[0].counts.values()) if content else 0
    pairs = n_words - n_sentences  # of a word and the next one
    kinds = [
        _kind(column, style, pairs, is_first=not index)
        for index, (column, style) in enumerate(zip(content, styles, strict=True))
    ]
    words, other = _words(content, kinds)
    tags = tuple(frozenset(column.counts) for column in content)
    if words is None:
        return Layout(tuple(kinds), (SKIP,) * len(content), styles, tags)
    numeric = {index for index, column in enumerate(content) if all(map(_NUMBER.fullmatch, column.counts))}
    names = _names(kinds, words, numeric)
    second = None if other is None else _names(kinds, other, numeric)
    kinds[words] = Kind.WORDS
    return Layout(tuple(kinds), names, styles, tags, second)


def _kind(column: ColumnContent, style: TagStyle | None, pairs: int, is_first: bool) -> Kind:
    cells = set(column.counts)
    if cells <= EMPTY:
        return Kind.EMPTY
    if cells == {OUTSIDE}:
        return Kind.OUTSIDE
    if style is not None:
        return Kind.SPANS
    if pairs and column.counts_words:
        return Kind.INDEX
    if pairs >= _EVIDENCE and column.is_rising:
        return Kind.OFFSET
    if pairs >= _EVIDENCE and is_first and column.is_constant and not _is_known(cells):
        return Kind.IDENTIFIER
    return Kind.FLAT


def _has_letter(cell: str) -> bool:
    return any(map(str.isalpha, cell))


def _is_known(cells: Set[str]) -> bool:
    return any(cells <= known for known in _KNOWN_TAGS)


def _words(content: Sequence[ColumnContent], kinds: Sequence[Kind]) -> tuple[int | None, int | None]:
    """The column of words, and another column that could be it as well, if it is not clear."""
    possible = [index for index, kind in enumerate(kinds) if kind is Kind.FLAT]
    if not possible:
        # A sentence of one word, or words that are all alike: then it is the first column that is no tag.
        possible = [i for i, kind in enumerate(kinds) if kind in (Kind.IDENTIFIER, Kind.INDEX, Kind.OFFSET)]
        return (possible[-1] if possible else None), None
    unlike_tags = [i for i in possible if not _is_known(set(content[i].counts))]
    first, *others = unlike_tags or possible
    # One sign or word, such as `.` or `TO`, may be a tag or not.
    if doubtful := [i for i in possible if i < first and sum(map(_has_letter, content[i].counts)) < _TELLING]:
        return doubtful[0], first
    richest = max((first, *others), key=lambda index: len(content[index].counts))
    return first, richest if richest != first else None


def _names(kinds: Sequence[Kind], words: int, numeric: Set[int]) -> tuple[str, ...]:
    """The names of the columns; those with nothing but numbers are no parts of speech."""
    kept = [i for i, kind in enumerate(kinds) if i != words and kind not in LEFT_OUT - {Kind.EMPTY}]
    by_position = _BY_POSITION.get(len(kept) + 1, ())
    names = {words: TOKENS}
    if by_position and all(
        _suits(kinds[i], name) and not (name == "pos_tags" and i in numeric)
        for i, name in zip(kept, by_position, strict=True)
    ):
        names |= dict(zip(kept, by_position, strict=True))
    elif len(kept) < 4:
        names |= _by_kind(kinds, kept, numeric)
    else:
        names |= {i: f"column_{i + 1}" for i in kept}
    return tuple(SKIP if kinds[i] is Kind.EMPTY else names.get(i, SKIP) for i in range(len(kinds)))


def _suits(kind: Kind, name: str) -> bool:
    if kind in (Kind.EMPTY, Kind.OUTSIDE) or name == "tags":
        return True
    return kind is (Kind.FLAT if name == "pos_tags" else Kind.SPANS)


def _by_kind(kinds: Sequence[Kind], kept: Iterable[int], numeric: Set[int]) -> dict[int, str]:
    """Names of columns that are not in the order of the CoNLL shared tasks."""
    full = [i for i in kept if kinds[i] is not Kind.EMPTY]
    flat = [i for i in full if kinds[i] is Kind.FLAT]
    spans = [i for i in full if kinds[i] is not Kind.FLAT]
    if len(flat) > 1 or len(spans) > len(_LAYERS):
        return {i: f"column_{i + 1}" for i in full}
    named = {i: f"column_{i + 1}" if i in numeric else "pos_tags" for i in flat}
    return {**named, **dict(zip(spans, _LAYERS, strict=False))}
