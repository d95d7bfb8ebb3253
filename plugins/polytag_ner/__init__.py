"""The task `ner`: named entities as in CoNLL-2003 (persons, places, organisations, miscellaneous)."""

from collections.abc import Iterable

import polytag

POLYTAG_PLUGIN_API = 1


# CoNLL-2003, OntoNotes, and common labels of token classifiers.
TYPICAL = (
    *("PER", "LOC", "ORG", "MISC", "PERSON", "LOCATION", "ORGANIZATION"),
    *("NORP", "FAC", "GPE", "PRODUCT", "EVENT", "WORK_OF_ART", "LAW", "LANGUAGE"),
    *("DATE", "TIME", "PERCENT", "MONEY", "QUANTITY", "ORDINAL", "CARDINAL", "*"),
)

EXAMPLES = (
    "Marie Curie moved from Warsaw to Paris in 1891 and taught at the Sorbonne.",
    "Germany beat Brazil 7-1 in Belo Horizonte; Miroslav Klose scored for Bayern Munich's rivals.",
    "The United Nations met in New York on Tuesday, said Reuters correspondent Anna Keller.",
)


@polytag.hookimpl
def polytag_tasks() -> Iterable[polytag.Task]:
    """The task `ner`."""
    return [
        polytag.Task(
            name="ner",
            summary="Named entities: persons, places, organisations and others",
            columns=("ner_tags", "ner", "tags"),
            scheme="iob2",
            alignment="first",
            metrics=("spans",),
            typical=TYPICAL,
            examples=EXAMPLES,
        )
    ]
