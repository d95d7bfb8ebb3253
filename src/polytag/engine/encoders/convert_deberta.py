"""Configuration and weights of DeBERTa-v3 checkpoints (He et al. 2023).

In transformers its model type is `deberta-v2`, since v3 differs only in its training and in omitted parts. The backbone
has the parts of v3, so checkpoints of v2 with more parts are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from polytag.encoding.families import longest_input
from polytag.engine.encoders import convert_bert
from polytag.errors import PolytagError, shorten

backbone_cls, convert_weights = convert_bert.backbone_cls, convert_bert.convert_weights

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
    of_bert = convert_bert.convert_backbone_config(config)
    return {**of_bert, "positions": 0, "buckets": config["position_buckets"], "longest": longest_input(config)}


def _check_form(config: Mapping[str, Any]) -> None:
    found = {name: config.get(name, absent) for name, (_, absent) in _FORM.items()}
    wrong = [
        f"{name} is {shorten(repr(found[name]))}, not {wanted!r}"
        for name, (wanted, _) in _FORM.items()
        if found[name] != wanted
    ]
    kinds = config.get("pos_att_type") or ()
    if {str(kind).strip() for kind in (kinds.lower().split("|") if isinstance(kinds, str) else kinds)} != {
        "c2p",
        "p2c",
    }:
        wrong.append(f"pos_att_type is {shorten(repr(kinds))}, not 'p2c|c2p'")
    if config.get("position_buckets", -1) < 2:
        wrong.append("it has fewer than two position_buckets")
    if config.get("embedding_size", config["hidden_size"]) != config["hidden_size"]:
        wrong.append("its embeddings are narrower than its layers")
    if wrong:
        raise PolytagError(
            f"The checkpoint is a DeBERTa whose architecture differs from DeBERTa-v3: {'; '.join(wrong)}. Use a "
            "checkpoint of DeBERTa-v3, or of another family."
        )
