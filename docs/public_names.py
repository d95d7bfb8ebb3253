"""Signatures of the Python reference in public names: values replace other constants and aliases of types.

Griffe, which reads the code for the reference, calls `on_package`; see `extensions` in zensical.toml.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import griffe


class PublicNames(griffe.Extension):
    """Writes `int = 2048` for `int = LOOK_AHEAD`, unless `polytag.LOOK_AHEAD` exists, and `X` for `Annotated[X, …]`."""

    def on_package(self, *, pkg: griffe.Module, loader: griffe.GriffeLoader, **_: Any) -> None:
        """Rewrite the signatures of a package."""
        public = set(pkg.exports or ())
        for found in _objects(pkg):
            if isinstance(found, griffe.Function):
                for function in (found, *(found.overloads or ())):
                    function.returns = _shown(function.returns, public, loader)
                    for parameter in function.parameters:
                        parameter.annotation = _shown(parameter.annotation, public, loader)
                        parameter.default = _shown(parameter.default, public, loader)
            elif isinstance(found, griffe.Attribute):
                found.annotation = _shown(found.annotation, public, loader)
                found.value = _shown(found.value, public, loader)


def _objects(container: griffe.Module | griffe.Class) -> Iterator[griffe.Object]:
    for member in container.members.values():
        if isinstance(member, griffe.Module | griffe.Class):
            yield from _objects(member)
        elif isinstance(member, griffe.Object):
            yield member


def _shown(part: Any, public: set[str], loader: griffe.GriffeLoader) -> Any:
    """A part of an expression with names that are public."""
    if isinstance(part, griffe.ExprName):
        value = None if part.name in public else _value(part.canonical_path, loader)
        return part if value is None else _shown(value, public, loader)
    if isinstance(part, griffe.ExprSubscript) and part.canonical_path == "typing.Annotated":
        kind, *_checks = part.slice.elements  # the checks are for Pydantic
        return _shown(kind, public, loader)
    if isinstance(part, griffe.Expr):
        for one in fields(part):
            setattr(part, one.name, _shown(getattr(part, one.name), public, loader))
    elif isinstance(part, list | tuple):
        return type(part)(_shown(one, public, loader) for one in part)
    return part


def _value(path: str, loader: griffe.GriffeLoader) -> Any:
    """The value of a variable of one of polytag's modules; None for anything else."""
    if not path.startswith("polytag."):
        return None
    try:
        found = loader.modules_collection[path]
        found = found.final_target if isinstance(found, griffe.Alias) else found
    except (KeyError, griffe.AliasResolutionError):
        return None
    is_variable = isinstance(found, griffe.Attribute) and isinstance(found.parent, griffe.Module)
    return found.value if is_variable else None
