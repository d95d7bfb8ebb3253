"""The plugin keeps the contracts of polytag, and its own promises."""

import re
from pathlib import Path

import numpy as np
import pytest
from polytag import CorpusError, Sentence, corpus_from_sentences, load_corpus
from polytag.testing import PluginConformance, PluginManager

import polytag_emerging
from polytag_emerging.alignment import Confident
from polytag_emerging.reader import COLUMN, MarkedReader

CORPUS = Path(__file__).parent / "corpus"


class TestEmerging(PluginConformance):
    plugin = "emerging"


def test_every_label_of_the_corpus_is_in_the_inventory(polytag_manager: PluginManager) -> None:
    polytag_manager.register(polytag_emerging, "emerging")
    (task,) = polytag_emerging.polytag_tasks()
    corpus = load_corpus(str(CORPUS))
    assert corpus.reader == "marked"
    found = {tag for split in corpus.splits for tags in corpus.tags(split, COLUMN) for tag in tags}
    assert found <= set(task.labels or ())


def test_the_most_certain_subword_decides() -> None:
    scores = np.array([[0.6, 0.4], [0.1, 0.9], [0.7, 0.3]], dtype=np.float32)
    words = Confident().to_words(scores, np.array([0, 0, 1], dtype=np.int32), 2)
    assert words.tolist() == scores[1:].tolist()


def test_half_a_mark_is_refused_with_its_place(polytag_manager: PluginManager, tmp_path: Path) -> None:
    polytag_manager.register(polytag_emerging, "emerging")
    (tmp_path / "train.marked").write_text("We saw [[Low Tide|group]] .\nWe saw [[Low Tide .\n", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"train.marked:2: '\[\[Low' is half a mark"):
        load_corpus(str(tmp_path))


@pytest.mark.parametrize(
    ("word", "tag", "expected"),
    [("AC|DC", "B-group", "cannot hold the word 'AC|DC'"), ("Oslo", "S-location", "no place for the tag 'S-location'")],
)
def test_what_would_be_read_as_something_else_is_not_written(
    tmp_path: Path, word: str, tag: str, expected: str
) -> None:
    corpus = corpus_from_sentences({"train": [Sentence([word, "|"], {COLUMN: [tag, "O"]}, None, "here")]})
    with pytest.raises(CorpusError, match=re.escape(expected)):
        MarkedReader().write(corpus, tmp_path)
