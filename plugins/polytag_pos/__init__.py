"""The task `pos`: the part of speech of every word."""

from collections.abc import Iterable

import polytag

POLYTAG_PLUGIN_API = 1


# Universal Dependencies, the Penn Treebank, and common labels of token classifiers.
TYPICAL = (
    *("ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT", "SCONJ"),
    *("SYM", "VERB", "X", "CC", "CD", "DT", "EX", "FW", "IN", "JJ", "JJR", "JJS", "MD", "NN", "NNS", "NNP", "NNPS"),
    *("PDT", "POS", "PRP", "PRP$", "RB", "RBR", "RBS", "RP", "TO", "UH", "VB", "VBD", "VBG", "VBN", "VBP", "VBZ"),
    *("WDT", "WP", "WP$", "WRB", "*"),
)

EXAMPLES = ("The old man the boat.", "She can can a can of fish faster than they fish.", "Time flies like an arrow.")


@polytag.hookimpl
def polytag_tasks() -> Iterable[polytag.Task]:
    """The task `pos`."""
    return [
        polytag.Task(
            name="pos",
            summary="Part of speech of every word",
            columns=("pos_tags", "pos", "xpos", "upos", "tags"),
            scheme="flat",
            alignment="first",
            metrics=("tags",),
            typical=TYPICAL,
            examples=EXAMPLES,
        )
    ]
