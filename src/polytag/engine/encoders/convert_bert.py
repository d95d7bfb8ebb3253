"""Configuration and weights of checkpoints of BERT and what follows its form, under the names of transformers.

These are BERT (Devlin et al. 2019), DistilBERT (Sanh et al. 2019), ALBERT (Lan et al. 2020), ELECTRA (Clark et al.
2020), RoBERTa (Liu et al. 2019), XLM-RoBERTa (Conneau et al. 2020) and CamemBERT (Martin et al. 2020).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from polytag.encoding.block_names import block_names, block_path, groups_of_blocks
from polytag.encoding.families import field_name, unused_positions
from polytag.engine.encoders.backbone import TransformerBackbone
from polytag.engine.encoders.layers import Columns, transposed
from polytag.engine.encoders.transformer import BlockSizes
from polytag.errors import PolytagError, shorten

backbone_cls = TransformerBackbone


_PROJECTIONS = {"albert": "encoder.embedding_hidden_mapping_in", "electra": "embeddings_project"}


def convert_backbone_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of the backbone; nothing is computed of sizes, which are checked afterwards.

    Raises:
        PolytagError: The backbone does not support the architecture of the checkpoint.
    """
    _check_form(config)
    family = config["model_type"]

    def own(field: str) -> Any:
        return config[field_name(family, field)]

    width, (groups, group_size) = own("hidden_size"), groups_of_blocks(config)
    embedding_width = config["embedding_size"] if family in ("albert", "electra") else width
    positions, unused = config["max_position_embeddings"], unused_positions(config)
    if unused:
        positions -= unused
    return {
        "vocabulary": config["vocab_size"],
        "sizes": BlockSizes(
            width=width,
            heads=own("num_attention_heads"),
            inner=own("intermediate_size"),
            epsilon=config.get("layer_norm_eps", 1e-12),
            dropout=own("hidden_dropout_prob"),
        ),
        "layers": own("num_hidden_layers"),
        "groups": groups,
        "group_size": group_size,
        "embedding_width": embedding_width if family == "albert" or embedding_width != width else None,
        "positions": positions,
        "segments": config.get("type_vocab_size", 0),
        "buckets": 0,
        "longest": positions,
    }


def _check_form(config: Mapping[str, Any]) -> None:
    """Refuse networks that compute something else with tensors of the same names."""
    if config.get("is_decoder"):
        raise PolytagError(
            "The checkpoint is a decoder (is_decoder in its config.json): each position attends only to the positions "
            "before it, which polytag does not compute. Use a checkpoint of an encoder."
        )
    if (positions := config.get("position_embedding_type")) not in (None, "absolute"):
        raise PolytagError(
            f"The checkpoint has positions of the kind {shorten(repr(positions))} (position_embedding_type in its "
            "config.json), which polytag does not compute. Use a checkpoint with 'absolute' ones."
        )


def convert_weights(backbone: TransformerBackbone, loader: Any, config: Mapping[str, Any]) -> None:
    """Port every variable; the variable of queries, keys and values is ported in three parts."""
    family = config["model_type"]
    names, (_, group_size) = block_names(family), groups_of_blocks(config)

    def port(layer: Any, name: str) -> None:
        if hasattr(layer, "gamma"):
            loader.port_weight(layer.gamma, f"{name}.weight")
            loader.port_weight(layer.beta, f"{name}.bias")
        else:
            loader.port_weight(layer.kernel, f"{name}.weight", transposed)
            loader.port_weight(layer.bias, f"{name}.bias")

    loader.port_weight(backbone.token_embedding.embeddings, "embeddings.word_embeddings.weight")
    if backbone.places is not None:
        unused = unused_positions(config)
        loader.port_weight(
            backbone.places.positions,
            "embeddings.position_embeddings.weight",
            (lambda tensor, _: tensor[unused:]) if unused else None,
        )
        if backbone.places.segments is not None:
            loader.port_weight(backbone.places.segments, "embeddings.token_type_embeddings.weight")
    port(backbone.embedding_norm, "embeddings.LayerNorm")
    if backbone.projection is not None:
        port(backbone.projection, _PROJECTIONS[family])
    if backbone.relative is not None:  # their attention has no projections: it shares the projections of the words
        loader.port_weight(backbone.relative.embeddings, "encoder.rel_embeddings.weight")
        port(backbone.relative.norm, "encoder.LayerNorm")
    for number, block in enumerate(backbone.blocks):
        start = f"{block_path(family, number, group_size)}."
        for part, name in enumerate((names.query, names.key, names.value)):
            first, width = part * block.sizes.width, block.sizes.width
            loader.port_weight(Columns(block.joint.kernel, first, width), f"{start}{name}.weight", transposed)
            loader.port_weight(Columns(block.joint.bias, first, width), f"{start}{name}.bias")
        port(block.output_dense, start + names.output)
        port(block.attention_norm, start + names.attention_norm)
        port(block.inner, start + names.inner)
        port(block.outer, start + names.outer)
        port(block.outer_norm, start + names.outer_norm)
