"""Show the stages of a command on stderr: a status line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from polytag.terminal import stages_to


@contextmanager
def stages_shown(elsewhere: bool = True, quiet: bool = False) -> Iterator[None]:
    """Show the stages of the block.

    Args:
        elsewhere: Whether to print them, too, if stderr is no terminal.
        quiet: Whether to show none.
    """
    if quiet or not (elsewhere or sys.stderr.isatty()):
        yield
        return
    from polytag.training.progress import ConsoleReporter

    reporter = ConsoleReporter()
    try:
        with stages_to(reporter.status):
            yield
    finally:
        reporter.close()
