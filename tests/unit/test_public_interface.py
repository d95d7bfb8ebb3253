"""`polytag.__all__` is what others build on."""

import importlib
import inspect
import pkgutil

import pytest

import polytag
from polytag import testing

# Taking a name away breaks plugins and scripts; adding one is a promise to keep it.
PUBLIC = """
    AdapterWeights Agreement AlignedUnit AlignedWords AlignmentStrategy BatchTagger ColumnAgreement ColumnRow
    Comparison Conversion Corpus CorpusError CorpusWarning Correction CurvePoint DOCUMENT_MARKS DecodedWords
    Description Dialect Disagreement Encoder EncoderProvider Epoch Evaluation ExampleInputs Export Finding Forecast
    Head History IGNORE LabelErrors LabelScheme LakeProgress LakeResult LearningCurve Metric NO_WORD OUTSIDE
    PluginError PolytagError PrefixScheme Progress PushResult Reader ReadingOptions RecognisedForm Remark Report
    Reporter RunConfig RunInfo Scores Search Sentence SentenceTable SentenceWords Source Span Splitter
    SuggestedSentence Suggestions TOKENS TaggedSpan TaggedText Tagger TaggerError Task TaskComparison TaskEvaluation
    TrainResult TrainingDefaults TypeAgreement UNANNOTATED Units UnreadWords Word WordCoder __version__ agreement
    align alignment check column_rows compare convert_corpus convert_tags corpus_from_sentences correct_corpus
    describe evaluate export find_label_errors first_units has_document_marks hookimpl labels_at last_units
    learning_curve load_corpus metric predict predict_lake push recognise_dialect recognise_dialects report scheme
    score scores_at search sentences_of shorten split_of split_sentences suggest task text_ending text_lines train
    whole_text word_in word_pattern
"""
PUBLIC_TESTING = "BrokenContractError Case Outcome PluginConformance PluginManager cases check"


def test_the_public_names_are_these():
    assert sorted(polytag.__all__) == sorted(PUBLIC.split())
    assert sorted(testing.__all__) == sorted(PUBLIC_TESTING.split())


@pytest.mark.parametrize("name", polytag.__all__)
def test_every_public_name_is_there(name):
    assert getattr(polytag, name) is not None
    assert name in dir(polytag)


def test_no_module_takes_the_place_of_a_public_name():
    """Importing a submodule makes it an attribute of its package, where a public name may stand already."""
    for module in pkgutil.walk_packages(polytag.__path__, "polytag."):
        importlib.import_module(module.name)
    for name in polytag.__all__:
        assert not inspect.ismodule(getattr(polytag, name)), name


def test_a_private_name_is_not_reached_through_the_package():
    with pytest.raises(AttributeError, match="no attribute 'registry'"):
        _ = polytag.registry


@pytest.mark.parametrize("name", [name for name in polytag.__all__ if inspect.isclass(getattr(polytag, name))])
def test_what_public_classes_mention_in_their_signatures_is_public(name):
    """A plugin can write down the types of what it implements with public names alone."""
    owner = getattr(polytag, name)
    if not getattr(owner, "__abstractmethods__", None):
        return
    home = vars(importlib.import_module(owner.__module__))
    for method in owner.__abstractmethods__:
        found = inspect.getattr_static(owner, method)
        function = getattr(found, "fget", found)
        for annotation in function.__annotations__.values():
            mentioned = [word for word in home if word in str(annotation).replace("[", " ").replace("]", " ").split()]
            ours = [word for word in mentioned if getattr(home[word], "__module__", "").startswith("polytag")]
            assert set(ours) <= set(polytag.__all__), (method, annotation)
