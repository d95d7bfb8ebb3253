"""Plugins with their origin, their status and their contributions."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, TypeVar

from polytag.errors import PluginError

DISABLE_VARIABLE = "POLYTAG_DISABLE_PLUGINS"
ARGUMENT = "`plugins`"
"""Name of `train`'s argument with plugins, for messages."""

Status = Literal["loaded", "blocked", "broken", "incompatible"]


@dataclass(slots=True)
class Plugin:
    """One plugin, with its origin and its status.

    Attributes:
        name: Entry-point name.
        distribution: Name of the installed distribution that declares it; its file or module if it is not installed.
        version: Version of that distribution, or empty.
        module: The value of the entry point.
        status: `loaded`, `blocked` (by the environment), `broken` (its import or its hooks raised), `incompatible`.
        error: The reason why it is not loaded, and what to do about it; or empty.
        deprecations: Deprecated names that it uses.
        import_seconds: Duration of its import.
        plugin: The imported module or object, if it is loaded.
        named_in: If it is not installed, the setting that names it: the variable `POLYTAG_PLUGINS`, or `plugins=`.
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
        """Distribution and version: `polytag 0.1.0`."""
        return f"{self.distribution} {self.version}".rstrip()

    @property
    def source(self) -> str:
        """`plugin 'ner' (polytag 0.1.0)`, for messages."""
        return f"plugin {self.name!r} ({self.origin})"

    @property
    def remedy(self) -> str:
        """Advice about a defect in the plugin."""
        if self.named_in:
            return f"Repair it, or remove it from {self.named_in}."
        return f"Upgrade {self.distribution}, tell its authors, or block it with {DISABLE_VARIABLE}={self.name}."


Contribution = TypeVar("Contribution")


Offer: TypeAlias = tuple[Plugin, dict[str, Contribution]]
"""A plugin and what it contributes of one kind, by name."""


def by_name(items: list[object], expected: type[Contribution]) -> dict[str, Contribution]:
    """The contributions that a hook returned, by name.

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
    plugin.error = f"the variable {DISABLE_VARIABLE} names it. Remove {plugin.name} from the variable to use it."


def distribution_of(entry: importlib.metadata.EntryPoint) -> tuple[str, str]:
    """Name and version of the distribution that declares an entry point."""
    return (entry.dist.name, entry.dist.version) if entry.dist else ("unknown distribution", "?")
