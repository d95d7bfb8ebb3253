"""The weights of a folder: all of them, or an adapter of another folder's (LoRA, Hu et al. 2021).

An adapter has the layout of the library PEFT: `adapter_model.safetensors` has two small matrices for each matrix of
weights that it changes, `lora_A` (rank, inputs) and `lora_B` (outputs, rank), and other tensors whole.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, ValidationError

from polytag.encoding import tensors as files
from polytag.encoding.checkpoint import find_checkpoint, is_local
from polytag.encoding.json_values import read_json
from polytag.encoding.tensors import WEIGHTS, check_values, fingerprint, save_tensors
from polytag.errors import PolytagError, TaggerError, shorten
from polytag.plugin.adapter import AdapterWeights
from polytag.plugin.encoder import Tensors

ADAPTER = "adapter_model.safetensors"
ADAPTER_CONFIG = "adapter_config.json"
_PREFIX = "base_model.model."
_OF_ADAPTER = ".lora_"
_DOWN, _UP = f"{_OF_ADAPTER}A.weight", f"{_OF_ADAPTER}B.weight"
_BASE = "base_weights"
"""The name, in the metadata of the file, of the fingerprint of the weights that the adapter changes."""
_AGAIN = "Train the tagger again, or restore it from a copy."


class _Config(BaseModel):
    """The fields of an adapter's configuration that its weights depend on; variants of LoRA are refused."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)

    peft_type: Literal["LORA"]
    base_model_name_or_path: Annotated[str, Field(min_length=1)]
    revision: str | None = None
    r: PositiveInt
    lora_alpha: PositiveFloat
    use_rslora: Literal[False] = False
    use_dora: Literal[False] = False
    rank_pattern: Annotated[dict[str, Any], Field(max_length=0)] = {}
    alpha_pattern: Annotated[dict[str, Any], Field(max_length=0)] = {}


def weights_file(folder: Path) -> str:
    """The name of the file whose fingerprint identifies the weights of a tagger."""
    return ADAPTER if is_adapter(folder) else WEIGHTS


def is_adapter(folder: Path) -> bool:
    """Whether the weights in a folder change weights that are elsewhere."""
    return (folder / ADAPTER_CONFIG).is_file() and not files.has_weights(folder)


def has_weights(folder: Path) -> bool:
    """Whether a folder has weights of some form."""
    return is_adapter(folder) or files.has_weights(folder)


def read_weights(folder: Path, weights: str | None = None) -> Tensors:
    """All tensors of a tagger or a checkpoint; for an adapter, the tensors of its base after its changes.

    Args:
        folder: The folder.
        weights: The fingerprint of `weights_file`; None to accept any, and weights in several files.

    Raises:
        TaggerError: As `read_tensors`; or the base of an adapter is missing, or has other weights than it had.
    """
    own = own_tensors(folder, weights)
    if not is_adapter(folder):
        return own
    config, base = _base_of(folder)
    found = files.read_tensors(base)
    for name in [name.removesuffix(_DOWN) for name in own if name.endswith(_DOWN)]:
        target = _target(found, f"{name}.weight")
        down, up = own.pop(name + _DOWN), own.pop(name + _UP, None)
        if target is None or up is None or not _fit(found[target], down, up, config.r):
            raise TaggerError(
                f"{folder / ADAPTER} does not fit its base, {str(base)!r}: the base has no matrix {name!r} of the size "
                f"that the adapter changes. {_AGAIN}"
            )
        check_values(name + _DOWN, down)
        check_values(name + _UP, up)
        with np.errstate(over="ignore", invalid="ignore"):  # the sum is checked where it is used
            change = up.astype(np.float32) @ down.astype(np.float32)
            found[target] = found[target].astype(np.float32) + np.float32(config.lora_alpha / config.r) * change
    if unread := next((name for name in own if _OF_ADAPTER in name), None):
        raise TaggerError(
            f"{folder / ADAPTER} has a tensor {shorten(unread)!r}, which polytag cannot read: an adapter has pairs of "
            f"'…{_DOWN}' and '…{_UP}'. {_AGAIN}"
        )
    for name, tensor in own.items():
        found.pop(_target(found, name) or "", None)
        found[name] = tensor
    return found


def own_tensors(folder: Path, weights: str | None = None) -> Tensors:
    """The tensors in a folder; for an adapter, without its base: heads and other whole tensors, and small matrices.

    Args:
        folder: The folder.
        weights: As for `read_weights`.

    Raises:
        TaggerError: As `read_tensors`.
    """
    if not is_adapter(folder):
        return files.read_tensors(folder, weights)
    own = files.read_tensors(folder, weights, ADAPTER)
    return {name.removeprefix(_PREFIX): tensor for name, tensor in own.items()}


def local_base(folder: Path) -> str | None:
    """The base of an adapter, if it is a folder on this machine, and not a name on the hub.

    Raises:
        TaggerError: The configuration of the adapter is damaged.
    """
    if not is_adapter(folder):
        return None
    name = _read_config(folder / ADAPTER_CONFIG).base_model_name_or_path
    return name if is_local(name) else None


def weight_shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    """The shape of each tensor of `read_weights`, by its name; only the headers are read.

    Raises:
        TaggerError: As `read_weights`.
    """
    return files.read_shapes(_base_of(folder, content=False)[1] if is_adapter(folder) else folder)


def weights_fingerprint(folder: Path) -> str:
    """The fingerprint of all weights of a checkpoint, in one or several files.

    Raises:
        PolytagError: It is an adapter itself.
    """
    if is_adapter(folder):
        raise PolytagError(
            f"{str(folder)!r} is an adapter itself, and cannot be the base of another one. Start from its base, or "
            f"without --lora; `polytag export {folder} FOLDER --to transformers` writes a tagger of one task whole."
        )
    of_each = [fingerprint(folder / name) for name in files.weight_files(folder)]
    return of_each[0] if len(of_each) == 1 else hashlib.sha256("".join(of_each).encode()).hexdigest()


def save_adapter(folder: Path, adapter: AdapterWeights, whole: Mapping[str, NDArray[Any]]) -> None:
    """Write an adapter.

    Args:
        folder: The folder.
        adapter: The changes, and what they change.
        whole: Tensors that the base lacks, such as the tensors of heads.
    """
    own = {_PREFIX + name: tensor for name, tensor in whole.items()}
    for name, (down, up) in adapter.changes.items():
        module = _PREFIX + name.removesuffix(".weight")
        own[module + _DOWN], own[module + _UP] = np.ascontiguousarray(down), np.ascontiguousarray(up)
    # One entry of metadata: the order of several is not fixed, and the bytes of the file should be.
    save_tensors(own, folder / ADAPTER, metadata={_BASE: adapter.base_weights})
    config = {
        "peft_type": "LORA",
        "task_type": "TOKEN_CLS",
        "base_model_name_or_path": adapter.base,
        "revision": adapter.revision,
        "r": adapter.rank,
        "lora_alpha": adapter.scale * adapter.rank,
        "lora_dropout": 0.0,
        "bias": "none",
        "fan_in_fan_out": False,
        "inference_mode": True,
        "target_modules": sorted(name.removesuffix(".weight") for name in adapter.changes),
        "modules_to_save": sorted({name.rpartition(".")[0] for name in whole}),
    }
    (folder / ADAPTER_CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def _base_of(folder: Path, content: bool = True) -> tuple[_Config, Path]:
    """The configuration of an adapter, and the folder of its base.

    Args:
        folder: The folder of the adapter.
        content: Whether to check that the base has the weights that the adapter was made for.
    """
    config = _read_config(folder / ADAPTER_CONFIG)
    name = config.base_model_name_or_path
    pinned = config.revision and "@" not in name and not is_local(name)  # else the user wrote another place
    try:
        base = find_checkpoint(f"{name}@{config.revision}" if pinned else name, "base")
        has_weights = not is_adapter(base) and files.has_weights(base)
    except PolytagError as error:
        raise TaggerError(
            f"The tagger {str(folder)!r} is an adapter of {name!r}, which is needed to load it. {error} If it is "
            f"elsewhere now, write its place into {folder / ADAPTER_CONFIG}, as 'base_model_name_or_path'."
        ) from error
    recorded = files.metadata(folder / ADAPTER).get(_BASE) if content else None
    if not has_weights or (recorded is not None and weights_fingerprint(base) != recorded):
        raise TaggerError(
            f"The tagger {str(folder)!r} is an adapter of {str(base)!r}, which does not have the weights that it had "
            "when the adapter was trained. Restore them, or train the tagger again."
        )
    return config, base


def _read_config(path: Path) -> _Config:
    try:
        return _Config.model_validate(read_json(path, _AGAIN, TaggerError))
    except ValidationError as error:
        problem = error.errors()[0]
        raise TaggerError(
            f"{path} is not a configuration of an adapter that polytag can read: "
            f"{shorten('.'.join(map(str, problem['loc'])))}: {problem['msg']}. {_AGAIN}"
        ) from error


def _target(tensors: Mapping[str, Any], name: str) -> str | None:
    """The name of a tensor in a checkpoint, which may lack the prefix of its family, as in `encoder.…`."""
    return next((own for own in (name, name.partition(".")[2]) if own in tensors), None)


def _fit(target: NDArray[Any], down: NDArray[Any], up: NDArray[Any], rank: int) -> bool:
    flat = down.ndim == up.ndim == 2 and down.shape[0] == up.shape[1] == rank
    return flat and tuple(target.shape) == (up.shape[0], down.shape[1])
