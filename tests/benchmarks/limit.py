"""The limit: how fast the machine multiplies matrices, and what share of that training and prediction reach.

    python tests/benchmarks/limit.py --corpus ../shared/data/conll2003 --encoder FOLDER

The operations are those of the model's matrix products (a multiplication and an addition are two), at positions that
are not padding: the layers' four projections and two feed-forward products, the two products of attention, and the
head. The last layer's output projection and feed-forward products count at the first subword of each word alone, as
tags are read from those and they are computed for no others. Training does all of it three times: forward, and
backward for inputs and for weights. Softmax, normalisation, activation, the optimizer, and all work outside the network
count as nothing done.

Training has batches of 16 windows of 47 positions (45 subwords and the special ones), prediction is that of the test
split, from words to tags. `machine` is the best rate of any float32 product measured, by NumPy or TensorFlow; `shapes`
the float32 rate at the network's own shapes, each weighted with its share of the operations; `bfloat16` the best rate
of products of bfloat16, where the processor is faster at them. Rates and runs take turns.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from harness import Data, Report, Side, closing, console, parser, table, train_briefly
from tokenizers import Tokenizer

BATCH, POSITIONS, SPECIAL = 16, 47, 2
SQUARE = 2048


def main() -> None:
    """Measure, and print tables."""
    options = parser(__doc__)
    options.add_argument("--corpus", required=True)
    options.add_argument("--encoder", type=Path, required=True, help="folder of a BERT checkpoint")
    options.add_argument("--tagger", type=Path, help="a ner tagger over it; one is trained briefly by default")
    options.add_argument("--steps", type=int, default=30, help="training steps a round")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=float, default=1.0, help="how long a product is timed")
    options.add_argument("--square", type=int, default=SQUARE, help="side of the large square product")
    options.add_argument("--precision", help="polytag's: float32 or bfloat16; its own choice by default")
    options.add_argument("--limit", type=int, help="sentences to tag")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        _run(chosen, Path(folder))


def _run(chosen: argparse.Namespace, folder: Path) -> None:
    data = Data(folder / "data", chosen.corpus, "ner", {"train": 2000, "validation": 100, "test": chosen.limit})
    report = Report("limit", chosen, data.about)
    network = Network(json.loads((chosen.encoder / "config.json").read_text(encoding="utf-8")), len(data.labels))
    lengths, single = _subwords(chosen.encoder, data)
    _fixed_corpus(folder / "fixed", data, single, BATCH * (chosen.steps * chosen.rounds + chosen.steps))
    tagger = chosen.tagger or train_briefly(data, chosen.encoder, folder / "tagger")

    fixed = {"corpus": str(folder / "fixed"), "encoder": str(chosen.encoder), "task": "ner", "epochs": 2}
    fixed |= {"precision": chosen.precision} if chosen.precision else {}
    work = {
        "training, 16 x 47": 3 * BATCH * chosen.steps * network.operations(POSITIONS, POSITIONS - SPECIAL),
        "prediction of test": sum(
            network.operations(length + SPECIAL, len(sentence))
            for length, sentence in zip(lengths, data.words["test"], strict=True)
        ),
    }
    commands: dict[str, dict[str, Any]] = {
        "training, 16 x 47": {"steps": chosen.steps},
        "prediction of test": {"from": "words"},
    }
    products = {**network.products(BATCH, POSITIONS), "square": ((chosen.square,) * 3, 0)}
    sides: list[Side] = []
    rounds: list[dict[str, float]] = []
    rates: dict[str, dict[str, list[float]]] = {name: {} for name in products}
    with closing(sides):
        sides.append(Side("products", sys.executable, "multiply.py"))
        sides.append(Side("training", sys.executable, "polytag_train.py", options={**fixed, "batch_size": BATCH}))
        file = str(data.folder / "test.jsonl")
        sides.append(
            Side("prediction", sys.executable, "polytag_predict.py", task="ner", tagger=str(tagger), file=file)
        )
        report.versions(sides)
        for number in range(chosen.rounds + 1):
            machine, shapes, narrow = 0.0, 0.0, 0.0
            for name, (shape, share) in products.items():
                found = sides[0].go(shape=shape, seconds=chosen.seconds)
                for library, value in found.items():
                    rates[name].setdefault(library, []).append(value)
                narrow = max(narrow, found.pop("bfloat16", 0.0))
                machine = max(machine, *found.values())
                shapes += share / max(found.values())
            measured = {"machine": machine, "shapes": 1 / shapes} | ({"bfloat16": narrow} if narrow else {})
            for (name, command), side in zip(commands.items(), sides[1:], strict=True):
                measured[name] = work[name] / side.go(**command)["seconds"]
            if number:  # the first round compiles
                rounds.append(measured)
            console.print(
                f"round {number}  " + "  ".join(f"{key} {value / 1e9:.1f}" for key, value in measured.items())
            )
    limits = [name for name in ("machine", "shapes", "bfloat16") if name in rounds[0]]
    shares = {
        name: {limit: statistics.median(found[name] / found[limit] for found in rounds) for limit in limits}
        for name in commands
    }
    rows = [
        [name, statistics.median(found[name] for found in rounds) / 1e9, *shares[name].values()] for name in commands
    ]
    report.add(
        rounds=rounds,
        operations=work,
        subwords_of_test=int(lengths.sum()),
        product_rates=rates,
        shares=shares,
    )
    product_rows = [
        [name, " x ".join(map(str, products[name][0])), *(statistics.median(found[library]) / 1e9 for library in found)]
        for name, found in rates.items()
    ]
    report.show(
        table("Matrix products, GFLOP/s", ["product", "shape", *rates["square"]], product_rows),
        table("Reached", ["", "GFLOP/s", *(f"of {limit}" for limit in limits)], rows),
    )


class Network:
    """The matrix products of a BERT network.

    Args:
        config: Its config.json.
        labels: How many labels its head has.
    """

    def __init__(self, config: dict[str, Any], labels: int) -> None:
        self._width, self._inner = config["hidden_size"], config["intermediate_size"]
        self._layers, self._heads = config["num_hidden_layers"], config["num_attention_heads"]
        self._labels = labels

    def operations(self, length: int, read: int) -> int:
        """Floating-point operations of one window, forward, where tags are read from `read` of its positions."""
        inputs = 2 * length * 3 * self._width**2
        attention = 2 * 2 * length**2 * self._width
        rest = 2 * (self._width**2 + 2 * self._width * self._inner)
        head = 2 * read * self._width * self._labels
        return self._layers * (inputs + attention) + ((self._layers - 1) * length + read) * rest + head

    def products(self, batch: int, length: int) -> dict[str, tuple[tuple[int, ...], float]]:
        """The shapes of the layers' products, and the share each has in the operations."""
        rows, width, inner, size = batch * length, self._width, self._inner, self._width // self._heads
        counts = {
            "projection": ((rows, width, width), 4 * rows * width**2),
            "feed-forward in": ((rows, width, inner), rows * width * inner),
            "feed-forward out": ((rows, inner, width), rows * width * inner),
            "attention scores": ((batch * self._heads, length, size, length), rows * length * width),
            "attention values": ((batch * self._heads, length, length, size), rows * length * width),
        }
        total = sum(count for _, count in counts.values())
        return {name: (shape, count / total) for name, (shape, count) in counts.items()}


def _subwords(encoder: Path, data: Data) -> tuple[np.ndarray, list[str]]:
    """Subwords of each test sentence; and words that are one subword each."""
    tokenizer = Tokenizer.from_file(str(encoder / "tokenizer.json"))
    tokenizer.no_padding()
    distinct = sorted({word for split in ("train", "test") for sentence in data.words[split] for word in sentence})
    encoded = tokenizer.encode_batch(distinct, add_special_tokens=False)
    counts = {word: max(len(encoding.ids), 1) for word, encoding in zip(distinct, encoded, strict=True)}
    lengths = np.array([sum(counts[word] for word in sentence) for sentence in data.words["test"]])
    return lengths, [word for word, encoding in zip(distinct, encoded, strict=True) if len(encoding.ids) == 1]


def _fixed_corpus(folder: Path, data: Data, words: list[str], sentences: int) -> None:
    """Sentences that all have the same number of subwords."""
    random = np.random.default_rng(0)
    folder.mkdir()
    for split, size in (("train", sentences), ("validation", BATCH)):
        with (folder / f"{split}.jsonl").open("w", encoding="utf-8") as file:
            for _ in range(size):
                tokens = random.choice(words, POSITIONS - SPECIAL).tolist()
                tags = ["B-PER", "I-PER", *["O"] * (POSITIONS - SPECIAL - 2)]
                file.write(json.dumps({"tokens": tokens, data.column: tags}) + "\n")


if __name__ == "__main__":
    main()
