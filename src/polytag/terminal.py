"""Terminals and notebooks: the console, tables as text and as HTML, and control characters."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from html import escape
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, separators of lines, what changes the direction of text, and halves of characters."""

is_program = False
"""Whether the process runs the command `polytag`, so that its modules are used by polytag alone."""

_WIDEST = 100
"""Characters: the width of a column of plain text. One word can be longer than a screen, and widens all lines."""

_listener: ContextVar[Callable[[str], None] | None] = ContextVar("listener", default=None)


def stage(text: str, *, often_brief: bool = False) -> None:
    """Say that work begins that may take seconds, `Starting TensorFlow`; an empty text says that it is over.

    What is often brief, and may find an error of the user, is said on a terminal only: elsewhere, the error is all.
    """
    if (listener := _listener.get()) and (not often_brief or sys.stderr.isatty()):
        listener(text)


@contextmanager
def stages_to(listener: Callable[[str], None]) -> Iterator[None]:
    """Call a function with each stage of the work in the block."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def console(file: TextIO | None = None, **options: Any) -> Console:
    """A rich console that shows text unchanged: without emoji codes such as `:smile:`, and without coloured numbers.

    Args:
        file: Output file; standard output by default.
        **options: Other options of rich's `Console`.
    """
    import os
    from shutil import get_terminal_size

    from rich.console import Console

    if os.environ.get("COLUMNS", "").strip() == "0":  # some terminals do not know their width; rich would print nothing
        options.setdefault("width", get_terminal_size().columns)

    class Plain(Console):
        def on_broken_pipe(self) -> None:
            raise  # handled as when `print` raises it; rich would exit with status 1

    return Plain(file=file, emoji=False, highlight=False, **options)


def wrapped(text: str, width: int) -> str:
    """A line as lines of at most `width` characters for a terminal, indented from the second on; words stay whole."""
    import textwrap

    return textwrap.fill(
        text, width, subsequent_indent="  ", replace_whitespace=False, break_long_words=False, break_on_hyphens=False
    )


def visible(text: str) -> str:
    """A text with its control characters written as in Python (`\\x1b`, `\\n`, `\\u202e`), all others unchanged.

    Texts, labels and names of files come from anywhere: a terminal would carry out what they say. Marks that letters of
    some scripts need (joiners, marks of direction) stay.
    """
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def columns_of_text(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table as plain text, in columns as wide as their content; what is wider than `_WIDEST` ends with `…`."""
    from rich.cells import cell_len, set_cell_size

    def cut(text: str) -> str:
        return text if cell_len(text) <= _WIDEST else set_cell_size(text, _WIDEST - 1) + "…"

    lines = [list(map(cut, line)) for line in (heads, *rows)]
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(set_cell_size, line, widths)).rstrip() for line in lines)


def html_table(heads: Sequence[str], rows: Iterable[Sequence[str]], caption: str = "") -> str:
    """A table as HTML for notebooks. The first cell of a row names it; nothing in the cells becomes markup."""
    said = f"<caption>{_cell(caption)}</caption>" if caption else ""
    head = "".join(f"<th>{_cell(text)}</th>" for text in heads)
    body = "".join(
        f"<tr><th>{_cell(row[0])}</th>{''.join(f'<td>{_cell(text)}</td>' for text in row[1:])}</tr>" for row in rows
    )
    return f"<table>{said}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def html_text(text: str) -> str:
    """A line of text as HTML for notebooks; empty for an empty one."""
    return f"<div>{_cell(text)}</div>" if text else ""


def _cell(text: str) -> str:
    return "<br>".join(escape(visible(line)) for line in text.split("\n"))
