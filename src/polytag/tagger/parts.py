"""Tag parts of several requests together: each part gets the answer that it would get alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from polytag.encoding.features import encoded
from polytag.encoding.splitters import Split, split_function, split_parts
from polytag.plugin.attribution import attributed
from polytag.plugin.encoder import Units
from polytag.tagger.arguments import sentences_of
from polytag.tagger.results import TaggedText, WordGroups, tagged_texts

if TYPE_CHECKING:
    from polytag.tagger.tagger import Tagger


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of the tags of a text.

    Attributes:
        tasks: Names of the tasks; None for all.
        min_score: Spans with a lower probability are dropped; None for the tagger's own.
        alternatives: Number of the most probable labels of each word.
    """

    tasks: tuple[str, ...] | None = None
    min_score: float | None = None
    alternatives: int = 0


class Part(NamedTuple):
    """The smallest piece of a request that is tagged at once: a text, a sentence of words, or a document.

    Attributes:
        groups: The texts of the answer, with the offsets of their words.
        sentences: The words of the sentences.
        documents: The document of each sentence; sentences of one document may be read together.
        units: The units of the words.
    """

    groups: list[WordGroups]
    sentences: list[Sequence[str]]
    documents: list[int]
    units: Units

    @property
    def n_units(self) -> int:
        """Number of units."""
        return len(self.units.ids)


def text_parts(tagger: Tagger, texts: Iterable[str], lines: bool = False) -> Iterator[Part]:
    """A part for each text.

    Raises:
        PluginError: The tagger's splitter failed.
    """
    split = split_function(tagger.splitter)
    for text in texts:
        group, sentences, documents = parsed_text(text, split, lines)
        yield _part(tagger, [group], sentences, documents)


def sentence_parts(
    tagger: Tagger, sentences: Iterable[Sequence[str]], documents: Iterable[int] | None = None
) -> Iterator[Part]:
    """A part for each sentence, or for consecutive sentences of a document.

    Raises:
        PolytagError: As `Tagger.tag_words`.
    """
    alone = documents is None
    found = enumerate(sentences_of(sentences, documents))
    numbered = ((words, index if alone else number) for index, (words, number) in found)
    for number, run in groupby(numbered, key=lambda pair: pair[1]):
        together = [words for words, _ in run]
        filled = [words for words in together if len(words)]
        yield _part(tagger, [joined_words(words) for words in together], filled, [number] * len(filled))


def parsed_text(text: str, split: Split, lines: bool) -> tuple[WordGroups, list[Sequence[str]], list[int]]:
    """A text with the offsets of its words, the words of its sentences, and the number of each sentence's line."""
    lines_of_text = list(split_parts(text, split, lines))
    offsets = [[(word.start, word.end) for word in sentence] for line in lines_of_text for sentence in line]
    sentences: list[Sequence[str]] = [[word.text for word in sentence] for line in lines_of_text for sentence in line]
    return (text, offsets), sentences, [number for number, line in enumerate(lines_of_text) for _ in line]


def joined_words(words: Sequence[str]) -> WordGroups:
    """The words of a sentence joined by spaces, with their offsets."""
    ends = np.cumsum([len(word) + 1 for word in words], dtype=np.int64) - 1
    offsets = [(int(end) - len(word), int(end)) for word, end in zip(words, ends, strict=True)]
    return " ".join(words), [offsets] if offsets else []


def _part(tagger: Tagger, groups: list[WordGroups], sentences: list[Sequence[str]], documents: list[int]) -> Part:
    words = [word for sentence in sentences for word in sentence]
    return Part(groups, sentences, documents, encoded(tagger.encoder, words))


@attributed
def tag_parts(tagger: Tagger, parts: Sequence[tuple[Part, Wanted]]) -> list[list[TaggedText]]:
    """Tag parts together.

    Returns:
        For each part, its tagged texts: with the tags, and with the probabilities up to rounding, that the part has
        alone.
    """
    sentences = [words for part, _ in parts for words in part.sentences]
    # No document goes on from one part to the next, and neighbours within a part stay distinct.
    documents, first = [], 0
    for part, _ in parts:
        documents += [first + number - part.documents[0] for number in part.documents]
        first = max(documents, default=-1) + 1
    units = Units(
        np.concatenate([part.units.ids for part, _ in parts]), np.concatenate([part.units.counts for part, _ in parts])
    )
    most = max(wanted.alternatives for _, wanted in parts)
    _, predictions = tagger.predict(sentences, documents, most, units)
    answers, position = [], 0
    for part, wanted in parts:
        end = position + len(part.units.counts)
        tasks = tagger.decoders if wanted.tasks is None else wanted.tasks
        answers.append(
            list(
                tagged_texts(
                    part.groups,
                    {task: predictions[task].part(position, end, wanted.alternatives) for task in tasks},
                    {task: tagger.decoders[task] for task in tasks},
                    tagger.min_score if wanted.min_score is None else wanted.min_score,
                )
            )
        )
        position = end
    return answers
