"""Packages that are installed, as if they were not."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import pytest


class _Absent:
    """An entry of `sys.meta_path` that finds a package first, and refuses to import it."""

    def __init__(self, package: str) -> None:
        self.package = package

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> None:
        if name.split(".")[0] == self.package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def cannot_import(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    """Importing the package fails until the test ends, also where it was imported before."""
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [_Absent(package), *sys.meta_path])
