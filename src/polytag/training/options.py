"""Presentation of the options of a run, and the help texts that commands share.

The module must be fast to import: the command line needs it before it knows which command it runs.
"""

from __future__ import annotations

from dataclasses import dataclass

CORPUS = "A file, a folder, `train=FILE,test=FILE`, a hub dataset, or `sample`."
READER = "Reader of the corpus."
COLUMNS = (
    "Columns of a column file, as in `--columns _,tokens,pos_tags,ner_tags`, where `_` skips one; in other formats, "
    "the tag columns to keep."
)
SEPARATOR = "What separates the columns of a column file: `tab`, `space`, `comma`, `semicolon`, or one character."
COMMENTS = "Start of comment lines in a column file, such as `#`; `none` if it has no comments."
HEADER = "Whether the first line of a column file names its columns."
ENCODING = "Encoding of text files, such as `utf-16` or `latin-1`."
WORD_PATTERN = "Regular expression for whole cells with words; its first group is the word, as in `de:(.*)`."
TAG_STYLE = (
    "How span tags are written, by an example: `B-X`, `B_X`, `b-x` or `X-B`; after a comma, the spelling of `O`: "
    "`B-X,0`."
)
OFFSETS = "Unit of offsets in annotated text: `characters`, or `utf16` for UTF-16 units."
CORPUS_SCHEME = "Label scheme of the spans in the corpus."
TAGS_AS_IS = "Accept tags that no label scheme writes, as parts of spans."
DECODING = (
    "How scores become tags: `viterbi` (valid sequences of span tags only), `argmax`, or `crf` with transitions "
    "that are learned in training."
)
EXPORT = (
    "Write an ONNX model into the folder of the tagger, which then runs without TensorFlow: `onnx` to use it first, "
    "`none` to write none; `auto` writes one over a checkpoint, to use by choice, where `onnx` and "
    "`onnxruntime` are installed, but not after `--lora`."
)
FREEZE = "Keep the embeddings and so many of the lowest blocks of a checkpoint: faster, with less memory."
LORA = "Train adapters of this rank instead of a checkpoint's weights: a small folder that needs them."

RECOGNISED = "recognised"
"""Shown as the default of options that are recognised in the corpus."""
OF_THE_TEXT = "utf-8, or as the file says"
"""Shown as the default of the encoding."""


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
