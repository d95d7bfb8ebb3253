"""Write networks for other runtimes, and open the written files."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from polytag.encoding.batches import NetworkFunction
from polytag.errors import PolytagError
from polytag.exporting.example_program import transformers_program
from polytag.tagger.onnx_files import logits_names
from polytag.tagger.onnx_network import OnnxNetwork
from polytag.tagger.runtimes import LITERT_FILE, ONNX_FILE, ExportedModel, open_litert
from polytag.tagger.tagger import Tagger


def _write_savedmodel(tagger: Tagger, folder: Path, _: str | None) -> tuple[str, Tagger]:
    from polytag.engine.graph_files import open_savedmodel, write_savedmodel

    write_savedmodel(tagger.network, folder / "1")
    return "TensorFlow", swapped(tagger, open_savedmodel(folder / "1"))


def _write_onnx(tagger: Tagger, folder: Path, quantize: str | None) -> tuple[str, Tagger]:
    from polytag.engine.graph_files import write_onnx

    write_onnx(tagger.network, folder / ONNX_FILE)
    if quantize:
        _quantise(folder / ONNX_FILE)
    return "ONNX Runtime", swapped(tagger, OnnxNetwork(folder / ONNX_FILE, _sizes(tagger)))


def write_onnx_in_place(tagger: Tagger, path: Path, quantize: str | None) -> Tagger:
    """Write an ONNX model whose outputs are logits, as optimum and transformers.js expect them; returns the tagger
    running in it."""
    from polytag.engine.graph_files import write_onnx

    path.parent.mkdir(exist_ok=True)
    outputs = logits_names(tagger.heads)
    write_onnx(tagger.network, path, outputs)
    if quantize:
        _quantise(path)
    return swapped(tagger, OnnxNetwork(path, _sizes(tagger), outputs))


def _write_litert(tagger: Tagger, folder: Path, _: str | None) -> tuple[str, Tagger]:
    from polytag.engine.graph_files import write_litert

    write_litert(tagger.network, folder / LITERT_FILE)
    return "LiteRT", swapped(tagger, open_litert(folder / LITERT_FILE))


def write_transformers(tagger: Tagger, folder: Path, _: str | None) -> tuple[str, Tagger]:
    """Write a transformers checkpoint; returns the runtime, and the tagger running in it."""
    (decoder,) = tagger.decoders.values()
    tagger.save(folder, {"example.py": transformers_program(decoder.head.alignment)})
    if importlib.util.find_spec("torch") is None:
        return "TensorFlow, since PyTorch is not installed", Tagger.load(folder)
    return "PyTorch", swapped(tagger, _open_transformers(folder, decoder_task=next(iter(tagger.heads))))


WRITERS: dict[str, Callable[[Tagger, Path, str | None], tuple[str, Tagger]]] = {
    "savedmodel": _write_savedmodel,
    "onnx": _write_onnx,
    "litert": _write_litert,
    "transformers": write_transformers,
}


def swapped(tagger: Tagger, run: NetworkFunction) -> Tagger:
    """The same tagger with another network."""
    return replace(tagger, model=ExportedModel(tagger.encoder, _sizes(tagger), run, tagger.model.head_parameters))


def _sizes(tagger: Tagger) -> dict[str, int]:
    return {name: len(head.labels) for name, head in tagger.heads.items()}


def _quantise(path: Path) -> None:
    from google.protobuf.message import DecodeError
    from onnxruntime.quantization import QuantType, quantize_dynamic

    # Seven bits per weight: with eight, processors without VNNI overflow when two products are added.
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)  # it advises to simplify the graph, which is already done
    try:
        quantize_dynamic(path, path, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True)
    except DecodeError as error:  # onnx reads a file that it has written, and does not notice a full disk
        raise OSError("a file of the quantisation is incomplete, as on a full disk") from error
    finally:
        logging.disable(before)


def _open_transformers(folder: Path, decoder_task: str) -> NetworkFunction:
    """A transformers checkpoint in PyTorch as a function of arrays."""
    import torch
    from transformers import AutoModelForTokenClassification

    model, report = AutoModelForTokenClassification.from_pretrained(
        folder, output_loading_info=True, trust_remote_code=False, use_safetensors=True
    )
    wrong = {kind: sorted(map(str, names)) for kind, names in report.items() if names}
    if wrong:
        raise PolytagError(f"transformers does not find the weights it expects in the checkpoint: {wrong}.")
    model.eval()

    def run(ids: Any, mask: Any) -> dict[str, Any]:
        given = {"input_ids": torch.from_numpy(ids[:, :, 0].astype(np.int64)), "attention_mask": torch.from_numpy(mask)}
        with torch.inference_mode():
            return {decoder_task: model(**given).logits.softmax(-1).numpy()}

    return run
