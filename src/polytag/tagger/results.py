"""What tagging returns."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

_DIGITS = 6


@dataclass(frozen=True, slots=True)
class TaggedSpan:
    """A span of text with its label.

    Attributes:
        task: The task that found it.
        label: What it is: `PER`.
        score: The probability that all its words carry the tags they were given, words taken as independent: the
            product of the probabilities of these tags.
        text: The text from `start` to `end`.
        start, end: Character offsets, end exclusive.
    """

    task: str
    label: str
    score: float
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class TaggedText:
    """A text with the tags of its words.

    Attributes:
        text: The text; for words that came without one, the words joined by spaces.
        spans: Spans of all tasks that have spans, by start.
        words: The words.
        offsets: Start and end of each word in the text, end exclusive.
        sentence_starts: Index of the first word of each sentence.
        tags: For each task, the tag of each word.
        scores: For each task, the probability of each of these tags.
    """

    text: str
    spans: list[TaggedSpan]
    words: list[str]
    offsets: list[tuple[int, int]]
    sentence_starts: list[int]
    tags: dict[str, list[str]]
    scores: dict[str, list[float]]

    def to_dict(self) -> dict[str, Any]:
        """The same as plain data, for JSON; probabilities have six digits."""
        plain = asdict(self)
        for span in plain["spans"]:
            span["score"] = round(span["score"], _DIGITS)
        plain["scores"] = {task: [round(score, _DIGITS) for score in scores] for task, scores in self.scores.items()}
        return plain
