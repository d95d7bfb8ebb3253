"""The task `bioner`: named entities of biomedical text, such as chemicals, diseases, genes and cells."""

from collections.abc import Iterable

import polytag

POLYTAG_PLUGIN_API = 1

EXAMPLES = (
    "Selegiline-induced postural hypotension in Parkinson's disease improved when selegiline was withdrawn.",
    "IL-2 gene expression and NF-kappa B activation through CD28 require reactive oxygen production in T cells.",
)


@polytag.hookimpl
def polytag_tasks() -> Iterable[polytag.Task]:
    """The task `bioner`.

    Its labels come from the corpus (BC5CDR has two, JNLPBA five). Annotators of such names disagree more about
    boundaries than about types, so spans are also scored by their overlap.
    """
    return [
        polytag.Task(
            name="bioner",
            summary="Biomedical names: chemicals, diseases, genes, cells",
            columns=("entities", "ner_tags", "ner", "tags"),
            scheme="iob2",
            alignment="first",
            metrics=("spans", "partial"),
            examples=EXAMPLES,
        )
    ]
