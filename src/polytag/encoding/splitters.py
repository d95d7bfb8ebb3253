"""The built-in splitters, and splitting by name, with checks of what the splitter of a plugin returns."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import partial
from typing import ClassVar, TypeAlias

from polytag.encoding.split_text import SplitText
from polytag.errors import PluginError, PolytagError
from polytag.plugin.blame import describe
from polytag.plugin.registry import registry
from polytag.plugin.splitter import STANDARD, Splitter, Word

Split: TypeAlias = Callable[[str], SplitText]

_RUN = re.compile(r"\S+")
_LINE = re.compile(r"[^\n]+")
_JOINER = "\u200d"
_FLAG_LETTERS = range(0x1F1E6, 0x1F200)
_SKIN_TONES = range(0x1F3FB, 0x1F400)


class StandardSplitter(Splitter):
    """Splits text in scripts with spaces, with rules for punctuation and abbreviations."""

    name: ClassVar[str] = STANDARD
    summary: ClassVar[str] = "words as in the Penn Treebank; for languages that put spaces between words"

    def split(self, text: str) -> list[list[Word]]:
        """Split by rules, which are made for English and fit many languages."""
        return standard_split()(text).sentences_of_words


class WhitespaceSplitter(Splitter):
    """Splits text that has been split before, with spaces between words and a sentence per line."""

    name: ClassVar[str] = "whitespace"
    summary: ClassVar[str] = "words between white space, one sentence per line; for text that is already split"

    def split(self, text: str) -> list[list[Word]]:
        """Split sentences at line ends and words at white space."""
        found = (
            [Word(run[0], *run.span()) for run in _RUN.finditer(text, *line.span()) if not _is_invisible(run[0])]
            for line in _LINE.finditer(text)
        )
        return [words for words in found if words]


class CharactersSplitter(Splitter):
    """Makes each visible character a word, as in corpora that are tagged by character."""

    name: ClassVar[str] = "characters"
    summary: ClassVar[str] = "each visible character a word; for languages without spaces between words"

    def split(self, text: str) -> list[list[Word]]:
        """Split words between characters, and sentences at final marks and empty lines.

        A character has its combining marks, joiners and invisible characters with it, and an emoji all of its parts. A
        full stop, unlike `。`, ends a sentence only before white space.
        """
        from polytag.encoding.text import CLOSING, FINAL, UNSPACED_FINAL

        sentences: list[list[Word]] = []
        current: list[Word] = []
        final, end = "", 0
        for word in _characters(text):
            spaces = word.start - end
            mark = word.text[0]
            ended = final and mark not in FINAL and (spaces or mark not in CLOSING)
            if (ended and (spaces or final in UNSPACED_FINAL)) or (
                spaces > 1 and current and text.count("\n", end, word.start) > 1
            ):
                sentences.append(current)
                current = []
            current.append(word)
            end = word.end
            final = mark if mark in FINAL else final if final and mark in CLOSING else ""
        if current:
            sentences.append(current)
        return sentences


def _characters(text: str) -> Iterator[Word]:
    """The visible characters with all that belongs to them: combining marks, joiners and invisible characters."""
    start, visible, flag = -1, False, 0
    for position, character in enumerate(text):
        if character.isspace():
            if visible:
                yield Word(text[start:position], start, position)
            start, visible, flag = -1, False, 0
            continue
        letter = ord(character) in _FLAG_LETTERS
        extends = visible and (
            unicodedata.category(character) in _EXTENDING
            or ord(character) in _SKIN_TONES
            or (text[position - 1] == _JOINER and unicodedata.category(character) == "So")
            or (letter and flag == 1)
        )
        if visible and not extends:
            yield Word(text[start:position], start, position)
            visible, flag = False, 0
            start = position
        start = position if start < 0 else start
        flag += letter
        visible = visible or unicodedata.category(character) not in _INVISIBLE
    if visible:
        yield Word(text[start:], start, len(text))


_INVISIBLE = ("Cf", "Cc")
_EXTENDING = ("Mn", "Mc", "Me", *_INVISIBLE)


def _is_invisible(text: str) -> bool:
    # Letters, digits and most marks are printable, so that nearly all texts are done after the first test.
    return not text.isprintable() and all(unicodedata.category(character) in _INVISIBLE for character in text)


def standard_split() -> Split:
    """The function of the standard splitter; its rules are compiled when it is first asked for."""
    from polytag.encoding.text import split_text

    return split_text


def split_function(splitter: str = STANDARD) -> Split:
    """The function that splits a text with the splitter of this name.

    Raises:
        UnknownNameError, PluginError: No plugin provides the splitter, or several do. The function raises a PluginError
            if the splitter raises an error, or if what it returns is not in the text.
    """
    found = registry().splitters.get(splitter)
    return standard_split() if isinstance(found, StandardSplitter) else partial(_checked_split, found)


def split_sentences(text: str, splitter: str = STANDARD, lines: bool = False) -> list[list[Word]]:
    """Split a text into sentences of words, as a tagger does.

    Args:
        text: The text.
        splitter: Name of the splitter.
        lines: Whether each line is a text of its own, so that no sentence crosses a line end.

    Returns:
        The sentences; the offsets of words refer to `text`.

    Raises:
        PolytagError: No plugin provides the splitter, several do, or it is broken.
    """
    split = split_function(splitter)
    return (split_lines(text, split)[0] if lines else split(text)).sentences_of_words


def split_lines(text: str, split: Split) -> tuple[SplitText, list[int]]:
    """A text whose lines are split one by one, and the number of each sentence's line.

    A line ends where `str.splitlines` says: at line feeds, carriage returns, form feeds and Unicode's separators.
    """
    found = SplitText(text, [], [], [])
    numbers: list[int] = []
    before = 0
    for number, line in enumerate(text.splitlines(keepends=True)):
        _, words, offsets, sentence_starts = split(line)
        found.sentence_starts.extend(len(found.words) + start for start in sentence_starts)
        found.words.extend(words)
        found.offsets.extend((before + start, before + end) for start, end in offsets)
        numbers += [number] * len(sentence_starts)
        before += len(line)
    return found, numbers


def _checked_split(splitter: Splitter, text: str) -> SplitText:
    try:
        sentences: list[list[Word]] = []
        end = 0
        for sentence in splitter.split(text):  # checked one by one, because a generator may never end
            if len(sentences) > len(text):
                raise ValueError(f"more sentences than characters, which are {len(text):,}")
            sentences.append([])
            for word in sentence:
                if not end <= word.start < word.end or text[word.start : word.end] != word.text:
                    raise ValueError(f"{word} is not in the text after character {end}")
                end = word.end
                sentences[-1].append(word)
    except (PolytagError, KeyboardInterrupt):
        raise
    except BaseException as error:
        plugin = registry().splitters.providers(splitter.name)[0]
        raise PluginError(
            f"The splitter {splitter.name!r} of {plugin.source} failed on the text {text[:60]!r}: {describe(error)}. "
            f"{plugin.remedy}"
        ) from error
    return SplitText.of_sentences(text, sentences)
