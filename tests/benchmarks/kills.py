"""Random kills: does each command leave the old result or the new one, and does a resumed run end the same?

    python tests/benchmarks/kills.py --kills 100

Each command is killed by SIGKILL, and then run again. One half of the kills come at a random time, the other half at a
random file operation. A result is complete if it has all its files, each as long as in an undisturbed run. What a
command leaves beside its result is counted after the kill, and after the next run.

A training run is then killed while it writes checkpoints, resumed, killed again, and compared with one never killed.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from harness import Report, console, parser, table

import polytag
from support.checkpoints import make_checkpoint
from support.fork_server import SLOW, ForkServer
from support.hub_server import TOKEN, running_hub

TESTS = Path(__file__).parents[1]
SENTENCES = 64
COMMANDS = ("train --overwrite", "export", "export --in-place", "corpus convert", "predict -o", "push")
ENCODERS = ("compact", "bert")
CHANGING = (
    *("scores.json", "README.md", "polytag.json", "model.onnx"),
    *("fingerprint.pb", "saved_model.pb", "variables.index"),
)
"""Files whose length differs a little from run to run: they have times, checksums and names that TensorFlow counts."""
BYTES = 200
"""By how much."""

_PROGRAM = """
import os, signal, sys, threading

folder, wanted, delay = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
del sys.argv[1:4]
seen = 0

def watch(event, arguments):
    global seen
    if event not in ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod"):
        return
    path = "" if isinstance(arguments[0], int) else os.fsdecode(arguments[0])
    being_removed = event in ("os.remove", "os.rmdir") and not os.path.isabs(path)
    if being_removed or path.startswith(folder):
        seen += 1
        if seen == wanted:
            kill = (os.getpid(), signal.SIGKILL)
            threading.Timer(delay, os.kill, kill).start() if delay else os.kill(*kill)

sys.addaudithook(watch)
from polytag.cli.app import main

try:
    main()
finally:
    print("operations:", seen, file=sys.stderr, flush=True)
"""
"""Killed right before an operation on the files of a folder, or a little later."""


class Done(NamedTuple):
    """How a command ended."""

    status: int
    operations: int
    seconds: float
    error: str


class Case(NamedTuple):
    """A command whose result replaces another one."""

    place: Path
    """The folder with its input and its result, as it is before."""
    command: Sequence[object]
    result: Callable[[], dict[str, int]]
    reset: Callable[[], object]


def main() -> None:
    """Kill, count, and print tables."""
    options = parser(__doc__)
    options.add_argument("--kills", type=int, default=100, help="how often each command is killed")
    options.add_argument("--resumed", type=int, default=10, help="how often each run that is resumed is killed")
    options.add_argument("--only", choices=(*COMMANDS, *ENCODERS), action="append", help="leave out all others")
    options.add_argument("--seed", type=int, default=0)
    chosen = options.parse_args()
    report = Report("kills", chosen)
    wanted, choose = chosen.only or (*COMMANDS, *ENCODERS), random.Random(chosen.seed)
    with tempfile.TemporaryDirectory(prefix="polytag-kills-") as folder, _server() as server:
        bench = Bench(server, Path(folder).resolve(), choose)
        counts = {name: bench.kill(name, chosen.kills) for name in COMMANDS if name in wanted}
        resumed = {name: bench.resume(name, chosen.resumed) for name in ENCODERS if name in wanted}
    report.add(commands=counts, resumed=resumed)
    columns = ("killed", "ended before", "old", "new", "broken", "leftovers", "after next run", "failed")
    rows = [[name, *(found[column] for column in columns)] for name, found in counts.items()]
    report.show(
        table("Random kills", ["command", *columns], rows),
        table("Resumed runs", ["encoder", "kills", "same bits"], [[name, *found] for name, found in resumed.items()]),
    )


@contextmanager
def _server() -> Iterator[ForkServer]:
    server = ForkServer(modules=(*SLOW, "polytag.exporting.export", "pytest"))
    try:
        yield server
    finally:
        server.close()


class Bench:
    """Runs commands in processes of their own, in a folder that is thrown away.

    Args:
        server: Starts the processes.
        folder: Where all files are.
        choose: Chooses when they are killed.
    """

    def __init__(self, server: ForkServer, folder: Path, choose: random.Random) -> None:
        self._server, self._folder, self._choose = server, folder, choose
        corpus = folder / "corpus"
        corpus.mkdir()
        sample = polytag.load_corpus("sample")
        for split in sample.splits:
            rows = list(polytag.sentences_of(sample.data[split]))[:SENTENCES]
            lines = ["\n".join(map("\t".join, zip(row.words, row.tags["ner_tags"], strict=True))) for row in rows]
            (corpus / f"{split}.conll").write_text("\n\n".join(lines) + "\n", encoding="utf-8")
        self._corpus = corpus
        self._tagger = folder / "tagger"
        self._expect(self.run(self._train(self._tagger)))

    def _train(self, output: Path, *more: object) -> Sequence[object]:
        options = ("--task", "ner", "--corpus", self._corpus, "--precision", "float32", "--output", output)
        return ("train", *options, *(more or ("--epochs", 1)))

    def run(
        self, command: Sequence[object], at: int = 0, after: float = 0, within: float = 0, watch: Path | None = None
    ) -> Done:
        """Run a command line.

        Args:
            command: What follows `polytag`.
            at: The file operation at which it is killed.
            after: Seconds after that operation.
            within: Seconds after its start when it is killed; 0 for never.
            watch: Where operations count.
        """
        arguments = ("polytag", watch or self._folder, at, after, *command)
        with tempfile.TemporaryFile("w+", encoding="utf-8") as log, Path(os.devnull).open() as nothing:
            begun = time.perf_counter()
            process = self._server.start(_PROGRAM, *arguments, streams=(nothing, log, log), path=[TESTS])
            timer = threading.Timer(within, process.kill)
            if within:
                timer.start()
            status = process.wait()
            timer.cancel()
            seconds = time.perf_counter() - begun
            log.seek(0)
            error, _, operations = log.read().rpartition("operations: ")
        return Done(status, int(operations) if status == 0 else 0, seconds, error)

    def _expect(self, done: Done) -> Done:
        if done.status:
            raise SystemExit(f"ended with status {done.status}:\n{done.error}")
        return done

    def kill(self, name: str, kills: int) -> Counter[str]:
        """Kill a command, and count what it left."""
        with self._case(name) as case:
            old = case.result()
            done = self._expect(self.run(case.command, watch=case.place))
            new, expected = case.result(), _entries(case.place)
            found: Counter[str] = Counter()
            for number in range(kills):
                case.reset()
                if number % 2:
                    ended = self.run(case.command, within=self._choose.uniform(0.01, done.seconds))
                else:
                    at, after = self._choose.randint(1, max(1, done.operations)), self._choose.choice((0, 0.002))
                    ended = self.run(case.command, at, after, done.seconds * 3 + 10, case.place)
                found["killed" if ended.status == -signal.SIGKILL else "ended before"] += 1
                state = case.result()
                found["old" if state == old else "new" if _alike(state, new) else "broken"] += 1
                found["leftovers"] += _entries(case.place) - expected != set()
                found["failed"] += self.run(case.command, watch=case.place).status != 0
                found["after next run"] += _entries(case.place) != expected or not _alike(case.result(), new)
            console.print(f"{name}: {dict(found)}", markup=False)
            return found

    @contextmanager
    def _case(self, name: str) -> Iterator[Case]:
        place, before = self._folder / "place", self._folder / "before"
        place.mkdir()
        text, output = place / "in.txt", place / "out"
        text.write_text("Peter Blackburn lives in Rome.\n" * 2000, encoding="utf-8")
        commands: dict[str, Sequence[object]] = {
            "train --overwrite": self._train(output, "--epochs", 1, "--seed", 1, "--overwrite"),
            "export": ("export", self._tagger, output, "--to", "savedmodel", "--overwrite"),
            "export --in-place": ("export", output, "--in-place"),
            "corpus convert": ("corpus", "convert", "sample", output, "--overwrite"),
            "predict -o": ("predict", self._tagger, text, "-o", output),
            "push": ("push", output, "acme/ner"),
        }
        if name == "predict -o":
            output.write_text("old")
        elif name == "corpus convert":
            polytag.convert_corpus(str(self._corpus), output)
        else:
            shutil.copytree(self._tagger, output)
        shutil.copytree(place, before)

        def reset() -> None:
            shutil.rmtree(place)
            shutil.copytree(before, place)

        try:
            if name != "push":
                yield Case(place, commands[name], lambda: _sizes(output), reset)
                return
            with running_hub() as hub:
                old = {"README.md": b"# Mine", "polytag.json": b"{}"}
                hub.add("models", "acme/ner", old)
                settings = {"HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN, "HF_HUB_OFFLINE": "0"}
                with _environment(HF_HOME=str(self._folder / "home"), HF_HUB_DISABLE_XET="1", **settings):
                    server, self._server = self._server, ForkServer(modules=(*SLOW, "huggingface_hub"))
                    try:
                        yield Case(
                            place,
                            commands[name],
                            lambda: {file: len(data) for file, data in hub.model("acme/ner").files.items()},
                            lambda: hub.add("models", "acme/ner", old),
                        )
                    finally:
                        self._server.close()
                        self._server = server
        finally:
            shutil.rmtree(place)
            shutil.rmtree(before)

    def resume(self, encoder: str, kills: int) -> tuple[int, bool]:
        """Kill and resume a run; how often, and whether it ends with the weights of a run never killed."""
        name = str(make_checkpoint(self._folder / "bert", "bert")) if encoder == "bert" else encoder
        more = ("--encoder", name, "--epochs", 6, "--batch-size", 8, "--checkpoint-every", 2, "--averaging", 0.9)
        whole, killed = self._folder / f"{encoder}-whole", self._folder / f"{encoder}-killed"
        self._expect(self.run(self._train(whole, *more)))
        done, number, checkpoints = (
            Done(-signal.SIGKILL, 0, 0, ""),
            0,
            killed.with_name(f".{killed.name}.run") / ".writing",
        )
        while done.status == -signal.SIGKILL:
            at = self._choose.randint(1, 2 * _OPERATIONS) if number < kills else 0
            after = self._choose.choice((0, self._choose.uniform(0, 0.02)))
            done = self.run(self._train(killed, *more, "--resume"), at, after, watch=checkpoints)
            number += done.status == -signal.SIGKILL
        self._expect(done)
        same = all((whole / file).read_bytes() == (killed / file).read_bytes() for file in _COMPARED)
        console.print(f"{encoder}: {number} kills, {'the same' if same else 'other'} weights")
        return number, same


_OPERATIONS = 10
"""On the files of each checkpoint."""
_COMPARED = ("model.safetensors", "polytag.json")


@contextmanager
def _environment(**variables: str) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _entries(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def _sizes(path: Path) -> dict[str, int]:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return {file.relative_to(path.parent).as_posix(): file.stat().st_size for file in files}


def _alike(found: dict[str, int], expected: dict[str, int]) -> bool:
    return found.keys() == expected.keys() and all(
        abs(size - expected[name]) <= (BYTES if Path(name).name in CHANGING else 0) for name, size in found.items()
    )


if __name__ == "__main__":
    main()
