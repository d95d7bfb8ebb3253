"""Train, evaluate and run word taggers: named entities, parts of speech, chunks, and any task a plugin adds.

The names in `__all__` are the public interface. All but `hookimpl` and `__version__` are imported at first use, so that
`import polytag` stays instant.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from polytag.plugin.specs import hookimpl

if TYPE_CHECKING:
    from polytag.corpus.check.check import check
    from polytag.corpus.check.findings import Finding
    from polytag.corpus.convert import Conversion, convert_corpus
    from polytag.corpus.corpus import Corpus
    from polytag.corpus.describe import Description, describe
    from polytag.corpus.dialect import (
        ColumnRow,
        Dialect,
        column_rows,
        has_document_marks,
        recognise_dialect,
        recognise_dialects,
    )
    from polytag.corpus.load import load_corpus
    from polytag.corpus.sentences import corpus_from_sentences, sentences_of
    from polytag.corpus.source import split_of
    from polytag.corpus.text_files import text_ending, text_lines, whole_text
    from polytag.corpus.word_patterns import word_in, word_pattern
    from polytag.encoding.splitters import split_sentences
    from polytag.errors import CorpusError, CorpusWarning, PluginError, PolytagError, TaggerError, shorten
    from polytag.evaluation.annotators import Agreement, ColumnAgreement, Disagreement, TypeAgreement, agreement
    from polytag.evaluation.compare import Comparison, TaskComparison, compare
    from polytag.evaluation.evaluate import evaluate
    from polytag.evaluation.results import Evaluation, TaskEvaluation
    from polytag.evaluation.scoring import score
    from polytag.exporting.export import Export, export
    from polytag.labelling.corrections import Correction, correct_corpus
    from polytag.labelling.label_errors import LabelErrors, find_label_errors
    from polytag.plugin.adapter import AdapterWeights
    from polytag.plugin.alignment import (
        IGNORE,
        NO_WORD,
        AlignmentStrategy,
        first_units,
        labels_at,
        last_units,
        scores_at,
    )
    from polytag.plugin.encoder import (
        Encoder,
        EncoderProvider,
        ExampleInputs,
        TrainingDefaults,
        Units,
        UnreadWords,
        WordCoder,
    )
    from polytag.plugin.head import DecodedWords, Head, SentenceWords
    from polytag.plugin.lookup import alignment, metric, scheme, task
    from polytag.plugin.metric import Metric, Scores
    from polytag.plugin.reader import (
        DOCUMENT_MARKS,
        TOKENS,
        Reader,
        ReadingOptions,
        RecognisedForm,
        Remark,
        Sentence,
        SentenceTable,
        Source,
    )
    from polytag.plugin.reporter import Epoch, Progress, Reporter
    from polytag.plugin.scheme import OUTSIDE, UNANNOTATED, LabelScheme, PrefixScheme, Span, convert_tags
    from polytag.plugin.specs import RunInfo
    from polytag.plugin.splitter import Splitter, Word
    from polytag.plugin.task import Task
    from polytag.prediction.batch_tagger import BatchTagger
    from polytag.prediction.lake import LakeProgress, LakeResult, predict_lake
    from polytag.prediction.predict import predict
    from polytag.prediction.suggest import SuggestedSentence, Suggestions, suggest
    from polytag.publishing.push import PushResult, push
    from polytag.publishing.report.report import Report, report
    from polytag.runner import TrainResult, train
    from polytag.searching.learning_curve import CurvePoint, LearningCurve, learning_curve
    from polytag.searching.power_law import Forecast
    from polytag.searching.results import Search
    from polytag.searching.search import search
    from polytag.tagger.results import TaggedSpan, TaggedText
    from polytag.tagger.tagger import Tagger
    from polytag.training.aligned import AlignedUnit, AlignedWords, align
    from polytag.training.config import RunConfig
    from polytag.training.history import History

__version__ = "0.1.0"

_HOMES = {
    "polytag.plugin.alignment": (
        "IGNORE",
        "NO_WORD",
        "AlignmentStrategy",
        "first_units",
        "labels_at",
        "last_units",
        "scores_at",
    ),
    "polytag.evaluation.annotators": (
        "AdapterWeights",
        "Agreement",
        "ColumnAgreement",
        "Disagreement",
        "TypeAgreement",
        "agreement",
    ),
    "polytag.evaluation.compare": ("Comparison", "TaskComparison", "compare"),
    "polytag.training.aligned": ("AlignedUnit", "AlignedWords", "align"),
    "polytag.training.config": ("RunConfig",),
    "polytag.training.history": ("History",),
    "polytag.corpus.check.check": ("check",),
    "polytag.corpus.check.findings": ("Finding",),
    "polytag.corpus.convert": ("Conversion", "convert_corpus"),
    "polytag.corpus.corpus": ("Corpus",),
    "polytag.corpus.load": ("load_corpus",),
    "polytag.plugin.reader": (
        "DOCUMENT_MARKS",
        "TOKENS",
        "Reader",
        "ReadingOptions",
        "RecognisedForm",
        "Remark",
        "Sentence",
        "SentenceTable",
        "Source",
    ),
    "polytag.corpus.describe": ("Description", "describe"),
    "polytag.corpus.dialect": (
        "ColumnRow",
        "Dialect",
        "column_rows",
        "has_document_marks",
        "recognise_dialect",
        "recognise_dialects",
    ),
    "polytag.corpus.sentences": ("corpus_from_sentences", "sentences_of"),
    "polytag.corpus.source": ("split_of",),
    "polytag.corpus.text_files": ("text_ending", "text_lines", "whole_text"),
    "polytag.corpus.word_patterns": ("word_in", "word_pattern"),
    "polytag.plugin.adapter": ("AdapterWeights",),
    "polytag.plugin.encoder": (
        "Encoder",
        "EncoderProvider",
        "ExampleInputs",
        "TrainingDefaults",
        "Units",
        "UnreadWords",
        "WordCoder",
    ),
    "polytag.encoding.splitters": ("split_sentences",),
    "polytag.plugin.head": ("DecodedWords", "Head", "SentenceWords"),
    "polytag.errors": ("CorpusError", "CorpusWarning", "PluginError", "PolytagError", "TaggerError", "shorten"),
    "polytag.evaluation.evaluate": ("evaluate",),
    "polytag.evaluation.results": ("Evaluation", "TaskEvaluation"),
    "polytag.evaluation.scoring": ("score",),
    "polytag.labelling.corrections": ("Correction", "correct_corpus"),
    "polytag.labelling.label_errors": ("LabelErrors", "find_label_errors"),
    "polytag.exporting.export": ("Export", "export"),
    "polytag.plugin.specs": ("RunInfo",),
    "polytag.plugin.lookup": ("alignment", "metric", "scheme", "task"),
    "polytag.plugin.metric": ("Metric", "Scores"),
    "polytag.prediction.batch_tagger": ("BatchTagger",),
    "polytag.prediction.lake": ("LakeProgress", "LakeResult", "predict_lake"),
    "polytag.prediction.predict": ("predict",),
    "polytag.prediction.suggest": ("SuggestedSentence", "Suggestions", "suggest"),
    "polytag.publishing.push": ("PushResult", "push"),
    "polytag.publishing.report.report": ("Report", "report"),
    "polytag.runner": ("TrainResult", "train"),
    "polytag.plugin.reporter": ("Epoch", "Progress", "Reporter"),
    "polytag.plugin.scheme": ("OUTSIDE", "UNANNOTATED", "LabelScheme", "PrefixScheme", "Span", "convert_tags"),
    "polytag.plugin.splitter": ("Splitter", "Word"),
    "polytag.searching.learning_curve": ("CurvePoint", "LearningCurve", "learning_curve"),
    "polytag.searching.power_law": ("Forecast",),
    "polytag.searching.results": ("Search",),
    "polytag.searching.search": ("search",),
    "polytag.tagger.tagger": ("Tagger",),
    "polytag.tagger.results": ("TaggedSpan", "TaggedText"),
    "polytag.plugin.task": ("Task",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "DOCUMENT_MARKS",
    "IGNORE",
    "NO_WORD",
    "OUTSIDE",
    "TOKENS",
    "UNANNOTATED",
    "AdapterWeights",
    "Agreement",
    "AlignedUnit",
    "AlignedWords",
    "AlignmentStrategy",
    "BatchTagger",
    "ColumnAgreement",
    "ColumnRow",
    "Comparison",
    "Conversion",
    "Corpus",
    "CorpusError",
    "CorpusWarning",
    "Correction",
    "CurvePoint",
    "DecodedWords",
    "Description",
    "Dialect",
    "Disagreement",
    "Encoder",
    "EncoderProvider",
    "Epoch",
    "Evaluation",
    "ExampleInputs",
    "Export",
    "Finding",
    "Forecast",
    "Head",
    "History",
    "LabelErrors",
    "LabelScheme",
    "LakeProgress",
    "LakeResult",
    "LearningCurve",
    "Metric",
    "PluginError",
    "PolytagError",
    "PrefixScheme",
    "Progress",
    "PushResult",
    "Reader",
    "ReadingOptions",
    "RecognisedForm",
    "Remark",
    "Report",
    "Reporter",
    "RunConfig",
    "RunInfo",
    "Scores",
    "Search",
    "Sentence",
    "SentenceTable",
    "SentenceWords",
    "Source",
    "Span",
    "Splitter",
    "SuggestedSentence",
    "Suggestions",
    "TaggedSpan",
    "TaggedText",
    "Tagger",
    "TaggerError",
    "Task",
    "TaskComparison",
    "TaskEvaluation",
    "TrainResult",
    "TrainingDefaults",
    "TypeAgreement",
    "Units",
    "UnreadWords",
    "Word",
    "WordCoder",
    "__version__",
    "agreement",
    "align",
    "alignment",
    "check",
    "column_rows",
    "compare",
    "convert_corpus",
    "convert_tags",
    "corpus_from_sentences",
    "correct_corpus",
    "describe",
    "evaluate",
    "export",
    "find_label_errors",
    "first_units",
    "has_document_marks",
    "hookimpl",
    "labels_at",
    "last_units",
    "learning_curve",
    "load_corpus",
    "metric",
    "predict",
    "predict_lake",
    "push",
    "recognise_dialect",
    "recognise_dialects",
    "report",
    "scheme",
    "score",
    "scores_at",
    "search",
    "sentences_of",
    "shorten",
    "split_of",
    "split_sentences",
    "suggest",
    "task",
    "text_ending",
    "text_lines",
    "train",
    "whole_text",
    "word_in",
    "word_pattern",
]


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'polytag' has no attribute {name!r}")
    value: object = getattr(importlib.import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
