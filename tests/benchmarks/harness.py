"""What the benchmarks share: data, machine, the peers' environments, processes that take turns, tables, JSON."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import venv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import polytag
from polytag.corpus.splits import read_splits, training_scheme
from polytag.plugin.reader import SPLITS
from polytag.plugin.registry import registry

SIDES = Path(__file__).parent / "sides"
PEERS = {
    "torch": ("torch==2.13.0", "transformers>=5.20,<6", "accelerate>=1.10,<2"),
    "spacy": ("spacy>=3.8,<4",),
    "transformers-app": ("torch==2.13.0", "transformers>=5.20,<6", "fastapi>=0.120,<1", "uvicorn[standard]>=0.38,<1"),
    "spacy-app": ("spacy>=3.8,<4", "fastapi>=0.120,<1", "uvicorn[standard]>=0.38,<1"),
    "transformers-lake": ("torch==2.13.0", "transformers>=5.20,<6", "ray[data]>=2.50,<3", "pyarrow>=21"),
    "label-studio": ("label-studio==1.23.*",),
    "optimum": ("optimum-onnx[onnxruntime]==0.1.*", "transformers==4.57.*", "torch==2.13.0"),
}
"""What is installed into the environment of each peer."""

console = Console(stderr=True, highlight=False)


def parser(description: str | None) -> argparse.ArgumentParser:
    """A parser with the options that all benchmarks have."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--json", type=Path, help="file to write the figures to")
    return made


def add_peers(to: argparse.ArgumentParser) -> None:
    """Add the options about peers."""
    default = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "polytag-benchmarks"
    to.add_argument("--peers", type=Path, default=default, help=f"folder of the peers' environments ({default})")
    to.add_argument("--without-peers", action="store_true", help="measure polytag alone")


def peer_python(folder: Path, peer: str) -> Path:
    """The Python of a peer's own environment, which is built where it is missing."""
    home = folder.expanduser().resolve() / peer
    python = home / "bin" / "python"
    if not python.exists():
        console.print(f"building {home}: {', '.join(PEERS[peer])}", markup=False)
        try:
            venv.create(home, with_pip=True)
            subprocess.run([python, "-m", "pip", "install", "--quiet", *PEERS[peer]], check=True)
        except BaseException:
            shutil.rmtree(home, ignore_errors=True)
            raise
    return python


class Side:
    """One of those that are compared: a process of its own that works when it is told to, and waits otherwise.

    Args:
        name: What tables call it.
        python: The Python of its environment.
        script: The program, in `sides`.
        settings: What it is told at the start.
    """

    def __init__(self, name: str, python: Path | str, script: str, **settings: Any) -> None:
        self.name = name
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the process
        self._process = subprocess.Popen(
            [str(python), str(SIDES / script), json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        try:
            self.about = self._receive()
        except BaseException:
            self.close()
            raise

    def go(self, **command: Any) -> dict[str, Any]:
        """Let it work until it has the next figures."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return self._receive()

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        self._log.close()

    def _receive(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            self._log.seek(0)
            tail = self._log.read().decode(errors="replace")[-4000:]
            raise SystemExit(f"{self.name} ended with status {self._process.wait()}:\n{tail}")
        found: dict[str, Any] = json.loads(line)
        return found


@contextmanager
def closing(sides: Sequence[Side]) -> Iterator[None]:
    """End all sides when the block ends."""
    try:
        yield
    finally:
        for side in sides:
            side.close()


def take_turns(sides: Sequence[Side], rounds: int, **command: Any) -> dict[str, list[dict[str, Any]]]:
    """Let the sides work one after the other, A B A B; the figures of each, round by round."""
    found: dict[str, list[dict[str, Any]]] = {side.name: [] for side in sides}
    for number in range(rounds):
        for side in sides:
            found[side.name].append(side.go(**command))
            console.print(f"round {number + 1}/{rounds}  {side.name}  {_short(found[side.name][-1])}", markup=False)
    return found


def _short(figures: Mapping[str, Any]) -> str:
    return "  ".join(f"{name} {value:,.4g}" for name, value in figures.items() if isinstance(value, int | float))


# A new process counts the memory of the one that started it, so this one is small.
_TIMED = """
import json, os, subprocess, sys, time
began = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
print(json.dumps([os.waitstatus_to_exitcode(status), time.perf_counter() - began, usage.ru_maxrss / 1024]))
"""


def timed(
    command: Sequence[str | Path], stdin: Path | None = None, statuses: Sequence[int] = (0,)
) -> tuple[float, float]:
    """Run a command to its end; its wall time in seconds, and its peak resident memory in MB.

    Args:
        command: The command.
        stdin: What it reads; nothing by default.
        statuses: The exit statuses that are no failure.
    """
    with (stdin or Path(os.devnull)).open("rb") as source:
        starter = [sys.executable, "-S", "-c", _TIMED, *map(str, command)]
        done = subprocess.run(starter, stdin=source, capture_output=True, text=True, check=True)
    status, seconds, memory = json.loads(done.stdout)
    if status not in statuses:
        raise SystemExit(f"{' '.join(map(str, command))}:\n{done.stderr[-4000:]}")
    return seconds, memory


def polytag_command() -> Path:
    """The command line of the polytag that this Python has."""
    return Path(sysconfig.get_path("scripts")) / "polytag"


def train_briefly(data: Data, encoder: str | Path, output: Path) -> Path:
    """Train a ner tagger for one epoch, where only speed is measured, and return its folder."""
    console.print(f"training a tagger on {encoder}, briefly", markup=False)
    options = {"task": "ner", "corpus": str(data.folder), "epochs": 1, "quiet": True}
    return polytag.train(**options, encoder=str(encoder), output=output).output


def median_ratio(over: Sequence[float], under: Sequence[float]) -> float:
    """The median of the ratios of runs that took turns."""
    return statistics.median(a / b for a, b in zip(over, under, strict=True))


class Data:
    """A corpus, written out so that all sides read the same words and tags from the same files.

    Args:
        folder: Where to: `train.jsonl` and so on are made there, with tags in the scheme the task is trained in.
        reference: What the user named.
        task: Name of the task.
        limits: For each split, the number of sentences to stop at; None for all.
    """

    def __init__(self, folder: Path, reference: str, task: str, limits: Mapping[str, int | None]) -> None:
        corpus = polytag.load_corpus(reference)
        chosen = registry().tasks[task]
        self.folder = folder
        self.scheme = training_scheme(chosen, None)
        self.column = corpus.column_for(chosen)
        self.metrics = chosen.metrics[:1]
        self.words: dict[str, list[list[str]]] = {}
        self.tags: dict[str, list[list[str]]] = {}
        self.about: dict[str, Any] = {"corpus": reference, "fingerprint": corpus.fingerprint, "task": task}
        present = [name for name in SPLITS if name in corpus.splits]
        splits = read_splits(corpus, present, {task: chosen}, {task: self.scheme}, None)
        folder.mkdir(parents=True, exist_ok=True)
        for name, split in splits.items():
            stop = limits.get(name)
            self.words[name], self.tags[name] = split.sentences[:stop], split.tags[task][:stop]
            documents: Iterable[int | None] = split.documents or [None] * len(split.sentences)
            rows = zip(self.words[name], self.tags[name], documents, strict=False)
            with (folder / f"{name}.jsonl").open("w", encoding="utf-8") as file:
                for words, tags, document in rows:
                    row = {"tokens": words, self.column: tags} | ({} if document is None else {"document": document})
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")
            sentences = self.words[name]
            self.about[name] = {"sentences": len(sentences), "words": sum(map(len, sentences))}

    @property
    def labels(self) -> list[str]:
        """Every tag, sorted, the outside first."""
        found = {tag for sentences in self.tags.values() for tags in sentences for tag in tags}
        return sorted(found, key=lambda tag: (tag != polytag.OUTSIDE, tag))

    def score(self, split: str, predicted: Sequence[Sequence[str]]) -> float:
        """The main score of predicted tags, per word and per sentence: the one scorer for all sides."""
        from polytag.evaluation.scoring import evaluate_tags

        return evaluate_tags(self.tags[split], predicted, self.scheme, self.metrics).score


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    model = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        names = [line for line in information.read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else model
    return {
        "processor": model,
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": platform.platform(),
        "load_before": round(os.getloadavg()[0], 2),
    }


class Report:
    """What a benchmark found, with everything needed to run it again.

    Args:
        name: The benchmark.
        settings: Its arguments.
        data: About the data.
    """

    def __init__(self, name: str, settings: argparse.Namespace, data: Mapping[str, Any] | None = None) -> None:
        self._json: Path | None = settings.json
        shown = {name: value for name, value in vars(settings).items() if name not in ("json", "peers")}
        self._found: dict[str, Any] = {
            "benchmark": name,
            "command": f"python tests/benchmarks/{name}.py {' '.join(sys.argv[1:])}",
            "machine": machine(),
            "versions": {"polytag": polytag.__version__},
            "data": dict(data or {}),
            "settings": {key: str(value) if isinstance(value, Path) else value for key, value in shown.items()},
            "results": {},
        }

    def versions(self, sides: Iterable[Side]) -> None:
        """Note the versions that the sides have."""
        for side in sides:
            self._found["versions"] |= side.about.get("versions", {})

    def add(self, **results: Any) -> None:
        """Note results."""
        self._found["results"] |= results

    def show(self, *tables: Table) -> None:
        """Print tables and what they hold for; write JSON where it was asked for."""
        out = Console()
        for table in tables:
            out.print(table)
        for part in ("machine", "versions", "data", "settings"):
            values = "  ".join(f"{name} {_plain(value)}" for name, value in self._found[part].items())
            out.print(f"{part}: {values}", markup=False, highlight=False, soft_wrap=True)
        if self._json:
            self._json.write_text(json.dumps(self._found, indent=2, default=str) + "\n", encoding="utf-8")


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return "(" + ", ".join(f"{name} {inner}" for name, inner in value.items()) + ")"
    return str(value)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """A table; numbers stand on the right, with the digits that mean something."""
    made = Table(title=title, title_justify="left")
    made.add_column(columns[0])
    for column in columns[1:]:
        made.add_column(column, justify="right")
    for row in rows:
        made.add_row(*(_cell(value) for value in row))
    return made


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
