"""`polytag serve`: bind the socket, say what is served, run the application, and stop in good order."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from polytag.errors import InterruptedRunError, PolytagError
from polytag.serving.app import create_app, reload_models
from polytag.serving.guards import LOG
from polytag.serving.tagging import Models
from polytag.terminal import visible

if TYPE_CHECKING:
    from fastapi import FastAPI

LOCAL = ("127.0.0.1", "localhost", "::1")
GRACE = 25.0
_DRAIN = 1.0
"""Seconds for which new connections are still taken after SIGTERM, so that those on their way are answered."""

_HEADER_SECONDS = 10.0
_BACKLOG = 2048


def serve(
    taggers: Sequence[str],
    *,
    host: str = LOCAL[0],
    port: int = 8000,
    token_file: str | Path | None = None,
    no_token: bool = False,
    replicas: int = 1,
    grace: float = GRACE,
    **options: Any,
) -> None:
    """Serve taggers until the process is told to stop by SIGTERM or from the keyboard.

    Args:
        taggers: Folders or names on the hub, each by itself or as `NAME=TAGGER`.
        host: Address to listen on.
        port: Port to listen on; 0 for any that is free.
        token_file: File with the token that requests must have.
        no_token: Whether to serve without a token on an address that others can reach.
        replicas: Number of processes.
        grace: Seconds after SIGTERM in which accepted requests are finished.
        **options: As in `create_app`.

    Raises:
        PolytagError: A tagger is bad, the port is in use, or others could reach the server without a token.
        InterruptedRunError: It was stopped from the keyboard.
    """
    token = _token(host, token_file, no_token)
    app = create_app(list(taggers), token=token, **options)
    with _bound(host, port) as listening:
        _announce(app, host, listening.getsockname()[1], token is not None, replicas)
        _configure_log()
        run_app(app, listening, grace)


def run_app(app: FastAPI, listening: socket.socket, grace: float) -> None:
    """Run an application on a socket until the process is told to stop.

    Raises:
        PolytagError: A tagger cannot be loaded.
        InterruptedRunError: It was stopped from the keyboard.
    """
    config = uvicorn.Config(
        app,
        http=_PatientProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=max(1, int(grace - _DRAIN)),
    )
    server = _Server(config, app)
    server.run([listening])
    if failure := getattr(app.state, "failure", None):
        raise failure
    if server.interrupted:
        raise InterruptedRunError("Interrupted.")


class _Server(uvicorn.Server):
    """Answers for a moment longer when it is told to stop, and loads taggers again at SIGHUP."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self.interrupted = False
        self._models: Models = app.state.models
        self._stop_at: float | None = None
        app.state.on_failure = self._stop_now

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Stop taking requests; at the second signal, stop at once."""
        self.interrupted = sig == signal.SIGINT
        if self._stop_at is not None:
            self.should_exit = self.force_exit = True
            return
        self._models.draining = True
        self._stop_at = time.monotonic() + (0 if self.interrupted else _DRAIN)

    def _stop_now(self) -> None:
        self.should_exit = True

    async def on_tick(self, counter: int) -> bool:
        """Whether to stop."""
        if self._stop_at is not None and time.monotonic() >= self._stop_at:
            self.should_exit = True
        return await super().on_tick(counter)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and listen for SIGHUP."""
        await super().startup(sockets)
        if hasattr(signal, "SIGHUP"):
            loop = asyncio.get_running_loop()
            tasks: set[asyncio.Task[None]] = set()

            def reload() -> None:
                task = loop.create_task(reload_models(self._models, even_if_unchanged=True))
                tasks.add(task)
                task.add_done_callback(tasks.discard)

            loop.add_signal_handler(signal.SIGHUP, reload)


class _PatientProtocol(HttpToolsProtocol):
    """Closes connections whose request does not get beyond its headers in time."""

    _slow: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a request."""
        super().connection_made(transport)
        self._wait()

    def on_message_begin(self) -> None:
        """Wait for its headers."""
        self._wait()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Nothing to wait for: the body has a limit of its own."""
        self._forget()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing to wait for."""
        self._forget()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._forget()
        self._slow = self.loop.call_later(_HEADER_SECONDS, self._give_up)

    def _forget(self) -> None:
        if self._slow is not None:
            self._slow.cancel()
            self._slow = None

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
            self.transport.close()


def _token(host: str, token_file: str | Path | None, no_token: bool) -> str | None:
    if token_file is not None:
        if no_token:
            raise PolytagError("--token-file and --no-token contradict each other. Leave one out.")
        try:
            token = Path(token_file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise PolytagError(f"The file of the token, {str(token_file)!r}, cannot be read: {error}") from error
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise PolytagError(
                f"The file of the token, {str(token_file)!r}, must have one line of printable ASCII characters without "
                "spaces. Make one: python -c 'import secrets; print(secrets.token_urlsafe())' > token"
            )
        return token
    if host not in LOCAL and not no_token:
        raise PolytagError(
            f"Others could use the server at {host!r}. Give a file with a token, --token-file FILE, which requests "
            "then must have; or say --no-token if everybody who reaches this address may use it."
        )
    return None


def _bound(host: str, port: int) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listening = socket.socket(family, socket.SOCK_STREAM)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(_BACKLOG)
        except BaseException:
            listening.close()
            raise
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise PolytagError(
            f"Cannot listen on {host}, port {port}: {reason}. Choose another port, --port 8001, or 0 for any that is "
            "free."
        ) from error
    listening.set_inheritable(True)
    return listening


def _announce(app: FastAPI, host: str, port: int, token: bool, replicas: int) -> None:
    models: Models = app.state.models
    shown = f"[{host}]" if ":" in host else host
    print(
        f"http://{shown}:{port}/"
        + ("  (with a token)" if token else "")
        + ("" if replicas == 1 else f"  {replicas} replicas")
    )
    for name, model in models.served.items():
        print(visible(f"  {name}: {model.runtime}"))
    sys.stdout.flush()


def _configure_log() -> None:
    """One line of JSON per request on stderr."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    LOG.propagate = False
