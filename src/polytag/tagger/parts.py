"""Tag parts of several requests together: each part gets the answer that it would get alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from polytag.encoding.batches import UNIT_BUDGET
from polytag.encoding.features import complete_sentences, encoded
from polytag.encoding.split_text import SplitText
from polytag.encoding.splitters import Split, split_function, split_lines
from polytag.plugin.attribution import attributed
from polytag.plugin.encoder import Units
from polytag.tagger.arguments import sentences_of
from polytag.tagger.results import TaggedText, tagged_texts

if TYPE_CHECKING:
    from polytag.tagger.tagger import Tagger


@dataclass(frozen=True, slots=True)
class Wanted:
    """A selection of a text's tags.

    Attributes:
        tasks: Names of the tasks; None for all.
        min_score: Spans with a lower probability are dropped; None for the tagger's own.
        alternatives: Number of the most probable labels of each word.
    """

    tasks: tuple[str, ...] | None = None
    min_score: float | None = None
    alternatives: int = 0


class Part(NamedTuple):
    """A piece of a request that is tagged at once: a text, a sentence of words, or a document; of long ones, a part.

    Attributes:
        texts: The texts of the answer.
        sentences: The words of the sentences.
        documents: The document of each sentence; sentences of one document may be read together.
        units: The units of the words.
        goes_on: Whether the next part has further sentences of the same text.
    """

    texts: list[SplitText]
    sentences: Sequence[Sequence[str]]
    documents: Sequence[int]
    units: Units
    goes_on: bool = False

    @property
    def n_units(self) -> int:
        """Number of units."""
        return len(self.units.ids)


def text_parts(tagger: Tagger, texts: Iterable[str], lines: bool = False) -> Iterator[Part]:
    """A part for each text, and several for a long one.

    Raises:
        PluginError: The tagger's splitter failed.
    """
    split = split_function(tagger.splitter)
    for text in texts:
        found, documents = parsed_text(text, split, lines)
        sentences = found.sentences
        for start, end, units in _pieces(tagger, sentences, documents):
            part = found.part(start, end)
            yield Part([part], sentences[start:end], documents[start:end], units, end < len(sentences))


def sentence_parts(
    tagger: Tagger, sentences: Iterable[Sequence[str]], documents: Iterable[int] | None = None
) -> Iterator[Part]:
    """A part for each sentence, or for consecutive sentences of a document that are read together.

    Raises:
        PolytagError: As `Tagger.tag_words`.
    """
    alone = documents is None or tagger.context == "sentence"
    found = enumerate(sentences_of(sentences, documents))
    numbered = ((words, index if alone else number) for index, (words, number) in found)
    for number, run in groupby(numbered, key=lambda pair: pair[1]):
        together = [words for words, _ in run]
        filled = [index for index, words in enumerate(together) if len(words)]
        own = [together[index] for index in filled]
        for start, end, units in _pieces(tagger, own, [number] * len(own)):
            # Sentences without words go with the one before them.
            first = filled[start] if start else 0
            stop = filled[end] if end < len(own) else len(together)
            texts = [joined_words(words) for words in together[first:stop]]
            yield Part(texts, own[start:end], [number] * (end - start), units)


def parsed_text(text: str, split: Split, lines: bool) -> tuple[SplitText, list[int]]:
    """A text that is split, and the number of each sentence's line; 0 if its lines are not texts of their own."""
    if lines:
        return split_lines(text, split)
    found = split(text)
    return found, [0] * len(found.sentence_starts)


def joined_words(words: Sequence[str]) -> SplitText:
    """The words of a sentence joined by spaces."""
    text = " ".join(words)
    own: list[str] = []
    offsets: list[tuple[int, int]] = []
    start = 0
    for word in words:
        end = start + len(word)
        own.append(text[start:end])  # the word itself may be of NumPy
        offsets.append((start, end))
        start = end + 1
    return SplitText(text, own, offsets, [0] if own else [])


def _pieces(
    tagger: Tagger, sentences: Sequence[Sequence[str]], documents: Sequence[int]
) -> Iterator[tuple[int, int, Units]]:
    """Cut sentences where no window goes across, after about as many words as are computed at once; at least one piece.

    Yields:
        The first sentence of a piece, the one after its last, and the units of its words.
    """
    encoder, n_words = tagger.encoder, UNIT_BUDGET[tagger.encoder.unit]
    start = end = 0
    units: Units | None = None
    while units is None or end < len(sentences):
        words: list[str] = []
        while end < len(sentences) and (not words or len(words) + len(sentences[end]) <= n_words):
            words += sentences[end]
            end += 1
        new = encoded(encoder, words)
        units = new if units is None else Units(*map(np.concatenate, zip(units, new, strict=True)))
        cut = end
        if tagger.context == "document" and end < len(sentences):
            cut = start + complete_sentences(encoder, sentences[start:end], documents[start:end], tagger.window, units)
        if cut > start or end == len(sentences):
            covered = sum(map(len, sentences[start:cut]))
            size = int(units.counts[:covered].sum())
            yield start, cut, Units(units.ids[:size], units.counts[:covered])
            start, units = cut, Units(units.ids[size:], units.counts[covered:])


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
                    part.texts,
                    {task: predictions[task].part(position, end, wanted.alternatives) for task in tasks},
                    {task: tagger.decoders[task] for task in tasks},
                    tagger.min_score if wanted.min_score is None else wanted.min_score,
                )
            )
        )
        position = end
    return answers
