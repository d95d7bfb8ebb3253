"""Read and write the tensors of a saved tagger, and find the tensors of its heads."""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polytag.encoding import keras_weights
from polytag.encoding.checkpoint import cached_name
from polytag.encoding.json_values import read_json
from polytag.encoding.keras_weights import StoredTensor
from polytag.errors import TaggerError, in_brief
from polytag.plugin.encoder import Tensors

_NUMBER = re.compile(r"os error (\d+)")
WEIGHTS = "model.safetensors"
_INDEX = "model.safetensors.index.json"
_AGAIN = "Download the checkpoint again."
_OLD_NAMES = {".gamma": ".weight", ".beta": ".bias"}


def read_tensors(folder: Path, weights: str | None = None, file: str | None = None) -> Tensors:
    """All tensors of a checkpoint, in one or several files, by their modern names.

    They are in safetensors format or, without such a file, in a `tf_model.h5`.

    Args:
        folder: The folder.
        weights: The fingerprint of its only file of weights; None to accept any file, or several.
        file: The name of its only file of weights, if it is not the usual one.

    Raises:
        TaggerError: The folder has none, or one that cannot be read, or that has another fingerprint.
    """
    if weights is None:
        return _read(folder, [file] if file else weight_files(folder))
    with _compared(folder / (file or WEIGHTS), weights):
        return _read(folder, [file or WEIGHTS])


def has_weights(folder: Path) -> bool:
    """Whether a folder has files of weights, of one form or the other."""
    return any((folder / name).exists() for name in (WEIGHTS, _INDEX, keras_weights.WEIGHTS, keras_weights.INDEX))


def read_shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    """The shape of each tensor of a checkpoint, by its modern name; only the headers are read.

    Raises:
        TaggerError: As `read_tensors`.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    for file in weight_files(folder):
        with _opened(folder, file) as opened:
            shapes |= {_modern(name): tensor.shape for name, tensor in opened.items()}
    return shapes


def metadata(path: Path) -> dict[str, str]:
    """The metadata of a file of safetensors.

    Raises:
        TaggerError: It is missing or damaged.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as opened:
            return dict(opened.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise TaggerError(f"{path} is damaged: {in_brief(error)}. Download or train it again.") from error


def fingerprint(path: Path) -> str:
    """The SHA-256 of a file, 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_file(path: Path, content: str | None) -> None:
    """Check that a file of a tagger is the one that was saved.

    Args:
        path: The file.
        content: Its fingerprint; None for a tagger that records none.

    Raises:
        TaggerError: It is missing or has changed.
    """
    if content is not None:
        with _compared(path, content):
            pass


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
        # Not the scalars of NumPy, which is what a variable without dimensions gives as its value.
        arrays = {name: np.asarray(tensor) for name, tensor in tensors.items()}
        save_file(arrays, path, metadata=dict(metadata) if metadata else None)
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
        TaggerError: One of them is missing, has the wrong shape, or has values that are not numbers.
    """
    found = parameter_tensors(tensors, prefix, {"weight": (n_labels, width), "bias": (n_labels,)})
    return found["weight"], found["bias"]


def parameter_tensors(
    tensors: Mapping[str, NDArray[Any]],
    prefix: str,
    shapes: Mapping[str, tuple[int, ...]],
    cause: str = "its labels were edited",
) -> dict[str, NDArray[Any]]:
    """Tensors of a head by their names without the prefix.

    Args:
        tensors: The tensors of a tagger.
        prefix: The prefix of the names of these tensors.
        shapes: Their shapes.
        cause: What else than damage explains a tensor that does not fit, for the message.

    Raises:
        TaggerError: One of them is missing, has the wrong shape, or has values that are not numbers.
    """
    found = {}
    for own, shape in shapes.items():
        name = f"{prefix}.{own}"
        if name not in tensors or tuple(tensors[name].shape) != shape:
            raise TaggerError(
                f"The saved weights have no tensor {name!r} of shape {shape}: the folder is damaged, or {cause}. Train "
                "or download it again."
            )
        check_values(name, tensors[name])
        found[own] = tensors[name]
    return found


def check_values(name: str, tensor: NDArray[Any]) -> None:
    """Check that a tensor is of floating-point numbers, all of them finite.

    Raises:
        TaggerError: It is not.
    """
    if tensor.dtype.kind != "f" and tensor.dtype.name != "bfloat16":
        raise TaggerError(
            f"The saved tensor {name!r} has the type {tensor.dtype.name}, and weights are floating-point numbers. "
            "Quantised checkpoints cannot be read: use the original one."
        )
    # A sum reads each value once and allocates nothing; it overflows only if values are absurdly large.
    with np.errstate(all="ignore"):
        finite = np.isfinite(np.add.reduce(tensor, axis=None)) or np.isfinite(tensor).all()
    if not finite:
        raise TaggerError(
            f"The saved tensor {name!r} has values that are not finite numbers: the weights are damaged, or their "
            "training diverged. Train or download them again."
        )


@contextmanager
def _compared(path: Path, content: str) -> Iterator[None]:
    """Compute the fingerprint of a file in a thread while the block reads it, and compare the two at the end."""
    if not path.is_file():
        raise TaggerError(f"The tagger {str(path.parent)!r} is damaged: it has no {path.name}. Restore it from a copy.")
    found: list[str] = []

    def compute() -> None:
        with suppress(OSError):
            found.append(fingerprint(path))

    thread = threading.Thread(target=compute, daemon=True)
    thread.start()
    yield
    thread.join()
    if found != [content]:
        raise TaggerError(
            f"{path} is damaged: it is not the file that was saved with polytag.json, which has its checksum. Restore "
            "it from a copy, or train or download the tagger again. (If you changed it yourself, remove the checksum, "
            "'weights'.)"
        )


def weight_files(folder: Path) -> list[str]:
    """The names of the files of weights: of safetensors, or else of HDF5.

    Raises:
        TaggerError: The index of several files is damaged.
    """
    for single, index in ((WEIGHTS, _INDEX), (keras_weights.WEIGHTS, keras_weights.INDEX)):
        if (folder / index).exists():
            return _listed_files(folder / index, Path(single).suffix)
        if (folder / single).exists():
            return [single]
    return [WEIGHTS]


def _listed_files(index: Path, suffix: str) -> list[str]:
    """The files that an index names."""
    names = read_json(index, _AGAIN, TaggerError).get("weight_map")
    files = set(names.values()) if isinstance(names, dict) and _hashable(names.values()) else set()
    wrong = next((name for name in files if not _is_plain(name, suffix)), None)
    if not files or wrong is not None:
        problem = "it has no 'weight_map'" if wrong is None else f"'weight_map' names {str(wrong)[:60]!r}"
        raise TaggerError(f"{index} is damaged: {problem}, and must name {suffix} files in the same folder. {_AGAIN}")
    return sorted(files)


def _hashable(values: Any) -> bool:
    return all(isinstance(value, str | int | float | None) for value in values)


def _is_plain(name: object, suffix: str) -> bool:
    """Whether this is the name of a file with this suffix, without a folder."""
    return isinstance(name, str) and name.endswith(suffix) and not set(name) & set("/\\:\0")


def _read(folder: Path, files: list[str]) -> Tensors:
    tensors: Tensors = {}
    for file in files:
        with _opened(folder, file) as opened:
            tensors |= {_modern(name): tensor.read() for name, tensor in opened.items()}
    return tensors


@contextmanager
def _opened(folder: Path, file: str) -> Iterator[dict[str, StoredTensor]]:
    """A file of tensors, which is read in the block.

    Raises:
        TaggerError: It is missing or damaged.
    """
    path = folder / file
    if not path.is_file():
        raise _no_weights(folder, file)
    if path.suffix == ".h5":
        with keras_weights.open_h5(path) as stored:
            yield stored
        return
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as opened:
            stored = {name: _stored(opened, name) for name in opened.keys()}  # noqa: SIM118  # not a mapping
            of_keras = (opened.metadata() or {}).get("format") == "tf"
            yield keras_weights.in_pytorch(stored, stored.__getitem__) if of_keras else stored
    except (SafetensorError, OSError) as error:
        raise TaggerError(f"{path} is damaged: {in_brief(error)}. Download or train it again.") from error
    except (TypeError, AttributeError) as error:  # raised for types of numbers that NumPy lacks
        raise TaggerError(
            f"{path} has tensors of a type that cannot be read: {in_brief(error)}. Save it as float32."
        ) from error


def _stored(opened: Any, name: str) -> StoredTensor:
    return StoredTensor(tuple(opened.get_slice(name).get_shape()), partial(opened.get_tensor, name))


def _no_weights(folder: Path, file: str) -> TaggerError:
    """The error for a checkpoint whose weights are missing, or a pickle, with the command that converts it."""
    why = "polytag reads weights from model.safetensors or tf_model.h5: other formats could run code"
    if any(folder.glob("pytorch_model*.bin")):
        why = "Its pytorch_model.bin is a pickle, which could run code, and is not read"
    config = folder / "config.json"
    classes = read_json(config, _AGAIN, TaggerError).get("architectures") if config.is_file() else None
    model = "AutoModelForTokenClassification" if "ForTokenClassification" in str(classes) else "AutoModel"
    source = cached_name(folder) or str(folder)
    target = f"{source if source == str(folder) else source.split('/')[-1]}-safetensors"
    return TaggerError(
        f"{folder} has no {file}. {why}. If you trust it, convert it where PyTorch and transformers are installed: "
        f'python -c "import transformers as t; [c.from_pretrained({source!r}).save_pretrained({target!r}) '
        f'for c in (t.{model}, t.AutoTokenizer)]"'
    )


def _modern(name: str) -> str:
    for old, new in _OLD_NAMES.items():
        if name.endswith(f"LayerNorm{old}"):
            return name.removesuffix(old) + new
    return name
