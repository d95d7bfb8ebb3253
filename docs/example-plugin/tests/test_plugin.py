"""The plugin keeps the contracts of polytag, and its own promises."""

from pathlib import Path

import numpy as np
import pytest
from polytag import CorpusError, load_corpus
from polytag.testing import PluginConformance, PluginManager

import polytag_emerging
from polytag_emerging.alignment import Confident
from polytag_emerging.reader import COLUMN

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
