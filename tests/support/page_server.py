"""A server with the page, on a port of its own."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

import polytag
from polytag import Tagger
from polytag.plugin.registry import registry
from polytag.serving.page_routes import page_router
from polytag.tagger.marks import colours


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Serve an app from a thread; gives its address."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.should_exit = True
        thread.join()


def page_app(taggers: Mapping[str, Tagger], *, token: str | None = None) -> FastAPI:
    """The page and the two routes that it calls."""
    app, lock = FastAPI(), threading.Lock()
    app.include_router(page_router())

    def refused(request: Request) -> Response | None:
        if token is None or request.headers.get("Authorization") == f"Bearer {token}":
            return None
        return JSONResponse({"status": 401, "detail": "A token is needed."}, 401)

    @app.get("/v1/info", response_model=None)
    def info(request: Request) -> Response | dict[str, Any]:
        return refused(request) or {
            "polytag": polytag.__version__,
            "models": [_model(name, tagger) for name, tagger in taggers.items()],
            "limits": {"body_bytes": 1 << 20, "texts": 1000, "alternatives": 10},
            "token": token is not None,
        }

    @app.post("/v1/tag", response_model=None)
    def tag(request: Request, body: dict[str, Any]) -> Response | dict[str, Any]:
        if answer := refused(request):
            return answer
        name = body.get("model", next(iter(taggers)))
        tagger = replace(taggers[name], min_score=body.get("min_score", 0.0))
        tagger = replace(tagger, heads={task: tagger.heads[task] for task in body.get("tasks", tagger.heads)})
        alternatives = body.get("alternatives", 0)
        with lock:
            if "words" in body:
                found = tagger.tag_words(body["words"], body.get("documents"), alternatives=alternatives)
            else:
                texts = [body["texts"]] if isinstance(body["texts"], str) else body["texts"]
                found = tagger.tag(texts, alternatives=alternatives)
        results = [one.to_dict() for one in found]
        if request.headers.get("Accept") == "application/x-ndjson":
            return Response("".join(json.dumps(one) + "\n" for one in results), media_type="application/x-ndjson")
        return {"model": name, "results": results}

    return app


def _model(name: str, tagger: Tagger) -> dict[str, Any]:
    tasks = [
        {
            "name": task,
            "summary": registry().tasks[task].summary,
            "scheme": decoder.head.scheme,
            "spans": decoder.scheme.encodes_spans,
            "labels": decoder.shown_labels,
            "colours": colours(decoder.shown_labels),
            "examples": registry().tasks[task].examples,
        }
        for task, decoder in tagger.decoders.items()
    ]
    return {
        "name": name,
        "runtime": tagger.runtime,
        "splitter": tagger.splitter,
        "context": tagger.context,
        "tasks": tasks,
    }
