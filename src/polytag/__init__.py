"""Train, evaluate and run word taggers: named entities, parts of speech, chunks, and any task a plugin adds.

The names in `__all__` are the public interface. All but `hookimpl` and `__version__` are imported at first use, so that
`import polytag` stays instant.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from polytag.hooks.specs import hookimpl

if TYPE_CHECKING:
    from polytag.alignment import (
        IGNORE,
        NO_WORD,
        AlignmentStrategy,
        first_units,
        labels_at,
        last_units,
        scores_at,
    )
    from polytag.comparison import Comparison, TaskComparison, compare
    from polytag.config import RunConfig
    from polytag.corpus.corpus import Corpus, load_corpus
    from polytag.encoders import Encoder, EncoderProvider, TrainingDefaults, Units, WordCoder
    from polytag.encoding.text import Word, split_sentences
    from polytag.errors import CorpusError, CorpusWarning, PluginError, PolytagError, TaggerError
    from polytag.evaluating import evaluate
    from polytag.evaluation import Evaluation, TaskEvaluation
    from polytag.exporting import Export, export
    from polytag.hooks.manager import RunInfo
    from polytag.metrics import Metric, Scores
    from polytag.pushing import PushResult, push
    from polytag.readers import (
        DOCUMENT_MARKS,
        TOKENS,
        Reader,
        Remark,
        Sentence,
        Source,
        corpus_from_sentences,
        sentences_of,
        split_of,
    )
    from polytag.runner import TrainResult, train
    from polytag.schemes import OUTSIDE, UNANNOTATED, LabelScheme, PrefixScheme, Span, convert
    from polytag.tagger import Tagger
    from polytag.tagging import TaggedSpan, TaggedText
    from polytag.tasks import Task

__version__ = "0.1.0"

_HOMES = {
    "polytag.alignment": (
        "IGNORE",
        "NO_WORD",
        "AlignmentStrategy",
        "first_units",
        "labels_at",
        "last_units",
        "scores_at",
    ),
    "polytag.comparison": ("Comparison", "TaskComparison", "compare"),
    "polytag.config": ("RunConfig",),
    "polytag.corpus.corpus": ("Corpus", "load_corpus"),
    "polytag.readers": (
        "DOCUMENT_MARKS",
        "TOKENS",
        "Reader",
        "Remark",
        "Sentence",
        "Source",
        "corpus_from_sentences",
        "sentences_of",
        "split_of",
    ),
    "polytag.encoders": ("Encoder", "EncoderProvider", "TrainingDefaults", "Units", "WordCoder"),
    "polytag.encoding.text": ("Word", "split_sentences"),
    "polytag.errors": ("CorpusError", "CorpusWarning", "PluginError", "PolytagError", "TaggerError"),
    "polytag.evaluating": ("evaluate",),
    "polytag.evaluation": ("Evaluation", "TaskEvaluation"),
    "polytag.exporting": ("Export", "export"),
    "polytag.hooks.manager": ("RunInfo",),
    "polytag.metrics": ("Metric", "Scores"),
    "polytag.pushing": ("PushResult", "push"),
    "polytag.runner": ("TrainResult", "train"),
    "polytag.schemes": ("OUTSIDE", "UNANNOTATED", "LabelScheme", "PrefixScheme", "Span", "convert"),
    "polytag.tagger": ("Tagger",),
    "polytag.tagging": ("TaggedSpan", "TaggedText"),
    "polytag.tasks": ("Task",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "DOCUMENT_MARKS",
    "IGNORE",
    "NO_WORD",
    "OUTSIDE",
    "TOKENS",
    "UNANNOTATED",
    "AlignmentStrategy",
    "Comparison",
    "Corpus",
    "CorpusError",
    "CorpusWarning",
    "Encoder",
    "EncoderProvider",
    "Evaluation",
    "Export",
    "LabelScheme",
    "Metric",
    "PluginError",
    "PolytagError",
    "PrefixScheme",
    "PushResult",
    "Reader",
    "Remark",
    "RunConfig",
    "RunInfo",
    "Scores",
    "Sentence",
    "Source",
    "Span",
    "TaggedSpan",
    "TaggedText",
    "Tagger",
    "TaggerError",
    "Task",
    "TaskComparison",
    "TaskEvaluation",
    "TrainResult",
    "TrainingDefaults",
    "Units",
    "Word",
    "WordCoder",
    "__version__",
    "compare",
    "convert",
    "corpus_from_sentences",
    "evaluate",
    "export",
    "first_units",
    "hookimpl",
    "labels_at",
    "last_units",
    "load_corpus",
    "push",
    "scores_at",
    "sentences_of",
    "split_of",
    "split_sentences",
    "train",
]


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'polytag' has no attribute {name!r}")
    value: object = getattr(importlib.import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
