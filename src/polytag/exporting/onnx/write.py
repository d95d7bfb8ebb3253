"""Write a tagger's network as an ONNX model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from polytag.errors import PolytagError
from polytag.plugin.encoder import head_prefix
from polytag.plugin.onnx_graph import OnnxGraph
from polytag.plugin.registry import registry

if TYPE_CHECKING:
    from polytag.engine.model import TaggerModel


def write_onnx(
    network: TaggerModel, path: Path, logits_as: Mapping[str, str] | None = None, eight_bits: bool = False
) -> None:
    """Write an ONNX model of operators that every runtime has; its outputs are the probabilities of each task.

    Args:
        network: Encoder and heads.
        path: The file.
        logits_as: For each task the name of an output of its logits, which are then written instead of probabilities.
            The inputs are then those that optimum writes: segments, too, if the tokenizer gives them.
        eight_bits: Whether weights have eight bits; the few weights of heads always have 32.

    Raises:
        PolytagError: The encoder has no network in ONNX, or a task is named like an input.
        OSError: The file cannot be written.
    """
    encoder = network.encoder
    write = registry().encoders[encoder.provider].onnx_network()
    if write is None:
        raise PolytagError(
            f"The encoder {encoder.provider!r} has no network in ONNX: its plugin does not define "
            "EncoderProvider.onnx_network. Export to savedmodel or litert."
        )
    graph = OnnxGraph(encoder.n_features, eight_bits, with_segments=logits_as is not None)
    names = dict(logits_as) if logits_as else {task: task for task in network.heads}
    for name in names.values():
        if name in (graph.ids, graph.mask, graph.segments):
            raise PolytagError(
                f"The task {name!r} is named like an input of the network, and names in an ONNX model are unique. "
                "Train it under another name."
            )
    tensors = network.tensors()
    vectors = write(graph, encoder.config(), tensors)
    for task, name in names.items():
        prefix = head_prefix(task, len(network.heads))
        weight, bias = (np.asarray(tensors[f"{prefix}.{part}"]) for part in ("weight", "bias"))
        scores = graph.linear(vectors, weight.T, bias)
        graph.set_output(name, scores if logits_as else graph.add("Softmax", scores, axis=-1), len(bias))
    path.write_bytes(graph.serialize())
