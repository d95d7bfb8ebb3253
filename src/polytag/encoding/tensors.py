"""Read and write the tensors of a saved tagger, and find the tensors of its heads."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from polytag.errors import TaggerError
from polytag.plugin.encoder import Tensors

_NUMBER = re.compile(r"os error (\d+)")
_OLD_NAMES = {".gamma": ".weight", ".beta": ".bias"}


def read_tensors(folder: Path) -> Tensors:
    """All tensors of a checkpoint in safetensors format, in one or several files, by their modern names.

    Raises:
        TaggerError: The folder has none, or one that cannot be read.
    """
    from safetensors import SafetensorError, safe_open

    index = folder / "model.safetensors.index.json"
    if index.exists():
        try:
            files = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise TaggerError(f"{index} is damaged: {error}. Download the checkpoint again.") from error
    else:
        files = ["model.safetensors"]
    tensors: Tensors = {}
    for file in files:
        path = folder / file
        if not path.is_file():
            raise _no_weights(folder, file)
        try:
            with safe_open(path, framework="numpy") as opened:
                for name in opened.keys():  # noqa: SIM118  # not a mapping
                    tensors[_modern(name)] = opened.get_tensor(name)
        except (SafetensorError, OSError) as error:
            raise TaggerError(f"{path} is damaged: {error}. Download or train it again.") from error
    return tensors


def save_tensors(tensors: Mapping[str, Any], path: Path, metadata: Mapping[str, str] | None = None) -> None:
    """Write arrays to a file of safetensors.

    Args:
        tensors: Arrays by name.
        path: The file.
        metadata: Metadata of the file.

    Raises:
        OSError: It cannot be written, for example because the disk is full. (safetensors itself raises other errors.)
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    try:
        save_file(dict(tensors), path, metadata=dict(metadata) if metadata else None)
    except SafetensorError as error:
        found = _NUMBER.search(str(error))
        raise OSError(int(found[1]), os.strerror(int(found[1]))) if found else OSError(str(error)) from error


def head_tensors(
    tensors: Mapping[str, NDArray[Any]], prefix: str, n_labels: int, width: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """The weight, (labels, width), and the bias, (labels,), of a head.

    Args:
        tensors: The tensors of a tagger.
        prefix: The prefix of the names of these two.
        n_labels: The number of the head's labels.
        width: The width of the encoder's vectors.

    Raises:
        TaggerError: One of them is missing or has the wrong shape.
    """
    for name, shape in ((f"{prefix}.weight", (n_labels, width)), (f"{prefix}.bias", (n_labels,))):
        if name not in tensors or tuple(tensors[name].shape) != shape:
            raise TaggerError(
                f"The saved weights have no tensor {name!r} of shape {shape}: the folder is damaged, or its labels "
                "were edited. Train or download it again."
            )
    return tensors[f"{prefix}.weight"], tensors[f"{prefix}.bias"]


def _no_weights(folder: Path, file: str) -> TaggerError:
    pickled = any(folder.glob("pytorch_model*.bin"))
    return TaggerError(
        f"{folder} has no {file}. polytag reads weights only in safetensors format, since other formats could run "
        f"code{', such as pytorch_model.bin, a pickle' if pickled else ''}. Convert the checkpoint where PyTorch is "
        f"installed: AutoModelForTokenClassification.from_pretrained({str(folder)!r}).save_pretrained(FOLDER), or "
        "AutoModel for a checkpoint without a token classification head."
    )


def _modern(name: str) -> str:
    for old, new in _OLD_NAMES.items():
        if name.endswith(f"LayerNorm{old}"):
            return name.removesuffix(old) + new
    return name
