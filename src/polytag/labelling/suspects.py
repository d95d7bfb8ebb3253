"""Places of a corpus where a model contradicts the annotation, ranked by how surely it does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from polytag.evaluation.mistakes import mistakes_of
from polytag.labelling.words import AnnotatedSentences, Opinion
from polytag.plugin.scheme import OUTSIDE, UNANNOTATED, LabelScheme, Span

ErrorKind = Literal["missed", "spurious", "type", "border", "tag"]

_KINDS: Mapping[str, ErrorKind] = {
    **{"missed": "missed", "spurious": "spurious", "label": "type", "boundary": "border"},
    **{"label and boundary": "type", "tag": "tag"},
}


class Suspect(NamedTuple):
    """A span, or the tag of a word, that is probably annotated wrongly.

    Attributes:
        task: The task.
        kind: The annotation `missed` a span, has a `spurious` one, or one with the wrong `type` or `border`; or a word
            has the wrong `tag`.
        row: Index of the sentence among the annotated ones.
        annotated: The span in the annotation, in words; None if it has none.
        proposed: The span that the model proposes; None for none. In a scheme without spans, both are the word with its
            two tags.
        score: The probability of the proposal where the annotation is wrong, 0..1.
    """

    task: str
    kind: ErrorKind
    row: int
    annotated: Span | None
    proposed: Span | None
    score: float

    @property
    def words(self) -> range:
        """The words that the two spans cover."""
        spans = [span for span in (self.annotated, self.proposed) if span]
        return range(min(span.start for span in spans), max(span.end for span in spans))

    @property
    def marked(self) -> Span:
        """The annotated span, or without one the proposed span."""
        span = self.annotated or self.proposed
        assert span is not None
        return span


def find_suspects(task: str, annotated: AnnotatedSentences, opinion: Opinion) -> list[Suspect]:
    """All places where a model contradicts the annotation of a task, the surest first; ties in the order of the corpus.

    The score of a place is the product of the calibrated probabilities of the proposed tags of its words, times the
    complement of the same product for the annotated tags. Words without annotation, and those with a tag that the model
    does not know, are not judged.
    """
    scheme, starts = annotated.schemes[task], annotated.starts
    ids = {label: index for index, label in enumerate(opinion.labels)}
    flat = np.array([ids.get(tag, -1) for tags in annotated.tags[task] for tag in tags], dtype=np.int64)
    proposed = np.where(flat < 0, flat, opinion.predicted)
    words = np.arange(len(flat))
    of_annotation, of_proposal = (opinion.probabilities[words, tags] for tags in (flat, proposed))
    found = []
    differing = np.unique(np.searchsorted(starts, np.flatnonzero(flat != proposed), side="right") - 1)
    for row in differing.tolist():
        start = starts[row]
        tags = annotated.tags[task][row]
        others = [
            opinion.labels[label] if label >= 0 else tag
            for label, tag in zip(proposed[start : start + len(tags)].tolist(), tags, strict=True)
        ]
        for mistake in mistakes_of(others, tags, scheme):  # the model as the truth
            suspect = Suspect(task, _KINDS[mistake.kind], row, mistake.predicted_span, mistake.gold_span, 0.0)
            inside = slice(start + suspect.words.start, start + suspect.words.stop)
            if (flat[inside] >= 0).all():
                score = of_proposal[inside].prod() * (1 - of_annotation[inside].prod())
                found.append(suspect._replace(score=float(score)))
    return sorted(found, key=lambda suspect: -suspect.score)
