import errno
import json
import socket
import subprocess
import sys
import threading

import pytest

from polytag import PolytagError
from polytag.training.cluster import Cluster, cluster_of_environment, free_ports, wait_for_workers

TWO = {"worker": ["one:2222", "two:2222"]}


def read(cluster: object, task: object) -> Cluster | None:
    return cluster_of_environment({"TF_CONFIG": json.dumps({"cluster": cluster, "task": task})})


def test_the_workers_are_those_of_the_variable() -> None:
    assert read(TWO, {"type": "worker", "index": 1}) == Cluster(("one:2222", "two:2222"), 1)


def test_a_chief_of_its_own_comes_first() -> None:
    found = read({"worker": ["two:1", "three:1"], "chief": ["one:1"]}, {"type": "worker", "index": 0})
    assert found == Cluster(("one:1", "two:1", "three:1"), 1)
    assert not found.is_chief


def test_a_cluster_of_one_trains_alone() -> None:
    assert read({"worker": ["one:2222"]}, {"type": "worker", "index": 0}) is None
    assert cluster_of_environment({}) is None


def test_each_worker_can_be_told_its_cluster() -> None:
    cluster = Cluster(("one:1", "two:1"), 0)
    assert cluster_of_environment({"TF_CONFIG": cluster.config_of(1)}) == Cluster(cluster.addresses, 1)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "is not JSON"),
        ("[]", "has no 'cluster'"),
        ('{"cluster": {"ps": ["a:1"]}}', "has the job 'ps'"),
        ('{"cluster": {"worker": "a:1"}}', "has no list of addresses for the job 'worker'"),
        ('{"cluster": {"worker": ["a"]}}', "has the address 'a', which is not of the form host:port"),
        ('{"cluster": {"worker": ["a:99999"]}}', "has the address 'a:99999'"),
        ('{"cluster": {"worker": ["a:1", "a:1"]}}', "has the same address twice"),
        ('{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 2}}', "which is none of"),
        ('{"cluster": {"worker": ["a:1", "b:1"]}}', "has the task None"),
    ],
)
def test_a_bad_variable_is_explained(text: str, why: str) -> None:
    with pytest.raises(PolytagError, match="The variable TF_CONFIG") as caught:
        cluster_of_environment({"TF_CONFIG": text})
    assert why in str(caught.value)


def local(worker: int) -> Cluster:
    return Cluster(tuple(f"127.0.0.1:{port}" for port in free_ports(2)), worker)


@pytest.mark.parametrize(("worker", "who"), [(0, "The worker"), (1, "The chief")])
def test_a_worker_that_does_not_answer_is_named(worker: int, who: str) -> None:
    cluster = local(worker)
    with pytest.raises(PolytagError, match=f"{who} at {cluster.addresses[1 - worker]} has not answered for 0 seconds"):
        wait_for_workers(cluster, wait=0.0)


def test_a_port_in_use_is_named() -> None:
    with socket.socket() as other:
        other.bind(("", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PolytagError, match=f"The port {port} of this worker .* is in use by another program"):
            wait_for_workers(Cluster((f"127.0.0.1:{port}", "127.0.0.1:1"), 0), wait=0.0)


def test_the_chief_waits_for_a_worker_that_starts_later() -> None:
    cluster = local(0)
    other = socket.socket()
    other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    host, _, port = cluster.addresses[1].partition(":")

    def start() -> None:
        other.bind((host, int(port)))
        other.listen()

    timer = threading.Timer(0.3, start)
    timer.start()
    wait_for_workers(cluster, wait=30.0)
    timer.join()
    other.close()


def test_a_worker_that_has_failed_is_not_waited_for() -> None:
    with pytest.raises(PolytagError, match="Worker 1 ended"):
        wait_for_workers(local(0), lambda: "Worker 1 ended with status 2: no such file", wait=30.0)


def test_more_workers_than_a_machine_has_ports_for_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(socket, "socket", refuse)
    with pytest.raises(PolytagError, match=r"no ports for 5,000 workers: Too many open files. Lower --workers"):
        free_ports(5000)


def test_another_number_of_workers_than_the_cluster_has_is_refused() -> None:
    cluster = Cluster(("127.0.0.1:2222", "127.0.0.1:2223"), 0)
    cluster.check_number(1)
    cluster.check_number(2)
    with pytest.raises(PolytagError, match="--workers is 3, and the cluster in TF_CONFIG has 2 workers"):
        cluster.check_number(3)


def test_a_worker_ends_when_the_process_that_started_it_has_died() -> None:
    code = (
        "import time; from polytag.training.cluster import config_from_chief as given; print(given()); time.sleep(600)"
    )
    worker = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert worker.stdin
    assert worker.stdout
    worker.stdin.write('{"task": "ner"}\n')
    worker.stdin.flush()
    assert worker.poll() is None
    worker.stdin.close()  # as the end of its other process does
    assert worker.wait(60) == 1
    worker.stdout.close()


def test_workers_on_this_machine_share_its_gpus() -> None:
    environment = {"TF_CONFIG": Cluster(("one:1", "two:1"), 0).config_of(1), "POLYTAG_WORKERS_SHARING_THE_GPUS": "2"}
    assert cluster_of_environment(environment) == Cluster(("one:1", "two:1"), 1, sharing=2)
