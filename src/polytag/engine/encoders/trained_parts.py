"""Train a part of a checkpoint: leave its lower blocks as they are, or train small adapters of its weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras

from polytag.encoding.checkpoint import hub_model, is_local
from polytag.encoding.weights import weights_fingerprint
from polytag.engine.encoders.adapter import SCALE, Adapter
from polytag.engine.encoders.hf_weights import WeightMap
from polytag.engine.encoders.layers import Linear
from polytag.engine.encoders.rotary import RotaryBlock
from polytag.engine.encoders.transformer import TransformerBlock
from polytag.errors import PolytagError
from polytag.plugin.adapter import AdapterWeights

_BLOCKS = (TransformerBlock, RotaryBlock)


class TrainedParts:
    """Which parts of a checkpoint are trained: by default all.

    Args:
        body: The Keras model of its embeddings and blocks.
        folder: The checkpoint.
        reference: The name that the user gave.
    """

    def __init__(self, body: Any, folder: Path, reference: str) -> None:
        self._body, self._folder, self._reference = body, folder, reference
        self._frozen = 0
        self._rank: int | None = None
        self._base_weights = ""

    def freeze(self, blocks: int) -> None:
        """Keep the weights of the embeddings and the lowest blocks, and compute these without dropout.

        What does not change needs no gradients: TensorFlow leaves out their computation.

        Raises:
            PolytagError: There are fewer blocks, or they share their weights.
        """
        self._frozen = blocks
        kept = {id(block) for block in self._upper()}
        for layer in self._body.layers:
            if id(layer) in kept:
                continue
            layer.trainable = False
            for part in layer._flatten_layers():
                if isinstance(part, keras.layers.Dropout):
                    part.rate = 0.0
                if isinstance(part, _BLOCKS):
                    part.frozen = True

    def adapt(self, rank: int, weights: WeightMap) -> None:
        """Train an adapter of each matrix of weights in the blocks, and what the checkpoint lacks; nothing else.

        Args:
            rank: The rank of the adapters.
            weights: The weights of the checkpoint, which get the adapters.

        Raises:
            PolytagError: The checkpoint is itself an adapter, all blocks are frozen, or the adapters would be larger
                than its matrices.
        """
        blocks = self._upper()
        if not blocks:
            raise PolytagError(
                f"--freeze {self._frozen} keeps all blocks of the encoder {self._reference!r}, so that --lora {rank} "
                f"has none to adapt. Choose at most --freeze {self._frozen - 1}, or leave --lora out."
            )
        self._base_weights = weights_fingerprint(self._folder)
        self._rank = rank
        drawn = {id(variable) for variable in weights.drawn()}
        for variable in self._body.trainable_variables:
            variable.trainable = id(variable) in drawn
        layers = [layer for block in blocks for layer in block._flatten_layers() if isinstance(layer, Linear)]
        layers = [layer for layer in layers if not layer.kernel.trainable]
        largest = max((min(layer.kernel.shape) for layer in layers), default=rank)
        if rank > largest:
            raise PolytagError(
                f"The matrices of the encoder {self._reference!r} have at most the rank {largest}, and --lora {rank} "
                "asks for more: its adapters would be larger than what they change. Usual ranks are 4 to 64."
            )
        adapters = []
        for layer in layers:
            layer.adapter = Adapter(layer, rank)
            adapters.append(layer.adapter)
        weights.adapt(adapters)

    def adapter(self, weights: WeightMap) -> AdapterWeights | None:
        """The adapters and what they change, after `adapt`."""
        if self._rank is None:
            return None
        local = is_local(self._reference)
        base = (str(self._folder.absolute()), None) if local else hub_model(self._reference, self._folder)
        return AdapterWeights(*base, self._base_weights, self._rank, SCALE, weights.changes(), weights.new_names())

    def _upper(self) -> list[Any]:
        """The blocks that are not frozen."""
        blocks = [layer for layer in self._body.layers if isinstance(layer, _BLOCKS)]
        if self._frozen and any(len(block._inbound_nodes) > 1 for block in blocks):
            raise PolytagError(
                f"All blocks of the encoder {self._reference!r} share their weights, so that --freeze can only keep "
                "its embeddings. Choose --freeze 0, or leave it out."
            )
        if self._frozen > len(blocks):
            raise PolytagError(
                f"The encoder {self._reference!r} has {len(blocks)} blocks, and --freeze {self._frozen} asks for more. "
                f"Choose at most {len(blocks)}."
            )
        return blocks[self._frozen :]
