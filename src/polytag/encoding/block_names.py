"""The names of the layers of a block in checkpoints of transformers, and the order of blocks that share weights."""

from __future__ import annotations

from typing import NamedTuple


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


def block_names(model_type: str) -> BlockNames:
    """The names in checkpoints of a model type; BERT's, if it has no others."""
    return _OF_FAMILY.get(model_type, BlockNames())


def groups_of_layers(layers: int, groups: int) -> list[int]:
    """For each layer of ALBERT the group of blocks whose weights it has; with this rounding in transformers, too."""
    return [int(layer / (layers / groups)) for layer in range(layers)]
