"""Precision of the label errors that models find, on CoNLL-2003 with errors put in.

3% of the spans of the training split are corrupted: a quarter each get another type, another boundary, are dropped, and
are invented. Of the ranked places, the first n are compared with the n corrupted ones; each error counts once. First,
taggers are trained out of fold; then a tagger that was trained on nine tenths of the documents, as they are, judges the
others, corrupted. cleanlab's token classification gets the same probabilities. It ranks words, so its figures are
given as each word (several hits in one error count), each error once, and neighbouring words joined.

    pip install --no-deps --target LIB cleanlab==2.9.*
    PYTHONPATH=LIB python tests/benchmarks/label_errors.py --corpus ../shared/data/conll2003 --keep label-errors

What the taggers say is kept in `--keep`, so that another ranking of the same seed takes seconds.
"""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from harness import Report, parser, table

import polytag
from polytag import Corpus, Span, Tagger
from polytag.labelling.folds import FoldOptions, out_of_fold
from polytag.labelling.suspects import find_suspects
from polytag.labelling.words import AnnotatedSentences, Opinion, annotated_sentences, opinions
from polytag.training.progress import default_reporter

LABELS = ("LOC", "MISC", "ORG", "PER")
KINDS = ("type", "boundary", "dropped", "invented")
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


Place = tuple[int, Iterable[int]]
"""A sentence, and words of it."""


def main() -> None:
    """Print the precision of both, with and without folds."""
    options = parser(__doc__)
    options.add_argument("--corpus", required=True, help="folder of CoNLL-2003")
    options.add_argument("--keep", type=Path, required=True, help="folder for taggers and what they say")
    options.add_argument("--seed", type=int, default=0, help="seed of the errors")
    chosen = options.parse_args()
    report = Report("label_errors", chosen)
    whole = polytag.load_corpus(f"train={chosen.corpus}/eng.train").keeping(["ner_tags"])
    rows = [_by_folds(whole, chosen.seed, chosen.keep), _by_tagger(whole, chosen.seed, chosen.keep)]
    report.add(rows=rows)
    report.show(table("Precision of the first n places", list(rows[0]), [list(row.values()) for row in rows]))


def _by_folds(whole: Corpus, seed: int, keep: Path) -> dict[str, Any]:
    wrong, errors = corrupted(whole, seed)
    annotated = _annotated(wrong)
    began = time.perf_counter()
    opinion = out_of_fold(annotated, ["ner"], FoldOptions(5, "compact", 0), keep, default_reporter)["ner"]
    return {"by": "5 folds", "seconds": round(time.perf_counter() - began), **_figures(annotated, opinion, errors)}


def _by_tagger(whole: Corpus, seed: int, keep: Path) -> dict[str, Any]:
    chosen = [number % 10 == 0 for number in _documents(whole)]
    folder = keep / "nine-tenths"
    if not folder.exists():
        polytag.convert_corpus(_part(whole, [not each for each in chosen]), keep / "corpus", format="jsonl")
        polytag.train(task="ner", corpus=str(keep / "corpus"), output=folder)
    wrong, errors = corrupted(_part(whole, chosen), seed)
    annotated = _annotated(wrong)
    began = time.perf_counter()
    opinion = opinions(Tagger.load(folder), annotated.sentences, annotated.documents, ["ner"])["ner"]
    return {"by": "a tagger", "seconds": round(time.perf_counter() - began), **_figures(annotated, opinion, errors)}


def _documents(corpus: Corpus) -> list[int]:
    documents = corpus.documents("train")
    assert documents
    order = {document: number for number, document in enumerate(dict.fromkeys(documents))}
    return [order[document] for document in documents]


def _part(corpus: Corpus, chosen: Sequence[bool]) -> Corpus:
    """The chosen sentences."""
    table, documents = corpus.split("train"), _documents(corpus)
    rows = [row for row, wanted in enumerate(chosen) if wanted]
    part = replace(
        table,
        words=tuple(table.words[row] for row in rows),
        tags={"ner_tags": tuple(table.tags["ner_tags"][row] for row in rows)},
        documents=tuple(documents[row] for row in rows),
        locations=tuple(table.locations[row] for row in rows),
    )
    return replace(corpus, data={"train": part})


def _annotated(corpus: Corpus) -> AnnotatedSentences:
    return annotated_sentences(corpus, {"ner": polytag.task("ner")}, {"ner": polytag.scheme("iob2")})


def _figures(annotated: AnnotatedSentences, opinion: Opinion, errors: Sequence[Error]) -> dict[str, Any]:
    suspects = find_suspects("ner", annotated, opinion)
    places = [(suspect.row, suspect.words) for suspect in suspects]
    hits = _hits(places, errors)
    kinds = Counter(error.kind for error in hits)
    ours = {"n": len(errors), "polytag": len(hits) / len(errors), **{kind: kinds[kind] for kind in KINDS}}
    return {**ours, **_cleanlab(annotated, opinion, errors)}


def _cleanlab(annotated: AnnotatedSentences, opinion: Opinion, errors: Sequence[Error]) -> dict[str, float]:
    from cleanlab.token_classification.filter import find_label_issues

    ids = {label: index for index, label in enumerate(opinion.labels)}
    given = [[ids[tag] for tag in tags] for tags in annotated.tags["ner"]]
    starts = annotated.starts
    probabilities = [opinion.probabilities[start:end] for start, end in itertools.pairwise(starts)]
    found = {}
    for method in ("self_confidence", "normalized_margin"):
        words = find_label_issues(given, probabilities, return_indices_ranked_by=method)
        first: dict[int, set[int]] = {}
        joined = []
        for row, word in words:
            if not first.setdefault(row, set()) & {word - 1, word + 1}:
                joined.append((row, [word]))
            first[row].add(word)
        wrong = {(error.sentence, word) for error in errors for word in error.words}
        found[f"{method}: words"] = sum(tuple(word) in wrong for word in words[: len(errors)]) / len(errors)
        found[f"{method}: errors"] = len(_hits([(row, [word]) for row, word in words], errors)) / len(errors)
        found[f"{method}: joined"] = len(_hits(joined, errors)) / len(errors)
    return found


def _hits(places: Sequence[Place], errors: Sequence[Error]) -> list[Error]:
    """The errors that the first places find, as many as there are errors."""
    of_row = {error.sentence: error for error in errors}
    found: dict[int, Error] = {}
    for row, words in places[: len(errors)]:
        if row in of_row and not of_row[row].words.isdisjoint(words):
            found[row] = of_row[row]
    return list(found.values())


if __name__ == "__main__":
    main()
