"""The task `bioner`: named entities of biomedical text, such as chemicals, diseases, genes and cells."""

from collections.abc import Iterable

import polytag

POLYTAG_PLUGIN_API = 1


@polytag.hookimpl
def polytag_tasks() -> Iterable[polytag.Task]:
    """The task `bioner`.

    Its labels are those of the corpus (BC5CDR has two, JNLPBA five). Annotators of such names disagree about borders
    more than about kinds, so spans are counted by their overlap, too.
    """
    return [
        polytag.Task(
            name="bioner",
            summary="Biomedical names: chemicals, diseases, genes, cells",
            columns=("entities", "ner_tags", "ner", "tags"),
            scheme="iob2",
            alignment="first",
            metrics=("spans", "partial"),
        )
    ]
