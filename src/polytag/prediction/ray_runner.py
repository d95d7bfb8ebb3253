"""Run the shards of a data lake on a Ray cluster, whose actors are started again where one dies."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from polytag.errors import PolytagError, in_brief
from polytag.prediction.ray_cluster import joined_cluster
from polytag.prediction.runners import MOST_DEATHS, Listener
from polytag.prediction.shard_work import LakeJob, ShardDone, tag_shard
from polytag.prediction.shards import Shard
from polytag.tagger.tagger import Tagger

WAIT = 600.0
"""Seconds in which a first actor must have started."""


class _Actor:
    """Tags shards with a tagger that Ray brings to its machine."""

    def __init__(self, folder: str) -> None:
        self._tagger: Tagger | None = None
        with suppress(OSError):  # absolute paths and URLs do without it
            os.chdir(folder)

    def ready(self) -> None:
        """Answer, which shows that the actor has started."""

    def tag(self, shard: Shard, job: LakeJob, place: Sequence[Any]) -> ShardDone:
        if self._tagger is None:  # the first shard, also of an actor that was started again
            import ray

            (stored,) = place
            self._tagger = ray.get(stored)
        return tag_shard(self._tagger, shard, job, lambda _: None)


def run_ray(job: LakeJob, shards: Sequence[Shard], listener: Listener, workers: int, address: str | None) -> None:
    """Tag the shards in actors, one core each.

    Args:
        job: What to do. Inputs and output have to be reachable from all machines under the same paths.
        shards: The shards.
        listener: Hears how far they are, shard by shard.
        workers: Number of actors, if the cluster has room for all.
        address: Address of the cluster; by default the one that this program has joined, or a new local one.

    Raises:
        PolytagError: Ray is not installed or cannot be reached, a shard cannot be tagged, or its actors keep dying.
    """
    with joined_cluster(address, log_to_driver=False, logging_level="error") as ray:
        # The work of an actor that dies is done again in the one that replaces it.
        remote = ray.remote(num_cpus=1, max_restarts=-1, max_task_retries=MOST_DEATHS)(_Actor)
        # In a list, so that Ray does not bring it with each shard: an actor gets it once.
        place = [ray.put(job.load())]
        actors = [remote.remote(str(Path.cwd())) for _ in range(min(workers, len(shards)))]
        try:
            for done, rows in _done(ray, actors, shards, (job, place)):
                listener.on_rows(rows)
                listener.on_done(done)
        except ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, PolytagError):
                raise error.cause from None
            raise
        except ray.exceptions.RayActorError as error:
            raise PolytagError(
                f"An actor died {MOST_DEATHS} times in the same shard: {in_brief(error)}. Its machine may have too "
                "little memory. What is done stays, and the same command continues."
            ) from error


def _done(
    ray: Any, actors: Sequence[Any], shards: Sequence[Shard], work: tuple[LakeJob, Sequence[Any]]
) -> Iterator[tuple[ShardDone, int]]:
    """The shards that are done, with their rows. Only actors that have started get any: others may never find room."""
    starting = {actor.ready.remote(): actor for actor in actors}
    tagging: dict[Any, tuple[Any, Shard]] = {}
    left = deque(shards)
    while left or tagging:
        heard, _ = ray.wait([*tagging, *starting], timeout=None if tagging else WAIT)
        if not heard:
            raise PolytagError(
                f"Ray's cluster has had no room for a worker for {WAIT:.0f} seconds. End what else runs there, or add "
                "machines."
            )
        for ended in heard:
            found = ray.get(ended)
            actor, shard = tagging.pop(ended) if ended in tagging else (starting.pop(ended), None)
            if shard:
                yield found, shard.rows
            if left:
                following = left.popleft()
                tagging[actor.tag.remote(following, *work)] = (actor, following)
            else:
                # Its core may be what an actor that died needs to start again, or a shard would wait for ever.
                for idle in (actor, *starting.values()):
                    ray.kill(idle)
                starting.clear()
