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
from polytag.encoding.coders import BLOCKS, N_HASHES, WINDOW, HashCoder
from polytag.encoding.compact_layout import (
    EMBEDDING_WIDTH,
    EPSILON,
    ROWS_NAME,
    SCALES_NAME,
    SHAPES,
    WIDTH,
    check_tensors,
)
from polytag.encoding.word_hashes import HASHES, ROWS
from polytag.encoding.word_vectors import WordVectors
from polytag.engine.encoders.operations import exact_gelu, gelu, layer_norm
from polytag.plugin.encoder import Encoder, ExampleInputs, Tensors

_FORM_FEATURES = 2  # the first two features depend on the whole word


class CompactEncoder(HashCoder, Encoder):
    """The word-level encoder.

    Args:
        vectors: Vectors of words in addition to hashed features; None for none.
    """

    provider: ClassVar[str] = "compact"
    reference = "compact"
    width = WIDTH
    example_inputs: ExampleInputs | None = example_inputs.HASHES

    def __init__(self, vectors: WordVectors | None = None) -> None:
        super().__init__(vectors.lookup if vectors else None)
        self._vectors = vectors
        self._network: CompactNetwork | None = None
        if vectors:
            with_subwords = vectors.lookup.subwords is not None
            self.example_inputs = example_inputs.SUBWORD_VECTORS if with_subwords else example_inputs.VECTORS

    def learn_from_teacher(self) -> None:
        """Practise words never seen: the teacher knows what they are."""
        self.network.practise_unseen_words()

    def use_vectors(self, vectors: WordVectors) -> None:
        """Use vectors of words, which training does not change."""
        CompactEncoder.__init__(self, vectors)

    @property
    def network(self) -> CompactNetwork:
        """The Keras layer."""
        if self._network is None:
            self._network = CompactNetwork(self._vectors, name="compact")
            self._network.build()
        return self._network

    def tensors(self) -> Tensors:
        """The weights by name, and the vectors of words in eight bits."""
        tensors = {name: variable.numpy() for name, variable in self._weights}
        if self._vectors:
            tensors |= {ROWS_NAME: self._vectors.rows, SCALES_NAME: self._vectors.scales}
        return tensors

    def assign(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        """Set the weights and the vectors of words."""
        check_tensors(tensors, self._vectors.rows.shape if self._vectors else (0, 0))
        if self._vectors:
            self._vectors = WordVectors(self._vectors.lookup, tensors[ROWS_NAME], tensors[SCALES_NAME])
            self.network.set_vectors(self._vectors)
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
            **({"vectors": list(self._vectors.rows.shape)} if self._vectors else {}),
        }

    def architecture(self) -> str:
        """The name for `architectures` in `config.json`."""
        return "PolytagCompactForTokenClassification"

    def save_files(self, folder: Path) -> None:
        """Write the words that have vectors; hashes need no vocabulary."""
        self.save_coder(folder)

    def save_coder(self, folder: Path) -> None:
        """Write the words that have vectors."""
        HashCoder.save_coder(self, folder)

    def export_files(self, folder: Path) -> None:
        """Copy the module that hashes words, which needs only Python, and write the words that have vectors."""
        self.save_coder(folder)
        shutil.copyfile(inspect.getfile(word_hashes), folder / "word_hashes.py")

    @property
    def _weights(self) -> list[tuple[str, Any]]:
        return list(zip(SHAPES, self.network.trainable_variables, strict=True))


@keras.saving.register_keras_serializable("polytag")
class CompactNetwork(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Embeddings of hashed features and vectors of words, mixed into one vector per word, then residual convolutions.

    In training, the features of the whole word are dropped together for some words, so that the other features learn to
    replace them for unseen words. For other words, the vector is dropped, so that features also work without it. With
    vectors or a teacher, more words practise to be unseen, and mostly get the rows of other words for dropped features,
    as the hashes of an unseen word have them: what they say must be no reason to trust it. Without either, that gains
    nothing.

    Args:
        vectors: Vectors of words, which are not trained; None for none.
        **keywords: Other arguments of the layer.
    """

    form_dropout = 0.3
    strange_form = 0.0
    vector_dropout = 0.2
    input_dropout = 0.3
    block_dropout = 0.1

    def __init__(self, vectors: WordVectors | None = None, **keywords: Any) -> None:
        super().__init__(**keywords)
        # Not a weight of the layer: the optimizer and checkpoints have nothing to do with it.
        self.vectors = tf.Variable(vectors.values, trainable=False) if vectors else None
        self._vector_width = vectors.rows.shape[1] if vectors else 0
        if vectors:
            self.form_dropout, self.strange_form, self.vector_dropout = 0.5, 0.5, 0.1

    def practise_unseen_words(self) -> None:
        """Give more words the features of words never seen, in training."""
        self.form_dropout, self.strange_form, self.vector_dropout = 0.4, 0.7, 0.2

    def set_vectors(self, vectors: WordVectors) -> None:
        """Replace the vectors of words by others of the same shape."""
        assert self.vectors is not None
        self.vectors.assign(vectors.values)

    def build(self, _: Any = None) -> None:
        """Create the weights; the input shape is not needed."""
        features = len(ROWS)
        self.table = self.add_weight(
            shape=SHAPES["encoder.table"],
            initializer=keras.initializers.RandomNormal(stddev=0.1),
            name="table",
        )
        self.mix = keras.layers.Dense(WIDTH, name="mix")
        self.mix.build((None, None, features * EMBEDDING_WIDTH + self._vector_width))
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
        """Vectors, float (batch, length, 192), of ids, int32 (batch, length, features)."""
        shape = tf.shape(mask)
        words = self._embed(tf.reshape(ids, (-1, ids.shape[-1])), training)
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
        words = tf.boolean_mask(tf.reshape(ids, (-1, ids.shape[-1])), is_word)
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
        """Vectors, float (words, 192), of ids, int32 (words, features)."""
        hashed = tf.reshape(ids[:, :N_HASHES], (-1, len(ROWS), HASHES))
        if self._is_lean(training):
            embedded = tf.add_n([tf.gather(self.table.value, one) for one in tf.unstack(hashed, axis=2)])
        else:
            embedded = tf.cast(tf.reduce_sum(tf.gather(self.table.value, hashed), axis=2), self.compute_dtype)
        if training:
            embedded = self._with_dropped_forms(embedded)
        rows = tf.reshape(embedded, (-1, len(ROWS) * EMBEDDING_WIDTH))
        if self.vectors is not None:
            vectors = self._vectors_of(ids[:, N_HASHES:])
            if training:
                kept = keras.random.uniform((tf.shape(vectors)[0], 1), seed=self.seeds) >= self.vector_dropout
                vectors = tf.where(kept, vectors, tf.zeros_like(vectors))
            rows = tf.concat([rows, tf.cast(vectors, rows.dtype)], axis=1)
        rows = self.drop_input(rows, training=training)
        return self._activated(self.mix(rows), self.mix_norm, training)

    def _with_dropped_forms(self, embedded: Any) -> Any:
        """Embeddings, float (words, 5, 96), in which the features of the whole word are dropped for some words."""
        n_words = tf.shape(embedded)[0]
        kept = keras.random.uniform((n_words, 1, 1), seed=self.seeds) >= self.form_dropout
        sizes = list(ROWS.values())
        forms, others = tf.split(embedded, [_FORM_FEATURES, len(sizes) - _FORM_FEATURES], axis=1)
        instead = tf.zeros_like(forms)
        if self.strange_form:
            rows = [
                keras.random.randint((n_words, HASHES), sum(sizes[:index]), sum(sizes[: index + 1]), seed=self.seeds)
                for index in range(_FORM_FEATURES)
            ]
            # No gradient: the words whose rows they are should not learn from it.
            of_others = tf.stop_gradient(tf.reduce_sum(tf.gather(self.table.value, tf.stack(rows, axis=1)), axis=2))
            strange = keras.random.uniform((n_words, 1, 1), seed=self.seeds) < self.strange_form
            instead = tf.where(strange, tf.cast(of_others, forms.dtype), instead)
        return tf.concat([tf.where(kept, forms, instead), others], axis=1)

    def _vectors_of(self, rows: Any) -> Any:
        """Means of vectors, float32 (words, width), of rows, int32 (words, parts), 0 for none."""
        found = tf.reduce_sum(tf.gather(self.vectors, rows), axis=1)
        count = tf.reduce_sum(tf.cast(rows > 0, tf.float32), axis=1, keepdims=True)
        return found / tf.maximum(count, 1.0)

    def _activated(self, x: Any, norm: Any, training: bool) -> Any:
        activated = gelu(x) if training else exact_gelu(x)
        return layer_norm(activated, norm) if self._is_lean(training) else norm(activated)

    def _is_lean(self, training: bool) -> bool:
        # Fewer passes over memory if no gradient is needed; for shorter number formats, Keras keeps more digits.
        return not training and bool(self.compute_dtype == "float32")
