"""Errors as RFC 9457 describes them: problem details in JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException as AnyHTTPException

from polytag.errors import PolytagError, message_of, shorten
from polytag.serving.batching import BusyError, StoppedError

MEDIA_TYPE = "application/problem+json"
BUSY = "Too many requests wait. Try again later."
_DETAIL = 900
_JSON = "application/json"
_KINDS = frozenset({"str", "none"})

SAFETY = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "object-src 'none'",
    "cache-control": "no-store",
}
"""Headers of all answers, unless a route has its own for a reason."""

DESCRIBED: dict[int | str, dict[str, Any]] = {
    status: {"description": text, "content": {MEDIA_TYPE: {}}}
    for status, text in (
        (400, "The body is not JSON."),
        (401, "The token is missing or wrong."),
        (404, "There is no such model."),
        (408, "The body arrived too slowly."),
        (413, "The body is too large."),
        (422, "A value of the request is wrong."),
        (503, "The queue is full, or the server starts or stops: try again after `Retry-After` seconds."),
        (504, "Tagging took too long."),
    )
}
"""The answers other than 200, for the description of routes."""


def problem(status: int, detail: str, request_id: str = "", headers: Mapping[str, str] | None = None) -> Response:
    """An answer that says what is wrong.

    The paragraph is also its `error`, where the Open Inference Protocol and clients of the hub look for it.

    Args:
        status: The status of HTTP.
        detail: One paragraph.
        request_id: The number of the request.
        headers: Further headers.
    """
    title = HTTPStatus(status).phrase
    content = {"type": "about:blank", "title": title, "status": status, "detail": detail, "error": detail}
    if request_id:
        content["instance"] = request_id
    body = json.dumps(content, ensure_ascii=False).encode("utf-8", errors="backslashreplace")
    return Response(body, status, headers, MEDIA_TYPE)


def add_handlers(app: FastAPI) -> None:
    """Answer every error of a route with a problem."""

    def known(request: Request, error: Exception) -> Response:
        assert isinstance(error, AnyHTTPException)
        return problem(error.status_code, str(error.detail), _id(request), error.headers)

    def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        found = _closest(error.errors())
        if found["type"] == "json_invalid":
            reason = str(found.get("ctx", {}).get("error", ""))
            return problem(400, f"The body is not JSON: {shorten(reason, 200)}.", _id(request))
        text = _said(found, request.headers.get("content-type", ""))
        return problem(422, shorten(text.rstrip("."), _DETAIL) + ".", _id(request))

    def wrong(request: Request, error: Exception) -> Response:
        return problem(422, shorten(message_of(error), _DETAIL), _id(request))

    def busy(request: Request, error: Exception) -> Response:
        seconds = error.seconds if isinstance(error, BusyError) else 1
        return problem(503, BUSY, _id(request), {"Retry-After": str(seconds)})

    def stopped(request: Request, _: Exception) -> Response:
        return problem(503, "The server is stopping.", _id(request), {"Retry-After": "1"})

    for kind, handler in (
        (AnyHTTPException, known),
        (HTTPException, known),
        (RequestValidationError, invalid),
        (PolytagError, wrong),
        (BusyError, busy),
        (StoppedError, stopped),
    ):
        app.add_exception_handler(kind, handler)


def _closest(errors: Sequence[Any]) -> Any:
    """The error to tell: the first, or another one of the same value.

    A value that may be a text, a list or nothing has an error for each. The list was meant if it has a wrong item, or
    too many items.
    """
    place = _place(errors[0])
    same = [error for error in errors if _place(error)[: len(place)] == place]
    return max(same, key=lambda error: (len(error["loc"]), not error["type"].endswith(("_type", "_required"))))


def _place(error: Any) -> list[str]:
    """The names and positions that lead to a value; pydantic adds its possible kinds, as in `texts`, `list[str]`, 1."""
    parts = [str(part) for part in error["loc"][1:]]
    return [part for part in parts if part not in _KINDS and "[" not in part]


def _said(error: Any, content_type: str) -> str:
    """The words for an error in a body, with its place."""
    where = ".".join(_place(error))
    text = str(error["msg"]).removeprefix("Value error, ")  # which pydantic writes before a validator's own words
    if where:
        return f"{shorten(where, 100)}: {text}"
    if error["type"] == "value_error":
        return text
    if error["type"] == "model_attributes_type":
        wrong = f", and not {shorten(content_type, 80)}" if content_type else ""
        is_json = _JSON in content_type.lower()
        return "The body is not a JSON object" if is_json else f"Send JSON as `Content-Type: {_JSON}`{wrong}"
    return f"the body: {text}"


def _id(request: Request) -> str:
    return str(request.scope.get("state", {}).get("request_id", ""))
