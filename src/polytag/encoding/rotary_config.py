"""Fields of config.json that say how positions are rotated and which blocks attend to nearby positions alone.

transformers 5 writes `rope_parameters` and `layer_types`; older versions write `rope_theta` and the like.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from polytag.errors import TaggerError, shorten

_KINDS = ("full_attention", "sliding_attention")
_OLD_NAMES = {"full_attention": "global_rope_theta", "sliding_attention": "local_rope_theta", None: "rope_theta"}
_BASES = {"full_attention": 160_000.0, "sliding_attention": 10_000.0, None: 10_000.0}
"""Where config.json names none, as in transformers."""

_EVERY = 3
"""One block of ModernBERT in so many attends to all positions, where config.json does not say which."""


def angle_base(config: Mapping[str, Any], kind: str | None = None) -> float:
    """The base of the angles by which positions are rotated.

    Args:
        config: The config.json.
        kind: `full_attention` or `sliding_attention`, of a model that has one base for each.

    Raises:
        TaggerError: It is no positive number, or angles change with the length of the input.
    """
    found = config.get("rope_parameters")
    found = {} if found is None else found
    own = found.get(kind) if kind is not None and isinstance(found, Mapping) else found
    own = {} if own is None else own
    old = config.get("rope_scaling")
    old = {} if old is None else old
    for described in (own, old):
        if not isinstance(described, Mapping):
            raise _damaged("rope_parameters", described, "an object")
        name = described.get("rope_type", described.get("type", "default"))
        if name != "default":
            raise TaggerError(
                f"The checkpoint rotates its positions in the way {shorten(repr(name))} (rope_type in config.json). "
                "polytag knows the usual way alone, 'default'. Use another checkpoint."
            )
    # transformers takes what rope_scaling says first, and in a model with one base nothing else if it says anything.
    own = old if old and kind is None else {**own, **old}
    base = own.get("rope_theta", config.get(_OLD_NAMES[kind], _BASES[kind]))
    if isinstance(base, bool) or not isinstance(base, int | float) or not 1 < base < 1e12:
        raise _damaged("rope_theta", base, "a number above 1")
    return float(base)


def attends_nearby(config: Mapping[str, Any]) -> list[bool]:
    """For each block of a ModernBERT, whether it attends to nearby positions alone.

    Raises:
        TaggerError: The fields that say so are damaged.
    """
    layers, kinds = config["num_hidden_layers"], config.get("layer_types")
    if kinds is not None:
        if not isinstance(kinds, list) or len(kinds) != layers or not all(kind in _KINDS for kind in kinds):
            raise _damaged("layer_types", kinds, f"a list of {layers} names, each {' or '.join(_KINDS)}")
        return [kind == "sliding_attention" for kind in kinds]
    every = config.get("global_attn_every_n_layers", _EVERY)
    if isinstance(every, bool) or not isinstance(every, int) or every < 1:
        raise _damaged("global_attn_every_n_layers", every, "an integer of at least 1")
    return [number % every != 0 for number in range(layers)]


def farthest(config: Mapping[str, Any]) -> int:
    """Greatest distance of positions that attend to each other in the blocks of ModernBERT that `attends_nearby` names.

    transformers takes `sliding_window` before `local_attention`, which counts the positions on both sides.

    Raises:
        TaggerError: A field that says so is damaged.
    """
    field, sides = ("sliding_window", 1) if "sliding_window" in config else ("local_attention", 2)
    found = config[field]
    if isinstance(found, bool) or not isinstance(found, int) or found < 1:
        raise _damaged(field, found, "an integer of at least 1")
    return found // sides


def _damaged(field: str, value: object, wanted: str) -> TaggerError:
    return TaggerError(
        f"The config.json of the checkpoint is damaged: {field} is {shorten(repr(value))}, and must be {wanted}. "
        "Download or train it again."
    )
