"""Places of a corpus where a model contradicts the annotation, ranked by how surely it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal, NamedTuple

import numpy as np

from polytag.evaluation.mistakes import mistakes_of
from polytag.labelling.occurrences import Occurrences
from polytag.labelling.words import AnnotatedSentences, Opinion
from polytag.plugin.scheme import OUTSIDE, Span
from polytag.tagger.results import DIGITS

ErrorKind = Literal["missed", "spurious", "type", "boundary", "tag"]

_KINDS: Mapping[str, ErrorKind] = {
    **{"missed": "missed", "spurious": "spurious", "label": "type", "boundary": "boundary"},
    **{"label and boundary": "type", "tag": "tag"},
}

_LEAST = 1e-9
"""The least divisor of odds."""


class Suspect(NamedTuple):
    """A span, or the tag of a word, that is probably annotated wrongly.

    Attributes:
        task: The task.
        kind: The annotation `missed` a span, has a `spurious` one, or one with the wrong `type` or `boundary`; or a
            word has the wrong `tag`.
        row: Index of the sentence among the annotated ones.
        annotated: The span in the annotation, in words; None if it has none.
        proposed: The span that the model proposes; None for none. In a scheme without spans, both are the word with its
            two tags.
        score: How surely the annotation is wrong, 0..1; `find_suspects` has the formula.
        counts: How often the corpus gives the words of the annotated (or else the proposed) span each label; `O` for
            none.
    """

    task: str
    kind: ErrorKind
    row: int
    annotated: Span | None
    proposed: Span | None
    score: float = 0.0
    counts: Mapping[str, int] = MappingProxyType({})

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

    The odds of a proposal are the odds by the model times the ratio of two shares, which say how often the corpus
    annotates the same words elsewhere as proposed, and as they are annotated here. By the model, the odds of a tag are
    the ratio of the calibrated probabilities of both tags. The odds of a span are `(1 + m) / (1 - m)`, where `m` is the
    mean difference of these probabilities over the words whose tags differ, so that one sure word is not enough for a
    long span.

    Words without annotation, and those with a tag that the model does not know, are not judged.
    """
    found = _contradictions(task, annotated, opinion)
    sentences, tags, scheme = annotated.sentences, annotated.tags[task], annotated.schemes[task]
    wanted = {
        _text(sentences, suspect.row, span)
        for suspect, _ in found
        for span in (suspect.annotated, suspect.proposed)
        if span
    }
    occurrences = Occurrences(wanted, sentences, tags, scheme)
    judged = []
    for suspect, by_model in found:
        counts = occurrences.labels(_text(sentences, suspect.row, suspect.marked))
        odds = by_model * _ratio(suspect, sentences, occurrences)
        # Rounded, since the probabilities of the same sentence differ by some 1e-8 with its place in a batch.
        judged.append(suspect._replace(score=round(odds / (1 + odds), DIGITS), counts=counts))
    return sorted(judged, key=lambda suspect: -suspect.score)


def _contradictions(task: str, annotated: AnnotatedSentences, opinion: Opinion) -> list[tuple[Suspect, float]]:
    """The places where the decoded tags differ from the annotation, and the odds of the proposals by the model."""
    scheme, starts = annotated.schemes[task], annotated.starts
    ids = {label: index for index, label in enumerate(opinion.labels)}
    flat = np.array([ids.get(tag, -1) for tags in annotated.tags[task] for tag in tags], dtype=np.int64)
    proposed = np.where(flat < 0, flat, opinion.predicted)
    every = np.arange(len(flat))
    sides = [opinion.probabilities[every, tags].astype(float) for tags in (proposed, flat)]
    differs = flat != proposed
    found = []
    for row in np.unique(np.searchsorted(starts, np.flatnonzero(differs), side="right") - 1).tolist():
        start, tags = starts[row], annotated.tags[task][row]
        of_row = proposed[start : start + len(tags)].tolist()
        others = [opinion.labels[label] if label >= 0 else tag for label, tag in zip(of_row, tags, strict=True)]
        for mistake in mistakes_of(others, tags, scheme):  # with the model as the truth
            suspect = Suspect(task, _KINDS[mistake.kind], row, mistake.predicted_span, mistake.gold_span)
            inside = slice(start + suspect.words.start, start + suspect.words.stop)
            # A span without a differing word is a part of another place: one span proposed for two neighbours.
            if differs[inside].any() and (flat[inside] >= 0).all():
                wrong = differs[inside]
                ours, theirs = (side[inside][wrong].mean() for side in sides)
                odds = (1 + ours - theirs, 1 - ours + theirs) if scheme.encodes_spans else (ours, theirs)
                found.append((suspect, float(odds[0] / max(odds[1], _LEAST))))
    return found


def _ratio(suspect: Suspect, sentences: Sequence[Sequence[str]], occurrences: Occurrences) -> float:
    """The share of the words' other occurrences that are annotated as proposed, over the share annotated as here."""
    shares = []
    for span, here in ((suspect.proposed, False), (suspect.annotated, True)):
        words = _text(sentences, suspect.row, span or suspect.marked)
        shares.append(occurrences.share(words, span.label if span else OUTSIDE, but_one=here))
    return shares[0] / shares[1]


def _text(sentences: Sequence[Sequence[str]], row: int, span: Span) -> tuple[str, ...]:
    return tuple(sentences[row][span.start : span.end])
