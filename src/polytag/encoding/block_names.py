"""The names of blocks and their layers in checkpoints of transformers, and the order of blocks that share weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from polytag.encoding.families import field_name


class BlockNames(NamedTuple):
    """Names of layers, below the name of the block."""

    query: str = "attention.self.query"
    key: str = "attention.self.key"
    value: str = "attention.self.value"
    output: str = "attention.output.dense"
    attention_norm: str = "attention.output.LayerNorm"
    inner: str = "intermediate.dense"
    outer: str = "output.dense"
    outer_norm: str = "output.LayerNorm"


_OF_FAMILY = {
    "albert": BlockNames(
        "attention.query",
        "attention.key",
        "attention.value",
        "attention.dense",
        "attention.LayerNorm",
        "ffn",
        "ffn_output",
        "full_layer_layer_norm",
    ),
    "deberta-v2": BlockNames("attention.self.query_proj", "attention.self.key_proj", "attention.self.value_proj"),
    "distilbert": BlockNames(
        "attention.q_lin",
        "attention.k_lin",
        "attention.v_lin",
        "attention.out_lin",
        "sa_layer_norm",
        "ffn.lin1",
        "ffn.lin2",
        "output_layer_norm",
    ),
}
_PATHS = {"albert": "encoder.albert_layer_groups.{}.albert_layers.{}", "distilbert": "transformer.layer.{}"}
"""Names of blocks, where they differ from BERT's."""


def block_names(model_type: str) -> BlockNames:
    """The names in checkpoints of a model type; BERT's, if it has no others."""
    return _OF_FAMILY.get(model_type, BlockNames())


def block_path(model_type: str, number: int, group_size: int) -> str:
    """The name of a block in checkpoints of a model type, given its number and the number of blocks in a group."""
    return _PATHS.get(model_type, "encoder.layer.{}").format(*divmod(number, group_size))


def groups_of_blocks(config: Mapping[str, Any]) -> tuple[int, int]:
    """Number of groups of blocks, and of blocks in a group; only in ALBERT do layers share the weights of a group.

    Args:
        config: The configuration of a checkpoint, with all fields.
    """
    if config["model_type"] == "albert":
        return config["num_hidden_groups"], config["inner_group_num"]
    return config[field_name(config["model_type"], "num_hidden_layers")], 1


def order_of_blocks(layers: int, groups: int, group_size: int) -> list[int]:
    """The numbers of the blocks in the order in which they are computed; with this rounding in transformers, too."""
    first = (int(layer / (layers / groups)) * group_size for layer in range(layers))
    return [start + number for start in first for number in range(group_size)]
