"""Find, isolate, block and validate plugins, and record their contributions.

pluggy calls hooks. Loading is done here, because `load_setuptools_entrypoints` does not name the plugin whose import
fails, and drops duplicate entry-point names silently.
"""

from __future__ import annotations

import importlib.metadata
import os
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

import pluggy

from polytag.errors import PluginError
from polytag.plugin import specs, unpackaged
from polytag.plugin.alignment import AlignmentStrategy
from polytag.plugin.blame import describe
from polytag.plugin.contributions import Misfit, by_name
from polytag.plugin.encoder import EncoderProvider
from polytag.plugin.guard import guarded
from polytag.plugin.head import Head
from polytag.plugin.metric import Metric
from polytag.plugin.provenance import (
    ARGUMENT,
    DISABLE_VARIABLE,
    Contribution,
    Offer,
    Plugin,
    Status,
    block,
    distribution_of,
    installed_entry_points,
    other_contract,
)
from polytag.plugin.reader import Reader
from polytag.plugin.scheme import LabelScheme
from polytag.plugin.specs import RunInfo
from polytag.plugin.splitter import Splitter
from polytag.plugin.surroundings import for_plugin
from polytag.plugin.task import Task

GROUP = "polytag"
STRICT_VARIABLE = "POLYTAG_STRICT_PLUGINS"

_isolated: list[PluginManager] = []


class PluginManager:
    """Loads the plugins of every installed distribution and of `POLYTAG_PLUGINS`, isolated from each other.

    Args:
        entry_points: The entry points to consider; by default the group `polytag`.
        environ: The environment variables; `os.environ` by default.
    """

    def __init__(
        self,
        entry_points: Iterable[importlib.metadata.EntryPoint] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._environ = os.environ if environ is None else environ
        self._pluggy = pluggy.PluginManager(specs.PROJECT)
        self._pluggy.add_hookspecs(specs)
        found = installed_entry_points(GROUP) if entry_points is None else entry_points
        self.plugins: list[Plugin] = []
        disabled = {name.strip() for name in self._environ.get(DISABLE_VARIABLE, "").split(",") if name.strip()}
        candidates = sorted(set(found), key=lambda entry: (entry.name, entry.value))
        for entry in candidates:
            same_name = [other for other in candidates if other.name == entry.name and other is not entry]
            self.plugins.append(self._load(entry, disabled, same_name))
        for given in unpackaged.wanted(self._environ):
            self.plugins.append(self._load_unpackaged(given, disabled))
        self.registered = 0
        """Number of plugins added later; contributions collected before are out of date if it changes."""

    @property
    def problems(self) -> list[Plugin]:
        """Plugins that are broken or incompatible."""
        return [plugin for plugin in self.plugins if plugin.status in ("broken", "incompatible")]

    def loaded(self) -> list[Plugin]:
        """Plugins whose hooks are called."""
        return [plugin for plugin in self.plugins if plugin.status == "loaded"]

    def implements(self, plugin: Plugin) -> list[str]:
        """Names of the hooks that a loaded plugin implements."""
        return [caller.name for caller in self._pluggy.get_hookcallers(plugin.plugin) or ()]

    # One method per hook. mypy cannot know that abstract classes are never instantiated here (type-abstract).

    def tasks(self) -> list[Offer[Task]]:
        """The tasks of each plugin, by name."""
        return self._contributions("polytag_tasks", Task)

    def label_schemes(self) -> list[Offer[LabelScheme]]:
        """The label schemes of each plugin, by name."""
        return self._contributions("polytag_label_schemes", LabelScheme)  # type: ignore[type-abstract]

    def alignments(self) -> list[Offer[AlignmentStrategy]]:
        """The alignment strategies of each plugin, by name."""
        return self._contributions("polytag_alignments", AlignmentStrategy)  # type: ignore[type-abstract]

    def metrics(self) -> list[Offer[Metric]]:
        """The metrics of each plugin, by name."""
        return self._contributions("polytag_metrics", Metric)  # type: ignore[type-abstract]

    def readers(self) -> list[Offer[Reader]]:
        """The readers of each plugin, by name."""
        return self._contributions("polytag_readers", Reader)  # type: ignore[type-abstract]

    def encoders(self) -> list[Offer[EncoderProvider]]:
        """The encoder providers of each plugin, by name."""
        return self._contributions("polytag_encoders", EncoderProvider)  # type: ignore[type-abstract]

    def splitters(self) -> list[Offer[Splitter]]:
        """The splitters of each plugin, by name."""
        return self._contributions("polytag_splitters", Splitter)  # type: ignore[type-abstract]

    def heads(self) -> list[Offer[Head]]:
        """The heads of each plugin, by name."""
        return self._contributions("polytag_heads", Head)  # type: ignore[type-abstract]

    def train_begin(self, run: RunInfo) -> None:
        """Notify observers that training is about to begin.

        Raises:
            PluginError: An observer raised; the message names its plugin.
        """
        self._observe("polytag_train_begin", run=run)

    def epoch_end(self, run: RunInfo, epoch: int, scores: Mapping[str, float]) -> None:
        """Notify observers that an epoch (from 1) has been evaluated.

        Raises:
            PluginError: An observer raised; the message names its plugin.
        """
        self._observe("polytag_epoch_end", run=run, epoch=epoch, scores=scores)

    def train_end(self, run: RunInfo, scores: Mapping[str, float]) -> None:
        """Notify observers that the tagger is saved.

        Raises:
            PluginError: An observer raised; the message names its plugin.
        """
        self._observe("polytag_train_end", run=run, scores=scores)

    def reject(self, plugin: Plugin, error: str, status: Status = "broken") -> None:
        """Take a plugin out of use, so that none of its contributions are used.

        Raises:
            PluginError: `POLYTAG_STRICT_PLUGINS=1`.
        """
        plugin.status, plugin.error = status, error
        # Two plugins may share a module, or a name, and only one of them has registered it.
        if plugin.plugin is not None and self._pluggy.get_plugin(plugin.name) is plugin.plugin:
            self._pluggy.unregister(name=plugin.name)
        plugin.plugin = None
        if self._environ.get(STRICT_VARIABLE) == "1":
            raise PluginError(f"{plugin.source}: {error} ({STRICT_VARIABLE} is set.)")

    def register(self, module: object, name: str, distribution: str = "this process", version: str = "0") -> Plugin:
        """Add a plugin that is not installed, for tests.

        Args:
            module: A module or an object with hook implementations, as an entry point would name it.
            name: Name of the entry point.
            distribution: Name of the distribution, for messages.
            version: Version of the distribution, for messages.

        Raises:
            PluginError: It cannot be loaded, or a plugin with this name exists.
        """
        if any(plugin.name == name for plugin in self.plugins):
            raise PluginError(f"A plugin named {name!r} already exists. Register this one under another name.")
        return self._register(Plugin(name, distribution, version, _name_of(module)), module)

    def add(self, module: object) -> Plugin:
        """Add a plugin that is not installed, under the name of its module, unless it is already loaded.

        Args:
            module: A module or an object with hook implementations, as an entry point would name it.

        Raises:
            PluginError: It cannot be loaded, implements no hook, or another plugin with this name exists.
        """
        for known in self.plugins:
            if known.status == "loaded" and known.plugin is module:
                return known
        name = _name_of(module)
        plugin = Plugin(name, "this process", str(getattr(module, "__version__", "")), name, named_in=ARGUMENT)
        with guarded(plugin, "looking for its hooks"):
            implements = any(self._pluggy.parse_hookimpl_opts(module, attribute) for attribute in dir(module))
        if not implements:
            raise PluginError(
                f"{plugin.source}: it implements no hook. Mark functions such as polytag_tasks with @polytag.hookimpl."
            )
        # A plugin that was broken before may have been repaired, as in a notebook.
        self.plugins = [p for p in self.plugins if (p.name, p.named_in) != (name, ARGUMENT) or p.plugin]
        for known in self.plugins:
            if known.name == name:
                raise PluginError(
                    f"A plugin named {name!r} already exists: {known.source}. Rename the module that "
                    f"{ARGUMENT} holds, or leave it out."
                )
        try:
            return self._register(plugin, module)
        except PluginError:
            self.plugins.remove(plugin)
            raise

    def _register(self, plugin: Plugin, module: object) -> Plugin:
        self.plugins.append(plugin)
        self.registered += 1
        self._admit(plugin, module)
        if plugin.status != "loaded":
            raise PluginError(f"{plugin.source}: {plugin.error}")
        return plugin

    def _contributions(self, hook: str, expected: type[Contribution]) -> list[Offer[Contribution]]:
        """Call one registration hook per plugin; if the hook raises or its result is invalid, the plugin is broken."""
        collected: list[Offer[Contribution]] = []
        for plugin in self.loaded():
            with self._or_broken(plugin, f"its hook {hook} raised", plugin.remedy, f"its hook {hook} returned"):
                collected.append((plugin, by_name(self._caller(plugin, hook)(), expected)))
        return collected

    def _observe(self, hook: str, **arguments: object) -> None:
        for plugin in self.loaded():
            with for_plugin(), guarded(plugin, f"its hook {hook}"):
                self._caller(plugin, hook)(**arguments)

    def _caller(self, plugin: Plugin, hook: str) -> Callable[..., list[Any]]:
        """A hook of one plugin alone, so that errors are attributed to it."""
        others = [p.plugin for p in self.loaded() if p is not plugin]
        return self._pluggy.subset_hook_caller(hook, remove_plugins=others)

    @contextmanager
    def _or_broken(self, plugin: Plugin, failed: str, advice: str, misfit: str = "") -> Iterator[None]:
        """A step of loading a plugin; if it raises anything, the plugin is broken."""
        try:
            with for_plugin(loading=True):
                yield
        except KeyboardInterrupt:
            raise
        except Misfit as error:
            self.reject(plugin, f"{misfit} {error}. {advice}")
        except BaseException as error:
            self.reject(plugin, f"{failed} {describe(error)}. {advice}")

    def _load(
        self,
        entry: importlib.metadata.EntryPoint,
        disabled: set[str],
        same_name: list[importlib.metadata.EntryPoint],
    ) -> Plugin:
        distribution, version = distribution_of(entry)
        plugin = Plugin(entry.name, distribution, version, entry.value)
        if entry.name in disabled:
            block(plugin)
        elif same_name:
            others = " and ".join(" ".join(distribution_of(other)) for other in same_name)
            self.reject(
                plugin,
                f"{others} also declares an entry point named {entry.name!r}. Uninstall all but one, or block them "
                f"with {DISABLE_VARIABLE}={entry.name}.",
            )
        else:
            advice = f"Reinstall or upgrade {distribution}, or block the plugin with {DISABLE_VARIABLE}={entry.name}."
            self._import(plugin, entry.load, advice)
        return plugin

    def _load_unpackaged(self, given: str, disabled: set[str]) -> Plugin:
        name = unpackaged.name_of(given)
        plugin = Plugin(name, unpackaged.source_of(given), "", given, named_in=unpackaged.VARIABLE)
        same_name = [other for other in self.plugins if other.name == name]
        if name in disabled:
            block(plugin)
        elif same_name:
            self.reject(plugin, f"{same_name[0].source} has the same name. Rename it, or take one of them out of use.")
        else:
            self._import(plugin, partial(unpackaged.load, given), plugin.remedy)
        return plugin

    def _import(self, plugin: Plugin, load: Callable[[], object], advice: str) -> None:
        began = time.perf_counter()
        with self._or_broken(plugin, "its import raised", advice):
            module = load()
        plugin.import_seconds = time.perf_counter() - began
        if plugin.status == "loaded":
            self._admit(plugin, module)

    def _admit(self, plugin: Plugin, module: object) -> None:
        misfit = "it does not fit the hook specifications:"
        with self._or_broken(plugin, misfit, plugin.remedy):
            # Plugins that declare no version predate versioning: assume 1.
            unfit = other_contract(plugin, getattr(module, "POLYTAG_PLUGIN_API", 1))
        if plugin.status != "loaded":
            return
        if unfit:
            self.reject(plugin, unfit, status="incompatible")
            return
        plugin.plugin = module
        with self._or_broken(plugin, misfit, plugin.remedy), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            self._pluggy.register(module, name=plugin.name)
            self._pluggy.check_pending()
        if plugin.status != "loaded":
            return
        for warning in caught:
            if issubclass(warning.category, DeprecationWarning):
                plugin.deprecations.append(str(warning.message))
            # pluggy knows the line that uses a deprecated name, but not the plugin.
            warnings.warn_explicit(
                f"{plugin.source}: {warning.message}", warning.category, warning.filename, warning.lineno
            )


def _name_of(module: object) -> str:
    return str(getattr(module, "__name__", type(module).__name__))


def plugin_manager() -> PluginManager:
    """The manager of this process; plugins are imported at the first call."""
    return _isolated[-1] if _isolated else _installed()


def known_manager() -> PluginManager | None:
    """The manager of this process, if its plugins have been imported."""
    return _isolated[-1] if _isolated else _installed() if _installed.cache_info().currsize else None


@contextmanager
def isolated(manager: PluginManager) -> Iterator[PluginManager]:
    """This manager is the manager of the process within the block: for tests of plugins."""
    _isolated.append(manager)
    try:
        yield manager
    finally:
        _isolated.remove(manager)


@cache
def _installed() -> PluginManager:
    return PluginManager()
