"""The head of a Ray cluster has to answer before polytag joins it: Ray itself would try for minutes, or for ever."""

import socket
import sys
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from polytag import PolytagError, predict_lake
from polytag.prediction.ray_cluster import check_cluster, joined_cluster
from polytag.training.cluster import free_ports


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SimpleNamespace:
    """The module `ray`, made up: a program that has joined no cluster, on a machine that has started none."""
    made_up = SimpleNamespace(is_initialized=lambda: False, __spec__=SimpleNamespace())
    monkeypatch.setitem(sys.modules, "ray", made_up)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    return made_up


@pytest.mark.parametrize("form", ["127.0.0.1:{}", "ray://127.0.0.1:{}"])
def test_an_address_at_which_nothing_answers_is_an_error(ray: SimpleNamespace, form: str) -> None:
    address = form.format(free_ports(1)[0])
    with pytest.raises(PolytagError, match=rf"The Ray cluster at '{address}' cannot be reached: Connection refused\."):
        check_cluster(address)


def test_a_name_that_no_machine_has_is_an_error(ray: SimpleNamespace) -> None:
    with pytest.raises(PolytagError, match=r"'nowhere\.invalid:6379' cannot be reached: \w"):
        check_cluster("nowhere.invalid:6379")


@pytest.mark.parametrize("given", [None, "auto"])
def test_the_address_of_the_variable_is_checked(
    ray: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, given: str | None
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{free_ports(1)[0]}")
    with pytest.raises(PolytagError, match=r"\(in the variable RAY_ADDRESS\) cannot be reached"):
        check_cluster(given)


def test_a_cluster_of_this_machine_that_has_died_is_an_error(ray: SimpleNamespace, tmp_path: Path) -> None:
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray" / "ray_current_cluster").write_text(f"127.0.0.1:{free_ports(1)[0]}\n", encoding="utf-8")
    with pytest.raises(PolytagError, match=r"the last one that was started on this machine; `ray stop` forgets it"):
        check_cluster(None)


@pytest.mark.parametrize(
    "address", [None, "auto", "local", "127.0.0.1:{}", "ray://127.0.0.1:{}", "http://x", "[", "a:b"]
)
def test_what_answers_or_is_no_address_is_left_to_ray(ray: SimpleNamespace, address: str | None) -> None:
    with closing(socket.socket()) as head:
        head.bind(("127.0.0.1", 0))
        head.listen()
        check_cluster(address and address.format(head.getsockname()[1]))


def test_a_program_that_has_joined_a_cluster_needs_no_address(ray: SimpleNamespace) -> None:
    ray.is_initialized = lambda: True
    check_cluster(f"127.0.0.1:{free_ports(1)[0]}")


def test_a_lake_is_not_begun_without_its_cluster(ray: SimpleNamespace, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("Anna left.\n", encoding="utf-8")
    address = f"127.0.0.1:{free_ports(1)[0]}"
    with pytest.raises(PolytagError, match="cannot be reached"):
        predict_lake("tagger", tmp_path / "in.txt", tmp_path / "out", runner="ray", ray_address=address)
    assert not (tmp_path / "out").exists()


def test_a_program_stays_in_the_cluster_that_it_had_joined(ray: SimpleNamespace) -> None:
    calls: list[str] = []
    ray.init = lambda **options: calls.append("init")
    ray.shutdown = lambda: calls.append("shutdown")
    with joined_cluster() as joined:
        assert joined is ray
    assert calls == ["init", "shutdown"]
    ray.is_initialized = lambda: True
    with joined_cluster():
        pass
    assert calls == ["init", "shutdown"]


def test_what_ray_says_about_an_address_is_passed_on(ray: SimpleNamespace) -> None:
    def init(**options: object) -> None:
        raise ValueError("no cluster here")

    ray.init = init
    why = r"The Ray cluster on this machine cannot be joined: no cluster here\. Start"
    with pytest.raises(PolytagError, match=why), joined_cluster():
        pass
