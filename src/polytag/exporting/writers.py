"""Write networks for other runtimes, and open the written files."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from polytag.encoding.batches import NetworkFunction
from polytag.errors import PolytagError
from polytag.exporting.example_program import transformers_program
from polytag.exporting.onnx.write import write_onnx
from polytag.tagger.onnx_files import logits_names
from polytag.tagger.onnx_network import OnnxNetwork
from polytag.tagger.runtimes import LITERT_FILE, ONNX_FILE, ExportedModel, open_litert
from polytag.tagger.tagger import Tagger


def _write_savedmodel(tagger: Tagger, folder: Path, _: str | None) -> tuple[str, Tagger]:
    from polytag.engine.graph_files import open_savedmodel, write_savedmodel

    write_savedmodel(tagger.network, folder / "1")
    return "TensorFlow", swapped(tagger, open_savedmodel(folder / "1"))


def _write_onnx(tagger: Tagger, folder: Path, quantize: str | None) -> tuple[str, Tagger]:
    write_onnx(tagger.network, folder / ONNX_FILE, eight_bits=quantize is not None)
    return "ONNX Runtime", swapped(tagger, OnnxNetwork(folder / ONNX_FILE, _sizes(tagger)))


def write_onnx_in_place(tagger: Tagger, path: Path, quantize: str | None) -> Tagger:
    """Write an ONNX model whose outputs are logits, as optimum and transformers.js expect them; returns the tagger
    running in it."""
    path.parent.mkdir(exist_ok=True)
    outputs = logits_names(tagger.heads)
    write_onnx(tagger.network, path, outputs, eight_bits=quantize is not None)
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


def _open_transformers(folder: Path, decoder_task: str) -> NetworkFunction:
    """A transformers checkpoint in PyTorch as a function of arrays."""
    import torch
    from transformers import AutoModelForTokenClassification

    with _without_progress_bars():
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


@contextmanager
def _without_progress_bars() -> Iterator[None]:
    """Keep transformers from drawing progress bars, also with --quiet and into files."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
