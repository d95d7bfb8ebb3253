"""The most probable labels of each word."""

import json

import numpy as np
import pytest

from polytag import PolytagError, Tagger
from polytag.runner import TrainResult

TEXT = "My name is Sylvain and I work at Hugging Face in Brooklyn."


@pytest.fixture(scope="module")
def tagger(joint_run: TrainResult) -> Tagger:
    return Tagger.load(joint_run.output)


def test_each_word_of_each_task_gets_its_best_labels_first(tagger):
    tagged = tagger.tag(TEXT, alternatives=3)
    assert set(tagged.alternatives) == {"ner", "pos", "chunk"}
    for words in tagged.alternatives.values():
        assert len(words) == len(tagged.words)
        for word in words:
            labels, scores = zip(*word, strict=True)
            assert len(set(labels)) == 3
            assert list(scores) == sorted(scores, reverse=True)
    # pos is decoded by argmax: its tag is the most probable label.
    assert [word[0][0] for word in tagged.alternatives["pos"]] == tagged.tags["pos"]
    assert [word[0][1] for word in tagged.alternatives["pos"]] == pytest.approx(tagged.scores["pos"])


def test_all_labels_of_a_word_add_up_to_one(tagger):
    (tagged,) = tagger.tag_words([["Anna", "slept"]], alternatives=1000)
    for task, words in tagged.alternatives.items():
        for word in words:
            assert {label for label, _ in word} == set(tagger.heads[task].labels)
            assert sum(score for _, score in word) == pytest.approx(1, abs=1e-4)


def test_alternatives_change_nothing_else_and_are_absent_unless_asked_for(tagger):
    plain, asked = tagger.tag([TEXT, "Who won?"]), tagger.tag([TEXT, "Who won?"], alternatives=2)
    assert [one.alternatives for one in plain] == [None, None]
    assert "alternatives" not in plain[0].to_dict()
    for one, other in zip(plain, asked, strict=True):
        assert {**other.to_dict(), "alternatives": None} == {**one.to_dict(), "alternatives": None}


def test_alternatives_do_not_depend_on_the_least_score_of_spans(tagger, joint_run):
    strict = Tagger.load(joint_run.output, min_score=1.0)
    assert strict.tag(TEXT, alternatives=2).alternatives == tagger.tag(TEXT, alternatives=2).alternatives


def test_alternatives_are_rounded_in_json(tagger):
    tagged = tagger.tag(TEXT, alternatives=1)
    plain = json.loads(json.dumps(tagged.to_dict()))["alternatives"]
    ((label, score),) = tagged.alternatives["ner"][3]
    assert plain["ner"][3] == [[label, round(score, 6)]]


@pytest.mark.parametrize("bad", [-1, 1.5, True, "3"])
def test_a_number_of_alternatives_that_is_none_is_refused(tagger, bad):
    with pytest.raises(PolytagError, match="alternatives is"):
        tagger.tag(TEXT, alternatives=bad)
    with pytest.raises(PolytagError, match="alternatives is"):
        tagger.tag_words([["Anna"]], alternatives=bad)


def test_a_numpy_integer_is_a_number_and_a_text_without_words_has_no_alternatives(tagger):
    tagged = tagger.tag(["", "Anna"], alternatives=np.int64(1))
    assert [len(one.alternatives["ner"]) for one in tagged] == [0, 1]


def test_a_dataset_has_no_column_for_alternatives(tagger):
    import datasets

    with pytest.raises(PolytagError, match="no column for alternatives"):
        tagger.tag(datasets.Dataset.from_dict({"text": [TEXT]}), alternatives=1)
