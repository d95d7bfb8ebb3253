"""Find, isolate, block and validate plugins, and remember who provided what.

pluggy calls hooks; loading is done here, because `load_setuptools_entrypoints` names no culprit when an import fails
and drops duplicate entry-point names silently.
"""

from __future__ import annotations

import importlib.metadata
import os
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import ModuleType
from typing import Literal

import pluggy

from polytag.errors import PluginError
from polytag.hooks import specs

GROUP = "polytag"
DISABLE_VARIABLE = "POLYTAG_DISABLE_PLUGINS"
STRICT_VARIABLE = "POLYTAG_STRICT_PLUGINS"

Status = Literal["loaded", "blocked", "broken", "incompatible"]


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What observers see of a run."""

    tasks: tuple[str, ...]
    corpus: str
    encoder: str
    output: str


@dataclass(slots=True)
class Plugin:
    """One plugin: where it comes from and what became of it.

    Attributes:
        name: Entry-point name.
        distribution: Name of the installed distribution that declares it.
        version: Version of that distribution.
        module: What the entry point names.
        status: `loaded`, `blocked` (by the environment), `broken` (its import or its hooks raised), `incompatible`.
        error: Why it is not loaded, or empty.
        import_seconds: Time its import took.
        plugin: The imported module or object, when it is loaded.
    """

    name: str
    distribution: str
    version: str
    module: str
    status: Status = "loaded"
    error: str = ""
    import_seconds: float = 0.0
    plugin: object | None = field(default=None, repr=False)

    @property
    def source(self) -> str:
        """`plugin 'ner' (polytag 0.1.0)`, for messages."""
        return f"plugin {self.name!r} ({self.distribution} {self.version})"


class PluginManager:
    """Loads the plugins of every installed distribution, each on its own.

    Args:
        entry_points: The entry points to consider; those of the group `polytag` when None.
        environ: Where the variables are looked up; `os.environ` when None.
    """

    def __init__(
        self,
        entry_points: Iterable[importlib.metadata.EntryPoint] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._environ = os.environ if environ is None else environ
        self._pluggy = pluggy.PluginManager(specs.PROJECT)
        self._pluggy.add_hookspecs(specs)
        found = importlib.metadata.entry_points(group=GROUP) if entry_points is None else entry_points
        self.plugins: list[Plugin] = []
        disabled = {name.strip() for name in self._environ.get(DISABLE_VARIABLE, "").split(",") if name.strip()}
        candidates = sorted(set(found), key=lambda entry: (entry.name, entry.value))
        repeated = {name for name, count in Counter(entry.name for entry in candidates).items() if count > 1}
        for entry in candidates:
            self.plugins.append(self._load(entry, disabled, repeated))

    @property
    def problems(self) -> list[Plugin]:
        """Plugins that are broken or incompatible."""
        return [plugin for plugin in self.plugins if plugin.status in ("broken", "incompatible")]

    def loaded(self) -> list[Plugin]:
        """Plugins whose hooks are called."""
        return [plugin for plugin in self.plugins if plugin.status == "loaded"]

    def contributions(self, hook: str) -> list[tuple[Plugin, list[object]]]:
        """Call one registration hook plugin by plugin; a plugin whose hook raises becomes `broken`."""
        collected: list[tuple[Plugin, list[object]]] = []
        for plugin in self.loaded():
            others = [p.plugin for p in self.loaded() if p is not plugin]
            caller = self._pluggy.subset_hook_caller(hook, remove_plugins=others)
            try:
                items = [item for result in caller() for item in result]
            except Exception as error:
                self.reject(plugin, f"its hook {hook} raised {_describe(error)}.")
                continue
            collected.append((plugin, items))
        return collected

    def reject(self, plugin: Plugin, error: str, status: Status = "broken") -> None:
        """Take a plugin out of use, so that none of its contributions are used.

        Raises:
            PluginError: `POLYTAG_STRICT_PLUGINS=1`.
        """
        plugin.status, plugin.error = status, error
        # By name: two entry points that name one module share the object, and only one of them registered it.
        if self._pluggy.has_plugin(plugin.name):
            self._pluggy.unregister(name=plugin.name)
        plugin.plugin = None
        if self._environ.get(STRICT_VARIABLE) == "1":
            raise PluginError(f"{plugin.source}: {error} ({STRICT_VARIABLE} is set.)")

    def observe(self, hook: str, **arguments: object) -> None:
        """Call one observer hook; errors of observers are theirs and are raised with their source.

        Raises:
            PluginError: An observer raised.
        """
        for plugin in self.loaded():
            others = [p.plugin for p in self.loaded() if p is not plugin]
            try:
                self._pluggy.subset_hook_caller(hook, remove_plugins=others)(**arguments)
            except Exception as error:
                raise PluginError(
                    f"{plugin.source}: its hook {hook} raised {_describe(error)}. Disable it with "
                    f"{DISABLE_VARIABLE}={plugin.name}, or report this to its authors."
                ) from error

    def _load(self, entry: importlib.metadata.EntryPoint, disabled: set[str], repeated: set[str]) -> Plugin:
        distribution = entry.dist.name if entry.dist else "unknown distribution"
        version = entry.dist.version if entry.dist else "?"
        plugin = Plugin(entry.name, distribution, version, entry.value)
        if entry.name in disabled:
            plugin.status, plugin.error = "blocked", f"blocked by {DISABLE_VARIABLE}"
            return plugin
        if entry.name in repeated:
            self.reject(
                plugin,
                f"another distribution declares an entry point named {entry.name!r} too. Uninstall one of the two, "
                f"or block both with {DISABLE_VARIABLE}={entry.name}.",
            )
            return plugin
        began = time.perf_counter()
        try:
            module = entry.load()
        except Exception as error:
            self.reject(plugin, f"its import raised {_describe(error)}. Reinstall or upgrade {distribution}.")
            return plugin
        finally:
            plugin.import_seconds = time.perf_counter() - began
        wanted = getattr(module, "POLYTAG_PLUGIN_API", specs.PLUGIN_API)
        if not isinstance(wanted, int) or wanted > specs.PLUGIN_API:
            self.reject(
                plugin,
                f"it needs version {wanted} of the plugin contract and this polytag has {specs.PLUGIN_API}. "
                f"Upgrade polytag, or install an older {distribution}.",
                status="incompatible",
            )
            return plugin
        self._register(plugin, module)
        return plugin

    def _register(self, plugin: Plugin, module: ModuleType | object) -> None:
        plugin.plugin = module
        try:
            self._pluggy.register(module, name=plugin.name)
            self._pluggy.check_pending()
        except Exception as error:
            self.reject(plugin, f"it does not fit the hook specifications: {_describe(error)}.")


def _describe(error: BaseException) -> str:
    text = " ".join(str(error).split()).rstrip(".")
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


@cache
def plugin_manager() -> PluginManager:
    """The manager of this process; plugins are imported at the first call."""
    return PluginManager()
