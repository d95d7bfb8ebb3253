"""`polytag serve` as a process: what it prints, signals, replicas, exchange of taggers under load."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from polytag import Tagger
from polytag.runner import TrainResult
from support.command import Command
from support.serving import TEXT, Server, renamed_tagger

_CLIENT = """
import json, sys
from huggingface_hub import InferenceClient
client, text = InferenceClient(model=sys.argv[1]), sys.argv[2]
options = ({}, {"aggregation_strategy": "simple"}, {"aggregation_strategy": "none", "ignore_labels": []}, {"stride": 2})
print(json.dumps([[dict(entry) for entry in client.token_classification(text, **some)] for some in options]))
"""


@pytest.fixture(scope="module")
def server(joint_run: TrainResult, ner_run: TrainResult, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("serve") / "log"
    with Server(f"ner={ner_run.output}", f"joint={joint_run.output}", log=log) as server:
        yield server


def test_it_says_what_it_serves_before_all_else(server: Server) -> None:
    assert server.process.stdout
    assert server.url.startswith("http://127.0.0.1:")
    assert [server.process.stdout.readline() for _ in range(2)] == ["  ner: numpy\n", "  joint: numpy\n"]


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="what a process has loaded is read from /proc")
def test_tensorflow_is_not_imported_where_the_tagger_needs_none(server: Server) -> None:
    assert server.tag().status_code == 200
    loaded = Path(f"/proc/{server.process.pid}/maps").read_text()
    assert "numpy" in loaded
    assert "tensorflow" not in loaded


def test_the_hubs_client_works_unchanged(server: Server, ner_run: TrainResult) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}
    command = [sys.executable, "-c", _CLIENT, server.url, TEXT]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    tagged = Tagger.load(ner_run.output).tag(TEXT)
    spans, same, words, strided = json.loads(done.stdout)
    expected = [(span.label, span.text, span.start, span.end) for span in tagged.spans]
    assert [(found["entity_group"], found["word"], found["start"], found["end"]) for found in spans] == expected
    assert spans == same == strided
    assert [found["entity"] for found in words] == tagged.tags["ner"]
    assert [found["score"] for found in words] == pytest.approx(tagged.scores["ner"], abs=1e-5)


def test_the_log_has_a_line_of_json_for_each_request(server: Server) -> None:
    answer = server.client.post("/v1/tag", json={"texts": TEXT}, headers={"x-request-id": "number-1"})
    assert answer.headers["x-request-id"] == "number-1"
    server.wait_until(lambda: "number-1" in server.log.read_text())
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    (entry,) = [line for line in lines if line.get("id") == "number-1"]
    assert (entry["status"], entry["path"], entry["model"], entry["level"]) == (200, "/v1/tag", "ner", "info")
    assert "Keller" not in server.log.read_text()


@contextmanager
def load(server: Server, ask: Callable[[httpx.Client], httpx.Response], clients: int = 4) -> Iterator[list[object]]:
    """Clients that ask again and again: what they got, in order; a string where they got no answer."""
    found: list[object] = []
    ended = threading.Event()

    def go() -> None:
        with httpx.Client(base_url=server.url, timeout=30) as client:
            while not ended.is_set():
                try:
                    found.append(ask(client))
                except httpx.ConnectError:
                    return  # it takes no more connections
                except httpx.TransportError as error:
                    found.append(repr(error))
                time.sleep(0.01)  # the server's processes need the processor

    threads = [threading.Thread(target=go) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def statuses(found: list[object]) -> Counter[object]:
    return Counter(answer.status_code if isinstance(answer, httpx.Response) else answer for answer in found)


def post(client: httpx.Client) -> httpx.Response:
    return client.post("/v1/tag", json={"texts": [TEXT] * 3})


def test_who_was_accepted_is_answered_when_it_is_told_to_stop(ner_run: TrainResult, tmp_path: Path) -> None:
    with Server(ner_run.output, "--grace", 8, log=tmp_path / "log") as server, load(server, post) as found:
        server.wait_until(lambda: len(found) > 20)
        with httpx.Client(base_url=server.url) as prober:
            assert prober.get("/readyz").status_code == 200
            begun = time.monotonic()
            server.send(signal.SIGTERM)
            server.wait_until(lambda: prober.get("/readyz").status_code == 503, seconds=0.5)
            assert prober.get("/healthz").status_code == 200
        before = len(found)
        assert server.process.wait(20) == 0
        assert time.monotonic() - begun < 8
    assert len(found) > before
    assert set(statuses(found)) == {200}


def test_an_interrupt_ends_it_with_the_status_of_interrupts(ner_run: TrainResult, tmp_path: Path) -> None:
    with Server(ner_run.output, log=tmp_path / "log") as server:
        assert server.stop(signal.SIGINT) == 130
        last = server.log.read_text().splitlines()[-1]
        assert last == "polytag: Interrupted."


def test_a_tagger_is_exchanged_under_load_without_mixed_answers(ner_run: TrainResult, tmp_path: Path) -> None:
    folder, new = (
        shutil.copytree(ner_run.output, tmp_path / "ner"),
        renamed_tagger(ner_run.output, tmp_path / "new", "HUM"),
    )
    (damaged := shutil.copytree(ner_run.output, tmp_path / "damaged")).joinpath("model.safetensors").write_bytes(b"no")

    def labels(answer: object) -> set[str]:
        assert isinstance(answer, httpx.Response), answer
        assert answer.status_code == 200
        found = {span["label"] for result in answer.json()["results"] for span in result["spans"]}
        return found & {"PER", "HUM"}

    def exchange(other: Path) -> None:
        (tmp_path / "ner").rename(tmp_path / f"was-{time.monotonic_ns()}")
        other.rename(tmp_path / "ner")

    with Server(folder, log=tmp_path / "log") as server, load(server, post) as found:
        server.wait_until(lambda: len(found) > 5)
        exchange(new)
        server.wait_until(lambda: labels(found[-1]) == {"HUM"})
        exchange(damaged)
        server.wait_until(lambda: "not reloaded" in server.log.read_text())
        before = len(found)
        server.wait_until(lambda: len(found) > before + 10)
        assert labels(found[-1]) == {"HUM"}
        exchange(shutil.copytree(ner_run.output, tmp_path / "again"))
        server.send(signal.SIGHUP)
        server.wait_until(lambda: labels(found[-1]) == {"PER"})
    assert {frozenset(labels(answer)) for answer in found} == {frozenset({"PER"}), frozenset({"HUM"})}


def test_replicas_are_replaced_reloaded_and_stopped_together(ner_run: TrainResult, tmp_path: Path) -> None:
    folder = shutil.copytree(ner_run.output, tmp_path / "ner")
    with Server(folder, "--replicas", 2, "--grace", 10, log=tmp_path / "log") as server, load(server, post) as found:
        server.wait_until(lambda: len(found) > 20)
        first = children(server.process.pid)
        assert len(first) == 2
        assert all("tensorflow" not in Path(f"/proc/{child}/maps").read_text() for child in first)
        victim = first[0]
        os.kill(victim, signal.SIGKILL)
        server.wait_until(lambda: victim not in (now := children(server.process.pid)) and len(now) == 2)
        counted = figure(server, "polytag_requests_total")
        before = len(found)
        server.wait_until(lambda: len(found) > before + 20)
        assert figure(server, "polytag_requests_total") >= counted + 10  # also those of the one that died
        server.send(signal.SIGHUP)
        server.wait_until(lambda: server.log.read_text().count("reloaded ner") >= 2)
        last = children(server.process.pid)
        assert victim not in last
        server.send(signal.SIGTERM)
        assert server.process.wait(20) == 0
        assert not [child for child in last if Path(f"/proc/{child}").exists()]
    broken = [answer for answer in found if not isinstance(answer, httpx.Response)]
    assert len(broken) <= 4, broken  # one per client, when a replica was killed
    assert {answer.status_code for answer in found if isinstance(answer, httpx.Response)} == {200}


def test_replicas_that_are_killed_again_and_again_are_replaced(ner_run: TrainResult, tmp_path: Path) -> None:
    with Server(ner_run.output, "--replicas", 2, log=tmp_path / "log") as server:
        server.client.close()  # the replica that it is connected to will die
        time.sleep(1)  # a replica answers a moment before it tells its parent that it is ready
        killed: set[int] = set()
        while len(killed) < 4:  # the first two serve, the others are about to
            assert server.process.poll() is None, server.log.read_text()
            for child in set(children(server.process.pid)) - killed:
                os.kill(child, signal.SIGKILL)
                killed.add(child)
            time.sleep(0.05)
        with httpx.Client(base_url=server.url, timeout=30) as client:
            assert post(client).status_code == 200
        assert server.process.poll() is None


def children(process: int) -> list[int]:
    """Numbers of the replicas of a process."""
    found = []
    for child in map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split()):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                found.append(child)
    return found


def figure(server: Server, name: str) -> float:
    lines = server.client.get("/metrics").text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


def test_an_interrupt_ends_replicas_too(ner_run: TrainResult, tmp_path: Path) -> None:
    with Server(ner_run.output, "--replicas", 2, log=tmp_path / "log") as server:
        replicas = children(server.process.pid)
        for process in (server.process.pid, *replicas):  # as a terminal does
            os.kill(process, signal.SIGINT)
        assert server.process.wait(20) == 130
        assert "Traceback" not in server.log.read_text()
        assert not [child for child in replicas if Path(f"/proc/{child}").exists()]


@pytest.mark.parametrize("replicas", [1, 2])
def test_a_tagger_that_cannot_be_loaded_is_one_paragraph(ner_run: TrainResult, tmp_path: Path, replicas: int) -> None:
    folder = shutil.copytree(ner_run.output, tmp_path / "damaged")
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:-100])
    with Server(folder, "--replicas", replicas, log=tmp_path / "log", ready=False) as server:
        assert server.process.wait(30) == 2
        lines = server.log.read_text().splitlines()
        assert [line.startswith("polytag: ") for line in lines] == [True]
        assert "damaged" in lines[0]


def test_what_cannot_be_served_is_one_paragraph(command: Command, ner_run: TrainResult, tmp_path: Path) -> None:
    (empty := tmp_path / "empty").write_text("\n")
    (two := tmp_path / "two").write_text("one two")
    (token := tmp_path / "token").write_text("secret\n")
    tagger = ner_run.output
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        cases = {
            "Address already in use": (tagger, "--port", taken.getsockname()[1]),
            "absent": (tmp_path / "absent",),
            "is not a tagger": (tmp_path,),
            "Two taggers have the name 'a'": (f"a={tagger}", f"a={tagger}"),
            "--token-file FILE": (tagger, "--host", "0.0.0.0"),
            "contradict": (tagger, "--token-file", token, "--no-token"),
            "one line of printable ASCII": (tagger, "--token-file", empty),
            "up to 4,096": (tagger, "--token-file", "/dev/zero"),
            "without spaces": (tagger, "--token-file", two),
            "cannot be read": (tagger, "--token-file", tmp_path / "none"),
            "no.such.host": (tagger, "--no-token", "--host", "no.such.host.invalid"),
        }
        for words, arguments in cases.items():
            done = command("serve", *arguments)
            assert done.status == 2, words
            assert done.out == ""
            assert words in done.err
            assert done.err.startswith("polytag: ")
            assert "Traceback" not in done.err
