"""How an option of a run is shown in addition to its type, and the help texts that other commands share.

Light to import: the command line needs it before it knows which command it runs.
"""

from __future__ import annotations

from dataclasses import dataclass

CORPUS = "A file, a folder, `train=FILE,test=FILE`, a hub dataset, or `sample`."
READER = "Reader of the corpus."
COLUMNS = (
    "Columns of a column file, as in `--columns tokens,pos_tags,_,ner_tags`, where `_` skips one; in other formats, "
    "the tag columns to keep."
)
CORPUS_SCHEME = "Label scheme of the spans in the corpus."
DECODING = "How span tasks turn scores into tags: `viterbi` (valid sequences only) or `argmax`."

RECOGNISED = "recognised"
"""How the default of what is recognised in the corpus is shown."""
BY_NUMBER = "by their number"
"""How the default of the columns is shown."""


@dataclass(frozen=True, slots=True)
class Option:
    """How a field of `RunConfig` is shown as an option.

    Attributes:
        panel: Heading that it stands below; empty for the first options of all.
        short: Its flag of one letter, as `-t`.
        flag: Its long flag, where that is not made from its name.
        shown: How its default is shown, where the value does not say it.
        value: What stands for its value in the help, where the type does not say it.
        repeated: Whether the command line takes it several times, one value each.
    """

    panel: str = ""
    short: str = ""
    flag: str = ""
    shown: str = ""
    value: str = ""
    repeated: bool = False
