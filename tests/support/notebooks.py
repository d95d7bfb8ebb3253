"""A page of the documentation as a notebook: its Python runs in cells, everything else is text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from support.pages import Block, parts

_COMMENT = re.compile(r"<!--.*?-->\n*", re.DOTALL)
_FENCE = re.compile(r'^```(\w+) title="[^"]+"$', re.MULTILINE)


def notebook_of(page: Path) -> dict[str, Any]:
    """The notebook of a page.

    The block of text after a block of Python is its output, unless the page leaves a part of it open with `…`.
    """
    text = page.read_text(encoding="utf-8")
    blocks = [part for part in parts(page) if isinstance(part, Block)]
    cells: list[dict[str, Any]] = []
    position = 0
    for number, block in enumerate(blocks):
        if block.language != "python":
            continue
        _add_prose(cells, text[position : text.rindex("```", 0, block.start)])
        position = text.index("```", block.end) + 4
        outputs = []
        following = blocks[number + 1] if number + 1 < len(blocks) else None
        if following and following.language == "text":
            position = text.index("```", following.end) + 4
            if "…" not in following.body:
                outputs = [{"output_type": "stream", "name": "stdout", "text": _lines(following.body)}]
        source = _lines(block.body.rstrip("\n"))
        cells.append({"cell_type": "code", "execution_count": None, "outputs": outputs, "source": source})
    _add_prose(cells, text[position:])
    for number, cell in enumerate(cells, 1):
        cell |= {"id": f"cell-{number}", "metadata": {}}
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def _add_prose(cells: list[dict[str, Any]], text: str) -> None:
    shown = _FENCE.sub(r"```\1", _COMMENT.sub("", text)).strip("\n")
    if shown:
        cells.append({"cell_type": "markdown", "source": _lines(shown)})


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)
