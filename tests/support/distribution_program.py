"""Train the compact encoder alone and distributed, in one process of its own, and print how they differ, as JSON.

    python distribution_program.py devices
    python distribution_program.py HOST:PORT,HOST:PORT WORKER

Dropout is off: it is drawn anew in each replica.
"""

import json
import sys

import numpy as np
import tensorflow as tf

from polytag.encoding.batches import BatchBuilder
from polytag.encoding.features import featurise
from polytag.engine import model as model_module
from polytag.engine.distribution import Distribution, copies_on, join, over_devices
from polytag.engine.encoders.compact import CompactEncoder, CompactNetwork
from polytag.engine.loop import seed_everything, train_epochs
from polytag.engine.model import TaggerModel
from polytag.engine.optimizer import BETA_1, BETA_2
from polytag.engine.settings import Settings
from polytag.engine.step import TrainStep
from polytag.plugin.alignment import IGNORE

model_module.HEAD_DROPOUT = 0.0
CompactNetwork.form_dropout = CompactNetwork.input_dropout = CompactNetwork.block_dropout = 0.0

LABELS = {"one": list("ABC"), "two": list("XY")}


class Scored:
    score, headlines = 0.0, {}


class Run:
    """A training: its losses, the gradients of its first step, its model and its features."""

    def __init__(self, distribution: Distribution | None, windows: int, **changes: int) -> None:
        seed_everything(3)
        make = lambda: TaggerModel(CompactEncoder(), LABELS)  # noqa: E731
        self.model = copies_on(distribution.devices, make) if distribution else make()
        random = np.random.default_rng(0)
        words = [
            ["".join(random.choice(list("abcdefgh"), 3)) for _ in range(random.integers(1, 9))] for _ in range(windows)
        ]
        self.features = featurise(self.model.encoder, words)
        labels = {
            task: random.integers(0, len(names), len(self.features.ids)).astype(np.int32)
            for task, names in LABELS.items()
        }
        labels["two"][::3] = IGNORE
        builder = BatchBuilder(self.features, self.model.encoder, labels)
        given = {"epochs": 1, "batch_size": 8, "accumulate": 1, **changes}
        settings = Settings(
            **given, learning_rate=2e-3, warmup=0.1, weight_decay=0.01, clip=1.0, averaging=0.99, patience=0, seed=1
        )
        self.losses: list[float] = []
        self.gradients: list[np.ndarray] = []
        usual = TrainStep.updates

        def updates(loop, *arguments):
            for update in usual(loop, *arguments):
                if not self.losses:
                    optimizer = loop._replicas[0].optimizer
                    self.gradients = [np.asarray(first) / (1 - BETA_1) for first in optimizer.first]
                    self.gradients += [np.sqrt(np.asarray(table.second) / (1 - BETA_2)) for table in optimizer._tables]
                self.losses.append(update.loss())
                yield update

        TrainStep.updates = updates
        for _ in train_epochs(self.model, builder, self.features.lengths, settings, Scored, distribution=distribution):
            pass
        TrainStep.updates = usual
        self.weights = list(self.model.tensors().values())


def difference(one: list, other: list) -> float:
    return max(float(np.abs(np.subtract(a, b)).max()) for a, b in zip(one, other, strict=True))


def compared(distribution: Distribution) -> dict[str, object]:
    long = {"windows": 8 * 52 + 1}  # the last batch has one window, and some replica none
    alone, shared = Run(None, **long), Run(distribution, **long)
    summed, summed_shared = Run(None, 33, accumulate=2), Run(distribution, 33, accumulate=2)
    copies = [list(copy.tensors().values()) for copy in shared.model.copies]
    wide = shared.model.scorer().predict(shared.features)
    shared.model.set_copies(())
    narrow = shared.model.scorer().predict(shared.features)
    return {
        "steps": len(alone.losses),
        "first loss": abs(alone.losses[0] - shared.losses[0]),
        "first gradients": difference(alone.gradients, shared.gradients),
        "losses": difference(alone.losses[:50], shared.losses[:50]),
        "losses with accumulation": difference(summed.losses, summed_shared.losses),
        "weights": difference(alone.weights, shared.weights),
        "copies": max((difference(shared.weights, weights) for weights in copies), default=0.0),
        "probabilities": difference(list(wide.values()), list(narrow.values())),
        "replicas": distribution.replicas,
    }


def main() -> None:
    if sys.argv[1] == "devices":
        (processor,) = tf.config.list_physical_devices("CPU")
        tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * 2)
        distribution = over_devices(("CPU:0", "CPU:1"))
    else:
        distribution = join(sys.argv[1].split(","), int(sys.argv[2]))
    print(json.dumps(compared(distribution)))
    distribution.share(b"done" if distribution.is_chief else None)


if __name__ == "__main__":
    main()
