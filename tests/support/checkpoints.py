"""Tiny Hugging Face checkpoints with random weights, made without PyTorch and without a network."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FAMILIES = (
    *("bert", "distilbert", "roberta", "xlm-roberta", "albert", "electra", "deberta-v2", "camembert"),
    *("modernbert", "eurobert"),
)

MODEL_CLASSES = {
    "bert": "BertForTokenClassification",
    "distilbert": "DistilBertForTokenClassification",
    "roberta": "RobertaForTokenClassification",
    "xlm-roberta": "XLMRobertaForTokenClassification",
    "albert": "AlbertForTokenClassification",
    "electra": "ElectraForTokenClassification",
    "deberta-v2": "DebertaV2ForTokenClassification",
    "camembert": "CamembertForTokenClassification",
    "modernbert": "ModernBertForTokenClassification",
    "eurobert": "EuroBertForTokenClassification",
}

HIDDEN, LAYERS, HEADS, INNER, POSITIONS = 16, 2, 2, 24, 48
BYTE_LEVEL = ("roberta", "modernbert", "eurobert")
HEAD = "head."
"""What the names of ModernBERT's prediction head begin with, which lies beside the encoder."""
NEARBY = 3
"""Distance to which ModernBERT's local attention reaches: little, so that windows have several blocks of it."""
BUCKETS = 8
"""Of DeBERTa's relative positions: few, so that most distances in a window share one."""

SENTENCES = (
    "EU rejects German call to boycott British lamb .",
    "Peter Blackburn met Angela Merkel in Berlin on Thursday .",
    "The European Commission said it disagreed with German advice .",
    "Unbelievable internationalisation overwhelms photographers in Liechtenstein !",
    "Prices rose 3.5 % to $ 1,200 , up from 950 in 1996-08-22 .",
)

Shapes = Iterator[tuple[str, tuple[int, ...]]]


def make_checkpoint(
    folder: Path,
    family: str,
    *,
    prefix: bool = True,
    pooler: bool = False,
    uncased: bool = False,
    pieces: Sequence[str] = (),
    seed: int = 0,
    **config: Any,
) -> Path:
    """Write config.json, tokenizer.json, tokenizer_config.json and model.safetensors; returns the folder.

    Args:
        folder: Where to.
        family: One of `FAMILIES`.
        prefix: Whether tensors are named as in a task model (`bert.embeddings...`) or as in a bare encoder.
        uncased: Whether the tokenizer drops capitals; only that of BERT, DistilBERT and ELECTRA can.
        pooler: Whether there is a pooler, which bare encoders have and token classifiers have not.
        pieces: Subwords that a vocabulary like BERT's has in addition: `la`, `##mb`.
        seed: Of the weights.
        **config: Fields of config.json that differ from the tiny ones.
    """
    folder.mkdir(parents=True, exist_ok=True)
    size = _write_tokenizer(folder, family, uncased, pieces)
    described = _config(family, size, config)
    described.save_pretrained(folder)
    write_tensors(folder, random_tensors(described, prefix=prefix, pooler=pooler, seed=seed))
    return folder


def make_classifier(folder: Path, family: str, labels: Sequence[str], *, seed: int = 0, **config: Any) -> Path:
    """A token classifier as transformers writes it: a checkpoint with a head and the names of its labels."""
    make_checkpoint(folder, family, seed=seed, **config)
    random = np.random.default_rng(seed + 1)
    head = {
        "classifier.weight": random.normal(0, 1, (len(labels), HIDDEN)).astype(np.float32),
        "classifier.bias": random.normal(0, 1, len(labels)).astype(np.float32),
    }
    write_tensors(folder, read_checkpoint(folder) | head)
    path = folder / "config.json"
    described = json.loads(path.read_text())
    described["architectures"] = [MODEL_CLASSES[family]]
    described["id2label"] = {str(index): label for index, label in enumerate(labels)}
    described["label2id"] = {label: index for index, label in enumerate(labels)}
    path.write_text(json.dumps(described))
    return folder


def random_tensors(
    config: Any, *, prefix: bool = True, pooler: bool = False, seed: int = 0
) -> dict[str, NDArray[np.float32]]:
    """Tensors of a checkpoint: large enough to make a difference, layer norms near one."""
    random = np.random.default_rng(seed)
    family = config.model_type
    makers = {"distilbert": _distilbert, "albert": _albert, "electra": _electra, "deberta-v2": _deberta}
    makers |= {"modernbert": _modernbert, "eurobert": _eurobert}
    shapes = makers.get(family, _bert)(config)
    start = prefix_of(family) if prefix else ""
    tensors = {
        name if name.startswith(HEAD) else start + name: random.normal(0, 0.3, shape).astype(np.float32)
        for name, shape in shapes
    }
    for name in tensors:
        if name.lower().endswith("norm.weight"):
            tensors[name] += 1
    if pooler and family not in ("distilbert", "electra", "modernbert", "eurobert"):
        name = "pooler" if family == "albert" else "pooler.dense"
        tensors[f"{start}{name}.weight"] = random.normal(0, 0.3, (HIDDEN, HIDDEN)).astype(np.float32)
        tensors[f"{start}{name}.bias"] = np.zeros(HIDDEN, np.float32)
    return tensors


def like_roberta(family: str) -> bool:
    """Whether two of the checkpoint's positions stand for padding, and its segments are one."""
    return family in ("roberta", "xlm-roberta", "camembert")


def prefix_of(family: str) -> str:
    """What the names of an encoder's tensors begin with in a task model."""
    names = {"xlm-roberta": "roberta", "camembert": "roberta", "deberta-v2": "deberta"}
    return (names | {"modernbert": "model", "eurobert": "model"}).get(family, family) + "."


def transformers_tokenizer(folder: Path | str, family: str | None = None) -> Any:
    """The tokenizer that transformers makes; one of a byte-level family takes each word as after a space."""
    from tokenizers import normalizers, pre_tokenizers
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, **({"add_prefix_space": True} if family == "roberta" else {}))
    if family == "modernbert":  # here transformers has no such option
        tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    if family == "eurobert":
        tokenizer.backend_tokenizer.normalizer = normalizers.Prepend(" ")
    return tokenizer


def read_checkpoint(folder: Path, name: str = "model.safetensors") -> dict[str, NDArray[np.float32]]:
    from safetensors.numpy import load_file

    return load_file(folder / name)


def write_tensors(folder: Path, tensors: dict[str, NDArray[Any]], name: str = "model.safetensors") -> None:
    from safetensors.numpy import save_file

    save_file(tensors, folder / name, metadata={"format": "pt"})


def _config(family: str, vocabulary: int, changes: dict[str, Any]) -> Any:
    from transformers import AutoConfig

    if family == "distilbert":
        sizes: dict[str, Any] = {"dim": HIDDEN, "n_layers": LAYERS, "n_heads": HEADS, "hidden_dim": INNER}
    else:
        sizes = {
            "hidden_size": HIDDEN,
            "num_hidden_layers": LAYERS,
            "num_attention_heads": HEADS,
            "intermediate_size": INNER,
        }
    if family in ("albert", "electra"):
        sizes["embedding_size"] = HIDDEN // 2
    if like_roberta(family):
        sizes |= {"type_vocab_size": 1, "layer_norm_eps": 1e-5, "pad_token_id": 1}
    if family == "deberta-v2":  # as v3 is
        sizes |= {"position_buckets": BUCKETS, "pos_att_type": "p2c|c2p", "norm_rel_ebd": "layer_norm"}
        sizes |= {"relative_attention": True, "share_att_key": True, "position_biased_input": False}
    if family == "modernbert":
        sizes |= {"local_attention": 2 * NEARBY, "pad_token_id": 0, "bos_token_id": 1, "cls_token_id": 1}
        sizes |= {"eos_token_id": 2, "sep_token_id": 2}
    if family == "eurobert":
        sizes |= {"num_key_value_heads": HEADS // 2, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
    values = {"vocab_size": vocabulary, "max_position_embeddings": POSITIONS} | sizes | changes
    return AutoConfig.for_model(family, **values)


def _bert(config: Any) -> Shapes:
    hidden = config.hidden_size
    yield "embeddings.word_embeddings.weight", (config.vocab_size, hidden)
    yield "embeddings.position_embeddings.weight", (config.max_position_embeddings, hidden)
    yield "embeddings.token_type_embeddings.weight", (config.type_vocab_size, hidden)
    yield from _norm("embeddings.LayerNorm", hidden)
    yield from _layers(config, ("query", "key", "value"))


def _layers(config: Any, projections: tuple[str, str, str]) -> Shapes:
    hidden, inner = config.hidden_size, config.intermediate_size
    for layer in range(config.num_hidden_layers):
        start = f"encoder.layer.{layer}"
        for part in (*(f"self.{name}" for name in projections), "output.dense"):
            yield from _dense(f"{start}.attention.{part}", hidden, hidden)
        yield from _norm(f"{start}.attention.output.LayerNorm", hidden)
        yield from _dense(f"{start}.intermediate.dense", inner, hidden)
        yield from _dense(f"{start}.output.dense", hidden, inner)
        yield from _norm(f"{start}.output.LayerNorm", hidden)


def _electra(config: Any) -> Shapes:
    narrow = config.embedding_size
    for name, shape in _bert(config):
        yield name, (*shape[:-1], narrow) if name.startswith("embeddings.") else shape
    if narrow != config.hidden_size:
        yield from _dense("embeddings_project", config.hidden_size, narrow)


def _deberta(config: Any) -> Shapes:
    hidden = config.hidden_size
    yield "embeddings.word_embeddings.weight", (config.vocab_size, hidden)
    yield from _norm("embeddings.LayerNorm", hidden)
    yield "encoder.rel_embeddings.weight", (2 * config.position_buckets, hidden)
    yield from _norm("encoder.LayerNorm", hidden)
    yield from _layers(config, ("query_proj", "key_proj", "value_proj"))


def _distilbert(config: Any) -> Shapes:
    hidden, inner = config.dim, config.hidden_dim
    yield "embeddings.word_embeddings.weight", (config.vocab_size, hidden)
    yield "embeddings.position_embeddings.weight", (config.max_position_embeddings, hidden)
    yield from _norm("embeddings.LayerNorm", hidden)
    for layer in range(config.n_layers):
        start = f"transformer.layer.{layer}"
        for part in ("q_lin", "k_lin", "v_lin", "out_lin"):
            yield from _dense(f"{start}.attention.{part}", hidden, hidden)
        yield from _norm(f"{start}.sa_layer_norm", hidden)
        yield from _dense(f"{start}.ffn.lin1", inner, hidden)
        yield from _dense(f"{start}.ffn.lin2", hidden, inner)
        yield from _norm(f"{start}.output_layer_norm", hidden)


def _modernbert(config: Any) -> Shapes:
    hidden, inner = config.hidden_size, config.intermediate_size

    def layer(name: str, outputs: int, inputs: int, bias: bool) -> Shapes:
        dense = list(_dense(name, outputs, inputs))
        yield from dense if bias else dense[:1]

    def norm(name: str) -> Shapes:
        yield from list(_norm(name, hidden))[: 2 if config.norm_bias else 1]

    yield "embeddings.tok_embeddings.weight", (config.vocab_size, hidden)
    yield from norm("embeddings.norm")
    for number in range(config.num_hidden_layers):
        start = f"layers.{number}"
        if number:
            yield from norm(f"{start}.attn_norm")
        yield from layer(f"{start}.attn.Wqkv", 3 * hidden, hidden, config.attention_bias)
        yield from layer(f"{start}.attn.Wo", hidden, hidden, config.attention_bias)
        yield from norm(f"{start}.mlp_norm")
        yield from layer(f"{start}.mlp.Wi", 2 * inner, hidden, config.mlp_bias)
        yield from layer(f"{start}.mlp.Wo", hidden, inner, config.mlp_bias)
    yield from norm("final_norm")
    yield from layer(f"{HEAD}dense", hidden, hidden, config.classifier_bias)
    yield from norm(f"{HEAD}norm")


def _eurobert(config: Any) -> Shapes:
    hidden, inner = config.hidden_size, config.intermediate_size
    rows = {"q": config.num_attention_heads * config.head_dim, "k": config.num_key_value_heads * config.head_dim}
    yield "embed_tokens.weight", (config.vocab_size, hidden)
    for layer in range(config.num_hidden_layers):
        start = f"layers.{layer}"
        yield f"{start}.input_layernorm.weight", (hidden,)
        for part in "qkvo":
            shape = (rows["k" if part in "kv" else "q"], hidden)
            yield f"{start}.self_attn.{part}_proj.weight", shape[::-1] if part == "o" else shape
        yield f"{start}.post_attention_layernorm.weight", (hidden,)
        yield f"{start}.mlp.gate_proj.weight", (inner, hidden)
        yield f"{start}.mlp.up_proj.weight", (inner, hidden)
        yield f"{start}.mlp.down_proj.weight", (hidden, inner)
    yield "norm.weight", (hidden,)


def _albert(config: Any) -> Shapes:
    hidden, inner, narrow = config.hidden_size, config.intermediate_size, config.embedding_size
    yield "embeddings.word_embeddings.weight", (config.vocab_size, narrow)
    yield "embeddings.position_embeddings.weight", (config.max_position_embeddings, narrow)
    yield "embeddings.token_type_embeddings.weight", (config.type_vocab_size, narrow)
    yield from _norm("embeddings.LayerNorm", narrow)
    yield from _dense("encoder.embedding_hidden_mapping_in", hidden, narrow)
    for group in range(config.num_hidden_groups):
        for inner_layer in range(config.inner_group_num):
            start = f"encoder.albert_layer_groups.{group}.albert_layers.{inner_layer}"
            for part in ("query", "key", "value", "dense"):
                yield from _dense(f"{start}.attention.{part}", hidden, hidden)
            yield from _norm(f"{start}.attention.LayerNorm", hidden)
            yield from _dense(f"{start}.ffn", inner, hidden)
            yield from _dense(f"{start}.ffn_output", hidden, inner)
            yield from _norm(f"{start}.full_layer_layer_norm", hidden)


def _dense(name: str, outputs: int, inputs: int) -> Shapes:
    yield f"{name}.weight", (outputs, inputs)
    yield f"{name}.bias", (outputs,)


def _norm(name: str, width: int) -> Shapes:
    yield f"{name}.weight", (width,)
    yield f"{name}.bias", (width,)


def _write_tokenizer(folder: Path, family: str, uncased: bool, pieces: Sequence[str]) -> int:
    of_bert = partial(_word_pieces, uncased=uncased, pieces=pieces)
    word_pieces = dict.fromkeys(("bert", "distilbert", "electra"), of_bert)
    make = (word_pieces | dict.fromkeys(BYTE_LEVEL, _byte_pairs)).get(family, _unigrams)
    tokenizer, settings = make(family)
    tokenizer.save(str(folder / "tokenizer.json"))
    limit = POSITIONS - 2 if like_roberta(family) else POSITIONS
    text = json.dumps({"model_max_length": limit, **settings}, indent=2)
    (folder / "tokenizer_config.json").write_text(text, encoding="utf-8")
    return int(tokenizer.get_vocab_size())


def _word_pieces(family: str, uncased: bool, pieces: Sequence[str]) -> tuple[Any, dict[str, Any]]:
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    special = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=uncased)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(vocab_size=160, special_tokens=list(special.values()), show_progress=False)
    tokenizer.train_from_iterator(SENTENCES, trainer)
    described = json.loads(tokenizer.to_str())
    vocabulary = described["model"]["vocab"]
    for piece in pieces:
        vocabulary.setdefault(piece, len(vocabulary))
    tokenizer = Tokenizer.from_str(json.dumps(described))
    name = {"distilbert": "DistilBertTokenizer", "electra": "ElectraTokenizer"}.get(family, "BertTokenizer")
    return _surrounded(tokenizer, "[CLS]", "[SEP]"), _settings(name, special) | {"do_lower_case": uncased}


def _byte_pairs(family: str) -> tuple[Any, dict[str, Any]]:
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    special = {"bos": "<s>", "pad": "<pad>", "eos": "</s>", "unk": "<unk>", "mask": "<mask>"}
    if family == "modernbert":
        special = {"pad": "[PAD]", "cls": "[CLS]", "sep": "[SEP]", "unk": "[UNK]", "mask": "[MASK]"}
    if family == "eurobert":
        special = {"bos": "<|begin_of_text|>", "pad": "<|pad|>", "eos": "<|end_of_text|>", "mask": "<|mask|>"}
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    if family == "eurobert":  # as Llama 3's
        words = pre_tokenizers.Split(Regex(r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+|\s+"), "isolated")
        rest = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([words, rest])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=360,
        special_tokens=list(special.values()),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([*SENTENCES, "a a a a a a"], trainer)
    if family != "roberta":
        begin, end = ("[CLS]", "[SEP]") if family == "modernbert" else (special["bos"], special["eos"])
        return _surrounded(tokenizer, begin, end), _settings("PreTrainedTokenizerFast", special)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    settings = _settings("RobertaTokenizer", special | {"cls": "<s>", "sep": "</s>"})
    return tokenizer, settings | {"add_prefix_space": False}


def _unigrams(family: str) -> tuple[Any, dict[str, Any]]:
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    if family == "deberta-v2":
        special = {"pad": "[PAD]", "cls": "[CLS]", "sep": "[SEP]", "unk": "[UNK]", "mask": "[MASK]"}
        begin, end, name = "[CLS]", "[SEP]", "DebertaV2Tokenizer"
        more = {"bos_token": "[CLS]", "eos_token": "[SEP]", "do_lower_case": False, "split_by_punct": False}
    elif family == "albert":
        special = {"pad": "<pad>", "unk": "<unk>", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
        begin, end, name = "[CLS]", "[SEP]", "AlbertTokenizer"
        more = {"bos_token": "[CLS]", "eos_token": "[SEP]", "do_lower_case": False, "keep_accents": True}
    else:
        special = {"bos": "<s>", "pad": "<pad>", "eos": "</s>", "unk": "<unk>", "mask": "<mask>"}
        begin, end = "<s>", "</s>"
        name = "CamembertTokenizer" if family == "camembert" else "XLMRobertaTokenizer"
        more = {"cls_token": "<s>", "sep_token": "</s>"}
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")]
    )
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    trainer = trainers.UnigramTrainer(
        vocab_size=160, special_tokens=list(special.values()), unk_token=special["unk"], show_progress=False
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    return _surrounded(tokenizer, begin, end), _settings(name, special) | more


def _surrounded(tokenizer: Any, begin: str, end: str) -> Any:
    from tokenizers import processors

    tokens = [(token, tokenizer.token_to_id(token)) for token in (begin, end)]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{begin} $A {end}", pair=f"{begin} $A {end} $B {end}", special_tokens=tokens
    )
    return tokenizer


def _settings(name: str, special: dict[str, str]) -> dict[str, Any]:
    return {"tokenizer_class": name, **{f"{role}_token": token for role, token in special.items()}}
