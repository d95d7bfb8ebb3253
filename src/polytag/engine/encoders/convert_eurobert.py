"""Configuration and weights of EuroBERT checkpoints (Boizard et al. 2025)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from polytag.encoding.rotary_config import angle_base
from polytag.engine.encoders.layers import Columns, transposed
from polytag.engine.encoders.rotary import RotaryBackbone, Sizes

backbone_cls = RotaryBackbone


def convert_backbone_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of the backbone."""
    heads, width, layers = config["num_attention_heads"], config["hidden_size"], config["num_hidden_layers"]
    shared, head_width = config.get("num_key_value_heads"), config.get("head_dim")
    return {
        "vocabulary": config["vocab_size"],
        "sizes": Sizes(
            width=width,
            heads=heads,
            shared=heads if shared is None else shared,
            head_width=width // heads if head_width is None else head_width,
            inner=config["intermediate_size"],
            epsilon=config["rms_norm_eps"],
            centred=False,
            attention_bias=config["attention_bias"],
            inner_bias=config["mlp_bias"],
            attention_dropout=config["attention_dropout"],
        ),
        "thetas": [angle_base(config)] * layers,
        "nearby": [None] * layers,
        "first_norm": False,
        "embedding_dropout": 0.0,
        "prediction_head": None,
        "longest": config["max_position_embeddings"],
    }


def convert_weights(backbone: RotaryBackbone, loader: Any, config: Mapping[str, Any]) -> None:
    """Port every variable; a variable of several matrices is ported in parts, each some of its columns."""

    def port(layer: Any, names: Mapping[str, int]) -> None:
        for variable, part, hook in ((layer.kernel, "weight", transposed), (layer.bias, "bias", None)):
            first = 0
            for name, columns in names.items() if variable is not None else ():
                loader.port_weight(Columns(variable, first, columns), f"{name}.{part}", hook)
                first += columns

    loader.port_weight(backbone.token_embedding.embeddings, "embed_tokens.weight")
    for number, block in enumerate(backbone.blocks):
        start, sizes = f"layers.{number}", block.sizes
        own, shared = sizes.heads * sizes.head_width, sizes.shared * sizes.head_width
        attention, inner = f"{start}.self_attn", f"{start}.mlp"
        if block.attention_norm is not None:
            loader.port_weight(block.attention_norm.gamma, f"{start}.input_layernorm.weight")
        port(block.joint, {f"{attention}.q_proj": own, f"{attention}.k_proj": shared, f"{attention}.v_proj": shared})
        port(block.output_dense, {f"{attention}.o_proj": sizes.width})
        loader.port_weight(block.inner_norm.gamma, f"{start}.post_attention_layernorm.weight")
        port(block.gated, {f"{inner}.gate_proj": sizes.inner, f"{inner}.up_proj": sizes.inner})
        port(block.inner_output, {f"{inner}.down_proj": sizes.width})
    loader.port_weight(backbone.final_norm.gamma, "norm.weight")
