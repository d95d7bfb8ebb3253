"""Which actor of a Ray cluster gets which shard. The cluster is made up: a real one tags in test_lake_ray."""

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from polytag import PolytagError
from polytag.prediction.ray_runner import run_ray
from polytag.prediction.shards import Shard

SHARDS = [Shard(f"{number}.jsonl", "jsonl", f"{number}.jsonl", 10 + number, 0, None, "1") for number in range(5)]


class Cluster:
    """What `run_ray` uses of the module `ray`, with room for some actors."""

    __spec__ = SimpleNamespace()
    exceptions = SimpleNamespace(RayTaskError=KeyError, RayActorError=IndexError)

    def __init__(self, room: int) -> None:
        self.room, self.actors, self.killed = room, 0, 0

    def is_initialized(self) -> bool:
        return True

    def put(self, value: object) -> object:
        return value

    def remote(self, **options: object) -> Any:
        return lambda actor: SimpleNamespace(remote=self._actor)

    def _actor(self, *arguments: object) -> Any:
        self.actors += 1
        starts = self.actors <= self.room
        return SimpleNamespace(
            ready=SimpleNamespace(remote=lambda: (starts, object())),
            tag=SimpleNamespace(remote=lambda shard, job, place: (starts, shard)),
        )

    def wait(self, waited_for: list[Any], timeout: float | None) -> tuple[list[Any], list[Any]]:
        done = [each for each in waited_for if each[0]][:1]
        assert done or timeout is not None, "it would wait for ever"
        return done, []

    def get(self, each: Any) -> object:
        return each[1]

    def kill(self, actor: object) -> None:
        self.killed += 1


class Found:
    """Whether an actor has room again: when another one has ended."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def __bool__(self) -> bool:
        return self._cluster.killed > 0


class ClusterInWhichOneDies(Cluster):
    """Its first actor dies in its first shard, and another actor takes its room before it starts again."""

    def _actor(self, *arguments: object) -> Any:
        actor = super()._actor(*arguments)
        if self.actors == 1:
            actor.tag.remote = lambda shard, job, place: (Found(self), shard)
        return actor


def tag(monkeypatch: pytest.MonkeyPatch, cluster: Cluster) -> tuple[list[Shard], int]:
    monkeypatch.setitem(sys.modules, "ray", cluster)
    done: list[Any] = []
    rows: list[int] = []
    job: Any = SimpleNamespace(load=lambda: "the tagger")
    run_ray(job, SHARDS, SimpleNamespace(on_rows=rows.append, on_done=done.append), workers=3, address=None)
    return done, sum(rows)


@pytest.mark.parametrize("room", [1, 2, 3])
def test_actors_for_which_there_is_no_room_get_no_shards(monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    done, rows = tag(monkeypatch, Cluster(room))
    assert sorted(shard.output for shard in done) == [shard.output for shard in SHARDS]
    assert rows == sum(shard.rows for shard in SHARDS)


def test_a_cluster_without_room_for_any_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PolytagError, match="has had no room for a worker for 600 seconds"):
        tag(monkeypatch, Cluster(0))


def test_an_actor_that_died_gets_the_room_of_one_that_has_no_more_work(monkeypatch: pytest.MonkeyPatch) -> None:
    done, _ = tag(monkeypatch, ClusterInWhichOneDies(3))
    assert sorted(shard.output for shard in done) == [shard.output for shard in SHARDS]
