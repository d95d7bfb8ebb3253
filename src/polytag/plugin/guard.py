"""The guard around calls into plugins: whatever they raise becomes an error that names the plugin."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

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
