"""What a contract is, and what is used to check one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from polytag.plugin.registry import Registry


class BrokenContractError(AssertionError):
    """A contribution does not keep one of its contracts; the message says which, and by what example."""


class NotCheckableError(Exception):
    """A contract cannot be checked with what is there; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Workbench:
    """What checks use beside the thing they check.

    Attributes:
        registry: All contributions, those of other plugins too.
        folder: An empty folder to write to.
        sources: By name of a reader, a source it reads: for readers that cannot write one.
        encoders: By name of an encoder provider, what follows `--encoder`: for providers that need a checkpoint.
    """

    registry: Registry
    folder: Path
    sources: Mapping[str, str | Path] = field(default_factory=dict)
    encoders: Mapping[str, str | Path] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Contract:
    """One promise that contributions of a kind make.

    Attributes:
        kind: The kind, as messages name it: `label scheme`.
        promise: What is promised: `spans survive being written as tags`.
        check: Raises `BrokenContractError` when the contribution breaks it.
    """

    kind: str
    promise: str
    check: Callable[[Any, Workbench], None]
