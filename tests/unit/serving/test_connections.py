"""Connections whose clients are slow, send endless headers, do not read, or are too many."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import uvicorn

from polytag.serving import connections
from polytag.serving.connections import GuardedProtocol

BIG = 64 * 2**20


async def answer(scope: Any, receive: Any, send: Any) -> None:
    """As long as the path says; `/slow` takes a moment, `/echo` answers with the body."""
    received, more = b"", True
    while more:
        message = await receive()
        received, more = received + message.get("body", b""), message.get("more_body", False)
    body = received if scope["path"] == "/echo" else b"a" * BIG if scope["path"] == "/big" else b"ok"
    if scope["path"] == "/slow":
        await asyncio.sleep(0.6)
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@contextmanager
def running() -> Iterator[tuple[uvicorn.Server, int]]:
    """A server in a thread."""
    config = uvicorn.Config(
        answer, http=GuardedProtocol, ws="none", lifespan="off", log_config=None, timeout_keep_alive=1
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        while not server.started:
            time.sleep(0.005)
        yield server, listening.getsockname()[1]
        server.should_exit = True
        thread.join()


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(connections, "HEADER_SECONDS", 0.3)
    monkeypatch.setattr(connections, "READING_SECONDS", 0.3)
    with running() as (_, port):
        yield port


def read_all(client: socket.socket) -> bytes:
    """Everything until the server closes the connection."""
    client.settimeout(10)
    found = b""
    while chunk := client.recv(2**20):
        found += chunk
    return found


def ask(port: int, *sent: bytes) -> bytes:
    """Everything that the server answers to pieces that are sent one after the other."""
    with socket.create_connection(("127.0.0.1", port)) as client:
        for piece in sent:
            with suppress(OSError):  # it has answered before it read all
                client.sendall(piece)
            time.sleep(0.02)
        return read_all(client)


def problem(answer: bytes) -> dict[str, Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head
    assert b"connection: close" in head
    found: dict[str, Any] = json.loads(body)
    return found


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"POST / HTTP/1.1\r\nHost: a\r\nX-", b"\r\n"])
def test_slow_headers_are_refused(port: int, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(sent)
        assert problem(read_all(client))["status"] == 408


def test_line_ends_do_not_keep_a_connection_open(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        client.recv(1000)
        client.sendall(b"\r\n")
        assert problem(read_all(client))["status"] == 408


def test_headers_have_a_limit(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")
        with pytest.raises(OSError, match=r"reset|pipe"):  # noqa: PT012  # where depends on what is on its way
            for _ in range(2000):
                client.sendall(b"a" * 2**14)
            read_all(client)
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * (connections.HEADER_BYTES + 1))
        assert problem(read_all(client))["status"] == 431


def test_an_answer_is_not_disturbed_by_a_slow_next_request(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\nGET / HT")
        found = read_all(client)
    assert found.startswith(b"HTTP/1.1 200")
    assert b"ok" in found[: found.index(b"408")]


def test_clients_that_do_not_read_are_left(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(1)
        found = 0
        client.settimeout(5)
        with suppress(ConnectionResetError):
            while chunk := client.recv(2**20):
                found += len(chunk)
        assert found < BIG


def test_clients_that_read_slowly_get_all(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        found = 0
        while chunk := client.recv(2**23, socket.MSG_WAITALL):
            found += len(chunk)
            time.sleep(0.1)
    assert found > BIG


def test_connections_have_a_limit(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GuardedProtocol, "most_connections", 2)
    clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
    found = problem(read_all(clients[2]))
    assert (found["status"], found["title"]) == (503, "Service Unavailable")
    clients[0].sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert read_all(clients[0]).startswith(b"HTTP/1.1 200")
    for client in clients:
        client.close()


def test_a_request_that_arrives_while_the_server_is_busy_keeps_its_connection() -> None:
    with running() as (server, port), socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        found = b""
        while not found.endswith(b"ok"):
            found += client.recv(1000)
        (connection,) = server.server_state.connections
        ours, theirs = socket.socketpair()

        def be_busy() -> None:
            theirs.recv(1)
            time.sleep(1.2)  # until the time-out of the idle connection is over: the loop looks at time-outs first

        connection.loop.call_soon_threadsafe(connection.loop.add_reader, theirs, be_busy)
        ours.send(b"a")
        time.sleep(0.2)
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert read_all(client).startswith(b"HTTP/1.1 200")
        connection.loop.call_soon_threadsafe(connection.loop.remove_reader, theirs)
        for end in (ours, theirs):
            end.close()


def test_a_request_that_has_begun_is_answered_when_the_server_stops() -> None:
    with running() as (server, port), socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: cl")
        idle = socket.create_connection(("127.0.0.1", port))
        time.sleep(0.2)
        server.should_exit = True
        assert read_all(idle) == b""
        client.sendall(b"ose\r\n\r\n")
        assert read_all(client).startswith(b"HTTP/1.1 200")
        idle.close()


def test_what_is_not_http_is_a_problem(port: int) -> None:
    body = b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    for sent in (b"\x16\x03\x01", b"POST / HTTP/1.1\r\nHost: a\r\n" + body, b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"):
        found = ask(port, sent)
        assert problem(found)["status"] == 400
        assert b"x-content-type-options: nosniff" in found


OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAA\r\n"


@pytest.mark.parametrize(
    "framing", [b"Content-Length: 5\r\n\r\nRome.", b"Transfer-Encoding: chunked\r\n\r\n5\r\nRome.\r\n0\r\n\r\n"]
)
def test_an_offer_of_another_protocol_does_not_hide_the_body(port: int, framing: bytes) -> None:
    request = b"POST /echo HTTP/1.1\r\nHost: a\r\n" + OFFER + framing
    found = ask(port, request, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert found.count(b"HTTP/1.1 200") == 2
    assert b"\r\n\r\nRome." in found
    in_two = ask(port, request[:-3], request[-3:])
    assert b"\r\n\r\nRome." in in_two


CHUNKED = b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"


@pytest.mark.parametrize("filler", [b"0\r\n" + b"X: " + b"a" * 60_000 + b"\r\n", b"0\r\nX: a", b"1;x=a"])
def test_what_a_body_has_in_addition_to_its_content_has_a_limit(
    port: int, filler: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "FRAMING_BYTES", 50_000)
    found = ask(port, CHUNKED + filler, b"a" * 60_000)
    assert problem(found)["status"] == 413


def test_trailers_are_dropped(port: int) -> None:
    found = ask(port, CHUNKED + b"0\r\nX: a\r\n\r\n" + b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert found.count(b"HTTP/1.1 200") == 2


def test_a_large_body_does_not_count_as_headers_of_the_next_request(port: int) -> None:
    body = b"a" * (connections.HEADER_BYTES + 1)
    first = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    found = ask(port, first + b"GET / HTTP/1.1\r\nHo", b"st: a\r\nConnection: close\r\n\r\n")
    assert found.count(b"HTTP/1.1 200") == 2


def test_requests_that_wait_on_a_connection_have_a_limit(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST_PIPELINED", 20)
    one, last = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    assert ask(port, one * 20 + last).count(b"HTTP/1.1 200") == 21
    assert ask(port, one * 22 + last).count(b"HTTP/1.1 200") < 21
