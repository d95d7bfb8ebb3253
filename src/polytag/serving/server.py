"""`polytag serve`: bind the socket, say what is served, run the application, and stop in good order."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn

from polytag.errors import InterruptedRunError, PolytagError
from polytag.serving.app import create_app, reload_models
from polytag.serving.connections import GuardedProtocol, is_readable, raise_limits
from polytag.serving.log import LOG, configure_log
from polytag.serving.tagging import Models
from polytag.terminal import visible

if TYPE_CHECKING:
    from fastapi import FastAPI

LOCAL = ("127.0.0.1", "localhost", "::1")
GRACE = 25.0
_DRAIN = 1.0
"""Seconds for which new connections are still taken after SIGTERM, so that those on their way are answered."""

_LAST_CONNECTIONS = 0.5
"""Seconds at most in which the connections are accepted that exist already when no more are taken."""

_BACKLOG = 2048

_TOKEN_BYTES = 4096
"""More are not read from the file of the token, which may be a device without end."""


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
        configure_log(messages=bool(options.get("log_texts")))
        if replicas == 1:
            run_app(app, listening, grace)
            return
        from polytag.serving.replicas import Plan, run_replicas

        run_replicas(Plan(tuple(taggers), grace, {"token": token, **options}), listening, replicas)


def run_app(app: FastAPI, listening: socket.socket, grace: float, supervised: bool = False) -> None:
    """Run an application on a socket until the process is told to stop.

    Args:
        app: The application.
        listening: The socket.
        grace: Seconds after SIGTERM in which accepted requests are finished.
        supervised: Whether another process takes the interrupt from the keyboard, and sends SIGTERM.

    Raises:
        PolytagError: A tagger cannot be loaded.
        InterruptedRunError: It was stopped from the keyboard.
    """
    config = uvicorn.Config(
        app,
        http=GuardedProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        # What is left of the grace time is for answering those that are given up.
        timeout_graceful_shutdown=max(1, int(grace - _DRAIN - _LAST_CONNECTIONS - 1)),
    )
    raise_limits()
    server = _Server(config, app, grace, supervised)
    server.run([listening])
    if failure := getattr(app.state, "failure", None):
        raise failure
    if server.interrupted:
        raise InterruptedRunError("Interrupted.")


class _Server(uvicorn.Server):
    """Answers for a moment longer when it is told to stop, and loads taggers again at SIGHUP."""

    def __init__(self, config: uvicorn.Config, app: FastAPI, grace: float, supervised: bool) -> None:
        super().__init__(config)
        self.interrupted = False
        self._models: Models = app.state.models
        self._grace, self._supervised = grace, supervised
        self._stop_at: float | None = None
        self._reloading: asyncio.Task[None] | None = None
        self._models.on_loaded = _spare_what_stays
        app.state.on_failure = self._stop_now

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Stop taking requests; at the second signal, stop at once."""
        if sig == signal.SIGINT and self._supervised:
            return
        self.interrupted = sig == signal.SIGINT
        if self._stop_at is not None:
            self.should_exit = self.force_exit = self._models.hurried = True
            return
        self._models.draining = True
        self._stop_at = time.monotonic() + (0 if self.interrupted else _DRAIN)
        in_time = threading.Timer(self._grace, _give_up)
        in_time.daemon = True
        in_time.start()

    def _stop_now(self) -> None:
        self.should_exit = True

    async def on_tick(self, counter: int) -> bool:
        """Whether to stop."""
        if self._stop_at is not None and time.monotonic() >= self._stop_at:
            self.should_exit = True
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept the connections that clients have already, then stop."""
        until = time.monotonic() + _LAST_CONNECTIONS
        for listening in sockets or []:
            listening.listen(0)
            while is_readable(listening.fileno()) and time.monotonic() < until:
                await asyncio.sleep(0.002)
        await super().shutdown(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and listen for SIGHUP."""
        await super().startup(sockets)
        if hasattr(signal, "SIGHUP"):
            loop = asyncio.get_running_loop()
            asked = asyncio.Event()

            async def reload() -> None:
                while True:
                    await asked.wait()
                    asked.clear()  # any number of signals during a reload are one more
                    await reload_models(self._models, even_if_unchanged=True)

            self._reloading = loop.create_task(reload())
            loop.add_signal_handler(signal.SIGHUP, asked.set)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGHUP,))  # blocked where a supervisor started it


def _spare_what_stays() -> None:
    """Keep modules and taggers out of later garbage collections, which would take a fifth of the time of requests."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def _give_up() -> None:
    LOG.error("the grace time is over, and something still runs")
    os._exit(1)


def _token(host: str, token_file: str | Path | None, no_token: bool) -> str | None:
    if token_file is not None:
        if no_token:
            raise PolytagError("--token-file and --no-token contradict each other. Leave one out.")
        try:
            with Path(token_file).open("rb") as file:
                content = file.read(_TOKEN_BYTES + 1)
            token = content.decode("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise PolytagError(f"The file of the token, {str(token_file)!r}, cannot be read: {error}") from error
        if len(content) > _TOKEN_BYTES or not token or not token.isascii() or not token.isprintable() or " " in token:
            raise PolytagError(
                f"The file of the token, {str(token_file)!r}, must have one line of printable ASCII characters without "
                f"spaces, up to {_TOKEN_BYTES:,}. Make one: python -c 'import secrets; print(secrets.token_urlsafe())' "
                "> token"
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
