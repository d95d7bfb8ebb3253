"""Find, isolate, block and validate plugins, and remember who provided what.

pluggy calls hooks; loading is done here, because `load_setuptools_entrypoints` names no culprit when an import fails
and drops duplicate entry-point names silently.
"""

from __future__ import annotations

import importlib.metadata
import os
import time
import traceback
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias, TypeVar

import pluggy

from polytag.errors import PluginError
from polytag.plugin import specs
from polytag.plugin.alignment import AlignmentStrategy
from polytag.plugin.encoder import EncoderProvider
from polytag.plugin.metric import Metric
from polytag.plugin.reader import Reader
from polytag.plugin.scheme import LabelScheme
from polytag.plugin.specs import RunInfo
from polytag.plugin.task import Task

GROUP = "polytag"
DISABLE_VARIABLE = "POLYTAG_DISABLE_PLUGINS"
STRICT_VARIABLE = "POLYTAG_STRICT_PLUGINS"
Status = Literal["loaded", "blocked", "broken", "incompatible"]
_isolated: list[PluginManager] = []


@dataclass(slots=True)
class Plugin:
    """One plugin: where it comes from and what became of it.

    Attributes:
        name: Entry-point name.
        distribution: Name of the installed distribution that declares it.
        version: Version of that distribution.
        module: What the entry point names.
        status: `loaded`, `blocked` (by the environment), `broken` (its import or its hooks raised), `incompatible`.
        error: Why it is not loaded and what to do about it, or empty.
        deprecations: What it uses that a later version of the contract will not have.
        import_seconds: Time its import took.
        plugin: The imported module or object, when it is loaded.
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

    @property
    def source(self) -> str:
        """`plugin 'ner' (polytag 0.1.0)`, for messages."""
        return f"plugin {self.name!r} ({self.distribution} {self.version})"

    @property
    def remedy(self) -> str:
        """What to do about a defect of it."""
        return f"Upgrade {self.distribution}, tell its authors, or block it with {DISABLE_VARIABLE}={self.name}."


Contribution = TypeVar("Contribution")
Offer: TypeAlias = tuple[Plugin, dict[str, Contribution]]
"""A plugin and what it contributes of one kind, by name."""


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
        for entry in candidates:
            same_name = [other for other in candidates if other.name == entry.name and other is not entry]
            self.plugins.append(self._load(entry, disabled, same_name))

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

    # One method per hook. Abstract classes are told apart by isinstance alone, never made; mypy cannot know
    # (type-abstract).

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

    def train_begin(self, run: RunInfo) -> None:
        """Tell observers that training is about to begin.

        Raises:
            PluginError: An observer raised; the message names its plugin.
        """
        self._observe("polytag_train_begin", run=run)

    def epoch_end(self, run: RunInfo, epoch: int, scores: Mapping[str, float]) -> None:
        """Tell observers that an epoch (from 1) has been evaluated.

        Raises:
            PluginError: An observer raised; the message names its plugin.
        """
        self._observe("polytag_epoch_end", run=run, epoch=epoch, scores=scores)

    def train_end(self, run: RunInfo, scores: Mapping[str, float]) -> None:
        """Tell observers that the tagger is saved.

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
        # By name: two entry points that name one module share the object, and only one of them registered it.
        if self._pluggy.has_plugin(plugin.name):
            self._pluggy.unregister(name=plugin.name)
        plugin.plugin = None
        if self._environ.get(STRICT_VARIABLE) == "1":
            raise PluginError(f"{plugin.source}: {error} ({STRICT_VARIABLE} is set.)")

    def register(self, module: object, name: str, distribution: str = "this process", version: str = "0") -> Plugin:
        """Add a plugin that is not installed, as tests do.

        Args:
            module: What an entry point would name: a module, or an object with hook implementations.
            name: What the entry point would be called.
            distribution: What messages say it comes from.
            version: What messages say its version is.

        Raises:
            PluginError: It cannot be loaded, or there is a plugin of that name.
        """
        if any(plugin.name == name for plugin in self.plugins):
            raise PluginError(f"There is a plugin named {name!r} already. Register this one under another name.")
        plugin = Plugin(name, distribution, version, str(getattr(module, "__name__", type(module).__name__)))
        self.plugins.append(plugin)
        self._admit(plugin, module)
        if plugin.status != "loaded":
            raise PluginError(f"{plugin.source}: {plugin.error}")
        return plugin

    def _contributions(self, hook: str, expected: type[Contribution]) -> list[Offer[Contribution]]:
        """Call one registration hook plugin by plugin; a plugin whose hook raises or returns junk becomes `broken`."""
        collected: list[Offer[Contribution]] = []
        for plugin in self.loaded():
            others = [p.plugin for p in self.loaded() if p is not plugin]
            caller = self._pluggy.subset_hook_caller(hook, remove_plugins=others)
            try:
                items = [item for result in caller() for item in result]
            except Exception as error:
                self.reject(plugin, f"its hook {hook} raised {_describe(error)}. {plugin.remedy}")
                continue
            try:
                named = _by_name(items, expected)
            except PluginError as error:
                self.reject(plugin, f"its hook {hook} returned {error}. {plugin.remedy}")
                continue
            collected.append((plugin, named))
        return collected

    def _observe(self, hook: str, **arguments: object) -> None:
        for plugin in self.loaded():
            others = [p.plugin for p in self.loaded() if p is not plugin]
            try:
                self._pluggy.subset_hook_caller(hook, remove_plugins=others)(**arguments)
            except Exception as error:
                raise PluginError(
                    f"{plugin.source}: its hook {hook} raised {_describe(error)}. {plugin.remedy}"
                ) from error

    def _load(
        self,
        entry: importlib.metadata.EntryPoint,
        disabled: set[str],
        same_name: list[importlib.metadata.EntryPoint],
    ) -> Plugin:
        distribution, version = _origin(entry)
        plugin = Plugin(entry.name, distribution, version, entry.value)
        if entry.name in disabled:
            plugin.status = "blocked"
            plugin.error = f"the variable {DISABLE_VARIABLE} names it. Take {entry.name} out of the variable to use it."
            return plugin
        if same_name:
            others = " and ".join(" ".join(_origin(other)) for other in same_name)
            self.reject(
                plugin,
                f"{others} declares an entry point named {entry.name!r} too. Uninstall all but one, or block them with "
                f"{DISABLE_VARIABLE}={entry.name}.",
            )
            return plugin
        began = time.perf_counter()
        try:
            module = entry.load()
        except (Exception, SystemExit) as error:
            self.reject(
                plugin,
                f"its import raised {_describe(error)}. Reinstall or upgrade {distribution}, or block the plugin with "
                f"{DISABLE_VARIABLE}={entry.name}.",
            )
            return plugin
        finally:
            plugin.import_seconds = time.perf_counter() - began
        self._admit(plugin, module)
        return plugin

    def _admit(self, plugin: Plugin, module: object) -> None:
        # Who does not say was written before it mattered: for the first version.
        wanted = getattr(module, "POLYTAG_PLUGIN_API", 1)
        if not isinstance(wanted, int) or not specs.OLDEST_PLUGIN_API <= wanted <= specs.PLUGIN_API:
            newer = not isinstance(wanted, int) or wanted > specs.PLUGIN_API
            oldest, newest = specs.OLDEST_PLUGIN_API, specs.PLUGIN_API
            self.reject(
                plugin,
                f"it needs version {wanted} of the plugin contract, and this polytag has "
                + (f"versions {oldest} to {newest}. " if oldest < newest else f"version {newest}. ")
                + f"Upgrade {'polytag' if newer else plugin.distribution}, or install "
                + (f"an older {plugin.distribution}." if newer else "an older polytag."),
                status="incompatible",
            )
            return
        plugin.plugin = module
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                self._pluggy.register(module, name=plugin.name)
                self._pluggy.check_pending()
        except Exception as error:
            self.reject(plugin, f"it does not fit the hook specifications: {_describe(error)}. {plugin.remedy}")
            return
        for warning in caught:
            if issubclass(warning.category, DeprecationWarning):
                plugin.deprecations.append(str(warning.message))
            # pluggy knows the line that uses what is deprecated, but not whose line it is.
            warnings.warn_explicit(
                f"{plugin.source}: {warning.message}", warning.category, warning.filename, warning.lineno
            )


def _by_name(items: list[object], expected: type[Contribution]) -> dict[str, Contribution]:
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


def _origin(entry: importlib.metadata.EntryPoint) -> tuple[str, str]:
    """Name and version of the distribution that declares an entry point."""
    return (entry.dist.name, entry.dist.version) if entry.dist else ("unknown distribution", "?")


def _describe(error: BaseException) -> str:
    """Type, message, place and causes of an error, on one line."""
    text = " ".join(str(error).split()).rstrip(".")
    described = f"{type(error).__name__}: {text}" if text else type(error).__name__
    if not isinstance(error, SyntaxError) and (place := _place(error)):
        described += f" ({place})"
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return f"{described}, caused by {_describe(cause)}" if cause else described


def _place(error: BaseException) -> str:
    """File and line where an error was raised, unless that is where plugins are loaded and hooks called."""
    loading = ("<frozen", str(Path(importlib.__file__).parent), pluggy.__path__[0], __file__)
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(loading)]
    return f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""


def plugin_manager() -> PluginManager:
    """The manager of this process; plugins are imported at the first call."""
    return _isolated[-1] if _isolated else _installed()


@contextmanager
def isolated(manager: PluginManager) -> Iterator[PluginManager]:
    """Within the block, this manager is the one of the process: for tests of plugins."""
    _isolated.append(manager)
    try:
        yield manager
    finally:
        _isolated.remove(manager)


@cache
def _installed() -> PluginManager:
    return PluginManager()
