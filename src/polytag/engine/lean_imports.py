"""Import Keras and KerasHub without what the engine does not use: it would be more than a third of the time."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType

from polytag import terminal

_OPTIONAL = frozenset({"kagglehub", "pandas", "sklearn", "tensorflow_text"})
"""Packages that Keras and KerasHub import if they are installed, for parts that the engine does not use."""


class _NotInstalled:
    """A finder of modules that reports some packages as missing."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> None:
        """Nothing, so that other finders are asked.

        Raises:
            ModuleNotFoundError: The package must seem missing.
        """
        if name.partition(".")[0] in _OPTIONAL:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


@contextmanager
def without_optional_packages() -> Iterator[None]:
    """Import modules in the block without optional packages, in a process of the command line.

    In another program, Keras belongs to that program, too, which may fit a model to a table of pandas.
    """
    if not terminal.is_program:
        yield
        return
    finder = _NotInstalled()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


@contextmanager
def without_models_of(package: str) -> Iterator[None]:
    """Import submodules of a package in the block without running its `__init__`, which imports all its models.

    A later import of the package itself runs it, with the same submodules.
    """
    if package in sys.modules:
        yield
        return
    found = importlib.util.find_spec(package)
    if not isinstance(found, ModuleSpec):
        raise ModuleNotFoundError(f"No module named {package!r}", name=package)
    bare = ModuleType(package)
    bare.__path__ = list(found.submodule_search_locations or ())
    sys.modules[package] = bare
    try:
        yield
    finally:
        del sys.modules[package]
