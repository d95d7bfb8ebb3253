"""The embedded sample corpus: newswire written by a small seeded grammar, with ner, pos and chunk tags.

It needs no download and is read in a moment, but it cannot be tagged word by word: the same name is a person in
one sentence and a town, a club or a company in the next, and many names of the validation and test splits never
occur in training. The words that disambiguate a name are at most four words away.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from itertools import pairwise, product
from typing import ClassVar, NamedTuple, TypeVar

from polytag.corpus.sample import grammar
from polytag.corpus.sample import words as sample_words
from polytag.corpus.sentences import corpus_from_sentences
from polytag.plugin.reader import SPLITS, Reader, Sentence, SentenceTable, Source

_T = TypeVar("_T")
_SIZES = {"train": 1600, "validation": 250, "test": 250}
_SEED = 7
_BODY = (2, 8)  # sentences after headline, dateline, byline and lead

# The notation of `grammar.RULES`. A rule is `name: alternative | alternative`, or a name followed by one
# alternative per line; a line with deeper indentation continues the previous line.
#   word/POS    a word; closed-class words and numbers need no tag, and `_` joins words with the same tag
#   #1:9        a whole number from 1 to 9
#   <name>      the output of the rule or word list `name`
#   <name:a>    the same words for every `:a` in the document (`:1`: in the sentence); `:a` and `:b` differ
#   [NP ... ]   a chunk
#   {PER ... }  an entity; outside a chunk it is also an NP
#   in/IN       prepositions and `to`; outside a chunk they are also a PP
# A document is a headline in capitals, a dateline, optionally a byline, a lead, and a choice from the body.


class _Word(NamedTuple):
    text: str
    pos: str


class _Bracket(NamedTuple):
    """The start of a chunk (`[`) or an entity (`{`), or with an empty label its end."""

    kind: str
    label: str


class _Number(NamedTuple):
    """A word with number slots: literal text, low and high, literal text, low and high, ..."""

    pieces: tuple[str, ...]
    pos: str


class _Call(NamedTuple):
    rule: str
    key: str


_Output = _Word | _Bracket
_Item = _Word | _Bracket | _Number | _Call
_Rules = dict[str, list[list[_Item]]]

_TOKEN = re.compile(r"[\[{][A-Z]+|[\]}]|<[^>]+>|[^\s\[\]{}<>]+")
_RANGE = re.compile(r"#(\d+):(\d+)")
_VOWEL = re.compile(r"[aeio]|u(?!ni[ot])", re.IGNORECASE)
_CLOSED_CLASS = dict(pair.rsplit("/", 1) for pair in sample_words.CLOSED_WORDS.split())


def _compile(alternative: str) -> list[_Item]:
    items: list[_Item] = []
    for token in _TOKEN.findall(alternative):
        if token[0] in "[]{}":
            items.append(_Bracket("[" if token[0] in "[]" else "{", token[1:]))
        elif token[0] == "<":
            rule, _, key = token[1:-1].partition(":")
            items.append(_Call(rule, key))
        else:
            text, slash, pos = token.rpartition("/")
            if not slash:
                text, pos = token, _CLOSED_CLASS.get(token, "CD")
            if "#" in text:
                items.append(_Number(tuple(_RANGE.split(text)), pos))
            else:
                items.extend(_Word(word, pos) for word in text.split("_"))
    return items


@cache
def _rules(split: str) -> _Rules:
    """All rules and word lists of a split; the lists differ between splits, the rules do not."""
    rules: _Rules = defaultdict(list)
    for line in sample_words.WORD_LISTS.strip().splitlines():
        head, words = line.split(": ")
        head, _, only = head.partition("@")
        name, pos = head.split("/")
        if only in ("", split):
            rules[name] += [_compile(f"{word}/{pos}") for word in words.split()]
    rules["new_surname"] = _new_names(split, sample_words.SHARED_ENDS, sample_words.SURNAME_ENDS)
    rules["new_place"] = _new_names(split, sample_words.SHARED_ENDS, sample_words.PLACE_ENDS)
    rules["new_company"] = _new_names(split, sample_words.COMPANY_ENDS)
    text = grammar.RULES.replace("\n    ", " ")
    for line in text.splitlines():
        if line.startswith("  "):
            rules[name].append(_compile(line))
        elif line and not line.startswith("#"):
            name, _, alternatives = line.partition(": ")
            rules[name] += [_compile(alternative) for alternative in alternatives.split(" | ") if alternative]
    return dict(rules)


def _new_names(split: str, *ends: str) -> list[list[_Item]]:
    """Generated names with two parts; no name is in two splits."""
    share = {"train": range(6), "validation": range(6, 8), "test": range(8, 10)}[split]
    pairs = product(enumerate(sample_words.NAME_STARTS.split()), enumerate(" ".join(ends).split()))
    return [[_Word(start + end, "NNP")] for (i, start), (j, end) in pairs if (i + 3 * j) % 10 in share]


class _Writer:
    """Writes the documents of one split."""

    def __init__(self, split: str) -> None:
        self._rules = _rules(split)
        # Of all methods of Random, only random() promises the same numbers on every version.
        self._random = random.Random(_SEED + SPLITS.index(split)).random
        self._bound: dict[tuple[str, str], list[_Output]] = {}

    def document(self) -> list[dict[str, list[str]]]:
        """The sentences of one document, each as its columns."""
        self._bound.clear()
        kind = self._pick([name for name in self._rules if name.endswith("_headline")]).removesuffix("headline")
        opening = [self._pick(self._rules[kind + "headline"]), self._pick(self._rules["dateline"])]
        told = [self._pick(self._rules["byline"])] if self._random() < 0.5 else []
        told.append(self._pick(self._rules[kind + "lead"]))
        left = list(self._rules[kind + "body"])
        told += [left.pop(self._between(0, len(left) - 1)) for _ in range(self._between(*_BODY))]
        return [self._sentence(items, capitals=True) for items in opening] + [self._sentence(items) for items in told]

    def _sentence(self, items: list[_Item], capitals: bool = False) -> dict[str, list[str]]:
        output: list[_Output] = []
        self._bound = {bound: words for bound, words in self._bound.items() if not bound[1].isdigit()}
        self._expand(items, output)
        return _columns(output, capitals)

    def _expand(self, items: list[_Item], output: list[_Output]) -> None:
        for item in items:
            if isinstance(item, _Call):
                if item.key:
                    output += self._named(item)
                else:
                    self._expand(self._pick(self._rules[item.rule]), output)
            elif isinstance(item, _Number):
                filled = list(item.pieces)
                for i in range(1, len(filled), 3):
                    filled[i : i + 2] = [str(self._between(int(filled[i]), int(filled[i + 1]))), ""]
                output.append(_Word("".join(filled), item.pos))
            else:
                output.append(item)

    def _named(self, call: _Call) -> list[_Output]:
        """The words bound to a key; a new key is bound to words that no other key of the document has."""
        bound = (call.rule, call.key)
        while bound not in self._bound:
            words: list[_Output] = []
            self._expand(self._pick(self._rules[call.rule]), words)
            if words not in self._bound.values():
                self._bound[bound] = words
        return self._bound[bound]

    def _pick(self, choices: Sequence[_T]) -> _T:
        return choices[int(self._random() * len(choices))]

    def _between(self, low: int, high: int) -> int:
        return low + int(self._random() * (high - low + 1))


def _columns(output: list[_Output], capitals: bool) -> dict[str, list[str]]:
    """The columns of a sentence: words, and tags in IOB2."""
    columns: dict[str, list[str]] = {"tokens": [], "ner_tags": [], "pos_tags": [], "chunk_tags": []}
    chunk = entity = alone = "O"
    for item in output:
        if isinstance(item, _Bracket) and item.kind == "[":
            chunk = f"B-{item.label}" if item.label else "O"
        elif isinstance(item, _Bracket):
            entity = f"B-{item.label}" if item.label else "O"
            alone = "B-NP" if item.label and chunk == "O" else "O"
        else:
            shown = chunk if chunk != "O" else alone
            if shown == "O" and item.pos in ("IN", "TO"):
                shown = "B-PP"
            for column, value in zip(columns.values(), (item.text, entity, item.pos, shown), strict=True):
                column.append(value)
            chunk, entity, alone = (tag.replace("B-", "I-") for tag in (chunk, entity, alone))
    words = columns["tokens"]
    for i, (word, following) in enumerate(pairwise(words)):
        if word == "a" and _VOWEL.match(following):
            words[i] = "an"
    first = 1 if words[0] == '"' else 0
    words[first] = words[first][0].upper() + words[first][1:]
    if capitals:
        columns["tokens"] = [word.upper() for word in words]
    return columns


def sample_sentences(split: str) -> list[Sentence]:
    """The sentences of one split (`train`, `validation` or `test`), the same ones on every machine.

    Returns:
        Sentences with the columns `ner_tags` (PER, LOC, ORG, MISC in IOB2), `pos_tags` (Penn Treebank) and
        `chunk_tags` (CoNLL-2000 chunks in IOB2), in numbered documents of 5 to 12 sentences.
    """
    writer = _Writer(split)
    sentences: list[Sentence] = []
    document = 0
    while len(sentences) < _SIZES[split]:
        for columns in writer.document():
            words = columns.pop("tokens")
            sentences.append(Sentence(words, columns, document, f"sample:{split}:{len(sentences) + 1}"))
        document += 1
    return sentences


class SampleReader(Reader):
    """Reads the embedded sample corpus."""

    name: ClassVar[str] = "sample"
    summary: ClassVar[str] = "the embedded sample corpus: generated newswire with ner, pos and chunk tags"

    def accepts(self, source: Source) -> bool:
        """Whether the source is `sample`."""
        return source.reference == "sample"

    def read(self, source: Source) -> dict[str, SentenceTable]:
        """Generate all three splits."""
        return corpus_from_sentences({split: sample_sentences(split) for split in SPLITS})
