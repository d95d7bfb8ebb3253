"""Plugins that are not installed: the files and modules that POLYTAG_PLUGINS names."""

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
    """What the variable names, each once: files and modules, with commas or the separator of paths between them."""
    names = re.split(f"[,{re.escape(os.pathsep)}]", environ.get(VARIABLE, ""))
    return list(dict.fromkeys(name.strip() for name in names if name.strip()))


def is_file(given: str) -> bool:
    """Whether a file is meant, not a module."""
    return given.endswith(".py")


def name_of(given: str) -> str:
    """The name of the plugin: that of its module."""
    return Path(given).stem if is_file(given) else given


def source_of(given: str) -> str:
    """Where it comes from, for messages: the whole path of a file, or what was given."""
    return str(_path(given)) if is_file(given) else given


def load(given: str) -> object:
    """Import it. A file can be imported by its name afterwards, as if it were installed.

    Raises:
        PluginError: Another module of that name is loaded already.
        Exception: Whatever the import raises.
    """
    if not is_file(given):
        return importlib.import_module(given)
    path, name = _path(given), name_of(given)
    if name in sys.modules:
        loaded = sys.modules[name]
        place = getattr(loaded, "__file__", None)
        if place and Path(place).resolve() == path:
            return loaded
        raise PluginError(f"another module named {name!r} is loaded already ({place or 'built in'}); rename the file")
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
