"""The type of a contract, and the tools to check one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from polytag.plugin.registry import Registry


class BrokenContractError(AssertionError):
    """A contribution breaks one of its contracts; the message names the contract and an example."""


class NotCheckableError(Exception):
    """A contract cannot be checked; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Workbench:
    """The tools of a check, in addition to the contribution.

    Attributes:
        registry: All contributions, including other plugins'.
        folder: An empty folder to write to.
        sources: Name of a reader -> a source for it, instead of one that it writes.
        encoders: Name of an encoder provider -> the argument of `--encoder`: for providers that need a checkpoint.
    """

    registry: Registry
    folder: Path
    sources: Mapping[str, str | Path] = field(default_factory=dict)
    encoders: Mapping[str, str | Path] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Contract:
    """One promise of all contributions of a kind.

    Attributes:
        kind: The kind, for messages: `label scheme`.
        promise: The promise: `spans survive being written as tags`.
        check: Raises `BrokenContractError` if the contribution breaks it.
    """

    kind: str
    promise: str
    check: Callable[[Any, Workbench], None]
