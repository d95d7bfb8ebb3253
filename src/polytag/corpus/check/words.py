"""Checks of words."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial

from polytag.corpus.check.context import CheckContext, positions
from polytag.corpus.check.findings import Finding, Severity
from polytag.corpus.word_patterns import likely_word_pattern
from polytag.plugin.encoder import UnreadWords
from polytag.plugin.encoder_choice import choose_encoder, make_coder

_REPLACEMENT = "\ufffd"
_JOINERS = frozenset("\u200c\u200d")
"""Zero-width characters that belong inside words of Persian and Indic scripts, and inside emoji."""
_HIDDEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})


def check_words(context: CheckContext) -> Iterator[Finding]:
    """Words that are invisible, contain white space, or contain invisible characters."""
    counts = Counter(word for _, _, _, word in positions(context.words))
    if context.corpus.forms and (pattern := likely_word_pattern(counts.keys())):
        example = next(iter(counts))
        yield context.finding(
            "warning",
            "more-than-words",
            f"Every word has something before or after it, as {example!r} does. If it does not belong to the words, "
            f"read them with --word-pattern '{pattern}'",
            sum(counts.values()),
            None,
            (partial(context.place, split, index, position) for split, index, position, _ in positions(context.words)),
        )
    empty = {word for word in counts if not _visible(word)}
    yield from _words(
        context,
        counts,
        empty,
        "error",
        "empty-word",
        "are empty, white space, or invisible characters. Remove them and their tags.",
    )
    spaced = {word for word in counts if word not in empty and any(map(str.isspace, word))}
    yield from _words(
        context,
        counts,
        spaced,
        "warning",
        "white-space-in-word",
        "contain white space. In text to tag, such a word is split into several words.",
    )
    hidden = {word for word in counts if word not in empty and _hides(word)}
    yield from _words(
        context,
        counts,
        hidden,
        "warning",
        "hidden-character",
        "contain control, zero-width or undecodable characters, so they differ from the words they look like.",
    )


def _unread(reference: str, words: list[str]) -> UnreadWords | None:
    provider = choose_encoder(reference)
    return make_coder(provider, lambda: provider.coder(reference)).unread(words)


def check_encoder(context: CheckContext, reference: str) -> Iterator[Finding]:
    """Words that an encoder cannot tokenise, or whose parts are all unknown to it.

    For an encoder over a checkpoint, only the tokenizer is loaded, not the network.

    Raises:
        PolytagError: The encoder does not exist, or its tokenizer cannot be loaded.
    """
    counts = Counter(word for _, _, _, word in positions(context.words))
    unread = _unread(reference, list(counts))
    if unread is None:
        yield context.finding(
            "note",
            "encoder-not-checked",
            f"The encoder {reference!r} does not report which words it cannot read.",
            0,
        )
        return
    yield from _words(
        context,
        counts,
        unread.untokenised,
        "warning",
        "no-subwords",
        f"tokenise to nothing under {reference!r}. They are tagged as unknown words, only by their context.",
    )
    yield from _words(
        context,
        counts,
        unread.unknown,
        "note",
        "unknown-to-encoder",
        f"are unknown to the tokenizer of {reference!r}: it has no subword for any part of them.",
    )


def _words(
    context: CheckContext, counts: Mapping[str, int], odd: set[str], severity: Severity, code: str, predicate: str
) -> Iterator[Finding]:
    if odd:
        count = sum(counts[word] for word in odd)
        different = f", {len(odd):,} different ones," if len(odd) < count else ""
        at = (
            partial(context.place, split, index, position)
            for split, index, position, word in positions(context.words)
            if word in odd
        )
        yield context.finding(severity, code, f"{count:,} words{different} {predicate}", count, None, at)


def _visible(word: str) -> bool:
    return any(not char.isspace() and unicodedata.category(char) not in _HIDDEN for char in word)


def _hides(word: str) -> bool:
    if word.isascii() and word.isprintable():
        return False
    for position, char in enumerate(word):
        if char == _REPLACEMENT:
            return True
        if unicodedata.category(char) in _HIDDEN:
            around = word[position - 1 : position] + word[position + 1 : position + 2]
            joins = char in _JOINERS and len(around) == 2 and not any(map(str.isascii, around))
            if not joins:
                return True
    return False
