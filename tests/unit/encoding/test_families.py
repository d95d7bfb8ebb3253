"""What polytag knows of each family of checkpoints is what transformers knows of it."""

from __future__ import annotations

from typing import Any

import pytest

from polytag import PolytagError
from polytag.encoding.families import FAMILIES, longest_input, with_defaults
from support.checkpoints import FAMILIES as CHECKPOINTS

each_family = pytest.mark.parametrize("family", sorted(FAMILIES))


def of_transformers(family: str) -> dict[str, Any]:
    from transformers import AutoConfig

    return AutoConfig.for_model(family).to_dict()


def test_all_families_are_known() -> None:
    assert set(FAMILIES) == set(CHECKPOINTS)


@each_family
def test_its_defaults_are_those_of_transformers(family: str) -> None:
    expected = of_transformers(family)
    assert {name: expected[name] for name in FAMILIES[family].defaults} == FAMILIES[family].defaults


@each_family
def test_its_token_classifier_is_called_as_in_transformers(family: str) -> None:
    from transformers.models.auto.modeling_auto import MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES

    assert FAMILIES[family].architecture == MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES[family]


def test_a_configuration_goes_before_the_defaults() -> None:
    settings = with_defaults({"model_type": "bert", "hidden_size": 3, "mine": True})
    assert (settings["hidden_size"], settings["num_hidden_layers"], settings["mine"]) == (3, 12, True)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"model_type": "bert"}, 512),
        ({"model_type": "bert", "max_position_embeddings": 48, "max_relative_positions": 9}, 48),
        ({"model_type": "roberta", "max_position_embeddings": 514}, 512),
        ({"model_type": "roberta", "max_position_embeddings": 514, "pad_token_id": 0}, 513),
        ({"model_type": "deberta-v2", "max_position_embeddings": 48, "max_relative_positions": -1}, 48),
        ({"model_type": "deberta-v2", "max_position_embeddings": 48, "max_relative_positions": 60}, 60),
    ],
)
def test_the_longest_input_follows_from_the_positions(config: dict[str, Any], expected: int) -> None:
    assert longest_input(config) == expected


@pytest.mark.parametrize(
    "config", [{}, {"model_type": "llama"}, {"model_type": "bert", "max_position_embeddings": "many"}]
)
def test_a_configuration_without_positions_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(PolytagError, match="does not state a known model type and the number of its positions"):
        longest_input(config)
