"""Write tagged sentences for correction in an annotation tool."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from polytag.prediction.outputs import for_doccano
from polytag.tagger.results import DIGITS, TaggedText

LABEL_STUDIO = "labelstudio"
FORMATS = ("doccano", LABEL_STUDIO, "jsonl")

SPLIT_AT_BLANKS = {"tokenizer": "whitespace"}
"""Tells the readers of corpora that the words of a text are known: they are joined by spaces."""
CONTROL, OBJECT = "label", "text"
"""Names in Label Studio's template for named entities."""


class Preannotation(NamedTuple):
    """A sentence to correct.

    Attributes:
        tagged: The sentence with its tags.
        has_words: Whether its words were given, and not split from a text.
        others: Further fields of its record.
    """

    tagged: TaggedText
    has_words: bool
    others: Mapping[str, Any]


def write_preannotations(found: Sequence[Preannotation], form: str, tagger: str, sink: TextIO) -> None:
    """Write sentences with their tags as suggestions, in order.

    Args:
        found: The sentences.
        form: `doccano`: JSON Lines with `text` and `label`; `labelstudio`: a JSON list of tasks with `predictions`, for
            a project with labels named `label` for a text named `text`; `jsonl`: as `polytag predict` writes them.
        tagger: The name of the tagger, for Label Studio.
        sink: The stream to write to.
    """
    if form == LABEL_STUDIO:
        lines = [json.dumps(_task(one, tagger), ensure_ascii=False) for one in found]
        print("[\n" + ",\n".join(lines) + "\n]", file=sink)
        return
    for one in found:
        row = one.tagged.to_dict() if form == "jsonl" else for_doccano(one.tagged) | _split(one)
        print(json.dumps(dict(one.others) | row, ensure_ascii=False), file=sink)


def region(
    text: str,
    start: int,
    end: int,
    label: str,
    *,
    control: str = CONTROL,
    target: str = OBJECT,
    score: float | None = None,
) -> dict[str, Any]:
    """A labelled region, as Label Studio writes it.

    Args:
        text: The marked characters.
        start, end: Their bounds in the whole text, in characters.
        label: The label.
        control, target: The names of the labels and of the text in the project.
        score: Its probability, if it is a suggestion of a tagger.
    """
    return {
        "from_name": control,
        "to_name": target,
        "type": "labels",
        **({} if score is None else {"score": round(score, DIGITS)}),
        "value": {"start": start, "end": end, "text": text, "labels": [label]},
    }


def _task(one: Preannotation, tagger: str) -> dict[str, Any]:
    regions = [region(span.text, span.start, span.end, span.label, score=span.score) for span in one.tagged.spans]
    return {
        "data": dict(one.others) | {"text": one.tagged.text} | _split(one),
        "predictions": [{"model_version": Path(tagger).name, "result": regions}],
    }


def _split(one: Preannotation) -> dict[str, str]:
    known = one.has_words and all(" " not in word for word in one.tagged.words)
    return SPLIT_AT_BLANKS if known else {}
