"""Limits of connections that no application sees: slow or endless headers, clients that do not read, their number.

In addition, what is not HTTP is a problem in JSON, and an offer to change the protocol is passed over.
"""

from __future__ import annotations

import asyncio
import selectors
from http import HTTPStatus

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from polytag.serving.problems import SAFETY, problem

HEADER_BYTES = 2**16
FRAMING_BYTES = 2**23
"""What the body of a request may have in addition to its content: sizes and extensions of chunks, and trailers. Chunks
of one byte have six more."""

HEADER_SECONDS = 10.0
FIRST_SECONDS = 0.5
"""For how long a server that stops waits for the first request of a connection."""

READING_SECONDS = 30.0
"""For how long a client may read nothing of an answer."""

MOST_PIPELINED = 1000
"""Requests that a connection may have sent before the first of them is answered."""

MOST_CONNECTIONS = 4096
_OTHER_FILES = 256


def raise_limits() -> None:
    """Let the process have as many files as there may be connections; else, let there be fewer connections."""
    try:
        import resource
    except ImportError:  # on Windows
        return
    usual, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = (
        MOST_CONNECTIONS + _OTHER_FILES
        if most == resource.RLIM_INFINITY
        else min(most, MOST_CONNECTIONS + _OTHER_FILES)
    )
    if usual != resource.RLIM_INFINITY and usual < files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, most))
    GuardedProtocol.most_connections = max(1, min(MOST_CONNECTIONS, files - _OTHER_FILES))


def is_readable(file: int) -> bool:
    """Whether something waits to be read from a socket, or a connection to be accepted."""
    with selectors.DefaultSelector() as selector:
        selector.register(file, selectors.EVENT_READ)
        return bool(selector.select(0))


class GuardedProtocol(HttpToolsProtocol):
    """HTTP with limits."""

    most_connections = MOST_CONNECTIONS
    _slow: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None
    _header_bytes = 0
    _framing_bytes = 0
    _in_headers = False
    _in_message = False
    _had_headers = False
    """Whether the headers of a request ended in what arrived last."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a request."""
        super().connection_made(transport)
        if len(self.connections) > self.most_connections:
            self._end(HTTPStatus.SERVICE_UNAVAILABLE, "Too many connections are open. Try again later.")
        else:
            self._wait()

    def data_received(self, data: bytes) -> None:
        """Count the bytes of headers, and the bytes of a body that are not content."""
        if self._slow is None and self._is_idle:
            self._wait()  # also for what is not yet the start of a request
        waited, self._had_headers = self._slow is not None, False
        self._framing_bytes += len(data)
        self._unset_keepalive_if_required()
        self._parse(data)
        if waited and self._slow is not None and not self._had_headers:
            self._header_bytes += len(data)
            if self._header_bytes > HEADER_BYTES:
                self._end(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"Headers may have {HEADER_BYTES:,} bytes.")
        elif self._in_message and not self._in_headers and self._framing_bytes > FRAMING_BYTES:
            detail = f"Chunks and trailers may have {FRAMING_BYTES:,} bytes in addition to their content."
            self._end(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)

    def _parse(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            # The parser takes what follows for another protocol. It is the body: clients that offer HTTP/2, as Java's
            # does, expect an answer in HTTP/1.1 from those who do not take the offer.
            head = b"".join(b"%s: %s\r\n" % header for header in self.headers if header[0] != b"upgrade")
            method, self.parser = self.parser.get_method(), httptools.HttpRequestParser(self)
            self._parse(b"%s %s HTTP/1.1\r\n%s\r\n" % (method, self.url, head) + data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self._end(HTTPStatus.BAD_REQUEST, "This is not a request of HTTP/1.1.")

    def on_message_begin(self) -> None:
        """Wait for the headers of a request."""
        self._wait()
        self._in_headers = self._in_message = True
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; trailers are dropped, so that they cannot fill the memory."""
        if self._in_headers:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Wait for nothing: the body has a limit of its own."""
        self._had_headers = True
        if self.parser.should_upgrade():
            if self.parser.get_method() == b"CONNECT":
                raise ValueError("this server is no proxy")
            return  # read once more without the offer
        if len(self.pipeline) >= MOST_PIPELINED:
            raise ValueError("requests come faster than they are answered")
        self._forget()
        self._in_headers, self._framing_bytes = False, 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._framing_bytes -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Note the end of a request."""
        if not self.parser.should_upgrade():
            self._in_message = False
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Begin with the next request; no more are read before all that wait are answered."""
        super().on_response_complete()
        if self.pipeline and not self.transport.is_closing():
            self.flow.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing."""
        self._forget()
        self._forget_stalled()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Close the connection, unless a request is on it or on its way: the answer to that will close it."""
        if self.transport.is_closing() or (self._is_idle and (self._header_bytes or self._has_unread)):
            return
        if self.cycle is None:
            self._forget()
            self._slow = self.loop.call_later(FIRST_SECONDS, self.transport.close)
        else:
            super().shutdown()

    def pause_writing(self) -> None:
        """Wait for the client to read."""
        super().pause_writing()
        self._look_again(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """The client has read."""
        self._forget_stalled()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """Close the connection, unless its next request has arrived while the server was busy."""
        if self.transport.is_closing() or not self._has_unread:
            super().timeout_keep_alive_handler()

    @property
    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    @property
    def _has_unread(self) -> bool:
        return is_readable(self.transport.get_extra_info("socket").fileno())

    def _wait(self) -> None:
        self._forget()
        self._slow = self.loop.call_later(HEADER_SECONDS, self._give_up)

    def _forget(self) -> None:
        self._header_bytes = 0
        if self._slow is not None:
            self._slow.cancel()
            self._slow = None

    def _give_up(self) -> None:
        if self._is_idle:
            self._end(HTTPStatus.REQUEST_TIMEOUT, f"The headers did not arrive within {HEADER_SECONDS:g} seconds.")
        else:  # a request that is being answered comes first
            self._slow = self.loop.call_later(HEADER_SECONDS, self._give_up)

    def _look_again(self, before: int) -> None:
        self._forget_stalled()
        self._stalled = self.loop.call_later(READING_SECONDS, self._look, before)

    def _look(self, before: int) -> None:
        size = self.transport.get_write_buffer_size()
        if size >= before:
            self.transport.abort()
        else:
            self._look_again(size)

    def _forget_stalled(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _end(self, status: HTTPStatus, detail: str) -> None:
        """Answer in place of the application, unless that is answering already, and close the connection."""
        self._forget()
        if self.transport.is_closing():
            return
        if self.pipeline or not (self._is_idle or not self.cycle.response_started):
            self.transport.close()
            return
        answer = problem(
            status, detail, headers={"retry-after": "1"} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}
        )
        answer.headers.update({**SAFETY, "connection": "close"})
        lines = [b"%s: %s" % header for header in answer.raw_headers]
        status_line = f"HTTP/1.1 {status.value} {status.phrase}".encode()
        self.transport.write(b"\r\n".join([status_line, *lines, b"", bytes(answer.body)]))
        self.transport.close()
