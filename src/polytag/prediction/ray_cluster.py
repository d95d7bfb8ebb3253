"""Join a cluster of Ray."""

from __future__ import annotations

import importlib
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from polytag.errors import PolytagError, in_brief
from polytag.tagger.runtimes import require_extra

_VARIABLE = "RAY_ADDRESS"
_WAIT = 5.0
"""Seconds in which the head of a cluster must accept a connection. Ray itself tries for minutes, or for ever."""


@contextmanager
def joined_cluster(address: str | None = None, **options: Any) -> Iterator[Any]:
    """Join a cluster for the block, unless this program has joined one.

    Args:
        address: Its address; by default that of RAY_ADDRESS, of the last `ray start` on this machine, or a new cluster.
        **options: Further arguments of `ray.init`.

    Yields:
        The module `ray`.

    Raises:
        PolytagError: Ray is not installed, or the cluster cannot be joined.
    """
    check_cluster(address)
    ray: Any = importlib.import_module("ray")
    if ray.is_initialized():
        yield ray
        return
    try:
        ray.init(address=address, include_dashboard=False, **options)
    except (ConnectionError, ValueError, RuntimeError) as error:
        where = repr(address) if address else "on this machine"
        raise PolytagError(
            f"The Ray cluster {where} cannot be joined: {in_brief(error)}. Start one with "
            "`ray start --head`, or leave out the address."
        ) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def check_cluster(address: str | None) -> None:
    """Check, within seconds, that Ray is installed and the head of the cluster answers.

    Raises:
        PolytagError: It does not.
    """
    require_extra("ray")
    if "ray" in sys.modules and importlib.import_module("ray").is_initialized():
        return
    address, source = _address_to_join(address)
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        host, port = parts.hostname, parts.port
    except ValueError:
        return  # Ray says what is wrong with it
    if not host or not port or parts.scheme not in ("", "ray"):
        return
    try:
        socket.create_connection((host, port), timeout=_WAIT).close()
    except OSError as error:
        raise PolytagError(
            f"The Ray cluster at {address!r}{source} cannot be reached: {error.strerror or error}. Check that it is "
            "running, and that the network lets this machine reach its port."
        ) from error


def _address_to_join(address: str | None) -> tuple[str, str]:
    """The address that Ray will join, which is empty for a new cluster, and who named it if not the user."""
    if address not in (None, "", "auto"):
        return address, ""
    if named := os.environ.get(_VARIABLE):
        return named, f" (in the variable {_VARIABLE})"
    begun = ""
    with suppress(OSError):
        folder = os.environ.get("RAY_TMPDIR") or os.environ.get("TMPDIR") or "/tmp"
        begun = Path(folder, "ray/ray_current_cluster").read_text(encoding="utf-8").strip()
    return begun, " (the last one that was started on this machine; `ray stop` forgets it)"
