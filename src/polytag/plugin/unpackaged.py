"""Load plugins that are not installed: the files and modules in POLYTAG_PLUGINS."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from polytag.errors import PluginError
from polytag.files import expand_home

VARIABLE = "POLYTAG_PLUGINS"


def wanted(environ: Mapping[str, str]) -> list[str]:
    """The files and modules in the variable, without duplicates; separated by commas or the separator of paths."""
    names = re.split(f"[,{re.escape(os.pathsep)}]", environ.get(VARIABLE, ""))
    return list(dict.fromkeys(name.strip() for name in names if name.strip()))


def is_file(given: str) -> bool:
    """Whether it is a file and not a module."""
    return given.endswith(".py")


def name_of(given: str) -> str:
    """The name of the plugin: the name of its module."""
    return Path(given).stem if is_file(given) else given


def source_of(given: str) -> str:
    """Its origin, for messages: the absolute path of a file, or the name of a module."""
    return str(_path(given)) if is_file(given) else given


def load(given: str) -> object:
    """Import it. Later, a file can be imported by its name, as if it were installed.

    Raises:
        PluginError: Another module with that name is already loaded.
        Exception: Any exception of the import.
    """
    if not is_file(given):
        return importlib.import_module(given)
    path, name = _path(given), name_of(given)
    if name in sys.modules:
        loaded = sys.modules[name]
        place = getattr(loaded, "__file__", None)
        if place and Path(place).resolve() == path:
            return loaded
        raise PluginError(f"another module named {name!r} is already loaded ({place or 'built in'}); rename the file")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _path(given: str) -> Path:
    return expand_home(given).resolve()
