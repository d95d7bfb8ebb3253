"""What a server withstands: stops and new taggers under load, and more requests than it can answer.

python tests/benchmarks/serve_limits.py TAGGER [--stops 20] [--swaps 20] [--seconds 60]

Clients send one sentence a request. With `--stops`, the server is told to stop by SIGTERM while they do: every request
that it accepted has to be answered. With `--swaps`, the folder of the tagger is replaced while they do, in turn by one
whose labels have other names: every answer has to be that of one of the two. With `--seconds`, they send four times as
many requests as the server answers: it may answer 200 and 503 only, the 503 within 100 ms.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from harness import Report, console, parser, table

TEXT = "Anna Keller of Acme Corp. met Peter Blackburn in Rome on Monday, and flew home to London."
BODY = json.dumps({"texts": TEXT}).encode()
CLIENTS = 32
CLIENTS_TOO_MANY = 1024
"""More than the queue takes."""


def main() -> None:
    """Measure, and print tables."""
    options = parser(__doc__)
    options.add_argument("tagger", type=Path, help="folder of a tagger with span labels")
    options.add_argument("--stops", type=int, default=20, help="how often it is stopped under load")
    options.add_argument("--swaps", type=int, default=20, help="how often its tagger is replaced under load")
    options.add_argument("--seconds", type=float, default=60, help="how long it gets too many requests")
    options.add_argument("--over", type=float, default=4, help="how many times the rate that it answers")
    chosen = options.parse_args()
    report = Report("serve_limits", chosen)
    with tempfile.TemporaryDirectory(prefix="polytag-serve-") as folder:
        place = Path(folder)
        tables = []
        if chosen.stops:
            rows = [asyncio.run(stop(chosen.tagger, place / "log")) for _ in range(chosen.stops)]
            report.add(stops=rows)
            columns = ("answered", "after SIGTERM", "lost", "status", "seconds")
            summed = [sum(row[name] for row in rows) for name in columns[:3]]
            worst = [max(row[name] for row in rows) for name in columns[3:]]
            tables.append(table("SIGTERM under load", ["times", *columns], [[len(rows), *summed, *worst]]))
        if chosen.swaps:
            found = asyncio.run(swap(chosen.tagger, place, chosen.swaps))
            report.add(swaps=found)
            tables.append(table("Taggers replaced under load", ["times", *found], [[chosen.swaps, *found.values()]]))
        if chosen.seconds:
            found = asyncio.run(overload(chosen.tagger, place / "log", chosen.seconds, chosen.over))
            report.add(overload=found)
            tables.append(table("Too many requests", ["figure", "value"], found.items()))
    report.show(*tables)


class Answer(NamedTuple):
    """What a client got; status 0 if the connection ended without an answer."""

    status: int
    body: bytes
    begun: float
    seconds: float


class Client:
    """Sends the same request over one connection as long as the server keeps it; small, to leave time to the server."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        head = (
            f"POST /v1/tag HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: {len(BODY)}\r\n\r\n"
        )
        self._request = head.encode() + BODY

    async def ask(self) -> Answer:
        """Send a request.

        Raises:
            ConnectionRefusedError: The server takes no more connections.
        """
        begun = time.perf_counter()
        if self._streams and self._streams[0].at_eof():
            self.close()  # the server has closed it since
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        try:
            writer.write(self._request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(re.search(rb"content-length: (\d+)", head)[1])  # type: ignore[index]
            body = await reader.readexactly(length)
        except (OSError, asyncio.IncompleteReadError):
            self.close()
            return Answer(0, b"", begun, time.perf_counter() - begun)
        if b"connection: close" in head:
            self.close()
        return Answer(int(head.split(b" ", 2)[1]), body, begun, time.perf_counter() - begun)

    def close(self) -> None:
        """Close the connection."""
        if self._streams:
            self._streams[1].close()
            self._streams = None


class Running(NamedTuple):
    """A server."""

    process: subprocess.Popen[str]
    port: int

    @property
    def memory(self) -> float:
        """Its resident memory in MB."""
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())
        return int(found[1]) / 1024 if found else 0


@asynccontextmanager
async def server(tagger: Path, log: Path) -> AsyncIterator[Running]:
    """A server that is ready."""
    program = "from polytag.cli.start import main; main()"
    command = [sys.executable, "-c", program, "serve", str(tagger), "--port", "0"]
    with log.open("wb") as file, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=file, text=True) as process:
        try:
            assert process.stdout
            found = re.search(r":(\d+)/", process.stdout.readline())
            if not found:
                raise SystemExit(log.read_text())
            running = Running(process, int(found[1]))
            while await _status(running.port, "/readyz") != 200:
                await asyncio.sleep(0.05)
            yield running
        finally:
            process.kill()


async def _status(port: int, path: str) -> int:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n".encode())
        found = await reader.read()
        writer.close()
        return int(found.split(b" ", 2)[1]) if found else 0
    except OSError:
        return 0


@asynccontextmanager
async def load(port: int) -> AsyncIterator[list[Answer]]:
    """Clients that ask until the block ends, or until the server takes no more connections; what they get."""
    found: list[Answer] = []
    ended = False

    async def go() -> None:
        client = Client(port)
        while not ended:
            try:
                found.append(await client.ask())
            except ConnectionRefusedError:
                return
        client.close()

    tasks = [asyncio.ensure_future(go()) for _ in range(CLIENTS)]
    try:
        yield found
    finally:
        ended = True
        await asyncio.gather(*tasks)


async def stop(tagger: Path, log: Path) -> dict[str, Any]:
    """Stop a server under load."""
    async with server(tagger, log) as running, load(running.port) as found:
        await asyncio.sleep(1)
        running.process.send_signal(signal.SIGTERM)
        begun = time.perf_counter()
        before = len(found)
        while (status := running.process.poll()) is None:
            await asyncio.sleep(0.01)
        seconds = time.perf_counter() - begun
    lost = [answer for answer in found if answer.status != 200]
    figures = {"answered": before, "after SIGTERM": len(found) - before, "lost": len(lost), "status": status}
    console.print({**figures, "seconds": seconds})
    return {**figures, "seconds": seconds}


async def swap(tagger: Path, place: Path, swaps: int) -> dict[str, Any]:
    """Replace the tagger of a server under load."""
    kinds, folder = [place / "one", place / "two"], place / "tagger"
    shutil.copytree(tagger, kinds[0])
    shutil.copytree(tagger, kinds[1])
    for name in ("polytag.json", "config.json"):
        text = (kinds[1] / name).read_text(encoding="utf-8")
        (kinds[1] / name).write_text(re.sub(r'"([BI])-(\w+)"', r'"\1-NEW\2"', text), encoding="utf-8")
    shutil.copytree(kinds[0], folder)
    async with server(folder, place / "log") as running, load(running.port) as found:
        while not found:
            await asyncio.sleep(0.01)
        first = _labels(found[0].body)
        for number in range(swaps):
            shutil.copytree(kinds[(number + 1) % 2], place / "next")
            before = _labels(found[-1].body)
            folder.rename(place / "old")
            (place / "next").rename(folder)
            shutil.rmtree(place / "old")
            while _labels(found[-1].body) == before:
                await asyncio.sleep(0.01)
            console.print(f"swap {number + 1}: {len(found)} answers")
        await asyncio.sleep(0.5)
    answers = Counter(_labels(answer.body) for answer in found if answer.status == 200)
    pure = [labels for labels in answers if len({label.startswith("NEW") for label in labels}) == 1]
    return {
        "answers": len(found),
        "lost": sum(answer.status != 200 for answer in found),
        "kinds of answers": len(answers),
        "mixed": sum(count for labels, count in answers.items() if labels not in pure),
        "longest ms": 1000 * max(answer.seconds for answer in found),
        "by the first": answers[first],
    }


def _labels(body: bytes) -> tuple[str, ...]:
    return tuple(span["label"] for span in json.loads(body)["results"][0]["spans"])


async def overload(tagger: Path, log: Path, seconds: float, over: float) -> dict[str, Any]:
    """Send more requests than a server can answer."""
    async with server(tagger, log) as running:
        await hey(running.port, 3, CLIENTS)
        rate = sum(status == 200 for _, status in await hey(running.port, 5, CLIENTS)) / 5
        alone = await _median(running.port)
        before, most = running.memory, 0.0
        clients = CLIENTS_TOO_MANY
        flooding = asyncio.ensure_future(hey(running.port, seconds, clients, over * rate / clients))
        while not flooding.done():
            most = max(most, running.memory)
            await asyncio.sleep(0.2)
        ended = time.perf_counter()
        found = await flooding
        while await _median(running.port, 5) > 2 * alone and time.perf_counter() - ended < 60:
            await asyncio.sleep(0.05)
        normal = time.perf_counter() - ended
    refused = sorted(1000 * taken for taken, status in found if status == 503)
    answered = sorted(1000 * taken for taken, status in found if status == 200)
    return {
        "requests a second before": rate,
        "requests a second sent": len(found) / seconds,
        "200": len(answered),
        "503": len(refused),
        "others": len(found) - len(answered) - len(refused),
        "200 a second": len(answered) / seconds,
        "200, median ms": statistics.median(answered),
        "503, median ms": statistics.median(refused) if refused else None,
        "503, 99% ms": refused[int(0.99 * len(refused))] if refused else None,
        "503, longest ms": refused[-1] if refused else None,
        "memory before MB": before,
        "memory, additional MB": most - before,
        "normal again after s": normal,
    }


async def hey(port: int, seconds: float, clients: int, rate: float = 0) -> list[tuple[float, int]]:
    """Seconds and status of each request that `hey` sends; at most `rate` a second and client, if it is not 0."""
    process = await asyncio.create_subprocess_exec(
        *("hey", "-z", f"{seconds:g}s", "-c", str(clients), "-q", f"{rate:g}", "-t", "30", "-o", "csv"),
        *("-m", "POST", "-T", "application/json", "-d", BODY.decode(), f"http://127.0.0.1:{port}/v1/tag"),
        stdout=subprocess.PIPE,
    )
    out, _ = await process.communicate()
    rows = [line.split(",") for line in out.decode().splitlines()[1:]]
    return [(float(row[0]), int(row[6])) for row in rows if len(row) > 6]


async def _median(port: int, times: int = 20) -> float:
    client = Client(port)
    found = [(await client.ask()).seconds for _ in range(times)]
    client.close()
    return statistics.median(found)


if __name__ == "__main__":
    main()
