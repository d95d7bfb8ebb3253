"""Parts of TensorFlow that it does not promise to keep: if one is gone, say which versions have it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata

from polytag.errors import PolytagError, in_brief


@contextmanager
def borrowed(package: str) -> Iterator[None]:
    """Import private parts of a package in the block.

    Args:
        package: Its name among the requirements of polytag.

    Raises:
        PolytagError: The installed version has no such parts.
    """
    try:
        yield
    except (ImportError, AttributeError) as error:
        known = [text for text in metadata.requires("polytag") or () if re.match(rf"{package}\b(?!-)", text)]
        raise PolytagError(
            f"polytag uses parts of {package} that the installed version, {metadata.version(package)}, does not have "
            f"({in_brief(error)}). Install a version that it knows: pip install '{known[0] if known else package}'"
        ) from error
