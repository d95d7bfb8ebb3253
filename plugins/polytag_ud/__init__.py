"""The tasks `upos`, `xpos` and `feats`: the word tags of Universal Dependencies."""

from collections.abc import Iterable

import polytag

POLYTAG_PLUGIN_API = 1

UPOS = (
    *("ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM"),
    *("PART", "PRON", "PROPN", "PUNCT", "SCONJ", "SYM", "VERB", "X"),
)
"""The 17 universal parts of speech of version 2 of the guidelines."""

EXAMPLES = ("The children were reading two books.", "What she said did not surprise us at all!")


@polytag.hookimpl
def polytag_tasks() -> Iterable[polytag.Task]:
    """The tasks `upos`, `xpos` and `feats`."""
    return [
        _task("upos", "Universal part of speech of every word", UPOS),
        _task("xpos", "Part of speech of every word, in the treebank's own tag set"),
        _task("feats", "Morphological features of every word, as one tag"),
    ]


def _task(name: str, summary: str, labels: tuple[str, ...] | None = None) -> polytag.Task:
    return polytag.Task(
        name,
        summary,
        columns=(name,),
        scheme="flat",
        alignment="first",
        metrics=("tags",),
        labels=labels,
        examples=EXAMPLES,
    )
