"""Presentation of the options of a run, and the help texts that commands share.

The module must be fast to import: the command line needs it before it knows which command it runs.
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
"""Shown as the default of options that are recognised in the corpus."""
BY_NUMBER = "by their number"
"""Shown as the default of the columns."""


@dataclass(frozen=True, slots=True)
class Option:
    """Presentation of a field of `RunConfig` as an option.

    Attributes:
        panel: Heading of its group; empty for the first group.
        short: Its one-letter flag, such as `-t`.
        flag: Its long flag, if not derived from its name.
        shown: Text shown as its default, if not the value itself.
        value: Placeholder for its value in the help, if not the type.
        repeated: Whether the command line accepts it several times, with one value each.
    """

    panel: str = ""
    short: str = ""
    flag: str = ""
    shown: str = ""
    value: str = ""
    repeated: bool = False
