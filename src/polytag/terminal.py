"""Where tables and coloured text are printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console


def console(file: TextIO | None = None, **options: Any) -> Console:
    """A rich console that shows text as it is: `:smile:` is no emoji, and numbers have no colours of their own.

    Args:
        file: Where to print; standard output by default.
        **options: What else rich is told.
    """
    from rich.console import Console

    return Console(file=file, emoji=False, highlight=False, **options)
