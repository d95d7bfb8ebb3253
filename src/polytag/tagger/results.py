"""Results of tagging: texts with tags and spans."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import prod
from typing import Any

from polytag.encoding.split_text import SplitText
from polytag.tagger.decoder import Alternatives, Decoder, Prediction

DIGITS = 6
"""Digits of probabilities in plain data."""


@dataclass(frozen=True, slots=True)
class TaggedSpan:
    """A span of text with its label.

    Attributes:
        task: The task that found it.
        label: Its label, such as `PER`.
        score: The probability that all its tags are right, assuming independent words: the product of the probabilities
            of these tags.
        text: The text from `start` to `end`.
        start, end: Character offsets, end exclusive.
    """

    task: str
    label: str
    score: float
    text: str
    start: int
    end: int

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON: the probability is rounded to six digits."""
        return {
            "task": self.task,
            "label": self.label,
            "score": round(self.score, DIGITS),
            "text": self.text,
            "start": self.start,
            "end": self.end,
        }


@dataclass(frozen=True, slots=True)
class TaggedText:
    """A text with the tags of its words.

    Attributes:
        text: The text; for input of words, the words joined by spaces.
        spans: Spans of all span tasks, in order of their start.
        words: The words.
        offsets: Start and end of each word in the text, end exclusive.
        sentence_starts: Index of the first word of each sentence.
        tags: For each task, the tag of each word.
        scores: For each task, the probability of each of these tags.
        alternatives: For each task, the most probable labels of each word with their probabilities, best first; None if
            they were not asked for. They are the same whatever the least score of spans, and a decoding that keeps to
            the scheme can choose another label than the first.
    """

    text: str
    spans: list[TaggedSpan]
    words: list[str]
    offsets: list[tuple[int, int]]
    sentence_starts: list[int]
    tags: dict[str, list[str]]
    scores: dict[str, list[float]]
    alternatives: dict[str, list[list[tuple[str, float]]]] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON: probabilities are rounded to six digits, and absent alternatives are left out."""
        plain: dict[str, Any] = {
            "text": self.text,
            "spans": [span.to_dict() for span in self.spans],
            "words": list(self.words),
            "offsets": list(self.offsets),
            "sentence_starts": list(self.sentence_starts),
            "tags": {task: list(tags) for task, tags in self.tags.items()},
            "scores": {task: [round(score, DIGITS) for score in scores] for task, scores in self.scores.items()},
        }
        if self.alternatives is not None:
            plain["alternatives"] = {
                task: [[[label, round(score, DIGITS)] for label, score in word] for word in words]
                for task, words in self.alternatives.items()
            }
        return plain

    def _repr_html_(self) -> str:
        """HTML for notebooks: the text with its spans and tags marked."""
        from polytag.tagger.marks import marks_html, stylesheet

        return f"<style>{stylesheet()}</style>{marks_html(self)}"


def tagged_texts(
    texts: Iterable[SplitText],
    predictions: Mapping[str, Prediction],
    decoders: Mapping[str, Decoder],
    min_score: float,
) -> Iterator[TaggedText]:
    """Combine texts and predictions.

    Args:
        texts: The texts. The results share their lists.
        predictions: The prediction of each task for the words of all texts, in order.
        decoders: The decoder of each task.
        min_score: Spans that are less probable are dropped; their words count as outside.
    """
    tags = {task: decoders[task].names[found.labels].tolist() for task, found in predictions.items()}
    scores = {task: found.scores.tolist() for task, found in predictions.items()}
    others = {
        task: _pairs(found.alternatives, decoders[task])
        for task, found in predictions.items()
        if found.alternatives is not None
    }
    position = 0
    for split in texts:
        text, words, offsets, starts = split
        stop = position + len(words)
        spans: list[TaggedSpan] = []
        for task, decoder in decoders.items():
            if decoder.scheme.encodes_spans:
                of_words = scores[task]
                for start, end in split.bounds:
                    begun = position + start
                    where = slice(begun, position + end)
                    own = decoder.scheme.spans(tags[task][where])
                    scored = [(span, prod(of_words[begun + span.start : begun + span.end])) for span in own]
                    sure = [(span, score) for span, score in scored if score >= min_score]
                    if len(sure) < len(own):
                        tags[task][where] = decoder.scheme.tags([span for span, _ in sure], end - start)
                        for span in (span for span, score in scored if score < min_score):
                            dropped = slice(begun + span.start, begun + span.end)
                            of_words[dropped] = predictions[task].outside[dropped].tolist()
                    for span, score in sure:
                        first, last = offsets[start + span.start][0], offsets[start + span.end - 1][1]
                        spans.append(TaggedSpan(task, span.label, score, text[first:last], first, last))
        spans.sort(key=lambda span: (span.start, span.end))
        yield TaggedText(
            text=text,
            spans=spans,
            words=words,
            offsets=offsets,
            sentence_starts=starts,
            tags={task: values[position:stop] for task, values in tags.items()},
            scores={task: values[position:stop] for task, values in scores.items()},
            alternatives={task: values[position:stop] for task, values in others.items()} or None,
        )
        position = stop


def joined(pieces: Sequence[TaggedText]) -> TaggedText:
    """The whole of a text whose sentences were tagged in pieces, one after the other."""
    first = pieces[0]
    if len(pieces) == 1:
        return first
    before = accumulate((len(piece.words) for piece in pieces), initial=0)
    return TaggedText(
        text=first.text,
        spans=[span for piece in pieces for span in piece.spans],
        words=[word for piece in pieces for word in piece.words],
        offsets=[offset for piece in pieces for offset in piece.offsets],
        sentence_starts=[
            start + n_words for piece, n_words in zip(pieces, before, strict=False) for start in piece.sentence_starts
        ],
        tags={task: [tag for piece in pieces for tag in piece.tags[task]] for task in first.tags},
        scores={task: [score for piece in pieces for score in piece.scores[task]] for task in first.scores},
        alternatives=first.alternatives
        and {
            task: [word for piece in pieces for word in (piece.alternatives or {})[task]] for task in first.alternatives
        },
    )


def _pairs(found: Alternatives, decoder: Decoder) -> list[list[tuple[str, float]]]:
    """The alternatives of each word, as pairs of label and probability."""
    names, scores = decoder.names[found.labels].tolist(), found.scores.tolist()
    return [list(zip(*word, strict=True)) for word in zip(names, scores, strict=True)]
