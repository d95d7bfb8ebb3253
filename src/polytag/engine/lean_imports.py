"""Import Keras without what the engine does not use: it would be more than a third of the time."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType

from polytag import terminal

_OPTIONAL = frozenset({"pandas", "sklearn"})
"""Packages that Keras imports if they are installed, for parts that the engine does not use."""


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
