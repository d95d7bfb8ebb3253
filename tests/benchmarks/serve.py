"""`polytag serve` under load: against itself without batching, against the applications that users of others write.

    python tests/benchmarks/serve.py --corpus ../shared/data/conll2003 --encoder CHECKPOINT
    python tests/benchmarks/serve.py --corpus ../shared/data/conll2003 --tagger FOLDER --compact FOLDER --spacy FOLDER

Needs wrk. All servers run at once and get their load in turns, round by round: `wrk` with one thread and 32 connections
sends one sentence of the test split a request, different ones in turn, to `POST /` (a shape that all of them answer).
Everything runs on this machine, wrk included. A ratio is the median of the rounds' ratios. The users' application comes
in two forms, with its function in threads or in the event loop; the faster one counts.

`one client` compares the median latency of one connection with that of `Tagger.tag`. `start to ready` is from the start
of the process to the first 200 of /readyz.
"""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from harness import (
    SIDES,
    Data,
    Report,
    Side,
    add_peers,
    console,
    median_ratio,
    parser,
    peer_python,
    polytag_command,
    table,
    train_briefly,
)
from spacy_runs import train_spacy

CLIENTS = 32
_BRIEFLY = {"train": 1000, "validation": 100}
_FORMS = ("threads", "loop")
_PATIENCE = 120

Figures = dict[str, list[dict[str, Any]]]


def main() -> None:
    """Time all servers, and print tables."""
    options = parser(__doc__)
    add_peers(options)
    options.add_argument("--corpus", required=True)
    options.add_argument(
        "--tagger", type=Path, help="a trained ner tagger over a checkpoint, with its encoder's layout"
    )
    options.add_argument("--compact", type=Path, help="a trained ner tagger over `compact`")
    options.add_argument("--spacy", type=Path, help="a trained spaCy pipeline with ner")
    options.add_argument("--encoder", help="checkpoint to train a tagger on where there is none")
    options.add_argument("--limit", type=int, help="sentences to send")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=float, default=10, help="load on each server, each round")
    options.add_argument("--clients", type=int, default=CLIENTS)
    chosen = options.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is not installed; Debian has it: apt-get install wrk")
    with tempfile.TemporaryDirectory() as folder:
        _run(chosen, Path(folder))


def _run(chosen: argparse.Namespace, folder: Path) -> None:
    data = Data(folder / "data", chosen.corpus, "ner", _BRIEFLY | {"test": chosen.limit})
    report = Report("serve", chosen, data.about)
    bodies = folder / "bodies"
    lines = (json.dumps({"inputs": " ".join(words)}, ensure_ascii=False) + "\n" for words in data.words["test"])
    bodies.write_text("".join(lines), encoding="utf-8")
    rows: list[tuple[str, float, str]] = []
    compact = chosen.compact or train_briefly(data, "compact", folder / "compact")
    rows += _compare_compact(chosen, data, bodies, compact, folder, report)
    tagger = chosen.tagger or (train_briefly(data, chosen.encoder, folder / "checkpoint") if chosen.encoder else None)
    if tagger:
        int8 = folder / "int8"
        shutil.copytree(tagger, int8)
        _quantise(int8)
        rows += _compare_checkpoint(chosen, data, bodies, tagger, int8, report)
        rows += _time_starts({"compact": (compact,), "ONNX int8": (int8, "--runtime", "onnx-int8")}, chosen, report)
    else:
        rows += _time_starts({"compact": (compact,)}, chosen, report)
    report.add(figures={name: value for name, value, _ in rows})
    report.show(table(f"{chosen.clients} clients, one sentence a request", ("", "measured", "bound"), rows))


def _compare_compact(
    chosen: argparse.Namespace, data: Data, bodies: Path, tagger: Path, folder: Path, report: Report
) -> list[tuple[str, float, str]]:
    with ExitStack() as stack:
        servers = {"compact": stack.enter_context(Server(_serve(tagger)))}
        if not chosen.without_peers:
            python = peer_python(chosen.peers, "spacy-app")
            model = chosen.spacy or train_spacy(python, data, "ner", folder / "spacy", seed=0, steps=50)[1]
            for form in _FORMS:
                servers[f"spaCy, {form}"] = stack.enter_context(Server(_app(python, "spacy_app.py", model, form)))
        offline = _offline(stack, data, tagger, None)
        found, alone = _take_turns(servers, {"compact": offline}, bodies, chosen, report)
    rows = [] if chosen.without_peers else [_over("compact", found, "spaCy", "≥ 3")]
    return rows + _over_offline("compact", found, alone)


def _compare_checkpoint(
    chosen: argparse.Namespace, data: Data, bodies: Path, tagger: Path, int8: Path, report: Report
) -> list[tuple[str, float, str]]:
    with ExitStack() as stack:
        servers = {
            "TensorFlow": stack.enter_context(Server(_serve(tagger, "--runtime", "tensorflow"))),
            "TensorFlow, batches of one": stack.enter_context(
                Server(_serve(tagger, "--runtime", "tensorflow", "--no-batching"))
            ),
            "ONNX int8": stack.enter_context(Server(_serve(int8, "--runtime", "onnx-int8"))),
        }
        if not chosen.without_peers:
            python = peer_python(chosen.peers, "transformers-app")
            for form in _FORMS:
                servers[f"pipeline, {form}"] = stack.enter_context(
                    Server(_app(python, "pipeline_app.py", tagger, form))
                )
        offline = {
            "TensorFlow": _offline(stack, data, tagger, "tensorflow"),
            "ONNX int8": _offline(stack, data, int8, "onnx-int8"),
        }
        found, alone = _take_turns(servers, offline, bodies, chosen, report)
    batches = median_ratio(_rates(found["TensorFlow"]), _rates(found["TensorFlow, batches of one"]))
    rows = [("TensorFlow over batches of one", batches, "≥ 2.5")]
    if not chosen.without_peers:
        rows += [_over("TensorFlow", found, "pipeline", "≥ 2.5"), _over("ONNX int8", found, "pipeline", "≥ 5")]
        fastest = _fastest(found, "pipeline")
        for name in ("TensorFlow", "ONNX int8"):
            p99 = median_ratio([one["p99"] for one in found[name]], [one["p99"] for one in found[fastest]])
            rows.append((f"{name} over {fastest}, p99", p99, "≤ 0.5"))
    return rows + [row for name in offline for row in _over_offline(name, found, alone)]


def _over(name: str, found: Figures, peer: str, bound: str) -> tuple[str, float, str]:
    fastest = _fastest(found, peer)
    return f"{name} over {fastest}", median_ratio(_rates(found[name]), _rates(found[fastest])), bound


def _over_offline(name: str, found: Figures, alone: Figures) -> list[tuple[str, float, str]]:
    streamed = [one["sentences_per_second"] for one in alone[name]]
    slower = [one["one_client_p50"] - own["p50"] for one, own in zip(found[name], alone[name], strict=True)]
    return [
        (f"{name} over `stream` offline", median_ratio(_rates(found[name]), streamed), "≥ 0.5"),
        (f"{name}, one client, p50 less that of Tagger.tag, ms", statistics.median(slower), "≤ 3"),
    ]


def _rates(runs: Sequence[dict[str, Any]]) -> list[float]:
    return [run["rate"] for run in runs]


def _fastest(found: Figures, peer: str) -> str:
    """The form of a peer's application that answers most requests."""
    names = [name for name in found if name.startswith(peer)]
    return max(names, key=lambda name: statistics.median(_rates(found[name])))


def _take_turns(
    servers: dict[str, Server], offline: dict[str, Side], bodies: Path, chosen: argparse.Namespace, report: Report
) -> tuple[Figures, Figures]:
    """Load on each server in turn; in each round also work without a server. A first, shorter round warms up."""
    for server in servers.values():
        server.wait()
        server.load(bodies, 0, chosen.clients, min(2, chosen.seconds))
    found: Figures = {name: [] for name in servers}
    alone: Figures = {name: [] for name in offline}
    for number in range(chosen.rounds):
        start = 401 * number
        for name, server in servers.items():
            run = server.load(bodies, start, chosen.clients, chosen.seconds)
            if name in offline:
                one = server.load(bodies, start, 1, max(1, chosen.seconds / 3))
                run["one_client_p50"] = one["p50"]
            found[name].append(run)
            if name in offline:
                streamed = offline[name].go(what="stream")
                alone[name].append(streamed | offline[name].go(what="single", seconds=max(1, chosen.seconds / 3)))
                console.print(f"round {number + 1}/{chosen.rounds}  {name}, offline  {alone[name][-1]}", markup=False)
            console.print(f"round {number + 1}/{chosen.rounds}  {name}  {run}", markup=False)
    report.add(**found)
    report.add(**{f"{name}, offline": runs for name, runs in alone.items()})
    return found, alone


def _offline(stack: ExitStack, data: Data, tagger: Path, runtime: str | None) -> Side:
    file = str(data.folder / "test.jsonl")
    side = Side("offline", sys.executable, "polytag_offline.py", tagger=str(tagger), file=file, runtime=runtime)
    stack.callback(side.close)
    return side


def _serve(tagger: Path, *options: str) -> Callable[[int], list[str]]:
    return lambda port: [str(polytag_command()), "serve", str(tagger), "--port", str(port), *options]


def _app(python: Path, script: str, model: Path, form: str) -> Callable[[int], list[str]]:
    return lambda port: [str(python), str(SIDES / script), str(model), str(port), form]


class Server:
    """A server in a process of its own.

    Args:
        command: What starts it on a port.
    """

    def __init__(self, command: Callable[[int], list[str]]) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}/"
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the process
        self.began = time.perf_counter()
        self.process = subprocess.Popen(command(port), stdout=subprocess.DEVNULL, stderr=self._log)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()
        self._log.close()

    def wait(self, path: str = "docs") -> float:
        """Wait until a path is there; seconds from the start of the process."""
        while self.process.poll() is None and time.perf_counter() < self.began + _PATIENCE:
            try:
                with urlopen(self.address + path):
                    return time.perf_counter() - self.began
            except (URLError, OSError):
                time.sleep(0.005)
        self._log.seek(0)
        raise SystemExit(f"{self.process.args} does not answer:\n{self._log.read()[-4000:].decode(errors='replace')}")

    def load(self, bodies: Path, start: int, clients: int, seconds: float) -> dict[str, Any]:
        """Send sentences for some seconds: requests a second, and latencies in ms."""
        command = ["wrk", "--threads", "1", "--connections", str(clients), "--duration", f"{max(1, round(seconds))}s"]
        command += ["--timeout", "60s", "--latency", "--script", str(SIDES / "requests.lua"), self.address]
        done = subprocess.run([*command, "--", str(bodies), str(start)], capture_output=True, text=True, check=True)
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        if found["bad"] or found["lost"] or not found["requests"]:
            raise SystemExit(f"{self.process.args} did not answer well: {found}")
        return {"rate": found["requests"] / found["seconds"], "p50": found["p50"], "p99": found["p99"]}


def _time_starts(
    taggers: dict[str, tuple[Path | str, ...]], chosen: argparse.Namespace, report: Report
) -> list[tuple[str, float, str]]:
    """Seconds from the start of the process to readiness; TensorFlow must not be in the process."""
    seconds: dict[str, list[float]] = {name: [] for name in taggers}
    for _ in range(chosen.rounds + 1):
        for name, (tagger, *options) in taggers.items():
            with Server(_serve(Path(tagger), *map(str, options))) as server:
                seconds[name].append(server.wait("readyz"))
                maps = Path(f"/proc/{server.process.pid}/maps")
                if maps.exists() and "tensorflow" in maps.read_text():
                    raise SystemExit(f"{name} imports TensorFlow")
    report.add(seconds_to_ready=seconds)
    # The first start of each reads files that are not in memory yet.
    return [(f"{name}, start to ready, s", statistics.median(runs[1:]), "≤ 2") for name, runs in seconds.items()]


def _quantise(folder: Path) -> None:
    command = [polytag_command(), "export", folder, "--quantize", "int8", "--in-place"]
    subprocess.run(list(map(str, command)), check=True, capture_output=True)


if __name__ == "__main__":
    main()
