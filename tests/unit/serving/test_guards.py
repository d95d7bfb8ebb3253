"""What every request passes: limits of size and time, the log, and what happens when clients leave."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from polytag.serving.guards import Guards, Limits
from polytag.serving.log import JsonLines
from polytag.serving.metrics import Metrics
from support.serving import TEXT, App

Message = dict[str, Any]


class Exchange:
    """One request to the middleware: what the client sends, when, and what it gets.

    Args:
        app: What is behind the middleware.
        body: The body in pieces; a number is a pause in seconds, None is the client leaving.
        headers: Headers of the request.
        method: Its method.
        **options: As in `Guards`.
    """

    def __init__(
        self,
        app: Any,
        body: Iterable[bytes | float | None] = (b"",),
        headers: dict[str, str] | None = None,
        method: str = "POST",
        limits: Limits | None = None,
        **options: Any,
    ) -> None:
        self.sent: list[Message] = []
        self._pieces = list(body)
        self._left: asyncio.Event | None = None
        guards = Guards(app, Metrics(), limits or Limits(), **options)
        scope = {
            "type": "http",
            "method": method,
            "path": "/v1/tag",
            "headers": [(name.encode(), value.encode()) for name, value in (headers or {}).items()],
        }
        asyncio.run(asyncio.wait_for(guards(scope, self._receive, self._send), 20))

    async def _receive(self) -> Message:
        while self._pieces:
            piece = self._pieces.pop(0)
            if piece is None:
                return {"type": "http.disconnect"}
            if isinstance(piece, bytes):
                more = any(isinstance(other, bytes) for other in self._pieces)
                return {"type": "http.request", "body": piece, "more_body": more}
            await asyncio.sleep(piece)
        await asyncio.Event().wait()
        raise AssertionError

    async def _send(self, message: Message) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        """The status of the answer."""
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the answer."""
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def detail(self) -> str:
        """The paragraph of a problem."""
        assert self.headers["content-type"] == "application/problem+json"
        found = json.loads(self.sent[1]["body"])
        assert (found["type"], found["status"], found["instance"]) == (
            *("about:blank", self.status, self.headers["x-request-id"]),
        )
        return str(found["detail"])


async def echo(scope: Any, receive: Callable[[], Any], send: Callable[[Message], Any]) -> None:
    """Answer with the body."""
    message = await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": message["body"]})


async def forever(scope: Any, receive: Any, send: Any) -> None:
    """Compute."""
    await asyncio.sleep(60)


SMALL = Limits(body_bytes=10, body_seconds=0.1, seconds=0.1)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ([b"a" * 11], {"content-length": "11"}),
        ([b"a" * 6, b"a" * 5], {"transfer-encoding": "chunked"}),
        ([b"a" * 6, b"a" * 500], {"content-length": "10"}),
        ([], {"content-length": "9" * 5000}),
    ],
    ids=["honest", "chunked", "lying", "endless number"],
)
def test_a_large_body_is_refused(body: list[bytes], headers: dict[str, str]) -> None:
    found = Exchange(echo, body, headers, limits=SMALL)
    assert found.status == 413
    assert "10 bytes" in found.detail
    assert found.headers["connection"] == "close"


def test_a_body_that_fits_arrives_whole() -> None:
    found = Exchange(echo, [b"12345", b"67890"], {"content-length": "10"}, limits=SMALL)
    assert (found.status, found.sent[1]["body"]) == (200, b"1234567890")
    assert "connection" not in found.headers


def test_slow_bodies_are_refused() -> None:
    found = Exchange(echo, [b"1", 0.06, b"2", 0.06, b"3"], limits=SMALL)
    assert found.status == 408
    assert "0.1 seconds" in found.detail


def test_bodies_of_all_requests_have_a_limit() -> None:
    guards = Guards(echo, Metrics(), Limits(body_bytes=10, all_bodies_bytes=15, body_seconds=0.3))
    statuses: list[int] = []

    async def ask(size: int, more: bool) -> None:
        pieces = [b"a" * size]

        async def receive() -> Message:
            if not pieces:
                await asyncio.sleep(20)
            return {"type": "http.request", "body": pieces.pop(), "more_body": more}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        await guards({"type": "http", "method": "POST", "path": "/", "headers": []}, receive, send)

    async def both() -> None:
        slow = asyncio.ensure_future(ask(10, more=True))
        await asyncio.sleep(0.01)
        await ask(8, more=False)
        await slow
        await ask(8, more=False)

    asyncio.run(both())
    assert statuses == [503, 408, 200]


def test_slow_answers_are_given_up() -> None:
    found = Exchange(forever, limits=SMALL)
    assert found.status == 504
    assert "0.1 seconds" in found.detail


def test_the_application_is_told_when_a_client_leaves() -> None:
    ended: list[bool] = []

    async def compute(scope: Any, receive: Any, send: Any) -> None:
        try:
            await asyncio.sleep(20)
        finally:
            ended.append(True)

    assert Exchange(compute, [b"", 0.01, None]).sent == []
    assert ended == [True]
    assert Exchange(compute, [None]).sent == []
    assert ended == [True]


def test_leaving_after_the_answer_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def linger(scope: Any, receive: Any, send: Any) -> None:
        await echo(scope, receive, send)
        await asyncio.sleep(0.05)

    with caplog.at_level(logging.INFO, "polytag.serving"):
        assert Exchange(linger, [b"a", 0.01, None]).status == 200
    assert caplog.records[-1].entry["status"] == 200  # type: ignore[attr-defined]


def test_a_defect_is_a_problem_with_the_number_that_the_log_has(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError(f"cannot read {TEXT}")

    with caplog.at_level(logging.INFO, "polytag.serving"):
        found = Exchange(broken, headers={"x-request-id": "mine-7"})
    assert found.status == 500
    assert "mine-7" in found.detail
    assert TEXT not in found.detail
    log = "\n".join(map(JsonLines().format, caplog.records))
    assert "mine-7" in log
    assert "RuntimeError" in log
    assert __file__ in log
    assert TEXT not in log
    assert TEXT in JsonLines(messages=True).format(caplog.records[0])


def test_answers_of_a_server_that_stops_close_their_connections() -> None:
    assert Exchange(echo, draining=lambda: True).headers["connection"] == "close"

    async def cancelled(scope: Any, receive: Any, send: Any) -> None:
        raise asyncio.CancelledError

    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    async def stopped() -> None:
        guards = Guards(cancelled, Metrics(), Limits())
        with pytest.raises(asyncio.CancelledError):
            await guards({"type": "http", "method": "GET", "path": "/", "headers": []}, receive, send)

    asyncio.run(stopped())
    assert sent[0]["status"] == 503
    assert (b"retry-after", b"1") in sent[0]["headers"]


def test_when_nothing_more_can_be_tagged_requests_are_refused_unread() -> None:
    found = Exchange(forever, seconds_to_wait=lambda: 7)
    assert (found.status, found.headers["retry-after"]) == (503, "7")
    assert Exchange(echo, method="GET", seconds_to_wait=lambda: 7).status == 200


@pytest.mark.parametrize("given", ["a b", "x" * 101, "", "é", 'a"b', "a\nb"])
def test_numbers_of_requests_are_safe(given: str) -> None:
    found = Exchange(echo, headers={"x-request-id": given}).headers["x-request-id"]
    assert found != given
    assert found.isalnum()


def test_a_token_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []
    monkeypatch.setattr(
        "polytag.serving.guards.hmac.compare_digest", lambda one, other: compared.append((one, other)) or one == other
    )
    found = Exchange(echo, [b"body"], {"authorization": "Bearer x", "content-length": "4"}, token="secret")
    assert compared == [(b"x", b"secret")]
    assert found.status == 401
    assert found.headers["connection"] == "close"  # nobody reads the body
    assert Exchange(echo, headers={"authorization": "bearer secret"}, token="secret").status == 200
    assert "connection" not in Exchange(echo, token="secret").headers


def test_a_wrong_token_and_no_token_are_told_apart() -> None:
    def detail(**headers: str) -> str:
        return str(json.loads(Exchange(echo, headers=headers, token="secret").sent[1]["body"])["detail"])

    assert detail().startswith("This server wants a token")
    assert detail(authorization="Bearer x").startswith("The token in the header `Authorization` is not the one")


def test_the_log_has_numbers_and_no_texts(served: App, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "polytag.serving"):
        answer = served.ask("POST", "/v1/tag", json={"texts": [TEXT, "It rained."]})
        served.ask("POST", "/v1/tag", json={"texts": TEXT, "tasks": [TEXT]})
        served.ask("POST", "/v1/tag", json={"texts": [[TEXT]]})
    entry = json.loads(JsonLines().format(caplog.records[0]))
    assert entry["id"] == answer.headers["x-request-id"]
    assert (entry["method"], entry["path"], entry["status"]) == ("POST", "/v1/tag", 200)
    assert (entry["model"], entry["texts"], entry["characters"]) == ("joint", 2, len(TEXT) + 10)
    assert len(caplog.records) == 3
    assert "Keller" not in "".join(map(JsonLines(messages=True).format, caplog.records))


def test_the_log_has_texts_when_asked(joint_tagger: Any, caplog: pytest.LogCaptureFixture) -> None:
    app = App(joint_tagger, log_texts=True)
    with caplog.at_level(logging.INFO, "polytag.serving"):
        app.ask("POST", "/v1/tag", json={"texts": TEXT})
    assert "Keller" in JsonLines().format(caplog.records[-1])
    app.close()


def test_more_than_the_queue_holds_is_refused(joint_tagger: Any) -> None:
    app = App(joint_tagger, queue=1)
    texts = ["Anna Keller met Peter in Rome. " * 20] * 10

    async def many() -> list[Any]:
        return await asyncio.gather(*(app.client.post("/v1/tag", json={"texts": texts}) for _ in range(12)))

    answers = app.run(many())
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) == {200, 503}
    refused = answers[statuses.index(503)]
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.json()["title"] == "Service Unavailable"
    app.close()


def test_what_answers_get_answers_head_without_a_body() -> None:
    async def only_get(scope: Any, receive: Any, send: Any) -> None:
        assert scope["method"] == "GET"
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    found = Exchange(only_get, method="HEAD")
    assert (found.status, found.headers["content-length"], found.sent[1]["body"]) == (200, "2", b"")
