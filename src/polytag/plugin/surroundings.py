"""Keep the standard streams and the current folder as they are, whatever a plugin does with them."""

from __future__ import annotations

import os
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from polytag import terminal


@contextmanager
def surroundings_kept() -> Iterator[None]:
    """The standard streams and the current folder are the same after the block as before it.

    All threads share them, so a thread other than the main one does not touch them: two blocks that overlap could
    exchange what they put back.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    streams = sys.stdin, sys.stdout, sys.stderr
    folder = _current_folder()
    try:
        yield
    finally:
        sys.stdin, sys.stdout, sys.stderr = streams
        if folder is not None and _current_folder() != folder:
            with suppress(OSError):
                os.chdir(folder)


@contextmanager
def for_plugin(loading: bool = False) -> Iterator[None]:
    """The block calls a plugin, or tags texts with one: it gets streams that it cannot close.

    In the program `polytag`, and while plugins are loaded, the text that it prints goes to stderr: stdout is for
    results. While plugins are loaded, standard input is empty, so that a plugin cannot wait for an answer, and the
    filters of warnings are kept, so that none makes polytag's notes errors or hides them.

    Args:
        loading: Whether the plugin is imported or registered.
    """
    with surroundings_kept(), ExitStack() as opened:
        if threading.current_thread() is threading.main_thread() and (loading or terminal.is_program):
            sys.stdout, sys.stderr = _Lent(sys.stderr), _Lent(sys.stderr)
            if loading:
                opened.enter_context(warnings.catch_warnings())
                sys.stdin = opened.enter_context(open(os.devnull, encoding="utf-8"))  # noqa: PTH123  # no Path: `nul`
        yield


class _Lent:
    """A stream that can be used but not closed."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def close(self) -> None:
        """Do nothing."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _current_folder() -> str | None:
    try:
        # pathlib would make an object of it for every call.
        return os.getcwd()  # noqa: PTH109
    except OSError:  # it has been removed
        return None
