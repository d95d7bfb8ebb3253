"""Checks that every request passes: its number, the log, the token, limits of size and time, and headers of safety."""

from __future__ import annotations

import asyncio
import hmac
import logging
import random
import re
import time
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json
from starlette.datastructures import Headers, MutableHeaders

from polytag.errors import shorten
from polytag.serving.log import LOG
from polytag.serving.metrics import Metrics
from polytag.serving.page_routes import PAGE_PATHS
from polytag.serving.problems import BUSY, SAFETY, problem

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_BYTES = 2**20

_OPEN = {"/healthz", "/readyz", *PAGE_PATHS}
"""Paths that can be read without the token: health, and the files of the page, which know nothing of the taggers."""

_DOCUMENTATION = ("/docs", "/redoc", "/static-offline-docs")
_POLICY_OF_DOCUMENTATION = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "worker-src 'self' blob:; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)
_NO_TOKEN = "This server wants a token: the header `Authorization: Bearer TOKEN`."
_WRONG_TOKEN = "The token in the header `Authorization` is not the one of this server, or not after `Bearer`."
_SAFE_ID = re.compile(r"[\w.:+/=-]{1,100}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on the cost of a request.

    Attributes:
        body_bytes: Size of its body.
        all_bodies_bytes: Size of the bodies of all requests at the same time.
        body_seconds: How long the body may take to arrive.
        seconds: How long the answer may take.
    """

    body_bytes: int = BODY_BYTES
    all_bodies_bytes: int = 32 * BODY_BYTES
    body_seconds: float = 10.0
    seconds: float = 60.0


class Guards:
    """Middleware of ASGI that every request passes.

    Args:
        app: The application.
        metrics: Count answers.
        limits: Bounds on the cost of a request.
        token: The token that requests must have; None for no token.
        log_texts: Whether the log has the bodies of requests.
        draining: Whether the server is stopping; answers then close their connections.
        seconds_to_wait: When to try again if nothing more can be tagged; else 0. Requests are then refused before
            anything is made of them, so that refusing costs little.
    """

    def __init__(
        self,
        app: ASGIApp,
        metrics: Metrics,
        limits: Limits,
        token: str | None = None,
        log_texts: bool = False,
        draining: Callable[[], bool] = lambda: False,
        seconds_to_wait: Callable[[], int] = lambda: 0,
    ) -> None:
        self._app, self._metrics, self._limits = app, metrics, limits
        self._token = None if token is None else token.encode()
        self._log_texts, self._draining, self._seconds_to_wait = log_texts, draining, seconds_to_wait
        self._bodies_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await _Passage(self, scope, receive, send).go()

    def is_allowed(self, method: str, path: str, headers: Headers) -> bool:
        """Whether a request may pass without a token, or has the right one."""
        if self._token is None or (path in _OPEN and method in ("GET", "HEAD")):
            return True
        kind, _, given = headers.get("authorization", "").partition(" ")
        token = given.strip().encode("utf-8", "surrogateescape")
        if kind.lower() == "basic":  # all that Label Studio can send; the token is the password
            try:
                token = b64decode(token, validate=True).partition(b":")[2]
            except ValueError:
                return False
        elif kind.lower() != "bearer":
            return False
        return hmac.compare_digest(token, self._token)


class _Passage:
    """One request on its way."""

    def __init__(self, guards: Guards, scope: Scope, receive: Receive, send: Send) -> None:
        self._guards, self._scope, self._receive, self._send = guards, scope, receive, send
        # What answers GET answers HEAD: probes send either.
        self._asked = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        self._begun = time.perf_counter()
        self._headers = Headers(scope=scope)
        # Below an application that this one is mounted in, the path starts with the mount's.
        self._path = scope["path"].removeprefix(scope.get("root_path", ""))
        given = self._headers.get("x-request-id", "")
        self._id = given if _SAFE_ID.fullmatch(given) else f"{random.getrandbits(64):016x}"
        self._state: dict[str, Any] = scope.setdefault("state", {})
        self._state["request_id"] = self._id
        self._status = 0
        self._is_answered = False
        self._body = b""
        self._size = 0
        self._was_read = False
        self._watcher: asyncio.Task[None] | None = None

    async def go(self) -> None:
        """Check the request, let the application answer it, and log it."""
        guards, method = self._guards, self._scope["method"]
        try:
            if not guards.is_allowed(method, self._path, self._headers):
                refuse = self._refuse_body if self._has_body else self._refuse
                await refuse(401, _WRONG_TOKEN if "authorization" in self._headers else _NO_TOKEN)
            elif await self._read_body():
                if method == "POST" and (wait := guards._seconds_to_wait()):
                    await self._refuse(503, BUSY, **{"retry-after": str(wait)})
                elif wrong := self._what_is_wrong():
                    await self._refuse(400, wrong)
                else:
                    await self._answer()
        finally:
            guards._bodies_bytes -= self._size
            seconds = time.perf_counter() - self._begun
            route = getattr(self._asked.get("route"), "path", "") or "other"
            guards._metrics.answered(route, method if method in _METHODS else "other", self._status, seconds)
            self._log(seconds)

    @property
    def _has_body(self) -> bool:
        return "transfer-encoding" in self._headers or self._headers.get("content-length", "0") != "0"

    async def _read_body(self) -> bool:
        """Read the body; if it is too large or too slow, answer so."""
        guards, limits = self._guards, self._guards._limits
        length = self._headers.get("content-length", "0")
        if length.isdecimal() and (len(length) > _DIGITS or int(length) > limits.body_bytes):
            await self._refuse_body(413, f"The body may have up to {limits.body_bytes:,} bytes, and has {length[:20]}.")
            return False
        chunks: list[bytes] = []
        try:
            async with asyncio.timeout(limits.body_seconds):
                more = True
                while more:
                    message = await self._receive()
                    if message["type"] == "http.disconnect":
                        self._status = _CLIENT_GONE
                        return False
                    chunk = message.get("body", b"")
                    self._size += len(chunk)
                    guards._bodies_bytes += len(chunk)
                    if self._size > limits.body_bytes:
                        await self._refuse_body(413, f"The body may have up to {limits.body_bytes:,} bytes.")
                        return False
                    if guards._bodies_bytes > limits.all_bodies_bytes:
                        await self._refuse_body(503, BUSY, **_SOON)
                        return False
                    chunks.append(chunk)
                    more = message.get("more_body", False)
        except TimeoutError:
            await self._refuse_body(408, f"The body did not arrive within {limits.body_seconds:g} seconds.")
            return False
        self._body = b"".join(chunks)
        return True

    def _what_is_wrong(self) -> str:
        """The reason that keeps a body that is said to be JSON from being that.

        Python's own reader takes more than JSON: NaN, UTF-16, and halves of characters, which no answer can hold.
        """
        if self._body and "json" in self._headers.get("content-type", "").lower():
            try:
                from_json(self._body, allow_inf_nan=False)
            except ValueError as error:
                return f"The body is not JSON in UTF-8: {shorten(str(error), 200)}."
        return ""

    async def _answer(self) -> None:
        """Let the application answer, until it takes too long or the client is gone."""
        task = asyncio.current_task()
        assert task is not None
        gone = False

        def leave(watcher: asyncio.Task[None]) -> None:
            nonlocal gone
            if not watcher.cancelled() and not self._is_answered:
                gone = True
                task.cancel()

        if self._scope["method"] == "POST":
            self._watcher = asyncio.ensure_future(self._until_gone())
            self._watcher.add_done_callback(leave)
        limits = self._guards._limits
        try:
            async with asyncio.timeout(limits.seconds):
                await self._guards._app(self._asked, self._replay, self._sent)
        except TimeoutError:
            if not self._status:
                await self._refuse(504, f"Tagging took longer than {limits.seconds:g} seconds. Send less text at once.")
        except asyncio.CancelledError:
            if gone:
                task.uncancel()
                self._status = _CLIENT_GONE
                return
            if not self._status:  # the server stops, and its grace time is over
                await self._refuse(503, "The server is stopping.", connection="close", **_SOON)
            raise
        except Exception:
            LOG.exception("request %s", self._id)
            if self._status:
                raise
            detail = f"This is a defect of the server; its log tells more about the request {self._id}."
            await self._refuse(500, detail)
        finally:
            if self._watcher:
                self._watcher.remove_done_callback(leave)
                self._watcher.cancel()

    async def _until_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _replay(self) -> Message:
        if not self._was_read:
            self._was_read = True
            return {"type": "http.request", "body": self._body, "more_body": False}
        if self._watcher is None:
            return await self._receive()
        await asyncio.shield(self._watcher)  # the only one who reads what the client sends
        return {"type": "http.disconnect"}

    async def _sent(self, message: Message) -> None:
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self._is_answered = True
        if message["type"] == "http.response.body" and self._asked is not self._scope:
            message = {**message, "body": b""}
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["x-request-id"] = self._id
            if self._path.startswith(_DOCUMENTATION):
                headers["content-security-policy"] = _POLICY_OF_DOCUMENTATION
            for name, value in SAFETY.items():
                headers.setdefault(name, value)
            if self._guards._draining():
                headers["connection"] = "close"
        await self._send(message)

    async def _refuse(self, status: int, detail: str, **headers: str) -> None:
        if status == 401:
            headers["www-authenticate"] = "Bearer"
        await problem(status, detail, self._id, headers)(self._scope, self._receive, self._sent)

    async def _refuse_body(self, status: int, detail: str, **headers: str) -> None:
        # The rest of the body is not read.
        await self._refuse(status, detail, connection="close", **headers)

    def _log(self, seconds: float) -> None:
        if not LOG.isEnabledFor(logging.INFO):
            return
        entry = {
            "id": self._id,
            "method": self._scope["method"],
            "path": self._path[:200],
            "status": self._status,
            "ms": round(seconds * 1000, 2),
            "bytes": len(self._body),
            **self._state.get("log", {}),
        }
        if self._guards._log_texts:
            entry["body"] = self._body.decode("utf-8", "backslashreplace")
        LOG.info("%s %s %s", entry["method"], entry["path"], entry["status"], extra={"entry": entry})


_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_DIGITS = 15
"""More of them are a number that no body has."""

_CLIENT_GONE = 499
_SOON = {"retry-after": "1"}
