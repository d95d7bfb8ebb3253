"""A server in a process of its own, and an application in the process of the tests."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from polytag.serving.app import create_app

_PROGRAM = "from polytag.cli.start import main; main()"
TEXT = "Anna Keller met Peter in Rome."


def renamed_tagger(folder: Path, to: Path, label: str) -> Path:
    """A copy of an ner tagger whose persons have another label."""
    shutil.copytree(folder, to)
    for name in ("polytag.json", "config.json"):
        text = (to / name).read_text(encoding="utf-8")
        (to / name).write_text(re.sub(r'"([BI])-PER"', rf'"\1-{label}"', text), encoding="utf-8")
    return to


class Server:
    """`polytag serve` in a process of its own.

    Args:
        *arguments: What follows `polytag serve`.
        log: The file of its standard error.
        environment: Variables of its environment, in addition to those of this process.
        ready: Whether to wait until it has its taggers.
    """

    def __init__(
        self, *arguments: object, log: Path, environment: Mapping[str, str] | None = None, ready: bool = True
    ) -> None:
        self.log = log
        command = [sys.executable, "-c", _PROGRAM, "serve", "--port", "0", *map(str, arguments)]
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=file, text=True, env={**os.environ, **(environment or {})}
            )
        assert self.process.stdout
        first = self.process.stdout.readline()
        self.url = first.split(" ")[0].strip().rstrip("/")
        assert self.url, f"status {self.process.wait(30)}: {log.read_text()}"
        self.client = httpx.Client(base_url=self.url, timeout=30)
        if ready:
            self.wait_until(lambda: self.client.get("/readyz").status_code == 200)

    def wait_until(self, happens: Any, seconds: float = 60) -> None:
        """Wait for something."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            assert self.process.poll() is None, self.log.read_text()
            try:
                if happens():
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.02)
        raise AssertionError(f"it did not happen: {self.log.read_text()[-3000:]}")

    def tag(self, text: str = TEXT, **more: Any) -> httpx.Response:
        """Tag a text."""
        return self.client.post("/v1/tag", json={"texts": text, **more})

    def send(self, number: signal.Signals) -> None:
        """Send the server a signal."""
        self.process.send_signal(number)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Stop it; its exit status."""
        self.send(number)
        return self.process.wait(40)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        if self.process.poll() is None:
            self.process.terminate()  # a supervisor ends its replicas
            try:
                self.process.wait(30)
            finally:
                self.process.kill()
        if self.process.stdout:
            self.process.stdout.close()


class App:
    """An application in this process, asked without a network; its taggers are loaded with the first request.

    Args:
        taggers: As in `create_app`.
        **options: As in `create_app`.
    """

    def __init__(self, taggers: Any, **options: Any) -> None:
        self.app = create_app(taggers, **options)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        transport = httpx.ASGITransport(app=self.app)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://polytag")

    def run(self, coroutine: Any) -> Any:
        """Run a coroutine where the application is."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(60)

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request."""
        answer: httpx.Response = self.run(self.client.request(method, path, **options))
        return answer

    def close(self) -> None:
        """End it."""
        self.run(self.client.aclose())
        for model in self.app.state.models.served.values():
            model.stop(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
