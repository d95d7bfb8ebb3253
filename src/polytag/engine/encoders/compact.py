"""`compact`: a word-level encoder trained from scratch, without download or tokenizer.

Five features of a word (lower-case form, form, prefix, suffix, shape), each hashed twice into a table of embeddings
(Bloom embeddings: Serrà and Karatzoglou 2017, as in spaCy's tok2vec), followed by residual convolutions of width three.
"""

from __future__ import annotations

import inspect
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import keras
import tensorflow as tf
from numpy.typing import NDArray

from polytag.encoding import example_inputs, word_hashes
from polytag.encoding.coders import BLOCKS, WINDOW, HashCoder
from polytag.encoding.compact_layout import EMBEDDING_WIDTH, EPSILON, SHAPES, WIDTH, check_tensors
from polytag.encoding.word_hashes import HASHES, ROWS
from polytag.engine.encoders.transformer import exact_gelu, gelu, layer_norm
from polytag.plugin.encoder import Encoder, ExampleInputs, Tensors

_FORM_FEATURES = 2  # the first two features depend on the whole word


class CompactEncoder(HashCoder, Encoder):
    """The word-level encoder."""

    provider: ClassVar[str] = "compact"
    reference = "compact"
    width = WIDTH
    example_inputs: ClassVar[ExampleInputs | None] = example_inputs.HASHES

    def __init__(self) -> None:
        super().__init__()
        self._network: CompactNetwork | None = None

    @property
    def network(self) -> CompactNetwork:
        """The Keras layer."""
        if self._network is None:
            self._network = CompactNetwork(name="compact")
            self._network.build()
        return self._network

    def tensors(self) -> Tensors:
        """The weights by name."""
        return {name: variable.numpy() for name, variable in self._weights}

    def assign(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        """Set the weights."""
        check_tensors(tensors)
        for name, variable in self._weights:
            variable.assign(tensors[name])

    def config(self) -> dict[str, Any]:
        """The content of `config.json`."""
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
        """Write nothing: words are hashed, so no vocabulary exists."""

    def export_files(self, folder: Path) -> None:
        """Copy the module that hashes words, which needs only Python."""
        shutil.copyfile(inspect.getfile(word_hashes), folder / "word_hashes.py")

    @property
    def _weights(self) -> list[tuple[str, Any]]:
        return list(zip(SHAPES, self.network.trainable_variables, strict=True))


@keras.saving.register_keras_serializable("polytag")
class CompactNetwork(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Embeddings of hashed features, mixed into one vector per word, then residual convolutions.

    In training, the features of the whole word are dropped together for some words, so that the other features learn to
    replace them for unseen words.
    """

    form_dropout = 0.3
    input_dropout = 0.3
    block_dropout = 0.1

    def build(self, _: Any = None) -> None:
        """Create the weights; the input shape is not needed."""
        features = len(ROWS)
        self.table = self.add_weight(
            shape=SHAPES["encoder.table"],
            initializer=keras.initializers.RandomNormal(stddev=0.1),
            name="table",
        )
        self.mix = keras.layers.Dense(WIDTH, name="mix")
        self.mix.build((None, None, features * EMBEDDING_WIDTH))
        self.mix_norm = keras.layers.LayerNormalization(epsilon=EPSILON, name="mix_norm")
        self.mix_norm.build((None, None, WIDTH))
        self.convolutions, self.norms = [], []
        for index in range(BLOCKS):
            convolution = keras.layers.Conv1D(WIDTH, WINDOW, padding="same", name=f"convolution_{index}")
            convolution.build((None, None, WIDTH))
            norm = keras.layers.LayerNormalization(epsilon=EPSILON, name=f"norm_{index}")
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
        shape = tf.shape(mask)
        words = self._embed(tf.reshape(ids, (-1, HASHES * len(ROWS))), training)
        x = tf.reshape(words, (shape[0], shape[1], WIDTH))
        # Padding is zero before each convolution: a word's vector does not depend on the batch it is in.
        weight = tf.expand_dims(tf.cast(mask, x.dtype), -1)
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            y = self._activated(convolution(x * weight), norm, training)
            x = x + self.drop_block(y, training=training)
        return x

    def in_bulk(self, ids: Any, mask: Any) -> Any:
        """The result of `call` without training; vectors of padding are zero.

        Each distinct word of the batch is embedded once, and no time is spent on padding. A convolution is a product
        with the vectors of each word and its neighbours: as fast as a convolution in TensorFlow, and faster elsewhere.
        """
        if not self._is_lean(training=False):
            return self(ids, mask, training=False)
        is_word = tf.reshape(mask, (-1,))
        words = tf.boolean_mask(tf.reshape(ids, (-1, HASHES * len(ROWS))), is_word)
        distinct, index = tf.raw_ops.UniqueV2(x=words, axis=[0])
        x = tf.gather(self._embed(distinct, training=False), index)
        # Of each position the row in `x` below a row of zeros, which stands for padding and all beyond the edges.
        count = tf.cast(mask, tf.int32)
        rows = tf.reshape(tf.cumsum(tf.reshape(count, (-1,))), tf.shape(mask)) * count
        padded = tf.pad(rows, ((0, 0), (WINDOW // 2, WINDOW // 2)))
        around = tf.stack([padded[:, offset : offset + 1 - WINDOW or None] for offset in range(WINDOW)], axis=2)
        neighbours = tf.boolean_mask(tf.reshape(around, (-1, WINDOW)), is_word)
        zero = tf.zeros((1, WIDTH))
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            inputs = tf.reshape(tf.gather(tf.concat([zero, x], axis=0), neighbours), (-1, WINDOW * WIDTH))
            kernel = tf.reshape(convolution.kernel, (WINDOW * WIDTH, WIDTH))
            x = x + self._activated(tf.matmul(inputs, kernel) + convolution.bias, norm, training=False)
        return tf.gather(tf.concat([zero, x], axis=0), rows)

    def _embed(self, ids: Any, training: bool) -> Any:
        """Vectors, float (words, 192), of ids, int32 (words, 10)."""
        hashed = tf.reshape(ids, (-1, len(ROWS), HASHES))
        if self._is_lean(training):
            embedded = tf.add_n([tf.gather(self.table.value, one) for one in tf.unstack(hashed, axis=2)])
        else:
            embedded = tf.cast(tf.reduce_sum(tf.gather(self.table.value, hashed), axis=2), self.compute_dtype)
        if training:
            kept = keras.random.uniform((tf.shape(embedded)[0], 1, 1), seed=self.seeds) >= self.form_dropout
            is_form = tf.reshape(tf.range(len(ROWS)) < _FORM_FEATURES, (1, -1, 1))
            embedded = tf.where(tf.logical_or(kept, tf.logical_not(is_form)), embedded, tf.zeros_like(embedded))
        rows = self.drop_input(tf.reshape(embedded, (-1, len(ROWS) * EMBEDDING_WIDTH)), training=training)
        return self._activated(self.mix(rows), self.mix_norm, training)

    def _activated(self, x: Any, norm: Any, training: bool) -> Any:
        activated = gelu(x) if training else exact_gelu(x)
        return layer_norm(activated, norm) if self._is_lean(training) else norm(activated)

    def _is_lean(self, training: bool) -> bool:
        # Fewer passes over memory if no gradient is needed; for shorter number formats, Keras keeps more digits.
        return not training and bool(self.compute_dtype == "float32")
