"""Labels that are added to a tagger from a corpus that does not annotate all of the tagger's old ones.

A word outside the spans of such a corpus is not outside all spans: the tagger may know a person where only products are
annotated. Its target is what the tagger itself says if that is sure, and else a set, `O` or any label that the corpus
does not annotate, whose probability is maximised in sum: -log(sum of p over the set). (Partial annotation: Tsuboi et
al. 2008; old labels from the old model: Monaikul et al. 2021.)
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from polytag.corpus.splits import Split
from polytag.errors import PolytagError, shorten, suggest
from polytag.plugin.reporter import Reporter
from polytag.plugin.scheme import OUTSIDE, UNANNOTATED, LabelScheme, Span
from polytag.tagger.heads import TaskHead

if TYPE_CHECKING:
    from polytag.tagger.tagger import Tagger

SURE = 0.9
"""Smallest probability of a label of the old tagger that a word is trained with."""


@dataclass(frozen=True, slots=True)
class Splits:
    """The splits of a run, and the words whose target is a set of labels.

    Attributes:
        training: The split to train on; open words are `UNANNOTATED`.
        validation, test: The splits to score on.
        open: For each task that is annotated in part, bool (words,): whether a word of the training split is open.
    """

    training: Split
    validation: Split
    test: Split | None
    open: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)


def span_types(labels: Iterable[str], scheme: LabelScheme) -> tuple[str, ...]:
    """The types of spans among labels, `PER`; none for labels without spans."""
    if not scheme.encodes_spans:
        return ()
    return tuple(dict.fromkeys(span.label for label in labels for span in scheme.spans([label])))


def unannotated_types(
    head: TaskHead, labels: Sequence[str], scheme: LabelScheme, annotated: Iterable[str] = ()
) -> tuple[str, ...]:
    """The types of spans that a head knows and a corpus does not annotate.

    Args:
        head: The head.
        labels: The labels of the corpus.
        scheme: The scheme of both.
        annotated: Types that the corpus annotates in addition to those that occur in it.
    """
    known = {*span_types(labels, scheme), *annotated}
    return tuple(name for name in span_types(head.labels, scheme) if name not in known)


def check_types(annotated: Iterable[str], known: Collection[str]) -> None:
    """Check that types that are said to be annotated exist.

    Raises:
        PolytagError: One is neither a type of the tagger nor of the corpus.
    """
    for name in annotated:
        if name not in known:
            raise PolytagError(
                f"--annotated names {shorten(name)!r}, which is neither in the corpus nor among the labels of the "
                f"tagger.{suggest(name, known, 'type')}"
            )


def open_labels(labels: Sequence[str], scheme: LabelScheme, types: Sequence[str]) -> tuple[int, ...]:
    """The ids of `O` and of the labels of some types."""
    return tuple(
        index for index, label in enumerate(labels) if label == OUTSIDE or set(span_types([label], scheme)) & set(types)
    )


def complete(
    splits: Splits, types: Mapping[str, Sequence[str]], tagger: Tagger, name: str, reporter: Reporter
) -> Splits:
    """Complete the splits of a run by the tagger that it starts from, and report what was done.

    Args:
        splits: The splits.
        types: For each task that is annotated in part, the types of spans that the corpus does not annotate.
        tagger: The old tagger.
        name: Its name, for messages.
        reporter: Receives the numbers of words.
    """
    for task, own in types.items():
        training, is_open, found = _completed(splits.training, task, tagger, own)
        reporter.message(
            f"The corpus does not annotate {', '.join(own)} of {task}. Of the words outside its spans, {found:,} are "
            f"trained with the label that {name!r} gives them with a probability of at least {SURE}, and "
            f"{int(is_open.sum()):,} as O or any of these; the others as O. What {name!r} finds in validation and test "
            "is not scored there."
        )
        validation = _scored_in_part(splits.validation, task, tagger, own)
        test = splits.test and _scored_in_part(splits.test, task, tagger, own)
        splits = Splits(training, validation, test, {**splits.open, task: is_open})
    return splits


def _completed(split: Split, task: str, tagger: Tagger, types: Sequence[str]) -> tuple[Split, NDArray[np.bool_], int]:
    """A split with the spans that a tagger is sure of, its open words, and the number of words in these spans."""
    tags: list[list[str]] = []
    is_open: list[bool] = []
    found = 0
    scheme = tagger.decoders[task].scheme
    for gold, predicted, scores in _predicted(split, task, tagger):
        old = _spans_outside(gold, predicted, scheme, types)
        sure = [span for span in old if min(scores[span.start : span.end]) >= SURE]
        merged = scheme.tags([*scheme.spans(gold), *sure], len(gold))
        unsure = [tag == OUTSIDE and score < SURE for tag, score in zip(predicted, scores, strict=True)]
        for span in old:
            unsure[span.start : span.end] = [span not in sure] * (span.end - span.start)
        doubtful = [tag == OUTSIDE and doubt for tag, doubt in zip(gold, unsure, strict=True)]
        left = [tag == UNANNOTATED or doubt for tag, doubt in zip(gold, doubtful, strict=True)]
        tags.append([UNANNOTATED if out else tag for out, tag in zip(left, merged, strict=True)])
        is_open += doubtful
        found += sum(span.end - span.start for span in sure)
    return _with_tags(split, task, tags), np.array(is_open, dtype=bool), found


def _scored_in_part(split: Split, task: str, tagger: Tagger, types: Sequence[str]) -> Split:
    """A split to score on: words in spans of the tagger that the corpus does not annotate are not scored."""
    tags = []
    scheme = tagger.decoders[task].scheme
    for gold, predicted, _ in _predicted(split, task, tagger):
        own = list(gold)
        for span in _spans_outside(gold, predicted, scheme, types):
            own[span.start : span.end] = [UNANNOTATED] * (span.end - span.start)
        tags.append(own)
    return _with_tags(split, task, tags)


def _predicted(split: Split, task: str, tagger: Tagger) -> Iterable[tuple[list[str], list[str], list[float]]]:
    """For each sentence its tags, the tags that the tagger predicts, and their probabilities."""
    features, predictions = tagger.predict(split.sentences, split.documents)
    prediction, decoder = predictions[task], tagger.decoders[task]
    predicted = decoder.sentences(prediction.labels, features)
    starts = features.sentence_starts.tolist()
    scores = [prediction.scores[start:end].tolist() for start, end in pairwise(starts)]
    return zip(split.tags[task], predicted, scores, strict=True)


def _spans_outside(gold: list[str], predicted: list[str], scheme: LabelScheme, types: Sequence[str]) -> list[Span]:
    """The predicted spans of some types whose words are all outside the spans of gold, and annotated."""
    return [
        span
        for span in scheme.spans(predicted)
        if span.label in types and all(tag == OUTSIDE for tag in gold[span.start : span.end])
    ]


def _with_tags(split: Split, task: str, tags: list[list[str]]) -> Split:
    return replace(split, tags={**split.tags, task: tags})
