"""Read JSON and TOML of any origin: whatever is wrong with it is bad input, not a defect."""

from __future__ import annotations

import errno
import json
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from polytag.errors import PolytagError, in_brief

LARGEST = 16 * 2**20
"""Maximum bytes of a JSON or TOML file; parsed, it can take twenty times as many."""

DEEPEST = 100
"""Maximum depth of lists and objects in each other."""


def read_limited(path: Path, most: int = LARGEST) -> bytes:
    """The content of a file or a pipe, of at most `most` bytes.

    Raises:
        OSError: It has more, as `/dev/zero` has, or cannot be read.
    """
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return content


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file, or a pipe.

    Raises:
        OSError: It cannot be read, or has more than `LARGEST` bytes.
        ValueError: It is not TOML, not UTF-8, or is nested too deeply.
    """
    import tomllib

    try:
        return tomllib.loads(read_limited(path).decode("utf-8-sig"))  # editors on Windows write a byte order mark
    except RecursionError as error:
        raise ValueError("its arrays and tables are nested too deeply") from error


def parse_json(content: str | bytes) -> Any:
    """The value of a JSON text, which may have NaN and infinities like Python's own.

    Raises:
        ValueError: It is not JSON, is not UTF-8, is nested too deeply, or has an integer of thousands of digits.
    """
    try:
        return json.loads(content if isinstance(content, str) else content.decode("utf-8"))
    except RecursionError as error:
        raise ValueError("its lists and objects are nested too deeply") from error
    except OverflowError as error:
        raise ValueError("it has a number that is too large") from error


def read_json(
    path: Path, advice: str, kind: type[PolytagError] = PolytagError, *, only_finite: bool = True
) -> dict[str, Any]:
    """Read a JSON object from a file.

    Args:
        path: The file.
        advice: What to do if it is damaged, for the message.
        kind: The class of the error.
        only_finite: Whether NaN and infinities, which JSON does not have, are damage.

    Raises:
        PolytagError: The file cannot be read, is larger than `LARGEST`, or is not a JSON object.
    """
    try:
        if not path.is_file():  # a pipe would never end
            raise kind(f"{path} does not exist, or is no file. {advice}")
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise kind(f"{path} cannot be read: {error.strerror}. Check its permissions.") from error
    try:
        if len(content) > LARGEST:
            raise ValueError(f"it has more than {LARGEST // 2**20} MB")
        found = parse_json(content)
        wrong = list(infinities(found))
        problem = "" if isinstance(found, dict) else "it is not a JSON object"
        if only_finite and wrong and not problem:
            problem = f"{wrong[0][0]!r} is {json.dumps(wrong[0][1])}, which is not a number in JSON"
    except ValueError as error:
        raise kind(f"{path} is damaged: it is not JSON: {in_brief(error)}. {advice}") from error
    if problem:
        raise kind(f"{path} is damaged: {in_brief(problem)}. {advice}")
    return dict(found)


def infinities(value: object, *above: str | int) -> Iterator[tuple[str, float]]:
    """NaN and infinities, which JSON does not have, with their keys.

    Raises:
        ValueError: The value is nested too deeply.
    """
    if len(above) > DEEPEST:
        raise ValueError("its lists and objects are nested too deeply")
    if isinstance(value, float) and not math.isfinite(value):
        yield ".".join(map(str, above)), value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from infinities(item, *above, key)


def without_infinities(value: Any) -> Any:
    """Replace NaN and infinities, which JSON does not have, by null; a metric of a plugin may return them."""
    if isinstance(value, dict):
        return {key: without_infinities(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_infinities(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
