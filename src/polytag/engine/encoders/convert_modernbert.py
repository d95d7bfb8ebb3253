"""Configuration and weights of ModernBERT checkpoints (Warner et al. 2024); mmBERT is one, too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from polytag.encoding.rotary_config import angle_base, attends_nearby, farthest
from polytag.engine.encoders.layers import transposed
from polytag.engine.encoders.rotary import RotaryBackbone, Sizes

backbone_cls = RotaryBackbone


def convert_backbone_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of the backbone."""
    local = attends_nearby(config)
    heads, width = config["num_attention_heads"], config["hidden_size"]
    return {
        "vocabulary": config["vocab_size"],
        "sizes": Sizes(
            width=width,
            heads=heads,
            shared=heads,
            head_width=width // heads,
            inner=config["intermediate_size"],
            epsilon=config["norm_eps"],
            centred=True,
            norm_bias=config["norm_bias"],
            attention_bias=config["attention_bias"],
            inner_bias=config["mlp_bias"],
            attention_dropout=config["attention_dropout"],
            output_dropout=config["attention_dropout"],
            inner_dropout=config["mlp_dropout"],
        ),
        "thetas": [angle_base(config, "sliding_attention" if near else "full_attention") for near in local],
        "nearby": [farthest(config) if near else None for near in local],
        "first_norm": True,
        "embedding_dropout": config["embedding_dropout"],
        "prediction_head": config["classifier_bias"],
        "longest": config["max_position_embeddings"],
    }


def convert_weights(backbone: RotaryBackbone, loader: Any, config: Mapping[str, Any]) -> None:
    """Port every variable."""

    def port(layer: Any, name: str) -> None:
        for own, other in (("kernel", "weight"), ("gamma", "weight"), ("bias", "bias"), ("beta", "bias")):
            if (variable := getattr(layer, own, None)) is not None:
                loader.port_weight(variable, f"{name}.{other}", transposed if own == "kernel" else None)

    loader.port_weight(backbone.token_embedding.embeddings, "embeddings.tok_embeddings.weight")
    port(backbone.first_norm, "embeddings.norm")
    for number, block in enumerate(backbone.blocks):
        if block.attention_norm is not None:
            port(block.attention_norm, f"layers.{number}.attn_norm")
        port(block.joint, f"layers.{number}.attn.Wqkv")
        port(block.output_dense, f"layers.{number}.attn.Wo")
        port(block.inner_norm, f"layers.{number}.mlp_norm")
        port(block.gated, f"layers.{number}.mlp.Wi")
        port(block.inner_output, f"layers.{number}.mlp.Wo")
    port(backbone.final_norm, "final_norm")
    port(backbone.head, "head.dense")
    port(backbone.head_norm, "head.norm")
