"""A small server on 127.0.0.1 that speaks as much of the Hugging Face hub's protocol as the clients need.

It serves files of model and dataset repositories, takes commits, and fails in the ways a network does. `use_hub` lets
the clients in this process use it.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
import os
import re
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

Kind = Literal["models", "datasets"]
Files = dict[str, bytes]

OWNER, TOKEN = "acme", "hf_acme"
"""Whose token is known, and the token: it may read and write what belongs to the owner."""


@dataclass
class Repository:
    """Commits of a repository, and what its branches point to."""

    commits: dict[str, Files]
    branches: dict[str, str]
    gated: bool = False
    private: bool = False
    messages: list[str] = field(default_factory=list)

    @property
    def files(self) -> Files:
        """The files of `main`."""
        return self.commits[self.branches["main"]]

    def commit(self, branch: str, files: Files, message: str) -> str:
        content = repr([message, *sorted((path, _sha1(data)) for path, data in files.items())])
        oid = _sha1(content.encode())
        self.commits[oid] = files
        self.branches[branch] = oid
        self.messages.append(message)
        return oid


@dataclass
class Fault:
    """What goes wrong with requests whose method and path match a pattern, as often as it says.

    With `status`, that is the answer; with `cut`, the answer breaks off after so many bytes; with `wait`, the answer
    comes when the event is set; with none of them, the connection is dropped without an answer.
    """

    pattern: str
    times: int = 1_000_000
    status: int | None = None
    cut: int | None = None
    wait: threading.Event | None = None


@dataclass
class Hub:
    """A running server; repositories can be added while it runs."""

    url: str
    repositories: dict[tuple[Kind, str], Repository] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    stored: dict[str, bytes] = field(default_factory=dict)

    def add(
        self, kind: Kind, name: str, files: Mapping[str, bytes], *, gated: bool = False, private: bool = False
    ) -> Repository:
        repository = Repository({}, {}, gated, private)
        repository.commit("main", dict(files), "initial commit")
        self.repositories[kind, name] = repository
        return repository

    def model(self, name: str) -> Repository:
        return self.repositories["models", name]

    def seen(self, pattern: str) -> list[str]:
        """The requests so far, as `GET /path bytes=0-`, that match a pattern."""
        return [request for request in self.requests if re.search(pattern, request)]


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


def use_hub(
    patch: pytest.MonkeyPatch, url: str, home: Path, *, offline: bool = False, token: str | None = None
) -> None:
    """Let the clients in this process use the hub at `url`, and caches under `home`, until `patch` is undone.

    They take their settings from environment variables, once, when they are imported: here, they take them again.
    """
    import datasets.config
    import huggingface_hub

    for name in list(os.environ):
        if "proxy" in name.lower() or name.startswith("HF_"):
            patch.delenv(name)
    settings = {
        "HF_ENDPOINT": url,
        "HF_HOME": str(home),
        "HF_HUB_OFFLINE": "1" if offline else "0",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_XET": "1",
        **({"HF_TOKEN": token} if token else {}),
    }
    for name, value in settings.items():
        patch.setenv(name, value)
    huggingface_hub.close_session()
    for module in (huggingface_hub.constants, datasets.config):
        spec = importlib.util.spec_from_file_location(module.__name__, module.__file__)
        fresh = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(fresh)
        for name, value in vars(fresh).items():
            if name.isupper():
                patch.setattr(module, name, value)


class _DroppedError(Exception):
    """The connection is to be closed without another byte."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""

    @property
    def hub(self) -> Hub:
        hub: Hub = self.server.hub  # type: ignore[attr-defined]
        return hub

    def _answer(self) -> None:
        try:
            self._route(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        except (_DroppedError, BrokenPipeError, ConnectionResetError):
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

    def _route(self, body: bytes) -> None:
        path = unquote(urlsplit(self.path).path).strip("/")
        request = f"{self.command} /{path} {self.headers.get('Range', '')}".strip()
        self.hub.requests.append(request)
        self._cut: int | None = None
        fault = next((fault for fault in self.hub.faults if fault.times and re.search(fault.pattern, request)), None)
        if fault:
            fault.times -= 1
            if fault.status:
                return self._send(fault.status, {"Content-Type": "text/html"}, b"<html>Out of order</html>")
            if fault.wait:
                fault.wait.wait(60)
            elif fault.cut is None:
                raise _DroppedError
            self._cut = fault.cut
        sent = self.headers.get("Authorization", "")
        if sent and sent != f"Bearer {TOKEN}":
            return self._error(401, "", "Invalid credentials in Authorization header")
        if path == "api/whoami-v2":
            return self._json({"name": OWNER, "type": "user"}) if sent else self._error(401, "", "Not logged in")
        if path == "api/validate-yaml":
            return self._check_card(json.loads(body)["content"])
        if path == "api/repos/create":
            return self._create(json.loads(body))
        if path.startswith("storage/"):
            return self._store(path.removeprefix("storage/"), body)
        for (kind, name), repository in self.hub.repositories.items():
            for prefix in (f"api/{kind}/{name}", name if kind == "models" else f"{kind}/{name}"):
                if path == prefix or path.startswith((prefix + "/", prefix + ".git/")):
                    rest = path.removeprefix(prefix).removeprefix(".git").strip("/")
                    return self._repository(name, repository, prefix.startswith("api/"), rest, body)
        # The hub does not tell strangers what exists.
        return self._error(404 if sent else 401, "RepoNotFound", "Repository not found")

    def _check_card(self, text: str) -> None:
        import yaml

        try:
            yaml.safe_load(text.split("---\n")[1])
        except (IndexError, yaml.YAMLError) as error:
            message = {"errors": [{"message": str(error)}], "warnings": []}
            return self._send(400, {"Content-Type": "application/json"}, json.dumps(message).encode())
        return self._json({"errors": [], "warnings": []})

    def _create(self, wanted: dict[str, Any]) -> None:
        owner = wanted.get("organization") or OWNER
        if not self.headers.get("Authorization"):
            return self._error(401, "", "Invalid username or password.")
        if owner != OWNER:
            return self._error(403, "", f"You don't have the rights to create a model under the namespace {owner}")
        name = f"{owner}/{wanted['name']}"
        if ("models", name) in self.hub.repositories:
            return self._error(409, "", "You already created this model repo")
        attributes = {".gitattributes": b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n"}
        self.hub.add("models", name, attributes, private=wanted.get("visibility") == "private")
        return self._json({"url": f"{self.hub.url}/{name}", "name": name})

    def _store(self, oid: str, body: bytes) -> None:
        """The large file storage: `PUT` a file under its hash, then `POST` to verify it."""
        if self.command == "PUT":
            if hashlib.sha256(body).hexdigest() != oid:
                return self._error(400, "", "The content does not have this hash")
            self.hub.stored[oid] = body
            return self._send(200, {}, b"")
        return self._json({}) if oid in self.hub.stored else self._error(404, "", "Not stored")

    def _repository(self, name: str, repository: Repository, is_api: bool, rest: str, body: bytes) -> None:
        known = self.headers.get("Authorization") is not None
        if repository.private and not (known and name.startswith(f"{OWNER}/")):
            return self._error(401, "RepoNotFound", "Repository not found")
        if repository.gated:
            return self._error(401, "GatedRepo", f"Access to {name} is restricted. You must be authenticated.")
        action, _, argument = rest.partition("/")
        writing = action in ("preupload", "commit", "branch", "info")
        if writing and not known:
            return self._error(401, "", "Invalid username or password.")
        if writing and not name.startswith(f"{OWNER}/"):
            return self._error(403, "", "You do not have write access to this repository")
        if action == "info":
            return self._batch(json.loads(body))
        if action == "branch":
            repository.branches[argument] = repository.branches["main"]
            return self._json({})
        revision, path = self._revision(repository, argument)
        if revision is None:
            return self._error(404, "RevisionNotFound", f"Invalid rev id: {argument}")
        oid = repository.branches.get(revision, revision)
        files = repository.commits[oid]
        if not is_api:
            return self._file(files, oid, path)
        if action == "preupload":
            asked = json.loads(body)["files"]
            modes = {True: "lfs", False: "regular"}
            return self._json(
                {
                    "files": [
                        {
                            "path": file["path"],
                            "uploadMode": modes[_is_large(file["path"])],
                            "shouldIgnore": False,
                            "oid": None,
                        }
                        for file in asked
                    ]
                }
            )
        if action == "commit":
            return self._commit(name, repository, revision, body)
        if action in ("", "revision"):
            return self._json(
                {
                    "id": name,
                    "sha": oid,
                    "private": repository.private,
                    "gated": False,
                    "disabled": False,
                    "downloads": 0,
                    "likes": 0,
                    "tags": [],
                    "lastModified": "2024-01-01T00:00:00.000Z",
                    "createdAt": "2024-01-01T00:00:00.000Z",
                    "siblings": [{"rfilename": file} for file in sorted(files)],
                }
            )
        if action == "tree":
            if path and not any(file.startswith(path + "/") for file in files):
                return self._error(404, "EntryNotFound", f"{path} does not exist on {revision}")
            recursive = parse_qs(urlsplit(self.path).query).get("recursive", [""])[0].lower() in ("true", "1")
            return self._json(_tree(files, path, recursive))
        if action == "paths-info":
            text = body.decode()
            wanted = json.loads(text)["paths"] if text.startswith("{") else parse_qs(text).get("paths", [])
            entries = {entry["path"]: entry for entry in _tree(files, "", recursive=True)}
            return self._json([entries[path] for path in wanted if path in entries])
        return self._error(404, "EntryNotFound", f"No such endpoint: {action}")

    def _revision(self, repository: Repository, argument: str) -> tuple[str | None, str]:
        """What an address says after its action: a branch or a commit, and a path."""
        for revision in ("main", *repository.branches, *repository.commits):
            if argument == revision or argument.startswith(revision + "/"):
                return revision, argument.removeprefix(revision).strip("/")
        return (None if argument else "main"), ""

    def _batch(self, wanted: dict[str, Any]) -> None:
        objects = []
        for file in wanted["objects"]:
            address = {"href": f"{self.hub.url}/storage/{file['oid']}"}
            missing = file["oid"] not in self.hub.stored
            objects.append({**file, **({"actions": {"upload": address, "verify": address}} if missing else {})})
        self._json({"transfer": "basic", "objects": objects})

    def _commit(self, name: str, repository: Repository, branch: str, body: bytes) -> None:
        files, message = dict(repository.commits[repository.branches[branch]]), ""
        for line in body.decode().splitlines():
            operation = json.loads(line)
            value = operation["value"]
            if operation["key"] == "header":
                message = value["summary"]
            elif operation["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif operation["key"] == "lfsFile":
                if value["oid"] not in self.hub.stored:
                    return self._error(400, "", f"{value['path']} has not been uploaded")
                files[value["path"]] = self.hub.stored[value["oid"]]
            else:
                del files[value["path"]]
        oid = repository.commit(branch, files, message)
        return self._json({"commitUrl": f"{self.hub.url}/{name}/commit/{oid}", "commitOid": oid})

    def _file(self, files: Files, oid: str, path: str) -> None:
        if path not in files:
            return self._error(404, "EntryNotFound", f"{path} does not exist")
        data = files[path]
        headers = {
            "ETag": f'"{_sha1(data)}"',
            "X-Repo-Commit": oid,
            "Content-Type": "application/octet-stream",
            "Accept-Ranges": "bytes",
        }
        if _is_large(path):
            headers |= {"X-Linked-Etag": f'"{hashlib.sha256(data).hexdigest()}"', "X-Linked-Size": str(len(data))}
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
        headers = {"X-Error-Message": message, "Content-Type": "application/json"}
        headers |= {"X-Error-Code": code} if code else {}
        self._send(status, headers, json.dumps({"error": message}).encode())

    def _send(self, status: int, headers: Mapping[str, str], data: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data if self._cut is None else data[: self._cut])
            if self._cut is not None:
                raise _DroppedError


def _is_large(path: str) -> bool:
    """Whether a file is in the large file storage."""
    return path.endswith(".safetensors")


def _sha1(data: bytes) -> str:
    return hashlib.sha1(data).hexdigest()


def _tree(files: Files, folder: str, recursive: bool) -> list[dict[str, object]]:
    prefix = folder + "/" if folder else ""
    entries: dict[str, dict[str, object]] = {}
    for path, data in sorted(files.items()):
        if not path.startswith(prefix):
            continue
        parts = path.removeprefix(prefix).split("/")
        for depth in range(1, len(parts) if recursive else min(2, len(parts))):
            parent = prefix + "/".join(parts[:depth])
            entries[parent] = {"type": "directory", "path": parent, "oid": _sha1(parent.encode()), "size": 0}
        if recursive or len(parts) == 1:
            entries[path] = {"type": "file", "path": path, "oid": _sha1(data), "size": len(data)}
            if _is_large(path):
                oid = hashlib.sha256(data).hexdigest()
                entries[path]["lfs"] = {"oid": oid, "size": len(data), "pointerSize": 134}
    return list(entries.values())
