"""NaN and infinities, which JSON does not have."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any


def infinities(value: object, *above: str | int) -> Iterator[tuple[str, float]]:
    """NaN and infinities, which JSON does not have, with their keys."""
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
