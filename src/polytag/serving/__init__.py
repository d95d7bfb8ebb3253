"""Taggers inside other programs."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from polytag.serving.app import create_app as create_app


def __getattr__(name: str) -> object:
    # The spaCy component lives here, too, and needs no web server.
    if name == "create_app":
        from polytag.serving.app import create_app

        return create_app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
