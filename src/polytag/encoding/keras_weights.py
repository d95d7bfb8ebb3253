"""Read the weights that the TensorFlow models of transformers 2 to 4 saved: their files, names and layouts.

A `tf_model.h5` is HDF5. The library can read other files, load compression plugins and allocate far more memory than
the file has bytes if a file asks for that, so every object is checked before it is opened. Its metadata are not read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from polytag.encoding.families import FAMILIES, tensor_prefix
from polytag.errors import TaggerError, in_brief, shorten

WEIGHTS = "tf_model.h5"
INDEX = "tf_model.h5.index.json"

_ROOTS = {tensor_prefix(family).removesuffix(".") for family in FAMILIES} | {"classifier"}
"""The layers of a token classifier; others, such as the heads of pretraining, are not read."""

_LAST = {"kernel": "weight", "gamma": "weight", "beta": "bias", "embeddings": "weight"}
"""Name of a variable in Keras -> in PyTorch."""

_DEEPEST = 20
_MOST = 20_000
"""Files of transformers have at most some ten levels and a thousand objects."""

_AGAIN = "Save it again with transformers 4, or use another checkpoint."


class StoredTensor(NamedTuple):
    """A tensor in an open file.

    Attributes:
        shape: Its shape.
        read: A function that reads its values.
    """

    shape: tuple[int, ...]
    read: Callable[[], NDArray[Any]]


def in_pytorch(paths: Iterable[str], open_path: Callable[[str], StoredTensor]) -> dict[str, StoredTensor]:
    """The variables of an encoder and of a token classifier's head, as tensors of PyTorch.

    A path begins with the name of a layer, or of a layer and a model: `bert/tf_bert_model_1/bert/encoder/layer_._0/…`.
    Heads of pretraining are left out, and the word embeddings that are saved once more with them. A kernel in Keras,
    (inputs, outputs), is the transpose of a weight in PyTorch.

    Args:
        paths: The paths of all variables.
        open_path: A function that opens one of them.

    Raises:
        TaggerError: Two variables are the same tensor.
    """
    found: dict[str, str] = {}
    for path in sorted(paths):
        levels = path.removesuffix(":0").replace("_._", "/").split("/")
        start = max((index for index, level in enumerate(levels) if level in _ROOTS), default=None)
        if start is None or levels[0] != levels[start]:
            continue
        name = ".".join((*levels[start:-1], _LAST.get(levels[-1], levels[-1])))
        if name in found:
            raise TaggerError(
                f"The checkpoint has the tensor {shorten(name)!r} twice, at {shorten(found[name])!r} and "
                f"{shorten(path)!r}. {_AGAIN}"
            )
        found[name] = path
    opened = {name: open_path(path) for name, path in found.items()}
    kernels = [name for name, path in found.items() if path.removesuffix(":0").endswith("/kernel")]
    return opened | {name: _transposed(opened[name]) for name in kernels}


def _transposed(stored: StoredTensor) -> StoredTensor:
    return StoredTensor(stored.shape[::-1], lambda: np.ascontiguousarray(stored.read().T))


@contextmanager
def open_h5(path: Path) -> Iterator[dict[str, StoredTensor]]:
    """Open a `tf_model.h5`; the block reads its tensors, by their names in PyTorch.

    Raises:
        TaggerError: It is damaged, or has something that transformers writes to no such file.
    """
    import h5py

    try:
        with h5py.File(path, "r", locking="best-effort") as file:
            places: dict[str, tuple[Any, bytes]] = {}
            _collect(file["/"].id, "", places, set())
            datasets: list[Any] = []

            def open_path(name: str) -> StoredTensor:
                datasets.append(_open_dataset(*places[name], name))
                return StoredTensor(tuple(datasets[-1].shape), partial(_values, datasets[-1]))

            stored = in_pytorch(places, open_path)
            need, size = sum(dataset.nbytes for dataset in datasets), path.stat().st_size
            if need > size:
                raise _RefusedError(f"its tensors need {need:,} bytes, and it has {size:,}")
            yield stored
    except _RefusedError as error:
        raise TaggerError(f"{path} cannot be read: {error}. {_AGAIN}") from error
    except (OSError, RuntimeError, ValueError, TypeError, KeyError, MemoryError) as error:
        raise TaggerError(f"{path} is damaged: {in_brief(error)}. Download it again.") from error


class _RefusedError(Exception):
    """A file has something that transformers writes to no such file."""


def _collect(group: Any, path: str, places: dict[str, tuple[Any, bytes]], seen: set[int]) -> None:
    """Find the datasets of a group and those below it; none is opened.

    Args:
        group: The group.
        path: Its path, with a slash behind it.
        places: The group and the name of each dataset, by its path.
        seen: The addresses of all objects met.
    """
    from h5py import h5g, h5l, h5o

    for name in group:
        link = group.links.get_info(name)
        shown = shorten(path + name.decode("utf-8", "backslashreplace"))
        if link.type != h5l.TYPE_HARD:
            raise _RefusedError(f"{shown!r} is a link to another place or file")
        if b"/" in name or name in (b".", b".."):
            raise _RefusedError(f"{shown!r} is a name that looks like a path")
        found = h5o.get_info(group, name)
        seen_before = found.addr in seen
        seen.add(found.addr)
        if seen_before or path.count("/") >= _DEEPEST or len(seen) > _MOST:
            raise _RefusedError(f"{shown!r} is one object too many: groups are in a circle, too deep or too large")
        if found.type == h5o.TYPE_GROUP:
            _collect(h5g.open(group, name), f"{path}{name.decode()}/", places, seen)
        elif found.type == h5o.TYPE_DATASET:
            places[path + name.decode()] = group, name


def _open_dataset(group: Any, name: bytes, path: str) -> Any:
    """Open a dataset whose values are stored in the file as they are: not in another file, and not compressed."""
    import h5py

    dataset = h5py.h5d.open(group, name)
    plan = dataset.get_create_plist()
    if plan.get_layout() not in (h5py.h5d.CONTIGUOUS, h5py.h5d.COMPACT) or plan.get_external_count():
        raise _RefusedError(f"the values of {shorten(path)!r} are in pieces or in other files")
    if plan.get_nfilters():
        raise _RefusedError(f"{shorten(path)!r} is compressed")
    opened = h5py.Dataset(dataset)
    if opened.dtype.kind != "f" or opened.shape is None:
        raise _RefusedError(f"{shorten(path)!r} has the type {opened.dtype}, and weights are floating-point numbers")
    if dataset.get_storage_size() < opened.nbytes:
        raise _RefusedError(f"{shorten(path)!r} has fewer bytes in the file than its shape {opened.shape} needs")
    return opened


def _values(dataset: Any) -> NDArray[Any]:
    return np.asarray(dataset[...])
