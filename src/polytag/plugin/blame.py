"""Describe an error in a plugin, with its place."""

from __future__ import annotations

import importlib
import traceback
from pathlib import Path

import pluggy

_LOADING = (
    "<frozen",
    str(Path(importlib.__file__).parent),
    pluggy.__path__[0],
    *(str(Path(__file__).with_name(name)) for name in ("manager.py", "unpackaged.py")),
)
"""Files that load plugins and call their hooks; an error passes through them, but does not come from them."""


def describe(error: BaseException) -> str:
    """Type, message, place and causes of an error, on one line."""
    text = " ".join(str(error).split()).rstrip(".")
    described = f"{type(error).__name__}: {text}" if text else type(error).__name__
    if not isinstance(error, SyntaxError) and (place := _place(error)):
        described += f" ({place})"
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return f"{described}, caused by {describe(cause)}" if cause else described


def _place(error: BaseException) -> str:
    """File and line where an error was raised, unless it is the code that loads plugins and calls hooks."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(_LOADING)]
    return f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
