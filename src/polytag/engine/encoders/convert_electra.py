"""Configuration and weights of ELECTRA checkpoints; KerasHub has a backbone for them, but no converter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from polytag.engine.encoders.keras_hub_parts import ElectraBackbone, convert_bert

backbone_cls = ElectraBackbone


def convert_backbone_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of the backbone."""
    return {
        "vocab_size": config["vocab_size"],
        "num_layers": config["num_hidden_layers"],
        "num_heads": config["num_attention_heads"],
        "hidden_dim": config["hidden_size"],
        "embedding_dim": config["embedding_size"],
        "intermediate_dim": config["intermediate_size"],
        "dropout": config["hidden_dropout_prob"],
        "max_sequence_length": config["max_position_embeddings"],
        "num_segments": config["type_vocab_size"],
    }


def convert_weights(backbone: Any, loader: Any, config: Mapping[str, Any]) -> None:
    """Port every variable: BERT's variables, which have the same names, and the projection of narrow embeddings."""
    convert_bert.convert_weights(backbone, loader, config)
    if config["embedding_size"] != config["hidden_size"]:
        projection = backbone.get_layer("embeddings_projection")
        loader.port_weight(projection.kernel, "embeddings_project.weight", lambda tensor, _: np.transpose(tensor))
        loader.port_weight(projection.bias, "embeddings_project.bias")
