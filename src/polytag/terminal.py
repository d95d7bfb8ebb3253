"""The terminal: the console for tables and coloured text, and whether polytag is the program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console

is_program = False
"""Whether the process runs the command `polytag`, so that its modules are used by polytag alone."""


def console(file: TextIO | None = None, **options: Any) -> Console:
    """A rich console that shows text unchanged: without emoji codes such as `:smile:`, and without coloured numbers.

    Args:
        file: Output file; standard output by default.
        **options: Other options of rich's `Console`.
    """
    from rich.console import Console

    return Console(file=file, emoji=False, highlight=False, **options)
