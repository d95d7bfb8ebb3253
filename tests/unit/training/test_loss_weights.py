"""Weights of labels in the loss."""

import pytest

from polytag.errors import PolytagError
from polytag.training.loss_weights import loss_weights

LABELS = {"ner": ("O", "B-PER", "I-PER")}
TAGS = {"ner": [["O", "O", "O"], ["B-PER", "O", ""]]}


def test_balanced_labels_weigh_the_same_in_sum():
    (weights,) = loss_weights("balanced", LABELS, TAGS).values()
    assert weights == pytest.approx((5 / (2 * 4), 5 / (2 * 1), 1.0))
    assert 4 * weights[0] == pytest.approx(weights[1])


def test_a_file_names_the_labels_that_do_not_weigh_one(tmp_path):
    file = tmp_path / "weights.toml"
    file.write_text('[ner]\n"B-PER" = 3')
    assert loss_weights(str(file), LABELS, TAGS) == {"ner": (1.0, 3.0, 1.0)}


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path):
    file = tmp_path / "weights.toml"
    file.write_text('[ner]\n"B-PER" = 3', encoding="utf-8-sig")
    assert loss_weights(str(file), LABELS, TAGS) == {"ner": (1.0, 3.0, 1.0)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[ner]\n"B-PRE" = 3', "no label 'B-PRE'. Did you mean 'B-PER'"),
        ('[pos]\n"NN" = 3', "not a task of this run"),
        ('[ner]\n"B-PER" = -1', "not a positive number"),
        ('[ner]\n"B-PER" = true', "not a positive number"),
        ('[ner]\n"B-PER" = inf', "not a positive number"),
        ('[ner]\n"B-PER" = 1' + "0" * 400, "not a positive number"),
        ("ner = 3", "a table per task"),
        ("[ner", "not TOML"),
        ("ner = " + "[" * 10_000, "not TOML: its arrays and tables are nested too deeply"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path, text, message):
    file = tmp_path / "weights.toml"
    file.write_text(text)
    with pytest.raises(PolytagError, match=message):
        loss_weights(str(file), LABELS, TAGS)


def test_a_missing_file_is_refused():
    with pytest.raises(PolytagError, match="Give `balanced`, or a TOML file"):
        loss_weights("balance", LABELS, TAGS)


def test_a_file_without_end_is_refused():
    with pytest.raises(PolytagError, match="'/dev/zero' cannot be read: File too large"):
        loss_weights("/dev/zero", LABELS, TAGS)
