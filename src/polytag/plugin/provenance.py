"""Provenance: a plugin, where it comes from, what became of it, and what it contributes."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, TypeVar

from polytag.errors import PluginError

DISABLE_VARIABLE = "POLYTAG_DISABLE_PLUGINS"
ARGUMENT = "`plugins`"
"""What messages call the argument of `train` that holds plugins."""

Status = Literal["loaded", "blocked", "broken", "incompatible"]


@dataclass(slots=True)
class Plugin:
    """One plugin: where it comes from and what became of it.

    Attributes:
        name: Entry-point name.
        distribution: Name of the installed distribution that declares it; of one that is not installed, its file or
            module.
        version: Version of that distribution, or empty.
        module: What the entry point names.
        status: `loaded`, `blocked` (by the environment), `broken` (its import or its hooks raised), `incompatible`.
        error: Why it is not loaded and what to do about it, or empty.
        deprecations: What it uses that a later version of the contract will not have.
        import_seconds: Time its import took.
        plugin: The imported module or object, when it is loaded.
        named_in: Of one that is not installed, what names it: the variable `POLYTAG_PLUGINS`, or `plugins=`.
    """

    name: str
    distribution: str
    version: str
    module: str
    status: Status = "loaded"
    error: str = ""
    deprecations: list[str] = field(default_factory=list)
    import_seconds: float = 0.0
    plugin: object | None = field(default=None, repr=False)
    named_in: str = ""

    @property
    def origin(self) -> str:
        """`polytag 0.1.0`: where it comes from."""
        return f"{self.distribution} {self.version}".rstrip()

    @property
    def source(self) -> str:
        """`plugin 'ner' (polytag 0.1.0)`, for messages."""
        return f"plugin {self.name!r} ({self.origin})"

    @property
    def remedy(self) -> str:
        """What to do about a defect of it."""
        if self.named_in:
            return f"Repair it, or take it out of {self.named_in}."
        return f"Upgrade {self.distribution}, tell its authors, or block it with {DISABLE_VARIABLE}={self.name}."


Contribution = TypeVar("Contribution")


Offer: TypeAlias = tuple[Plugin, dict[str, Contribution]]
"""A plugin and what it contributes of one kind, by name."""


def by_name(items: list[object], expected: type[Contribution]) -> dict[str, Contribution]:
    """What a hook returned, by name.

    Raises:
        PluginError: An item is of another type, or has no name, or a name occurs twice.
    """
    named: dict[str, Contribution] = {}
    for item in items:
        if not isinstance(item, expected):
            raise PluginError(f"{type(item).__name__} where {expected.__name__} is expected")
        name = getattr(item, "name", None)
        if not isinstance(name, str) or not name:
            raise PluginError(f"a {type(item).__name__} without a name")
        if name in named:
            raise PluginError(f"two contributions named {name!r}")
        named[name] = item
    return named


def block(plugin: Plugin) -> None:
    """Mark a plugin that the environment blocks."""
    plugin.status = "blocked"
    plugin.error = f"the variable {DISABLE_VARIABLE} names it. Take {plugin.name} out of the variable to use it."


def distribution_of(entry: importlib.metadata.EntryPoint) -> tuple[str, str]:
    """Name and version of the distribution that declares an entry point."""
    return (entry.dist.name, entry.dist.version) if entry.dist else ("unknown distribution", "?")
