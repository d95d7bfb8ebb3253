"""The contributions of plugins, by name, with their providers."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Generic

from polytag.errors import PluginError, PluginWarning, PolytagError, UnknownNameError, message_of, with_article
from polytag.plugin.alignment import AlignmentStrategy
from polytag.plugin.blame import describe
from polytag.plugin.contributions import Misfit, try_alignment, try_scheme
from polytag.plugin.encoder import EncoderProvider
from polytag.plugin.guard import guarded
from polytag.plugin.head import Head
from polytag.plugin.manager import PluginManager, plugin_manager
from polytag.plugin.metric import Metric
from polytag.plugin.provenance import Contribution, Offer, Plugin
from polytag.plugin.reader import Reader
from polytag.plugin.scheme import LabelScheme
from polytag.plugin.splitter import Splitter
from polytag.plugin.surroundings import for_plugin
from polytag.plugin.task import Task

_SHOWN = 3


class Kind(Generic[Contribution]):
    """All contributions of one kind: a mapping from name to contribution that also knows the provider of each.

    A name that two plugins claim is an error, but only for a run that uses it.
    """

    def __init__(
        self,
        manager: PluginManager,
        noun: str,
        offers: Iterable[Offer[Contribution]],
        trial: Callable[[Contribution], None] | None = None,
    ) -> None:
        self.noun = noun
        self._manager = manager
        self._trial = trial
        self._failures: dict[int, PluginError | None] = {}
        self._offers: dict[str, list[tuple[Plugin, Contribution]]] = {}
        for plugin, named in offers:
            for name, item in named.items():
                self._offers.setdefault(name, []).append((plugin, item))

    def __getitem__(self, name: str) -> Contribution:
        """The contribution with this name.

        Raises:
            UnknownNameError, PluginError: As `get`.
        """
        return self.get(name)

    def get(self, name: str, needed_by: str = "") -> Contribution:
        """The contribution with this name.

        Args:
            name: Its name.
            needed_by: The thing that needs it, for the message: `the task 'ner'`.

        Raises:
            UnknownNameError: No plugin provides it; the message suggests similar names and lists plugins that failed.
            PluginError: Several plugins provide it, or its methods fail.
        """
        if not isinstance(name, str) or name not in self._offers:
            error = UnknownNameError(self.noun, name, self, needed_by)
            if absent := [plugin for plugin in self._manager.plugins if plugin.status != "loaded"]:
                listed = ", ".join(f"{plugin.source}, {plugin.status}" for plugin in absent[:_SHOWN])
                listed += f" and {len(absent) - _SHOWN} more" if len(absent) > _SHOWN else ""
                error.args = (f"{error} Not loaded: {listed}; `polytag plugins` shows why.",)
            raise error
        usable = self._usable(name)
        if len(usable) > 1:
            sources = " and ".join(plugin.source for plugin, _ in usable)
            raise PluginError(
                f"Several plugins provide {with_article(self.noun)} named {name!r}: {sources}. Uninstall one of them, "
                "or block it with POLYTAG_DISABLE_PLUGINS=<plugin name>."
            )
        if not usable:
            plugin, _ = self._offers[name][0]
            raise PluginError(f"The {self.noun} {name!r} comes from {plugin.source}, which is broken: {plugin.error}")
        plugin, item = usable[0]
        if failure := self._failure(plugin, item):
            raise failure
        return item

    def require(self, *names: str, needed_by: str = "") -> None:
        """Check that each of these names has exactly one usable contribution.

        Raises:
            UnknownNameError, PluginError: As `get`.
        """
        for name in names:
            self.get(name, needed_by)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(name for name in self._offers if self._usable(name)))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and bool(self._usable(name))

    def values(self) -> list[Contribution]:
        """All contributions, in the order in which plugins registered them."""
        return [item for name in self._offers for _, item in self._usable(name)]

    def working(self) -> list[Contribution]:
        """All contributions, in the same order, without those whose methods fail.

        Warns:
            PluginWarning: One was left out.
        """
        return [item for name in self._offers for plugin, item in self._usable(name) if self._works(plugin, item)]

    def undisputed(self) -> list[Contribution]:
        """The contributions whose names no other plugin claims, by name, without those whose methods fail.

        Warns:
            PluginWarning: One was left out.
        """
        single = [self._usable(name)[0] for name in self if len(self._usable(name)) == 1]
        return [item for plugin, item in single if self._works(plugin, item)]

    def providers(self, name: str) -> list[Plugin]:
        """The loaded plugins that provide `name`; more than one is a conflict."""
        return [plugin for plugin, _ in self._usable(name)]

    @contextmanager
    def calling(self, name: str, passes: tuple[type[BaseException], ...] = ()) -> Iterator[None]:
        """The block calls the contribution with this name and does nothing else, as `guarded` describes it.

        Args:
            name: Its name.
            passes: Errors that do not come from the plugin.

        Raises:
            PluginError: It raised an error.
        """
        with guarded(self.providers(name)[0], f"its {self.noun} {name!r}", passes):
            yield

    def asked(
        self, item: Contribution, question: Callable[[], bool], passes: tuple[type[BaseException], ...] = ()
    ) -> bool:
        """The answer of a contribution to whether it is meant; no, with a warning, if it fails to answer.

        The errors with which polytag's own plugins say what is wrong with the input are raised unchanged.

        Args:
            item: The contribution.
            question: Calls its method.
            passes: Further errors that say so.

        Warns:
            PluginWarning: It failed to answer.
        """
        (plugin, name) = next((plugin, name) for name in self for plugin, own in self._usable(name) if own is item)
        try:
            with for_plugin(), guarded(plugin, f"its {self.noun} {name!r}", passes if plugin.is_own else ()):
                return bool(question())
        except PolytagError as error:
            if plugin.is_own and not isinstance(error, PluginError):
                raise
            warnings.warn(f"Left out: the {self.noun} {name!r}. {message_of(error)}", PluginWarning, stacklevel=2)
            return False

    def misfit(self, name: str, what: str) -> PluginError:
        """The error that the contribution with this name gave something that does not fit its contract."""
        gave = f"{self.noun} {name!r} gave {what}"
        providers = self.providers(name)
        return providers[0].failure(f"its {gave}") if providers else PluginError(f"The {gave}.")

    def offered_by(self, plugin: Plugin) -> dict[str, Contribution]:
        """The contributions of a loaded plugin, by name, also if another plugin claims the name."""
        return {name: item for name in self for offering, item in self._usable(name) if offering is plugin}

    def _works(self, plugin: Plugin, item: Contribution) -> bool:
        if failure := self._failure(plugin, item):
            warnings.warn(f"Left out: {message_of(failure)}", PluginWarning, stacklevel=2)
        return failure is None

    def _failure(self, plugin: Plugin, item: Contribution) -> PluginError | None:
        """The error of a contribution that fails on the simplest input; it is tried once."""
        if self._trial is None or plugin.is_own:
            return None
        if id(item) not in self._failures:
            part = f"its {self.noun} {item.name!r}"  # type: ignore[attr-defined]  # every contribution has a name
            self._failures[id(item)] = None
            try:
                with for_plugin(), guarded(plugin, part, (Misfit,)):
                    self._trial(item)
            except Misfit as error:
                self._failures[id(item)] = plugin.failure(f"{part} gave {error}")
            except PluginError as error:
                self._failures[id(item)] = error
            except PolytagError as error:  # the input is sound
                self._failures[id(item)] = plugin.failure(f"{part} raised {describe(error)}")
        return self._failures[id(item)]

    def _usable(self, name: str) -> list[tuple[Plugin, Contribution]]:
        # A plugin can break later, if another of its hooks raises.
        return [offer for offer in self._offers.get(name, ()) if offer[0].status == "loaded"]


class Registry:
    """Every contribution of every loaded plugin."""

    def __init__(self, manager: PluginManager) -> None:
        self.manager = manager
        self.tasks: Kind[Task] = Kind(manager, "task", manager.tasks())
        self.schemes: Kind[LabelScheme] = Kind(manager, "label scheme", manager.label_schemes(), try_scheme)
        strategies = manager.alignments()
        self.alignments: Kind[AlignmentStrategy] = Kind(manager, "alignment strategy", strategies, try_alignment)
        self.metrics: Kind[Metric] = Kind(manager, "metric", manager.metrics())
        self.readers: Kind[Reader] = Kind(manager, "reader", manager.readers())
        self.encoders: Kind[EncoderProvider] = Kind(manager, "encoder", manager.encoders())
        self.splitters: Kind[Splitter] = Kind(manager, "splitter", manager.splitters())
        self.heads: Kind[Head] = Kind(manager, "head", manager.heads())

    @property
    def kinds(self) -> tuple[Kind[Any], ...]:
        """The contributions of every kind."""
        core = (self.tasks, self.schemes, self.alignments, self.metrics)
        return (*core, self.readers, self.encoders, self.splitters, self.heads)

    def missing(self, task: Task) -> list[str]:
        """The parts of a task that no plugin provides: `["label scheme 'iob2'"]`."""
        parts: list[tuple[Kind[Any], tuple[str, ...]]] = [
            (self.schemes, (task.scheme,)),
            (self.alignments, (task.alignment,)),
            (self.metrics, task.metrics),
        ]
        return [f"{kind.noun} {name!r}" for kind, names in parts for name in names if name not in kind]

    def brought_by(self, plugin: Plugin) -> dict[str, list[str]]:
        """The names of a plugin's contributions by kind, without empty kinds."""
        found = {kind.noun: list(kind.offered_by(plugin)) for kind in self.kinds}
        return {noun: names for noun, names in found.items() if names}


def registry() -> Registry:
    """The registry of this process."""
    manager = plugin_manager()
    return _registry(manager, manager.registered)


def add_plugins(modules: Iterable[object]) -> None:
    """Add plugins that are not installed to this process; a plugin that is already loaded is not changed.

    Args:
        modules: Modules or objects with hook implementations, as entry points would name them.

    Raises:
        PluginError: One of them cannot be loaded, or one of its hooks raises.
    """
    manager = plugin_manager()
    added = [manager.add(module) for module in modules]
    registry()  # collects the contributions of each
    for plugin in added:
        if plugin.status != "loaded":
            raise PluginError(f"{plugin.source}: {plugin.error}")


@lru_cache(maxsize=2)
def _registry(manager: PluginManager, registered: int) -> Registry:
    # A plugin may be added after the registry was first used.
    return Registry(manager)
