"""The network of BERT, DistilBERT, ALBERT, ELECTRA, RoBERTa, XLM-RoBERTa, CamemBERT and DeBERTa-v3."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from polytag.encoding.block_names import order_of_blocks
from polytag.engine.encoders.disentangled import RelativeEmbedding, RelativeScores
from polytag.engine.encoders.layers import Norm
from polytag.engine.encoders.transformer import BlockSizes, TransformerBlock


class PlaceEmbedding(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Adds the embeddings of its position and of the first segment to each vector: a sentence is one segment.

    Args:
        positions: Number of positions.
        segments: Number of segments; 0 if the network has none.
        width: Of an embedding.
        name: Its name.
        dtype: Its dtype policy.
    """

    def __init__(self, positions: int, segments: int, width: int, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.positions = self.add_weight((positions, width), "zeros", name="positions")
        self.segments = self.add_weight((segments, width), "zeros", name="segments") if segments else None
        self.built = True

    def call(self, vectors: Any) -> Any:
        """The sums, float (batch, length, width), of vectors."""
        places = tf.convert_to_tensor(self.positions)[: tf.shape(vectors)[1]]
        if self.segments is not None:
            places += tf.convert_to_tensor(self.segments)[0]
        return vectors + places


class TransformerBackbone(keras.Model):  # type: ignore[misc]  # Keras has no types
    """Embeddings and blocks, as `PretrainedNetwork` expects a backbone.

    Args:
        vocabulary: Number of embeddings of tokens.
        sizes: Sizes of the blocks.
        layers: How often the groups of blocks are computed, all together.
        groups: Number of groups, at most as many as layers. One is computed repeatedly before the next one.
        group_size: Number of blocks of a group.
        embedding_width: Width of the embeddings, if a dense layer follows them.
        positions: Number of embeddings of positions; 0 if the network has none.
        segments: Number of embeddings of segments; 0 if the network has none.
        buckets: Number of buckets of relative positions of each sign; 0 if the network has none.
        longest: Greatest number of positions of an input.
        dtype: Its dtype policy.

    Attributes:
        token_embedding: The embeddings.
        places, embedding_norm, projection, relative: The other layers below the blocks; None for those it lacks.
        blocks: The blocks.
    """

    def __init__(
        self,
        vocabulary: int,
        sizes: BlockSizes,
        layers: int,
        groups: int,
        group_size: int,
        embedding_width: int | None,
        positions: int,
        segments: int,
        buckets: int,
        longest: int,
        dtype: Any = None,
    ) -> None:
        tokens = keras.Input((None,), dtype="int32", name="token_ids")
        mask = keras.Input((None,), dtype="int32", name="padding_mask")
        width = embedding_width or sizes.width
        embedding = keras.layers.Embedding(
            vocabulary, width, embeddings_initializer="zeros", name="token_embedding", dtype=dtype
        )
        places = PlaceEmbedding(positions, segments, width, "places", dtype) if positions else None
        norm = Norm(width, sizes.epsilon, "embedding_norm", dtype)
        vectors = embedding(tokens)
        if places is not None:
            vectors = places(vectors)
        vectors = norm(vectors)
        if sizes.dropout:
            vectors = keras.layers.Dropout(sizes.dropout, dtype=dtype)(vectors)
        projection = relative = scores = None
        if embedding_width is not None:
            projection = keras.layers.Dense(
                sizes.width, kernel_initializer="zeros", name="embedding_projection", dtype=dtype
            )
            vectors = projection(vectors)
        of_blocks = {"padding_mask": mask}
        if buckets:
            relative = RelativeEmbedding(buckets, sizes.width, sizes.epsilon, "relative_embedding", dtype)
            scores = RelativeScores(buckets, longest)
            of_blocks["relative"] = relative(vectors)
        blocks = [TransformerBlock(sizes, f"block_{number}", dtype, scores) for number in range(groups * group_size)]
        for number in order_of_blocks(layers, groups, group_size):
            vectors = blocks[number](vectors, **of_blocks)
        super().__init__(inputs={"token_ids": tokens, "padding_mask": mask}, outputs=vectors)
        self.dtype_policy = keras.dtype_policies.get(dtype)  # as an argument, a functional model ignores it
        self.token_embedding, self.places, self.embedding_norm = embedding, places, norm
        self.projection, self.relative, self.blocks = projection, relative, blocks
        self.max_sequence_length = longest
