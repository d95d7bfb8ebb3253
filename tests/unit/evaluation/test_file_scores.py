"""Scoring a file of predictions, of polytag or of another system, without a tagger."""

import json
import os

import pytest

import polytag
from polytag import PolytagError
from support.corpora import TWO_SENTENCES

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
    (tmp_path / "test.conll").write_text(TWO_SENTENCES)

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


@pytest.mark.parametrize(
    ("tasks", "problem"),
    [
        (["ner", "ner"], "The task 'ner' is named twice"),
        (["ner=pos_tags", "ner=ner_tags"], "The task 'ner' is named twice"),
        (["_", "_"], "all are skipped"),
    ],
)
def test_each_task_is_named_once_and_at_least_one_is(scored, tasks, problem):
    with pytest.raises(PolytagError, match=problem):
        scored(as_columns(WORDS, POS, NER), task=tasks)


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        ({"words": ["a"], "tags": {"ner": [None]}}, "the tags of ner are no list of tags"),
        ({"words": ["a"], "tags": {"ner": [1]}}, "the tags of ner are no list of tags"),
        ({"words": ["a"], "tags": {"ner": [""]}}, "none of them empty"),
        ({"words": ["a"], "tags": {"ner": "O"}}, "the tags of ner are no list of tags"),
        ({"words": ["a"], "tags": {}}, "'tags' does not have a list of tags for each task"),
        ({"words": ["a"], "tags": ["O"]}, "'tags' does not have a list of tags for each task"),
        ({"words": "a", "tags": {"ner": ["O"]}}, "'words' is no list of words"),
        ({"words": [1], "tags": {"ner": ["O"]}}, "'words' is no list of words"),
        ({"text": "a", "ents": []}, "it has no 'words'"),
        ({"words": ["a"], "tags": {"ner": ["O"]}, "sentence_starts": [1]}, "'sentence_starts' does not rise"),
        ({"words": ["a"], "tags": {"ner": ["O"]}, "sentence_starts": [0, 2]}, "'sentence_starts' does not rise"),
        ({"words": ["a", "b"], "tags": {"ner": ["O", "O"]}, "sentence_starts": [0, 1, 0]}, "does not rise"),
        ({"words": ["a"], "tags": {"ner": ["O"]}, "sentence_starts": None}, "'sentence_starts' does not rise"),
    ],
)
def test_lines_of_another_form_are_refused(scored, record, problem):
    with pytest.raises(PolytagError, match=f"predicted, line 1: not a prediction .*{problem}"):
        scored(json.dumps(record))


def test_a_line_that_is_cut_off_and_a_whole_array_are_refused(scored):
    with pytest.raises(PolytagError, match=r"line 2: not a prediction .*: it is no JSON object"):
        scored(as_objects(ner=NER)[:-9])
    with pytest.raises(PolytagError, match=r"predicted is one JSON array. Write JSON Lines"):
        scored(json.dumps([{"words": WORDS[0], "tags": NER[0]}]))


def test_sentences_of_a_text_are_split_where_they_start(scored):
    text = {"words": WORDS[0] + WORDS[1], "tags": {"ner": NER[0] + NER[1]}, "sentence_starts": [0, 5]}
    assert scored(json.dumps(text)).headlines == {"ner f1": pytest.approx(2 / 3)}


def test_the_encoding_of_the_corpus_is_not_advised_for_the_file(scored, tmp_path):
    (tmp_path / "latin").write_bytes("Käse\tO\n".encode("latin-1"))
    with pytest.raises(PolytagError, match=r"latin:1: .* is not valid UTF-8\. Save the predictions as UTF-8\.$"):
        polytag.evaluate("latin", "sample", task="ner")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused_for_what_it_is(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for score in (polytag.evaluate, lambda path, corpus: polytag.compare(path, path, corpus)):
        with pytest.raises(PolytagError, match=r"is a pipe or a device. Write the predictions to a file"):
            score(str(tmp_path / "pipe"), "sample")


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
