"""Contracts of tasks."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from polytag.errors import suggest
from polytag.plugin.reader import TOKENS
from polytag.plugin.registry import Kind, Registry
from polytag.plugin.scheme import OUTSIDE, LabelScheme, Span
from polytag.plugin.task import Task
from polytag.testing.contracts import BrokenContractError, Contract, Workbench

SENTENCES = 10
"""Number of sentences for training a task."""

_ODD_WORDS = ["Zürich", "\u200b", "\x01", "supercalifragilisticexpialidocious" * 9, "."]


def example_tags(task: Task, registry: Registry) -> list[str]:
    """The tags of one sentence with every label of the task, in the task's scheme."""
    scheme = registry.schemes[task.scheme]
    if not scheme.encodes_spans:
        return list(task.labels or ("X", "Y", "Z"))
    spans, length = [], 0
    for label in _span_labels(task, scheme):
        spans += [Span(length, length + 1, label), Span(length + 2, length + 4, label)]
        length += 5
    return scheme.tags(spans, length)


def _names_what_exists(task: Task, bench: Workbench) -> None:
    known = bench.registry
    parts: list[tuple[str, Kind[Any]]] = [(task.scheme, known.schemes), (task.alignment, known.alignments)]
    for name, kind in [*parts, *((name, known.metrics) for name in task.metrics)]:
        if name not in kind:
            hint = suggest(name, kind, kind.noun)
            raise BrokenContractError(f"No plugin provides the {kind.noun} {name!r} that it names.{hint}")
    for field in ("summary", "columns", "metrics"):
        if not getattr(task, field):
            raise BrokenContractError(f"Its field {field!r} is empty.")


def _metrics_suit_its_scheme(task: Task, bench: Workbench) -> None:
    scheme = bench.registry.schemes[task.scheme]
    for name in task.metrics:
        if bench.registry.metrics[name].needs_spans and not scheme.encodes_spans:
            raise BrokenContractError(
                f"The metric {name!r} scores spans, but the scheme {task.scheme!r} encodes none. Use the metric 'tags'."
            )


def _has_all_labels(task: Task, bench: Workbench) -> None:
    if task.labels is None:
        return
    scheme = bench.registry.schemes[task.scheme]
    if repeated := {label for label in task.labels if task.labels.count(label) > 1}:
        raise BrokenContractError(f"Its labels have {sorted(repeated)[0]!r} twice.")
    needed = {scheme.continuation(label) for label in task.labels} | set(example_tags(task, bench.registry))
    if scheme.encodes_spans:
        needed.add(OUTSIDE)
    if missing := sorted(needed - set(task.labels)):
        raise BrokenContractError(
            f"Its labels lack {', '.join(missing)}, which the scheme {task.scheme!r} writes. Add them, or leave labels "
            "out to read them from the corpus."
        )


def _trains(task: Task, bench: Workbench) -> None:
    import polytag

    output = bench.folder / "tagger"
    result = polytag.train(
        task=task.name,
        corpus=str(write_corpus(task, bench.registry, bench.folder / "corpus")),
        reader="jsonl",
        corpus_scheme=task.scheme if bench.registry.schemes[task.scheme].encodes_spans else None,
        output=output,
        epochs=2,
        quiet=True,
    )
    for name, score in result.validation.headlines.items():
        if not math.isfinite(score):
            raise BrokenContractError(f"After training, its score {name!r} on validation is {score}.")
    sentences = [_ODD_WORDS, ["One"], *_examples(task, bench.registry)[0][:2]]
    tags = result.tagger.predict_tags(sentences)[task.name]
    known = set(result.tagger.heads[task.name].labels)
    for words, given in zip(sentences, tags, strict=True):
        if len(given) != len(words) or not set(given) <= known:
            raise BrokenContractError(f"The words {words} are tagged {given}: every word must get one of its labels.")
    if (again := polytag.Tagger.load(output).predict_tags(sentences)[task.name]) != tags:
        raise BrokenContractError(f"The tagger predicts {tags}, and after saving and loading {again}.")


CONTRACTS = (
    Contract("task", "everything that it names exists", _names_what_exists),
    Contract("task", "its metrics fit its scheme", _metrics_suit_its_scheme),
    Contract("task", "its label inventory is complete", _has_all_labels),
    Contract("task", "ten sentences are enough to train it", _trains),
)


def write_corpus(task: Task, registry: Registry, folder: Path) -> Path:
    """Write ten sentences for a task as JSON Lines, the same for training, validation and test."""
    folder.mkdir()
    column = task.columns[0]
    rows = (json.dumps({TOKENS: words, column: tags}) for words, tags in zip(*_examples(task, registry), strict=True))
    text = "\n".join(rows) + "\n"
    for split in ("train", "validation", "test"):
        (folder / f"{split}.jsonl").write_text(text, encoding="utf-8")
    return folder


def _examples(task: Task, registry: Registry) -> tuple[list[list[str]], list[list[str]]]:
    """Words and tags of ten sentences, in which each word determines its tag."""
    tags = example_tags(task, registry)
    words = [f"word{tag.lower()}" for tag in tags]
    rotations = [0] * SENTENCES if registry.schemes[task.scheme].encodes_spans else range(SENTENCES)
    turns = [number % len(tags) for number in rotations]
    return [words[turn:] + words[:turn] for turn in turns], [tags[turn:] + tags[:turn] for turn in turns]


def _span_labels(task: Task, scheme: LabelScheme) -> list[str]:
    if task.labels is None:
        return ["THING", "PLACE"]
    return list(dict.fromkeys(span.label for tag in task.labels for span in scheme.spans([tag])))
