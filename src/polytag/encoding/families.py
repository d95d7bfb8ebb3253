"""The families of checkpoints that polytag reads: their names in transformers, and their defaults.

transformers states the same, but takes seconds to import. A test compares the two.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from polytag.errors import TaggerError, in_brief, shorten

_BERT = {
    "vocab_size": 30522,
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-12,
}
_ALBERT = {
    "vocab_size": 30000,
    "embedding_size": 128,
    "hidden_size": 4096,
    "num_hidden_groups": 1,
    "num_attention_heads": 64,
    "intermediate_size": 16384,
    "inner_group_num": 1,
    "hidden_act": "gelu_new",
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}
_DEBERTA = {
    "vocab_size": 128100,
    "hidden_size": 1536,
    "num_hidden_layers": 24,
    "num_attention_heads": 24,
    "intermediate_size": 6144,
    "type_vocab_size": 0,
    "layer_norm_eps": 1e-7,
    "relative_attention": False,
    "max_relative_positions": -1,
    "position_biased_input": True,
}
_ROBERTA = _BERT | {"pad_token_id": 1}
_DISTILBERT = {
    "vocab_size": 30522,
    "max_position_embeddings": 512,
    "n_layers": 6,
    "n_heads": 12,
    "dim": 768,
    "hidden_dim": 3072,
    "dropout": 0.1,
    "activation": "gelu",
}
_ELECTRA = {"embedding_size": 128, "hidden_size": 256, "num_attention_heads": 4, "intermediate_size": 1024}


_MODERNBERT = {
    "vocab_size": 50368,
    "hidden_size": 768,
    "intermediate_size": 1152,
    "num_hidden_layers": 22,
    "num_attention_heads": 12,
    "hidden_activation": "gelu",
    "max_position_embeddings": 8192,
    "norm_eps": 1e-5,
    "norm_bias": False,
    "attention_bias": False,
    "attention_dropout": 0.0,
    "local_attention": 128,
    "embedding_dropout": 0.0,
    "mlp_bias": False,
    "mlp_dropout": 0.0,
    "classifier_bias": False,
    "classifier_activation": "gelu",
}
_EUROBERT = {
    "vocab_size": 128256,
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "hidden_act": "silu",
    "max_position_embeddings": 8192,
    "rms_norm_eps": 1e-5,
    "attention_bias": False,
    "attention_dropout": 0.0,
    "mlp_bias": False,
}

_PREFIXES = {
    "xlm-roberta": "roberta",
    "camembert": "roberta",
    "deberta-v2": "deberta",
    "modernbert": "model",
    "eurobert": "model",
}
"""Name of the encoder inside a task model, if it is not the model type."""

HEAD = "head."
"""What ModernBERT has between encoder and classifier; a bare encoder lacks it."""


class Family(NamedTuple):
    """Properties that the checkpoints of one model type share.

    Attributes:
        architecture: The class of a token classifier in transformers.
        defaults: Values of fields that a config.json may leave out; only of those that polytag uses.
        fixed: Values of fields that polytag reads, and that a config.json of this family does not change.
        names: Own names of fields that BERT has, too, by BERT's.
        aliases: Fields that may have BERT's name instead; where a config.json has both, BERT's counts.
    """

    architecture: str
    defaults: Mapping[str, Any]
    fixed: Mapping[str, Any] = {}
    names: Mapping[str, str] = {}
    aliases: Collection[str] = ()


FAMILIES: Mapping[str, Family] = {
    "albert": Family("AlbertForTokenClassification", _BERT | _ALBERT),
    "bert": Family("BertForTokenClassification", _BERT),
    "camembert": Family("CamembertForTokenClassification", _ROBERTA),
    "deberta-v2": Family("DebertaV2ForTokenClassification", _BERT | _DEBERTA),
    "distilbert": Family(
        "DistilBertForTokenClassification",
        _DISTILBERT,
        fixed={"layer_norm_eps": 1e-12, "type_vocab_size": 0},
        names={
            "hidden_size": "dim",
            "num_attention_heads": "n_heads",
            "num_hidden_layers": "n_layers",
            "intermediate_size": "hidden_dim",
            "hidden_dropout_prob": "dropout",
            "hidden_act": "activation",
        },
        aliases=("hidden_size", "num_attention_heads", "num_hidden_layers"),
    ),
    "electra": Family("ElectraForTokenClassification", _BERT | _ELECTRA),
    "eurobert": Family("EuroBertForTokenClassification", _EUROBERT),
    "modernbert": Family("ModernBertForTokenClassification", _MODERNBERT, names={"hidden_act": "hidden_activation"}),
    "roberta": Family("RobertaForTokenClassification", _ROBERTA | {"vocab_size": 50265}),
    "xlm-roberta": Family("XLMRobertaForTokenClassification", _ROBERTA),
}
"""Model type -> family."""


def tensor_prefix(model_type: str) -> str:
    """The prefix of the names of an encoder's tensors in a task model, such as `bert.`."""
    return f"{_PREFIXES.get(model_type, model_type)}."


def tensor_name(model_type: str, name: str) -> str:
    """The name of a tensor in a task model; the head of ModernBERT lies next to the encoder there."""
    prefix = tensor_prefix(model_type)
    return name if name.startswith((prefix, HEAD)) else prefix + name


def with_defaults(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of a checkpoint, with the defaults of its family for missing fields.

    Raises:
        KeyError: Its model type is not among `FAMILIES`.
    """
    family = FAMILIES[config["model_type"]]
    aliases = {family.names[name]: config[name] for name in family.aliases if name in config}
    return {**family.defaults, **config, **aliases, **family.fixed}


def field_name(model_type: str, field: str) -> str:
    """The name that a model type has for a field of BERT's configuration: `dim` for `hidden_size` in DistilBERT."""
    return FAMILIES[model_type].names.get(field, field)


def unused_positions(config: Mapping[str, Any]) -> int:
    """Number of position embeddings before the first one that is used: in RoBERTa, positions follow the id of padding.

    Args:
        config: The configuration of a checkpoint, with all fields.

    Raises:
        TaggerError: That id is no id.
    """
    if "pad_token_id" not in FAMILIES[config["model_type"]].defaults:
        return 0
    padding = config["pad_token_id"]
    if isinstance(padding, bool) or not isinstance(padding, int) or padding < 0:
        raise TaggerError(
            f"The config.json of the checkpoint is damaged: pad_token_id is {shorten(repr(padding))}, and must be an "
            "integer of at least 0, because positions are counted from it. Download or train the checkpoint again."
        )
    return padding + 1


def longest_input(config: Mapping[str, Any]) -> int:
    """Maximum number of subwords of a network's input, special tokens included.

    Raises:
        TaggerError: The configuration is of another model type, or damaged.
    """
    try:
        family, settings = FAMILIES[config["model_type"]], with_defaults(config)
        longest = int(settings["max_position_embeddings"])
        if "max_relative_positions" in family.defaults and int(settings["max_relative_positions"]) > 0:
            longest = int(settings["max_relative_positions"])
        return longest - unused_positions(settings)
    except (KeyError, ValueError, TypeError) as error:
        raise TaggerError(
            "The config.json of the checkpoint does not state a known model type and the number of its positions "
            f"({in_brief(repr(error))}). Download or train it again."
        ) from error
