"""Precision of the label errors that models find, on CoNLL-2003 with errors put in.

3% of the spans of the training split are corrupted: a quarter each get another type, another border, are dropped, and
are invented. Of the ranked places, the first n are compared with the n corrupted ones. Beside it stands cleanlab's
token classification on the same probabilities.

    python tests/benchmarks/label_errors.py --conll shared/data/conll2003 --keep /tmp/label-errors
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

import polytag
from polytag import Corpus, Span

LABELS = ("LOC", "MISC", "ORG", "PER")
KINDS = ("type", "border", "dropped", "invented")
SHARE = 0.03


class Error(NamedTuple):
    """An error that was put in: its kind, its sentence, and the words whose tags differ."""

    kind: str
    sentence: int
    words: frozenset[int]


def corrupted(corpus: Corpus, seed: int) -> tuple[Corpus, list[Error]]:
    """The corpus with errors in 3% of the spans of its training split, and the errors."""
    rng = np.random.default_rng(seed)
    scheme = polytag.scheme("iob2")
    table = corpus.split("train")
    source = polytag.scheme("iob1") if _is_iob1(corpus) else scheme
    spans = [source.spans(tags) for tags in table.tags["ner_tags"]]
    wanted = round(SHARE * sum(map(len, spans)))
    lengths = [len(words) for words in table.words]
    by_length = np.array(lengths) / sum(lengths)
    places = [(index, span) for index, found in enumerate(spans) for span in found]
    order, touched, errors = rng.permutation(len(places)).tolist(), set[int](), list[Error]()
    while len(errors) < wanted:
        kind = KINDS[len(errors) % len(KINDS)]
        if kind == "invented":
            index = int(rng.choice(len(spans), p=by_length))
            start = int(rng.integers(lengths[index]))
            old, new = None, Span(start, min(start + int(rng.integers(1, 3)), lengths[index]), str(rng.choice(LABELS)))
        else:
            index, old = places[order.pop()]
            new = _changed(kind, old, rng)
        others = [span for span in spans[index] if span != old]
        if index in touched or not _fits(new, others, lengths[index]):
            continue
        touched.add(index)  # one error per sentence: what is counted is unambiguous
        before = scheme.tags(spans[index], lengths[index])
        spans[index] = sorted([*others, *([new] if new else [])])
        after = scheme.tags(spans[index], lengths[index])
        errors.append(Error(kind, index, frozenset(np.flatnonzero(np.array(before) != np.array(after)).tolist())))
    tags = {"ner_tags": tuple(tuple(scheme.tags(found, n)) for found, n in zip(spans, lengths, strict=True))}
    return replace(corpus, data={"train": replace(table, tags=tags)}), errors


def _is_iob1(corpus: Corpus) -> bool:
    tags = corpus.tags("train", "ner_tags")
    return any(row and row[0].startswith("I-") for row in tags)


def _changed(kind: str, span: Span, rng: np.random.Generator) -> Span | None:
    if kind == "dropped":
        return None
    if kind == "type":
        return span._replace(label=str(rng.choice([label for label in LABELS if label != span.label])))
    edge, by = ("start", "end")[int(rng.integers(2))], int(rng.choice((-1, 1)))
    return span._replace(**{edge: getattr(span, edge) + by})


def _fits(span: Span | None, others: list[Span], length: int) -> bool:
    if span is None:
        return True
    inside = 0 <= span.start < span.end <= length
    return inside and all(span.end <= other.start or other.end <= span.start for other in others)
