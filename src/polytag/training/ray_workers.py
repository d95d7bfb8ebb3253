"""Workers in the cluster of Ray, which starts their processes, with their TF_CONFIG, and does nothing else."""

from __future__ import annotations

import importlib
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from polytag.errors import PolytagError, TrainingError
from polytag.plugin.reporter import Reporter
from polytag.prediction.ray_cluster import joined_cluster
from polytag.training.cluster import VARIABLE, WAIT, Cluster
from polytag.training.config import RunConfig

Result = TypeVar("Result")


def run_in_ray(train: Callable[[RunConfig], Result], config: RunConfig, reporter: Reporter) -> Result:
    """Train with one actor of Ray per worker; return the result of the chief.

    The actors connect to the cluster that this program has joined, to the one in RAY_ADDRESS, or to one that Ray starts
    on this machine. Each takes a processor, and a GPU where the cluster has one for every worker. The output folder,
    and the corpus, must be on a file system that all machines share.

    Args:
        train: Trains in a worker; ends it with SystemExit if it is not the chief.
        config: The configuration of the run.
        reporter: Receives the addresses of the workers.

    Raises:
        PolytagError: Ray is not installed or cannot be reached, has no room for the workers, or a worker fails.
    """
    paths = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
    with joined_cluster(runtime_env={"env_vars": {"PYTHONPATH": paths}}) as ray:
        has = ray.cluster_resources()
        if has.get("CPU", 0) < config.workers:
            raise PolytagError(
                f"Ray's cluster has {has.get('CPU', 0):.0f} processors, too few for {config.workers} workers. Add "
                "machines, or lower --workers."
            )
        gpus = 1 if config.device != "cpu" and has.get("GPU", 0) >= config.workers else 0
        actor: Any = ray.remote(num_cpus=1, num_gpus=gpus, max_restarts=0)(_Worker)
        actors: list[Any] = [actor.options(scheduling_strategy="SPREAD").remote() for _ in range(config.workers)]
        try:
            addresses = tuple(ray.get([each.address.remote() for each in actors], timeout=WAIT))
        except ray.exceptions.GetTimeoutError as error:
            raise PolytagError(
                f"Ray's cluster has had no room for {config.workers} workers for {WAIT:.0f} seconds. End what else "
                "runs there, add machines, or lower --workers."
            ) from error
        reporter.message(f"Ray has started {len(addresses)} workers: {', '.join(addresses)}")
        config = config.model_copy(update={"workers": 1, "output": config.output.resolve()})
        cluster, place = Cluster(addresses, 0), str(Path.cwd())
        ends = [each.train.remote(train, cluster.config_of(i), config, place) for i, each in enumerate(actors)]
        result: Result = _result(ray, ends)
        return result


def _result(ray: Any, ends: list[Any]) -> Any:
    """The result of the chief, or the error of the worker that failed first."""
    waiting = list(ends)
    while waiting:
        (done,), waiting = ray.wait(waiting, num_returns=1)
        try:
            found = ray.get(done)
        except ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, PolytagError):
                raise error.cause from None
            raise
        except ray.exceptions.RayError as error:
            raise TrainingError(
                "A worker in Ray's cluster has ended: it was killed, or its machine is gone. Continue with --resume, "
                "on the same or another number of workers."
            ) from error
        if done is ends[0]:
            return found
    raise TrainingError("The chief in Ray's cluster has ended without a result.")


class _Worker:
    """One worker, in a process of Ray."""

    def address(self) -> str:
        """The address of this worker: of its machine, and a free port."""
        ray: Any = importlib.import_module("ray")
        with socket.socket() as free:
            free.bind(("", 0))
            return f"{ray.util.get_node_ip_address()}:{free.getsockname()[1]}"

    def train(self, train: Callable[[RunConfig], Any], cluster: str, config: RunConfig, folder: str) -> Any:
        """Train; return the result of the chief, or None in another worker."""
        os.environ[VARIABLE] = cluster
        if Path(folder).is_dir():
            os.chdir(folder)  # names of files are relative to where the run was started
        try:
            return train(config)
        except SystemExit:
            return None
