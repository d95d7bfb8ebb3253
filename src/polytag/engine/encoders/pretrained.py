"""Pretrained Hugging Face checkpoints: the checkpoint's own tokenizer, and a backbone with its weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, Self

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from polytag.encoding.capitals import N_CASES, Casing, add_capitals
from polytag.encoding.checkpoint import find_checkpoint, read_config
from polytag.encoding.coders import SubwordCoder
from polytag.encoding.example_inputs import SUBWORDS
from polytag.encoding.families import FAMILIES, field_name, with_defaults
from polytag.encoding.sizes import check_sizes
from polytag.encoding.tokenizer import load_tokenizer
from polytag.encoding.weights import has_weights, read_weights, weight_shapes
from polytag.engine.encoders import convert_bert, convert_deberta, convert_eurobert, convert_modernbert
from polytag.engine.encoders.hf_weights import WeightMap
from polytag.engine.encoders.layers import Linear
from polytag.engine.encoders.operations import exact_gelu, pick_rows
from polytag.engine.encoders.rotary import RotaryBlock
from polytag.engine.encoders.trained_parts import TrainedParts
from polytag.engine.encoders.transformer import TransformerBlock
from polytag.errors import PolytagError, TaggerError, shorten
from polytag.plugin.adapter import AdapterWeights
from polytag.plugin.encoder import Encoder, ExampleInputs, Tensors

_ACTIVATIONS = {
    "gelu": exact_gelu,
    "gelu_new": lambda x: keras.activations.gelu(x, approximate=True),
    "gelu_pytorch_tanh": lambda x: keras.activations.gelu(x, approximate=True),
    "relu": keras.activations.relu,
    "silu": keras.activations.silu,
}
_CONVERTERS = {
    **dict.fromkeys(FAMILIES, convert_bert),
    "deberta-v2": convert_deberta,
    "eurobert": convert_eurobert,
    "modernbert": convert_modernbert,
}
_MANY_ROWS = 1_000


class PretrainedEncoder(SubwordCoder, Encoder):
    """A checkpoint's tokenizer and network.

    Args:
        reference: The name that the user gave.
        folder: The checkpoint, on disk.
        config: Its config.json.
    """

    provider: ClassVar[str] = "pretrained"
    transformers_layout: ClassVar[bool] = True
    example_inputs: ExampleInputs | None = SUBWORDS

    def __init__(self, reference: str, folder: Path, config: dict[str, Any]) -> None:
        self.reference = reference
        self._config, self._folder = config, folder
        self._casing: Casing | None = None
        self._network, self._weights = _build(config, folder)
        self._trained = TrainedParts(self._network.body, folder, reference)
        self._tokenizer = load_tokenizer(folder)
        self._tokenizer.check_ids(self._network.words.input_dim)
        super().__init__(self._tokenizer.backend, **self._tokenizer.coder_settings(self._network.max_length))

    @property
    def network(self) -> Any:
        """The Keras layer."""
        return self._network

    @property
    def width(self) -> int:
        """The width of the backbone's last layer."""
        return int(self._network.body.output.shape[-1])

    @property
    def embeddings(self) -> NDArray[np.float32]:
        """The input embeddings of subwords, float32 (subwords, width), before positions and layer norm."""
        return np.asarray(self._network.words.embeddings, dtype=np.float32)

    def see_capitals(self) -> None:
        """Give an uncased checkpoint a vocabulary with capitals.

        In training, the vector of a word with capitals is the vector of the lower-case word plus a vector that all
        words of that case share. When saved, each entry of the vocabulary has its own row, as in any checkpoint.
        """
        with TemporaryDirectory() as name:
            folder = Path(name)
            self._tokenizer.save(folder)
            self._casing = add_capitals(folder, self.reference)
            self._tokenizer = load_tokenizer(folder)
        self._backend = self._tokenizer.backend
        self._pieces.clear()
        self._network.see_capitals(self._casing)

    def freeze(self, blocks: int) -> None:
        """Keep the embeddings and the lowest blocks."""
        self._check_capitals("--freeze")
        self._trained.freeze(blocks)

    def adapt(self, rank: int) -> None:
        """Train adapters."""
        self._check_capitals("--lora")
        self._trained.adapt(rank, self._weights)

    def adapter(self) -> AdapterWeights | None:
        """The adapters."""
        return self._trained.adapter(self._weights)

    def _check_capitals(self, option: str) -> None:
        if self._casing:
            raise PolytagError(
                f"--cased adds weights below the blocks, where {option} keeps all. Leave out one of them."
            )

    def tensors(self) -> Tensors:
        """The weights, by transformers' names."""
        tensors = self._weights.tensors()
        if self._casing:
            name = self._weights.name_of(self._network.words.embeddings)
            tensors[name] = self._network.rows(self._casing)
        return tensors

    def assign(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        """Set the weights."""
        self._weights.assign(tensors)

    def copy_weights(self, other: Self) -> None:
        """Copy the weights of another encoder."""
        self._weights.copy(other._weights)
        if self._casing:
            self._network.capitals.set_weights(other._network.capitals.get_weights())

    def config(self) -> dict[str, Any]:
        """The checkpoint's configuration."""
        own = {name: value for name, value in self._config.items() if name not in ("auto_map", "configuration_files")}
        return {**own, "vocab_size": len(self._casing.base)} if self._casing else own

    def architecture(self) -> str:
        """`BertForTokenClassification` and the like."""
        return FAMILIES[self._config["model_type"]].architecture

    def save_files(self, folder: Path) -> None:
        """Write the tokenizer."""
        self._tokenizer.save(folder)


@keras.saving.register_keras_serializable("polytag")
class PretrainedNetwork(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """A backbone.

    Attributes:
        tables: The variables that are read by row.
        last: The last block.
        below: What it is computed from; None if it shares its weights with the previous block.
    """

    def __init__(self, backbone: Any) -> None:
        super().__init__(name="encoder", dtype=backbone.dtype_policy)
        self.body = backbone
        self.last = backbone.output._keras_history.operation
        self.below = None
        if len(self.last._inbound_nodes) == 1:
            arguments = self.last._inbound_nodes[0].arguments
            self.below = keras.Model(backbone.input, {"inputs": arguments.args[0], **arguments.kwargs})
        self.max_length = backbone.max_sequence_length
        tables = [layer for layer in backbone._flatten_layers() if isinstance(layer, keras.layers.Embedding)]
        self.words = backbone.token_embedding
        self.words.__class__ = _Words
        self.tables = [layer.embeddings for layer in tables if layer.input_dim >= _MANY_ROWS]
        self.built = True

    def see_capitals(self, casing: Casing) -> None:
        """From now on, expect ids of a vocabulary with capitals."""
        self.capitals = keras.layers.Embedding(
            N_CASES,
            self.words.output_dim,
            embeddings_initializer="zeros",
            name="capitals",
            dtype=self.words.dtype_policy,
        )
        self.capitals.build()
        self.words.__class__ = _WordsWithCapitals
        self.words.parts = lambda ids: (tf.gather(casing.base, ids), self.capitals(tf.gather(casing.cases, ids)))

    def rows(self, casing: Casing) -> NDArray[np.float32]:
        """The vector of each entry of a vocabulary with capitals, float32 (entries, width)."""
        words, capitals = np.asarray(self.words.embeddings), np.asarray(self.capitals.embeddings)
        return np.asarray(words[casing.base] + capitals[casing.cases], dtype=np.float32)

    def call(self, ids: Any, mask: Any, training: bool = False) -> Any:
        """Vectors, float (batch, length, width), of ids, int32 (batch, length, 1)."""
        return self.body(self._inputs(ids, mask), training=training)

    def at(self, ids: Any, mask: Any, wanted: Any, training: bool) -> Any:
        """The result of `call` at some positions, float (n, width): the last block is computed only for these."""
        inputs = self._inputs(ids, mask)
        if self.below is None:
            vectors = self.body(inputs, training=training)
            return pick_rows(tf.reshape(vectors, (-1, vectors.shape[-1])), wanted)
        return self.last.call(**self.below(inputs, training=training), training=training, wanted=wanted)

    def _inputs(self, ids: Any, mask: Any) -> dict[str, Any]:
        return {"token_ids": tf.squeeze(ids, -1), "padding_mask": tf.cast(mask, tf.int32)}


class _Words(keras.layers.Embedding):  # type: ignore[misc]  # Keras has no types
    """An embedding that reads only the rows it needs.

    Keras reads the variable first, and TensorFlow copies a variable that is read when it is also updated by row.
    """

    def call(self, inputs: Any) -> Any:
        return tf.cast(tf.gather(self.embeddings.value, inputs), self.compute_dtype)


class _WordsWithCapitals(_Words):
    """The embedding of the lower-case word plus the embedding of its case."""

    def call(self, inputs: Any) -> Any:
        letters, capitals = self.parts(inputs)
        return super().call(letters) + capitals


def create(reference: str) -> PretrainedEncoder:
    """Load a checkpoint, from a folder or from the hub.

    Raises:
        PolytagError: The checkpoint does not exist, or cannot be used.
    """
    folder = find_checkpoint(reference)
    if read_config(folder).get("model_type") in list(FAMILIES):  # of any JSON
        weight_shapes(folder)  # before a network is made: they limit its size
    encoder = restore(folder, reference)
    encoder.assign(read_weights(folder))
    return encoder


def restore(folder: Path, reference: str = "") -> PretrainedEncoder:
    """Make the encoder that a folder describes, without its weights.

    Raises:
        PolytagError: The folder has no configuration, or one of an unsupported model type, or one that names code.
    """
    config = read_config(folder)
    if not (folder / "polytag.json").is_file():  # a tagger was checked before it was trained
        _refuse_code(config, folder)
    return PretrainedEncoder(reference or str(folder), folder, config)


def _refuse_code(config: Mapping[str, Any], folder: Path) -> None:
    for field in ("auto_map", "configuration_files"):
        if field in config:
            raise PolytagError(
                f"The config.json of the checkpoint {str(folder)!r} has the field {field!r}: in transformers, it leads "
                "to code of the checkpoint's own. polytag runs no such code, and would read the network as an ordinary "
                f"one. Use another checkpoint; if its network is an ordinary one, remove {field!r}."
            )


def _build(config: dict[str, Any], folder: Path) -> tuple[PretrainedNetwork, WeightMap]:
    model_type = config.get("model_type", "(none)")
    try:
        converter = _CONVERTERS[model_type]
        settings = with_defaults(config)
        arguments = converter.convert_backbone_config(settings)
        if has_weights(folder):
            check_sizes(config, weight_shapes(folder), folder)
        operands = keras.config.dtype_policy().compute_dtype
        # float16 also overflows outside matrix products: all layers are in Keras's mixed precision.
        policy = keras.config.dtype_policy() if operands == "float16" else "float32"
        backbone = converter.backbone_cls(**arguments, dtype=policy)
    except (ValueError, KeyError, TypeError) as error:
        raise PolytagError(
            f"The checkpoint {str(folder)!r} has the model type {model_type!r}, which polytag cannot read. The BERT, "
            "DistilBERT, ALBERT, ELECTRA, RoBERTa, XLM-RoBERTa, CamemBERT, DeBERTa-v3, ModernBERT and EuroBERT "
            "families work."
        ) from error
    activation = _activation(settings[field_name(model_type, "hidden_act")])
    of_head = _activation(settings.get("classifier_activation", "gelu"))
    for layer in backbone._flatten_layers():
        if isinstance(layer, TransformerBlock | RotaryBlock):
            layer.activation = activation
        if isinstance(layer, RotaryBlock):
            layer.head_activation = of_head
        if isinstance(layer, Linear) and operands != "float16":
            layer.operands = operands
    return PretrainedNetwork(backbone), WeightMap(backbone, converter, settings)


def _activation(name: object) -> Any:
    if not isinstance(name, str) or name not in _ACTIVATIONS:
        raise TaggerError(
            f"The checkpoint's activation {shorten(str(name))!r} is not supported; supported: "
            f"{', '.join(_ACTIVATIONS)}."
        )
    return _ACTIVATIONS[name]
