"""The guard around calls into plugins: whatever they raise becomes an error that names the plugin."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from polytag.errors import PolytagError
from polytag.plugin.blame import describe
from polytag.plugin.provenance import Plugin


@contextmanager
def guarded(plugin: Plugin, part: str, passes: tuple[type[BaseException], ...] = ()) -> Iterator[None]:
    """The block calls one plugin and does nothing else: an error that it raises is an error of this plugin.

    `SystemExit` and other exceptions that end a program count as errors, too. The user's interrupt and the errors of
    polytag's own types are raised unchanged; so are all errors of core's own plugin, which are defects of polytag.

    Args:
        plugin: The plugin.
        part: The part that is called, for the message: `its reader 'brat'`.
        passes: Errors that do not come from the plugin, such as a file that cannot be read: raised unchanged.

    Raises:
        PluginError: The plugin raised an error.
    """
    try:
        yield
    except BaseException as error:
        if plugin.is_core or isinstance(error, (PolytagError, KeyboardInterrupt, *passes)):
            raise
        raise plugin.failure(f"{part} raised {describe(error)}") from error


@contextmanager
def surroundings_kept(lent: bool = False) -> Iterator[None]:
    """The standard streams and the current folder are the same after the block as before it.

    Threads share all of these, so this is for calls that prepare work and not for the tagging of texts.

    Args:
        lent: Whether the block gets streams of its own: what it prints goes to stderr, it can close no stream, and it
            has nothing to read, so that it cannot wait for an answer.
    """
    streams = sys.stdin, sys.stdout, sys.stderr
    folder = _current_folder()
    try:
        if lent:
            with open(os.devnull, encoding="utf-8") as nothing:  # noqa: PTH123  # pathlib normalises the name on Windows
                sys.stdin, sys.stdout, sys.stderr = nothing, _Lent(streams[2]), _Lent(streams[2])
                yield
        else:
            yield
    finally:
        sys.stdin, sys.stdout, sys.stderr = streams
        if folder is not None and _current_folder() != folder:
            with suppress(OSError):
                os.chdir(folder)


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
