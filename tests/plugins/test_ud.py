"""The tasks of Universal Dependencies, from CoNLL-U files to tagged text."""

import json
from pathlib import Path

import pytest

import polytag
from polytag.runner import TrainResult
from support.corpora import write_treebank

TASKS = ("upos", "xpos", "feats")


@pytest.fixture(scope="module")
def treebank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_treebank(tmp_path_factory.mktemp("treebank"))


@pytest.fixture(scope="module")
def ud_run(treebank: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainResult:
    output = tmp_path_factory.mktemp("taggers") / "ud"
    return polytag.train(task=TASKS, corpus=str(treebank), output=output, epochs=4, batch_size=8, quiet=True)


def test_a_treebank_trains_all_three_tasks_on_one_encoder(ud_run):
    assert set(ud_run.tagger.heads) == set(TASKS)
    assert set(ud_run.test.headlines) == {"upos accuracy", "xpos accuracy", "feats accuracy"}
    for task in ud_run.test.tasks.values():
        assert task.score > task.baseline


def test_universal_parts_of_speech_are_the_same_for_every_treebank(ud_run, registry):
    assert ud_run.tagger.heads["upos"].labels == registry.tasks["upos"].labels
    assert len(registry.tasks["upos"].labels) == 17


def test_features_are_one_tag_a_word(ud_run):
    (tagged,) = ud_run.tagger.tag_words([["The", "calls", "guide", "a", "bird", "here", "."]])
    assert tagged.tags["upos"] == ["DET", "NOUN", "VERB", "DET", "NOUN", "ADV", "PUNCT"]
    assert tagged.tags["feats"][1:3] == ["Number=Plur", "Mood=Ind|Number=Plur|Tense=Pres"]
    assert tagged.tags["feats"][-1] == "_"


def test_the_command_line_scores_and_tags_with_it(ud_run, treebank, command):
    scored = json.loads(command("evaluate", ud_run.output, "--corpus", treebank, "--json").out)
    assert scored["tasks"]["feats"]["metrics"]["tags"]["overall"]["words"] == 30 * 7
    tagged = command(
        "predict", ud_run.output, "-", "--input", "words", "--format", "conll", stdin=b"The girls visit a guide .\n"
    )
    assert tagged.out.splitlines()[1] == "girls\tNOUN\tNNS\tNumber=Plur"


def test_a_tag_that_is_no_universal_part_of_speech_is_reported(treebank, tmp_path):
    text = (treebank / "en_tiny-ud-train.conllu").read_text(encoding="utf-8").replace("\tADV\t", "\tADVERB\t")
    (tmp_path / "train.conllu").write_text(text, encoding="utf-8")
    with pytest.raises(polytag.CorpusError, match=r"'upos' does not know: ADVERB\. It knows ADJ"):
        polytag.train(task="upos", corpus=str(tmp_path / "train.conllu"), output=tmp_path / "out", quiet=True)
