"""Attribute errors to plugins by their traceback.

Label schemes, alignment strategies and networks are called many times in the middle of other work, where a guard
around each call would cost more than the call. Instead, each public function has one guard, which asks whose code an
error went through.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from contextlib import ContextDecorator
from types import ModuleType, TracebackType
from typing import Literal

from polytag.errors import PluginError, PolytagError
from polytag.plugin.blame import describe
from polytag.plugin.manager import PluginManager, known_manager
from polytag.plugin.provenance import OWN, Plugin
from polytag.plugin.registry import registry


class _Attributed(ContextDecorator):
    """A block, or a function, in which an error that went through the code of a plugin names the plugin.

    The user's interrupt and errors of polytag's own types are raised unchanged, and so are errors that went through no
    plugin's code, which are defects of polytag.

    Raises:
        PluginError: The code of a plugin raised an error, or called something that did.
    """

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Literal[False]:
        if error is not None:
            attribute(error)
        return False


attributed = _Attributed()


def attribute(error: BaseException) -> None:
    """Raise the error that names the plugin whose code an error went through; do nothing if there is none.

    Raises:
        PluginError: The code of a plugin raised the error, or called something that did.
    """
    if isinstance(error, PolytagError | KeyboardInterrupt | GeneratorExit):
        return
    if plugin := _culprit(error.__traceback__):
        raise plugin.failure(f"it raised {describe(error)}") from error


def misfit_of(item: object, what: str) -> PluginError:
    """The error that an object, made by a plugin, gave something that does not fit its contract.

    Args:
        item: The object; its class tells the plugin.
        what: What it gave: `gave None`.
    """
    said = f"its {type(item).__name__} {what}"
    manager = known_manager()
    owners = _owners(manager) if manager else {}
    plugin = _owner(type(item).__module__, owners)
    return plugin.failure(said) if plugin else PluginError(f"A plugin does not keep its contract: {said}.")


def _culprit(trace: TracebackType | None) -> Plugin | None:
    """The plugin whose code is innermost in a traceback, if there is any."""
    manager = known_manager()
    if manager is None:
        return None
    owners = _owners(manager)
    names = [str(frame.f_globals.get("__name__")) for frame, _ in traceback.walk_tb(trace)]
    return next((plugin for name in reversed(names) if (plugin := _owner(name, owners))), None)


def _owner(module: str, owners: Mapping[str, Plugin]) -> Plugin | None:
    parts = module.split(".")
    packages = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((owners[package] for package in packages if package in owners), None)


def _owners(manager: PluginManager) -> dict[str, Plugin]:
    return {module: plugin for plugin in manager.loaded() for module in _modules(plugin)}


def _modules(plugin: Plugin) -> set[str]:
    """Modules with the code of a plugin and of its contributions, and the packages of these modules."""
    own = plugin.plugin
    names = {own.__name__ if isinstance(own, ModuleType) else type(own).__module__}
    names |= {type(item).__module__ for kind in registry().kinds for item in kind.offered_by(plugin).values()}
    packages = {name.rpartition(".")[0] for name in names} | {name.partition(".")[0] for name in names}
    return {name for name in names | packages if name and name.partition(".")[0] != OWN}
