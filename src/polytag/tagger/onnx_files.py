"""ONNX models in the folder of a tagger, in the places that optimum and transformers.js use."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from polytag.encoding.tensors import check_file, fingerprint
from polytag.encoding.weights import weights_file
from polytag.errors import TaggerError
from polytag.tagger.description import OnnxDescription, TaggerDescription

FILES = {"onnx": "onnx/model.onnx", "onnx-int8": "onnx/model_quantized.onnx"}
"""Runtime -> the file that it runs."""


def logits_names(tasks: Iterable[str]) -> dict[str, str]:
    """For each task the name of the output with its logits; with one task, the name in transformers."""
    names = list(tasks)
    return {name: name for name in names} if len(names) > 1 else {names[0]: "logits"}


def export_command(folder: Path, runtime: str) -> str:
    """The command that writes the file of a runtime into the folder of a tagger."""
    return f"polytag export {folder} --in-place" + (" --quantize int8" if runtime == "onnx-int8" else "")


def describe_onnx(folder: Path, file: str, preferred: bool, **details: Any) -> OnnxDescription:
    """The description of an ONNX model that was just made from the weights in the same folder.

    Args:
        folder: The folder of the tagger.
        file: The path of the model in it.
        preferred: As in the description.
        **details: How it was checked.
    """
    weights, content = fingerprint(folder / weights_file(folder)), fingerprint(folder / file)
    return OnnxDescription(weights=weights, content=content, preferred=preferred, **details)


def check_onnx(folder: Path, description: TaggerDescription, runtime: str) -> OnnxDescription:
    """The record of the ONNX model of a tagger, which is checked to be made from its weights.

    Args:
        folder: The folder of the tagger.
        description: Its description.
        runtime: One of `FILES`.

    Raises:
        TaggerError: The model does not exist, was not made by polytag, or was made from other weights.
    """
    path, recorded = folder / FILES[runtime], description.onnx.get(FILES[runtime])
    renew = export_command(folder, runtime)
    if not path.is_file():
        raise TaggerError(f"The tagger {str(folder)!r} has no {FILES[runtime]}. Write it: {renew}")
    if recorded is None or fingerprint(path) != recorded.content:
        raise TaggerError(
            f"{path} is not the file that polytag wrote for this tagger: it was made elsewhere, or is damaged. Write "
            f"it anew: {renew}   Or remove it."
        )
    weights = weights_file(folder)
    check_file(folder / weights, description.weights)
    if description.weights == recorded.weights:
        return recorded
    if not (folder / weights).is_file():
        raise TaggerError(f"The tagger {str(folder)!r} is damaged: it has no {weights}. Restore it from a copy.")
    if fingerprint(folder / weights) != recorded.weights:
        raise TaggerError(
            f"{path} was made from other weights than {weights}, which has changed since. Write it anew: {renew}   Or "
            "remove it."
        )
    return recorded
