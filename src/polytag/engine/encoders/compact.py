"""`compact`: a word-level encoder trained from scratch; no download, no tokenizer.

Five features of a word (lower-case form, form, prefix, suffix, shape), each hashed twice into a table of embeddings
(Bloom embeddings: Serrà and Karatzoglou 2017, as in spaCy's tok2vec), followed by residual convolutions of width three.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from polytag.encoders import Encoder, Tensors, Units
from polytag.engine.encoders.transformer import gelu
from polytag.errors import TaggerError

ROWS = {"lower": 20_000, "form": 20_000, "prefix": 5_000, "suffix": 8_000, "shape": 2_000}
"""Rows of each feature's part of the embedding table."""
HASHES = 2
EMBEDDING_WIDTH = 96
WIDTH = 192
BLOCKS = 4
WINDOW = 3

_FORM_FEATURES = 2  # the first two features know the whole word
_SHAPE_LIMIT = 8
_PREFIX, _SUFFIX = 3, 3
_CACHED_WORDS = 500_000


class CompactEncoder(Encoder):
    """The word-level encoder."""

    provider: ClassVar[str] = "compact"
    unit: ClassVar[str] = "word"
    reference = "compact"
    n_features = HASHES * len(ROWS)
    before: tuple[int, ...] = ()
    after: tuple[int, ...] = ()
    padding = 0
    max_units = 512
    # What lies further away than the convolutions reach does not change a word's vector.
    overlap = BLOCKS * (WINDOW // 2)

    def __init__(self) -> None:
        self._network: CompactNetwork | None = None
        self._rows: dict[str, tuple[int, ...]] = {}

    def encode(self, words: Sequence[str]) -> Units:
        """One unit a word: int32 (words, 10) rows of the embedding table."""
        if len(self._rows) > _CACHED_WORDS:
            self._rows.clear()
        order = {word: number for number, word in enumerate(dict.fromkeys(words))}
        for word in order.keys() - self._rows.keys():
            self._rows[word] = hash_word(word)
        index = np.fromiter(map(order.__getitem__, words), dtype=np.int64, count=len(words))
        table = np.array([self._rows[word] for word in order], dtype=np.int32).reshape(-1, self.n_features)
        return Units(table[index], np.ones(len(words), dtype=np.int32))

    @property
    def network(self) -> CompactNetwork:
        """The Keras layer."""
        if self._network is None:
            self._network = CompactNetwork(name="compact")
            self._network.build()
        return self._network

    def tensors(self) -> Tensors:
        """The weights by name."""
        return {
            f"encoder.{variable.path.partition('/')[2].replace('/', '.')}": variable.numpy()
            for variable in self._weights
        }

    def assign(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        """Set the weights."""
        for variable in self._weights:
            name = f"encoder.{variable.path.partition('/')[2].replace('/', '.')}"
            if name not in tensors or tuple(tensors[name].shape) != tuple(variable.shape):
                raise TaggerError(
                    f"The saved weights have no tensor {name!r} of shape {tuple(variable.shape)}: the folder is "
                    "damaged or was written by another version of polytag. Train or download it again."
                )
            variable.assign(tensors[name])

    def config(self) -> dict[str, Any]:
        """What `config.json` says of it."""
        return {
            "model_type": "polytag-compact",
            "rows": ROWS,
            "hashes": HASHES,
            "embedding_width": EMBEDDING_WIDTH,
            "hidden_size": WIDTH,
            "num_hidden_layers": BLOCKS,
        }

    def architecture(self) -> str:
        """The name for `architectures` in `config.json`."""
        return "PolytagCompactForTokenClassification"

    def save_files(self, folder: Path) -> None:
        """Nothing: words are hashed, so there is no vocabulary."""

    @property
    def _weights(self) -> list[Any]:
        return list(self.network.trainable_variables)


def shape_of(word: str) -> str:
    """The shape of a word: `Xxxx` for `Paris`, `dd.d` for `12.5`; runs are cut at four."""
    shape: list[str] = []
    for character in word[: 4 * _SHAPE_LIMIT]:
        kind = "X" if character.isupper() else "x" if character.isalpha() else "d" if character.isdigit() else character
        if shape[-4:] != [kind] * 4:
            shape.append(kind)
    return "".join(shape[:_SHAPE_LIMIT])


def hash_word(word: str) -> tuple[int, ...]:
    """Rows of the embedding table for one word: two for each of the five features.

    The hash is BLAKE2b, the same on every platform, cut into as many 32-bit numbers as there are hashes.
    """
    lower = word.lower()
    texts = (lower, word, lower[:_PREFIX], lower[-_SUFFIX:], shape_of(word))
    ids: list[int] = []
    offset = 0
    for (feature, rows), text in zip(ROWS.items(), texts, strict=True):
        data = f"{feature}:{text}".encode("utf-8", "surrogatepass")
        digest = hashlib.blake2b(data, digest_size=4 * HASHES).digest()
        ids.extend(offset + number % rows for number in struct.unpack(f"<{HASHES}I", digest))
        offset += rows
    return tuple(ids)


@keras.saving.register_keras_serializable("polytag")
class CompactNetwork(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Embeddings of hashed features, mixed into one vector a word, then residual convolutions.

    In training, the features that know the whole word are dropped together for some words, so that the rest learns to
    stand in for them where a word is new.
    """

    form_dropout = 0.3
    input_dropout = 0.3
    block_dropout = 0.1

    def build(self, _: Any = None) -> None:
        """Make the weights; no input shape is needed."""
        features = len(ROWS)
        self.table = self.add_weight(
            shape=(sum(ROWS.values()), EMBEDDING_WIDTH),
            initializer=keras.initializers.RandomNormal(stddev=0.1),
            name="table",
        )
        self.mix = keras.layers.Dense(WIDTH, name="mix")
        self.mix.build((None, None, features * EMBEDDING_WIDTH))
        self.mix_norm = keras.layers.LayerNormalization(name="mix_norm")
        self.mix_norm.build((None, None, WIDTH))
        self.convolutions, self.norms = [], []
        for index in range(BLOCKS):
            convolution = keras.layers.Conv1D(WIDTH, WINDOW, padding="same", name=f"convolution_{index}")
            convolution.build((None, None, WIDTH))
            norm = keras.layers.LayerNormalization(name=f"norm_{index}")
            norm.build((None, None, WIDTH))
            self.convolutions.append(convolution)
            self.norms.append(norm)
        self.tables = [self.table]
        self.seeds = keras.random.SeedGenerator()
        self.drop_input = keras.layers.Dropout(self.input_dropout)
        self.drop_block = keras.layers.Dropout(self.block_dropout)
        self.built = True

    def call(self, ids: Any, mask: Any, training: bool = False) -> Any:
        """Vectors, float (batch, length, 192), of ids, int32 (batch, length, 10)."""
        shape = tf.shape(ids)
        embedded = tf.gather(self.table, tf.reshape(ids, (-1, len(ROWS), HASHES)))
        embedded = tf.cast(tf.reduce_sum(embedded, axis=2), self.compute_dtype)
        if training:
            kept = keras.random.uniform((tf.shape(embedded)[0], 1, 1), seed=self.seeds) >= self.form_dropout
            is_form = tf.reshape(tf.range(len(ROWS)) < _FORM_FEATURES, (1, -1, 1))
            embedded = tf.where(tf.logical_or(kept, tf.logical_not(is_form)), embedded, tf.zeros_like(embedded))
        x = tf.reshape(embedded, (shape[0], shape[1], len(ROWS) * EMBEDDING_WIDTH))
        x = self.drop_input(x, training=training)
        x = self.mix_norm(gelu(self.mix(x)))
        # Padding is zero before each convolution: a word's vector does not depend on the batch it is in.
        weight = tf.cast(mask[:, :, None], x.dtype)
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            y = norm(gelu(convolution(x * weight)))
            x = x + self.drop_block(y, training=training)
        return x
