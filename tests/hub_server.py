"""A small server on 127.0.0.1 that speaks as much of the Hugging Face hub's protocol as the clients need.

It serves files of model and dataset repositories, each at one revision. Clients find it through
`HF_ENDPOINT`, which they read when they are imported: run them in a subprocess with `client_environment`.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

Kind = Literal["models", "datasets"]


@dataclass
class Repository:
    """The files of a repository at its only revision, by path."""

    files: Mapping[str, bytes]
    gated: bool = False

    @property
    def commit(self) -> str:
        content = repr(sorted((path, hashlib.sha1(data).hexdigest()) for path, data in self.files.items()))
        return hashlib.sha1(content.encode()).hexdigest()


@dataclass
class Hub:
    """A running server; repositories can be added while it runs."""

    url: str
    repositories: dict[tuple[Kind, str], Repository] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)

    def add(self, kind: Kind, name: str, files: Mapping[str, bytes], *, gated: bool = False) -> None:
        self.repositories[kind, name] = Repository(files, gated)


@contextmanager
def running_hub() -> Iterator[Hub]:
    """A hub without repositories, on a free port, until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    hub = Hub(f"http://127.0.0.1:{server.server_port}")
    server.hub = hub  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def client_environment(url: str, home: Path, *, offline: bool = False) -> dict[str, str]:
    """Environment of a subprocess whose hub is at `url` and whose caches are under `home`."""
    inherited = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    return {
        **inherited,
        "HF_ENDPOINT": url,
        "HF_HOME": str(home),
        "HF_HUB_OFFLINE": "1" if offline else "0",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_XET": "1",
    }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""

    def _answer(self) -> None:
        hub: Hub = self.server.hub  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        path = unquote(urlsplit(self.path).path).strip("/")
        hub.requests.append(f"{self.command} /{path}")
        for (kind, name), repository in hub.repositories.items():
            for prefix in (f"api/{kind}/{name}", name if kind == "models" else f"{kind}/{name}"):
                if path == prefix or path.startswith(prefix + "/"):
                    rest = path.removeprefix(prefix).strip("/")
                    return self._repository(name, repository, prefix.startswith("api/"), rest, body)
        return self._error(404, "RepoNotFound", "Repository not found")

    def _repository(self, name: str, repository: Repository, is_api: bool, rest: str, body: str) -> None:
        if repository.gated:
            return self._error(401, "GatedRepo", f"Access to {name} is restricted. You must be authenticated.")
        action, _, argument = rest.partition("/")
        revision, _, path = argument.partition("/")
        if revision not in ("", "main", repository.commit):
            return self._error(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        if not is_api:
            return self._file(repository, path)
        if action in ("", "revision"):
            return self._json(
                {
                    "id": name,
                    "sha": repository.commit,
                    "private": False,
                    "gated": False,
                    "disabled": False,
                    "downloads": 0,
                    "likes": 0,
                    "tags": [],
                    "lastModified": "2024-01-01T00:00:00.000Z",
                    "createdAt": "2024-01-01T00:00:00.000Z",
                    "siblings": [{"rfilename": file} for file in sorted(repository.files)],
                }
            )
        if action == "tree":
            if path and not any(file.startswith(path + "/") for file in repository.files):
                return self._error(404, "EntryNotFound", f"{path} does not exist on {revision}")
            recursive = parse_qs(urlsplit(self.path).query).get("recursive", [""])[0].lower() in ("true", "1")
            return self._json(_tree(repository, path, recursive))
        if action == "paths-info":
            asked = json.loads(body)["paths"] if body.startswith("{") else parse_qs(body).get("paths", [])
            entries = {entry["path"]: entry for entry in _tree(repository, "", recursive=True)}
            return self._json([entries[path] for path in asked if path in entries])
        return self._error(404, "EntryNotFound", f"No such endpoint: {action}")

    def _file(self, repository: Repository, path: str) -> None:
        if path not in repository.files:
            return self._error(404, "EntryNotFound", f"{path} does not exist")
        data = repository.files[path]
        headers = {
            "ETag": f'"{hashlib.sha1(data).hexdigest()}"',
            "X-Repo-Commit": repository.commit,
            "Content-Type": "application/octet-stream",
            "Accept-Ranges": "bytes",
        }
        wanted = self.headers.get("Range", "")
        if wanted.startswith("bytes="):
            start, _, end = wanted.removeprefix("bytes=").partition("-")
            first = int(start) if start else max(0, len(data) - int(end))
            last = min(int(end), len(data) - 1) if start and end else len(data) - 1
            headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
            return self._send(206, headers, data[first : last + 1])
        return self._send(200, headers, data)

    def _json(self, value: object) -> None:
        self._send(200, {"Content-Type": "application/json"}, json.dumps(value).encode())

    def _error(self, status: int, code: str, message: str) -> None:
        headers = {"X-Error-Code": code, "X-Error-Message": message, "Content-Type": "application/json"}
        self._send(status, headers, json.dumps({"error": message}).encode())

    def _send(self, status: int, headers: Mapping[str, str], data: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


def _tree(repository: Repository, folder: str, recursive: bool) -> list[dict[str, object]]:
    prefix = folder + "/" if folder else ""
    entries: dict[str, dict[str, object]] = {}
    for path, data in sorted(repository.files.items()):
        if not path.startswith(prefix):
            continue
        parts = path.removeprefix(prefix).split("/")
        for depth in range(1, len(parts) if recursive else min(2, len(parts))):
            parent = prefix + "/".join(parts[:depth])
            oid = hashlib.sha1(parent.encode()).hexdigest()
            entries[parent] = {"type": "directory", "path": parent, "oid": oid, "size": 0}
        if recursive or len(parts) == 1:
            oid = hashlib.sha1(data).hexdigest()
            entries[path] = {"type": "file", "path": path, "oid": oid, "size": len(data)}
    return list(entries.values())
