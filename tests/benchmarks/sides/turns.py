"""The line between a benchmark and one of its sides: figures go out, and nothing happens until word comes in.

Needs nothing but the standard library: every side imports it, in whatever environment it runs.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
from typing import Any

settings: dict[str, Any] = json.loads(sys.argv[1])

# Whatever libraries print goes to stderr: standard output is for figures alone.
_out = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)


def pause(**figures: Any) -> dict[str, Any]:
    """Hand over figures, and wait for the next command; ends the process where there is none."""
    _out.write(json.dumps(figures) + "\n")
    _out.flush()
    line = sys.stdin.readline()
    if not line:
        sys.exit()
    command: dict[str, Any] = json.loads(line)
    return command


def versions(*names: str) -> dict[str, str]:
    """The versions of installed packages."""
    return {name: importlib.metadata.version(name) for name in names}


def sentences(path: str) -> list[dict[str, Any]]:
    """The rows of a file of JSON Lines."""
    with open(path, encoding="utf-8") as file:  # noqa: PTH123  # nothing of pathlib is needed here
        return [json.loads(line) for line in file]
