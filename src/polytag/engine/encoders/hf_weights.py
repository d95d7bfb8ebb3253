"""Convert Keras variables to transformers tensors and back.

The converter of a family says by calls of `port_weight(variable, name, hook)` which tensor fills which variable. A hook
transforms an array of indices as it transforms a tensor (transpose, slice), and the result gives the source of every
number of the variable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polytag.encoding.families import HEAD, tensor_name, tensor_prefix
from polytag.encoding.tensors import check_values
from polytag.engine.encoders.adapter import Adapter
from polytag.errors import TaggerError
from polytag.plugin.encoder import Tensors

Hook = Callable[[NDArray[Any], list[int]], NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Link:
    """One Keras variable and the transformers tensor that fills it."""

    variable: Any
    name: str
    hook: Hook | None

    def to_variable(self, tensor: NDArray[Any]) -> NDArray[Any]:
        """The variable's value, given the tensor."""
        return self.hook(tensor, list(self.variable.shape)) if self.hook else tensor

    def to_tensor(self, base: NDArray[Any], change: NDArray[Any] | None = None) -> NDArray[Any]:
        """The tensor, given the variable's value and its change; numbers that it lacks are taken from `base`."""
        value = np.asarray(self.variable)
        if change is not None:
            value = value + change.reshape(value.shape)
        if not self.hook:
            return value
        index = self.to_variable(np.arange(base.size, dtype=np.int64).reshape(base.shape))
        tensor = base.copy()
        tensor.reshape(-1)[index.reshape(-1)] = value.reshape(-1)
        return tensor


class WeightMap:
    """The links of one backbone.

    Args:
        backbone: A backbone.
        converter: The converter module of its family.
        config: The transformers configuration.
    """

    def __init__(self, backbone: Any, converter: Any, config: Mapping[str, Any]) -> None:
        self._family: str = config["model_type"]
        self.prefix = tensor_prefix(self._family)
        self._links: list[Link] = []
        converter.convert_weights(backbone, self, config)
        self._base: Tensors = {}
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._adapters: dict[int, Adapter] = {}
        self._drawn: list[Link] = []

    def port_weight(self, keras_variable: Any, hf_weight_key: str, hook_fn: Hook | None = None) -> None:
        """Called by converters for every variable."""
        self._links.append(Link(keras_variable, tensor_name(self._family, hf_weight_key), hook_fn))

    def assign(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        """Set the variables from tensors, named with or without the family's prefix.

        Raises:
            TaggerError: A tensor is missing or has the wrong shape.
        """
        is_bare = not any(name.startswith(HEAD) for name in tensors)
        for link in self._links:
            tensor = self._find(tensors, link.name)
            if tensor is None and is_bare and link.name.startswith(HEAD):  # as it was drawn
                tensor = link.to_tensor(np.zeros(link.variable.shape[::-1], np.float32))
                self._drawn.append(link)
            elif tensor is None:
                raise TaggerError(
                    f"The checkpoint has no tensor {link.name!r}, with or without {self.prefix!r}: it is not a "
                    "complete checkpoint of the model type in its config.json."
                )
            check_values(link.name, tensor)
            try:
                value = link.to_variable(tensor)
                link.variable.assign(value)
            except ValueError as error:
                raise _does_not_fit(link.name, tensor) from error
            self._shapes[link.name] = tensor.shape
            if value.size != tensor.size:
                self._base[link.name] = tensor.astype(np.float32)

    def tensors(self) -> Tensors:
        """All tensors of the encoder, float32, named as in a transformers task model; needs `assign` first."""
        saved = dict(self._base)
        for link in self._links:
            base = self._base.get(link.name)
            base = np.zeros(self._shapes[link.name], np.float32) if base is None else base
            adapter = self._adapter_of(link)
            saved[link.name] = link.to_tensor(base, _columns(link, adapter.change()) if adapter else None)
        return {name: np.ascontiguousarray(tensor) for name, tensor in saved.items()}

    def drawn(self) -> list[Any]:
        """The variables for which the tensors had no values."""
        return [link.variable for link in self._drawn]

    def adapt(self, adapters: Iterable[Adapter]) -> None:
        """From now on, some variables are changed by adapters."""
        self._adapters = {id(adapter.kernel): adapter for adapter in adapters}

    def changes(self) -> dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """For each tensor that an adapter changes, float32 (rank, inputs) and (outputs, rank)."""
        found = {}
        for link in self._links:
            if adapter := self._adapter_of(link):
                found[link.name] = (np.asarray(adapter.down).T, _columns(link, np.asarray(adapter.up)).T)
        return found

    def new_names(self) -> frozenset[str]:
        """The names of the tensors that the checkpoint lacked."""
        return frozenset(link.name for link in self._drawn)

    def _adapter_of(self, link: Link) -> Adapter | None:
        return self._adapters.get(id(getattr(link.variable, "whole", link.variable)))

    def copy(self, other: WeightMap) -> None:
        """Copy the variables of another backbone of the same checkpoint."""
        for link, source in zip(self._links, other._links, strict=True):
            link.variable.assign(np.asarray(source.variable))

    def name_of(self, variable: Any) -> str:
        """The name of the tensor that fills a variable."""
        return next(link.name for link in self._links if link.variable is variable)

    def _find(self, tensors: Mapping[str, NDArray[Any]], name: str) -> NDArray[Any] | None:
        found = tensors.get(name)
        return tensors.get(name.removeprefix(self.prefix)) if found is None else found


def _columns(link: Link, matrix: NDArray[Any]) -> NDArray[Any]:
    """The columns of a matrix that belong to the variable of a link, which may be some columns of another one."""
    return matrix[:, getattr(link.variable, "columns", slice(None))]


def _does_not_fit(name: str, tensor: NDArray[Any]) -> TaggerError:
    return TaggerError(
        f"The checkpoint's tensor {name!r} has shape {tuple(tensor.shape)}, which does not fit its config.json. "
        "Download it again, or find out which of the two was changed."
    )
