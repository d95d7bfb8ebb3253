"""What teachers say of words becomes targets of units, for the units that an alignment strategy labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from polytag.encoding.batches import BatchBuilder
from polytag.encoding.features import Features, featurise
from polytag.encoding.teaching import Teaching
from polytag.plugin.alignment import IGNORE
from polytag.plugin.registry import Registry
from support.letters import LetterEncoder

CONTINUATION = np.array([0, 2, 2], np.int32)
"""Of the labels O, B and I."""
PROBABILITIES = np.array([[0.5, 0.25, 0.25], [0.125, 0.75, 0.125]], np.float16)


@pytest.fixture
def features() -> Features:
    """Two words, of two units and of one."""
    return featurise(LetterEncoder(), [["ab", "c"]])


def teaching(features: Features, registry: Registry, alignment: str) -> Teaching:
    return Teaching.of(PROBABILITIES, features, registry.alignments[alignment], CONTINUATION)


@pytest.mark.parametrize(
    ("alignment", "expected"),
    [
        ("first", [PROBABILITIES[0], [0, 0, 0], PROBABILITIES[1]]),
        ("last", [[0, 0, 0], PROBABILITIES[0], PROBABILITIES[1]]),
        ("all", [PROBABILITIES[0], [0.5, 0, 0.5], PROBABILITIES[1]]),
    ],
)
def test_units_learn_what_is_said_of_their_word(features, registry, alignment, expected):
    targets = teaching(features, registry, alignment).at(np.arange(3), features.word_ids)
    assert targets.tolist() == np.array(expected).tolist()


def test_special_units_and_padding_learn_nothing(features, registry):
    builder = BatchBuilder(features, LetterEncoder(), teaching={"ner": teaching(features, registry, "first")})
    taught = builder.build(np.array([0])).taught["ner"]
    assert taught.any(axis=-1).tolist() == [[False, False, True, False, True, False]]


def test_workers_read_what_the_chief_has_saved(features, registry, tmp_path: Path):
    labels = {"pos": np.zeros(3, np.int32), "ner": np.full(3, IGNORE, np.int32)}
    builder = BatchBuilder(features, LetterEncoder(), labels, teaching={"ner": teaching(features, registry, "all")})
    builder.save(tmp_path)
    loaded, _ = BatchBuilder.load(tmp_path, LetterEncoder(), ("pos", "ner"))
    own, read = (one.build(np.array([0])) for one in (builder, loaded))
    assert loaded.taught == ("ner",)
    assert np.array_equal(own.taught["ner"], read.taught["ner"])
    assert np.array_equal(own.labels["pos"], read.labels["pos"])
