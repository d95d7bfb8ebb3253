"""Compare the sizes in config.json with the header of the weights, before a network of these sizes is built."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from polytag.encoding.families import field_name, tensor_prefix, unused_positions, with_defaults
from polytag.errors import TaggerError, shorten

Shapes = Mapping[str, tuple[int, ...]]

_LARGEST = 100_000
"""More layers, heads, or positions without weights of their own, no checkpoint has."""

_LAYER = re.compile(r"(?:(?:encoder|transformer)\.layer|layers)\.(\d+)\.")
_GROUP = re.compile(r"encoder\.albert_layer_groups\.(\d+)\.albert_layers\.(\d+)\.")
_AGAIN = "Download the checkpoint again, or find out which of the two was changed."
_RATES = (
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
    "dropout",
    "attention_dropout",
    "embedding_dropout",
    "mlp_dropout",
)
_EPSILONS = ("layer_norm_eps", "norm_eps", "rms_norm_eps")
_SWITCHES = ("norm_bias", "attention_bias", "mlp_bias", "classifier_bias")


def check_sizes(config: Mapping[str, Any], shapes: Shapes, folder: Path) -> None:
    """Check the configuration of a checkpoint of a known model type.

    Args:
        config: Its config.json.
        shapes: The shape of each tensor.
        folder: The checkpoint, for messages.

    Raises:
        TaggerError: A size is not a number, or differs from the weights.
    """
    settings, model_type = with_defaults(config), config["model_type"]
    _check_numbers(settings, folder)
    prefix = tensor_prefix(model_type)
    own = {name.removeprefix(prefix): shape for name, shape in shapes.items()}
    full = {name.removeprefix(prefix): name for name in shapes}
    for tensor, fields in _expected(model_type, settings):
        expected = tuple(field if isinstance(field, int) else _number(settings, field, folder) for field in fields)
        if tensor in own and own[tensor] != expected:
            named = ", ".join(field for field in fields if isinstance(field, str))
            raise TaggerError(
                f"The tensor {full[tensor]!r} has shape {own[tensor]}, which does not fit its config.json: by {named} "
                f"it is {expected}. {_AGAIN}"
            )
        if tensor not in own and not (model_type == "deberta-v2" and "position_embeddings" in tensor):
            raise TaggerError(
                f"The checkpoint {str(folder)!r} has no tensor {tensor!r}, with or without {prefix!r}: it is not a "
                "complete checkpoint of the model type in its config.json."
            )
    _check_counts(model_type, settings, own, folder)


def _expected(model_type: str, settings: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    """Tensors whose shapes show all sizes, with a field or a number for each axis."""
    if model_type == "modernbert":
        yield "embeddings.tok_embeddings.weight", ("vocab_size", "hidden_size")
        yield "layers.0.mlp.Wo.weight", ("hidden_size", "intermediate_size")
        return
    if model_type == "eurobert":
        yield "embed_tokens.weight", ("vocab_size", "hidden_size")
        yield "layers.0.mlp.down_proj.weight", ("hidden_size", "intermediate_size")
        return
    hidden, inner = (field_name(model_type, field) for field in ("hidden_size", "intermediate_size"))
    width = "embedding_size" if model_type in ("albert", "electra") else hidden
    yield "embeddings.word_embeddings.weight", ("vocab_size", width)
    yield "embeddings.position_embeddings.weight", ("max_position_embeddings", width)
    if model_type not in ("distilbert", "deberta-v2"):
        yield "embeddings.token_type_embeddings.weight", ("type_vocab_size", width)
    if model_type == "deberta-v2":
        buckets = settings.get("position_buckets")
        rows = 2 * buckets if isinstance(buckets, int) else 0
        yield "encoder.rel_embeddings.weight", (rows, hidden)
    feed_forward = {
        "albert": "encoder.albert_layer_groups.0.albert_layers.0.ffn.weight",
        "distilbert": "transformer.layer.0.ffn.lin1.weight",
    }.get(model_type, "encoder.layer.0.intermediate.dense.weight")
    yield feed_forward, (inner, hidden)


def _check_counts(model_type: str, settings: Mapping[str, Any], names: Shapes, folder: Path) -> None:
    """Check the numbers of layers and of attention heads."""
    fields = ("num_hidden_layers", "num_attention_heads", "hidden_size")
    layers, heads, hidden = (field_name(model_type, field) for field in fields)
    if model_type == "albert":
        found = [(int(match[1]), int(match[2])) for name in names if (match := _GROUP.match(name))]
        counts = {"num_hidden_groups": {group for group, _ in found}, "inner_group_num": {inner for _, inner in found}}
    else:
        counts = {layers: {int(match[1]) for name in names if (match := _LAYER.match(name))}}
    for field, numbers in counts.items():
        if _number(settings, field, folder) != len(numbers):
            raise TaggerError(
                f"{folder / 'config.json'} does not fit the weights: {field} is {settings[field]}, and they "
                f"have {len(numbers)}. {_AGAIN}"
            )
    if _number(settings, layers, folder) > 1_000:  # of ALBERT, they share their weights
        raise _invalid(folder, layers, settings[layers], "at most 1,000")
    if model_type == "eurobert":
        _check_shared_heads(settings, names, folder)
    elif settings[hidden] % _number(settings, heads, folder):
        raise _invalid(folder, heads, settings[heads], f"a divisor of {hidden}, which is {settings[hidden]}")
    if model_type == "modernbert":
        _number(settings, "local_attention", folder)
        if settings[hidden] // settings[heads] % 2:
            raise _invalid(folder, heads, settings[heads], "such that positions can rotate pairs of a head's numbers")


def _check_shared_heads(settings: Mapping[str, Any], names: Shapes, folder: Path) -> None:
    """Check the heads of EuroBERT; several may share keys and values."""
    own = _number(settings, "num_attention_heads", folder)
    shared = own if settings.get("num_key_value_heads") is None else _number(settings, "num_key_value_heads", folder)
    if own % shared:
        raise _invalid(folder, "num_key_value_heads", shared, f"a divisor of num_attention_heads, which is {own}")
    whole = settings.get("head_dim") is None
    width = settings["hidden_size"] // own if whole else _number(settings, "head_dim", folder)
    if width % 2:
        raise _invalid(folder, "head_dim", width, "an even number, because positions rotate pairs")
    for projection, heads in (("q_proj", own), ("k_proj", shared)):
        rows = names.get(f"layers.0.self_attn.{projection}.weight", (0,))[0]
        if rows != heads * width:
            raise TaggerError(
                f"{folder / 'config.json'} does not fit the weights: by its heads and head_dim, the tensor of "
                f"{projection} has {heads * width} rows, and it has {rows}. {_AGAIN}"
            )


def _check_numbers(settings: Mapping[str, Any], folder: Path) -> None:
    """Check the fields that no tensor shows."""
    positions, unused = _number(settings, "max_position_embeddings", folder), unused_positions(settings)
    if not unused < positions <= _LARGEST:
        wanted = f"greater than {unused}, and at most {_LARGEST:,}"
        raise _invalid(folder, "max_position_embeddings", positions, wanted)
    for name in _RATES:
        value = settings.get(name, 0.0)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
            raise _invalid(folder, name, value, "a number from 0 to 1")
    for name in _EPSILONS:
        value = settings.get(name, 0.0)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
            raise _invalid(folder, name, value, "a small number above 0")
    for name in _SWITCHES:
        if not isinstance(value := settings.get(name, False), bool):
            raise _invalid(folder, name, value, "true or false")


def _number(settings: Mapping[str, Any], field: str, folder: Path) -> int:
    value = settings.get(field)
    if isinstance(value, bool) or not isinstance(value, int) or value < (0 if field == "type_vocab_size" else 1):
        raise _invalid(folder, field, value, "an integer of at least 1")
    return value


def _invalid(folder: Path, field: str, value: object, wanted: str) -> TaggerError:
    return TaggerError(
        f"{folder / 'config.json'} is damaged: {field} is {shorten(repr(value))}, and must be {wanted}. Download or "
        "train it again."
    )
