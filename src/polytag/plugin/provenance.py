"""Plugins with their origin, their status and their contributions."""

from __future__ import annotations

import importlib.metadata
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, TypeVar

from polytag.errors import PluginError
from polytag.plugin import specs

DISABLE_VARIABLE = "POLYTAG_DISABLE_PLUGINS"
OWN = "polytag"
"""The name of polytag's distribution, and of its package."""
CORE = "polytag.builtin"
"""The module of core's own plugin."""
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
    def is_core(self) -> bool:
        """Whether it is core's own plugin, whose errors are defects of polytag."""
        return self.module == CORE

    @property
    def is_own(self) -> bool:
        """Whether it is part of polytag's distribution."""
        return self.distribution == OWN

    def failure(self, what: str) -> PluginError:
        """The error that says what is wrong with the plugin, and what to do about it."""
        return PluginError(f"{self.source}: {what}. {self.remedy}")

    @property
    def remedy(self) -> str:
        """Advice about a defect in the plugin."""
        if self.named_in:
            return f"Repair it, or remove it from {self.named_in}."
        return f"Upgrade {self.distribution}, tell its authors, or block it with {DISABLE_VARIABLE}={self.name}."


Contribution = TypeVar("Contribution")


Offer: TypeAlias = tuple[Plugin, dict[str, Contribution]]
"""A plugin and what it contributes of one kind, by name."""


def block(plugin: Plugin) -> None:
    """Mark a plugin that the environment blocks."""
    plugin.status = "blocked"
    plugin.error = f"the variable {DISABLE_VARIABLE} names it. Remove {plugin.name} from the variable to use it."


def distribution_of(entry: importlib.metadata.EntryPoint) -> tuple[str, str]:
    """Name and version of the distribution that declares an entry point; `?` for what its metadata does not say."""
    if entry.dist is None:
        return "unknown distribution", "?"
    try:
        said = entry.dist.metadata
    except Exception:  # a file that cannot be decoded
        return "unknown distribution", "?"
    # A file without the field gives None, whatever the type says.
    return said["Name"] or "unknown distribution", said["Version"] or "?"


def installed_entry_points(group: str) -> list[importlib.metadata.EntryPoint]:
    """The entry points of a group; distributions whose metadata cannot be read have none."""
    try:
        return list(importlib.metadata.entry_points(group=group))
    except Exception:  # the metadata of one distribution is damaged
        found: list[importlib.metadata.EntryPoint] = []
        for distribution in importlib.metadata.distributions():
            with suppress(Exception):
                found += distribution.entry_points.select(group=group)
        return found


def other_contract(plugin: Plugin, wanted: object) -> str:
    """Why a plugin for this version of the contract cannot be loaded; empty if it can."""
    if isinstance(wanted, int) and specs.OLDEST_PLUGIN_API <= wanted <= specs.PLUGIN_API:
        return ""
    newer = not isinstance(wanted, int) or wanted > specs.PLUGIN_API
    oldest, newest = specs.OLDEST_PLUGIN_API, specs.PLUGIN_API
    if plugin.named_in:
        advice = "Upgrade polytag." if newer else plugin.remedy
    elif newer:
        advice = f"Upgrade polytag, or install an older {plugin.distribution}."
    else:
        advice = f"Upgrade {plugin.distribution}, or install an older polytag."
    return (
        f"it needs version {wanted!s:.20} of the plugin contract, and this polytag has "
        + (f"versions {oldest} to {newest}. " if oldest < newest else f"version {newest}. ")
        + advice
    )
