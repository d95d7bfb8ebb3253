"""Configuration and weights of DeBERTa-v3 checkpoints; KerasHub has a backbone for them, but no converter.

In transformers its model type is `deberta-v2`, since v3 differs only in its training and in omitted parts. The backbone
has the parts of v3, so checkpoints of v2 with more parts are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from polytag.encoding.families import longest_input
from polytag.engine.encoders.keras_hub_parts import DebertaV3Backbone
from polytag.errors import PolytagError, shorten

backbone_cls = DebertaV3Backbone

_FORM = {
    "relative_attention": (True, False),
    "share_att_key": (True, False),
    "position_biased_input": (False, True),
    "norm_rel_ebd": ("layer_norm", "none"),
    "type_vocab_size": (0, 0),
    "conv_kernel_size": (0, 0),
}
"""Field -> its value in every DeBERTa-v3, and transformers' default for it."""


def convert_backbone_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of the backbone.

    Raises:
        PolytagError: The backbone does not support the architecture of the checkpoint.
    """
    _check_form(config)
    return {
        "vocabulary_size": config["vocab_size"],
        "num_layers": config["num_hidden_layers"],
        "num_heads": config["num_attention_heads"],
        "hidden_dim": config["hidden_size"],
        "intermediate_dim": config["intermediate_size"],
        "dropout": config["hidden_dropout_prob"],
        "max_sequence_length": longest_input(config),
        "bucket_size": config["position_buckets"],
    }


def convert_weights(backbone: Any, loader: Any, config: Mapping[str, Any]) -> None:
    """Port every variable. Attention to positions has no projections: it shares the projections of the words."""

    def port_norm(layer: Any, name: str) -> None:
        loader.port_weight(layer.gamma, f"{name}.weight")
        loader.port_weight(layer.beta, f"{name}.bias")

    def port_dense(layer: Any, name: str) -> None:
        loader.port_weight(
            layer.kernel, f"{name}.weight", lambda tensor, shape: np.reshape(np.transpose(tensor), shape)
        )
        loader.port_weight(layer.bias, f"{name}.bias", np.reshape)

    loader.port_weight(backbone.token_embedding.embeddings, "embeddings.word_embeddings.weight")
    port_norm(backbone.embeddings_layer_norm, "embeddings.LayerNorm")
    loader.port_weight(backbone.relative_embeddings.rel_embeddings, "encoder.rel_embeddings.weight")
    port_norm(backbone.relative_embeddings.layer_norm, "encoder.LayerNorm")
    for index, layer in enumerate(backbone.transformer_layers):
        name = f"encoder.layer.{index}"
        attention = layer._self_attention_layer
        port_dense(attention._query_dense, f"{name}.attention.self.query_proj")
        port_dense(attention._key_dense, f"{name}.attention.self.key_proj")
        port_dense(attention._value_dense, f"{name}.attention.self.value_proj")
        port_dense(attention._output_dense, f"{name}.attention.output.dense")
        port_norm(layer._self_attention_layer_norm, f"{name}.attention.output.LayerNorm")
        port_dense(layer._feedforward_intermediate_dense, f"{name}.intermediate.dense")
        port_dense(layer._feedforward_output_dense, f"{name}.output.dense")
        port_norm(layer._feedforward_layer_norm, f"{name}.output.LayerNorm")


def _check_form(config: Mapping[str, Any]) -> None:
    found = {name: config.get(name, absent) for name, (_, absent) in _FORM.items()}
    wrong = [
        f"{name} is {shorten(repr(found[name]))}, not {wanted!r}"
        for name, (wanted, _) in _FORM.items()
        if found[name] != wanted
    ]
    kinds = config.get("pos_att_type") or ()
    if {str(kind).strip() for kind in (kinds.split("|") if isinstance(kinds, str) else kinds)} != {"c2p", "p2c"}:
        wrong.append(f"pos_att_type is {shorten(repr(kinds))}, not 'p2c|c2p'")
    if config.get("position_buckets", -1) < 1:
        wrong.append("it has no position_buckets")
    if config.get("embedding_size", config["hidden_size"]) != config["hidden_size"]:
        wrong.append("its embeddings are narrower than its layers")
    if wrong:
        raise PolytagError(
            f"The checkpoint is a DeBERTa whose architecture differs from DeBERTa-v3: {'; '.join(wrong)}. Use a "
            "checkpoint of DeBERTa-v3, or of another family."
        )
