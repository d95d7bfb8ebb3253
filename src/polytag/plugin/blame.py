"""Describe an error in a plugin, with its place."""

from __future__ import annotations

import importlib
import traceback
from pathlib import Path

import pluggy

from polytag.errors import message_of, shorten

_LOADING = (
    "<frozen",
    str(Path(importlib.__file__).parent),
    pluggy.__path__[0],
    *(str(Path(__file__).with_name(name)) for name in ("guard.py", "manager.py", "provenance.py", "unpackaged.py")),
)
"""Files that load plugins and call their hooks; an error passes through them, but does not come from them."""

_OF_ONE, _OF_ALL = 300, 600
"""Maximum number of characters of one message, and of the whole description."""


def describe(error: BaseException) -> str:
    """Type, message, place and causes of an error, on one line; never fails, and has at most 600 characters."""
    described: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))  # causes can form a circle
        described.append(_described(current))
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return shorten(", caused by ".join(described), _OF_ALL)


def _described(error: BaseException) -> str:
    text = shorten(" ".join(message_of(error).split()).rstrip("."), _OF_ONE)
    text = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
    described = f"{type(error).__name__}: {text}" if text else type(error).__name__
    if not isinstance(error, SyntaxError) and (place := place_of(error)):
        described += f" ({place})"
    return described


def place_of(error: BaseException) -> str:
    """File and line where an error was raised, unless it is the code that loads plugins and calls hooks."""
    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    found = [(file, line) for file, line in frames if not file.startswith(_LOADING)]
    return f"{Path(found[-1][0]).name}, line {found[-1][1]}" if found else ""
