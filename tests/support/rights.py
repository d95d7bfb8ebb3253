"""Rights of an ordinary user, also where the tests run as root."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator

import pytest

_CAPABILITIES_VERSION = 0x20080522
_ALL_FILES = 1 << 1 | 1 << 2  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH


@pytest.fixture
def like_any_user() -> Iterator[None]:
    """Root may read and write everything; without that right it is, for files of its own, like anybody."""
    if os.getuid():
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES_VERSION, 0)
    rights = (ctypes.c_uint32 * 6)()
    libc.capget(header, rights)
    all_rights = rights[0]
    rights[0] &= ~_ALL_FILES
    assert libc.capset(header, rights) == 0, "root cannot give up its rights"
    yield
    rights[0] = all_rights
    libc.capset(header, rights)
