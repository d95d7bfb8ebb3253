"""The task `chunk`: phrases that do not overlap, as in CoNLL-2000 (noun phrases, verb phrases, …)."""

from collections.abc import Iterable

import polytag

POLYTAG_PLUGIN_API = 1


# CoNLL-2000.
TYPICAL = ("NP", "VP", "PP", "ADVP", "ADJP", "SBAR", "PRT", "CONJP", "INTJ", "LST", "UCP")

EXAMPLES = (
    "The quick brown fox has been jumping over the lazy dog since yesterday.",
    "He reckons the current account deficit will narrow to only 1.8 billion in September.",
)


@polytag.hookimpl
def polytag_tasks() -> Iterable[polytag.Task]:
    """The task `chunk`."""
    return [
        polytag.Task(
            name="chunk",
            summary="Chunks: noun phrases, verb phrases and other phrases that do not overlap",
            columns=("chunk_tags", "chunk", "tags"),
            scheme="iob2",
            alignment="first",
            metrics=("spans",),
            typical=TYPICAL,
            examples=EXAMPLES,
        )
    ]
