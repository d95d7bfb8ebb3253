"""Scoring a file of predictions, of polytag or of another system, without a tagger."""

import json

import pytest

import polytag
from polytag import PolytagError

CORPUS = """\
Sylvain\tNNP\tB-PER
works\tVBZ\tO
at\tIN\tO
Hugging\tNNP\tB-ORG
Face\tNNP\tI-ORG

Brooklyn\tNNP\tB-LOC
is\tVBZ\tO
big\tJJ\tO
"""
NER = [["B-PER", "O", "O", "B-ORG", "I-ORG"], ["B-PER", "O", "O"]]
POS = [["NNP", "VBZ", "IN", "NNP", "NNP"], ["NNP", "VBZ", "NN"]]
IOBES = [["S-PER", "O", "O", "B-ORG", "E-ORG"], ["S-PER", "O", "O"]]
WORDS = [["Sylvain", "works", "at", "Hugging", "Face"], ["Brooklyn", "is", "big"]]


def as_columns(*columns):
    return "\n".join(
        "".join("\t".join(row) + "\n" for row in zip(*rows, strict=True)) for rows in zip(*columns, strict=True)
    )


@pytest.fixture
def scored(tmp_path, monkeypatch):
    """Score predictions, given as the text of a file, on a corpus of two sentences."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "test.conll").write_text(CORPUS)

    def run(text, **options):
        (tmp_path / "predicted").write_text(text)
        return polytag.evaluate("predicted", "test.conll", columns=["tokens", "pos_tags", "ner_tags"], **options)

    return run


def as_objects(**tags):
    lines = [
        {"words": words, "tags": {task: rows[index] for task, rows in tags.items()}}
        for index, words in enumerate(WORDS)
    ]
    return "".join(json.dumps(line) + "\n" for line in lines)


def test_all_tasks_of_json_lines_are_scored(scored):
    found = scored(as_objects(ner=NER, pos=POS))
    assert found.headlines == {"ner f1": pytest.approx(2 / 3), "pos accuracy": 7 / 8}
    assert (found.sentences, found.words, found.runtime) == (2, 8, None)
    assert found.tasks["ner"].calibration is None
    low, high = found.tasks["ner"].interval
    assert low <= 2 / 3 <= high


def test_the_option_chooses_tasks_and_their_columns_in_the_corpus(scored):
    assert list(scored(as_objects(ner=NER, pos=POS), task="pos").headlines) == ["pos accuracy"]
    assert list(scored(as_objects(ner=NER, pos=POS), task=["ner=ner_tags"]).headlines) == ["ner f1"]
    with pytest.raises(PolytagError, match="'predicted' has no task 'chunk'; it has ner, pos"):
        scored(as_objects(ner=NER, pos=POS), task="chunk")


def test_columns_are_named_in_order_and_spans_may_be_in_any_scheme(scored):
    text = as_columns(WORDS, POS, IOBES)
    assert scored(text, task=["_", "ner"]).headlines == {"ner f1": pytest.approx(2 / 3)}
    assert scored(text, task=["pos", "ner"]).headlines["pos accuracy"] == 7 / 8
    with pytest.raises(PolytagError, match=r"does not name the tasks of its columns.*--task ner"):
        scored(text)
    with pytest.raises(PolytagError, match="has 2 columns of tags, not 1"):
        scored(text, task="ner")


def test_metrics_mistakes_and_confusions_are_as_for_a_tagger(scored, tmp_path):
    found = scored(as_objects(ner=NER), metrics=["partial"], confusions=1, errors=tmp_path / "errors.tsv")
    assert list(found.tasks["ner"].metrics) == ["spans", "partial"]
    assert [(one.gold, one.predicted) for one in found.tasks["ner"].confusions] == [("LOC", "PER")]
    assert (tmp_path / "errors.tsv").read_text().startswith("# test.conll:7 ner\nBrooklyn\tB-LOC\tB-PER\t*\n")


def test_other_words_and_tags_that_no_scheme_writes_are_refused(scored):
    with pytest.raises(PolytagError, match=r"has the word 'is' where the corpus has 'works' \(word 2\)"):
        scored(as_objects(ner=NER).replace("works", "is"), task="ner")
    with pytest.raises(PolytagError, match="`X-PER`"):
        scored(as_objects(ner=NER).replace("B-PER", "X-PER"))


@pytest.mark.parametrize("option", [{"decoding": "argmax"}, {"runtime": "numpy"}, {"labels": "O,B-PER"}])
def test_options_of_taggers_are_refused(scored, option):
    with pytest.raises(PolytagError, match=f"--{next(iter(option))} is for taggers"):
        scored(as_objects(ner=NER), **option)


def test_the_command_scores_a_file_and_does_not_replace_it(scored, command):
    scored(as_objects(ner=NER))
    options = ("evaluate", "predicted", "--corpus", "test.conll", "--columns", "tokens,pos_tags,ner_tags")
    assert json.loads(command(*options, "--json").out)["tasks"]["ner"]["headline"] == "f1"
    refused = command(*options, "--errors", "predicted")
    assert (refused.status, "is the input, and would replace it" in refused.err) == (2, True)
