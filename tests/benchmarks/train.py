"""Training: polytag against transformers.Trainer on one checkpoint, and `compact` against `spacy train`.

    python tests/benchmarks/train.py --corpus ../shared/data/conll2003 --encoder FOLDER --steps 60
    python tests/benchmarks/train.py --corpus ../shared/data/conll2003 --encoder FOLDER --steps 25 \\
        --context document --window 128
    python tests/benchmarks/train.py --corpus ../shared/data/conll2003 --encoder FOLDER --epochs 3 --seeds 3
    python tests/benchmarks/train.py --corpus ../shared/data/conll2003 --encoder compact --seeds 3

With a checkpoint, both sides start from its weights and train with the same batch size, peak learning rate, weight
decay, number of epochs and seeds; the peer follows the recipe of its token-classification example (padding to the
longest of a random batch, the label on a word's first subword, AdamW with linear decay). They take turns: a stretch of
`--steps` steps each, or, without `--steps`, an epoch each. Only time within steps counts. A subword is one of a word's:
neither padding nor special tokens count. Without `--steps` both are scored on validation after each epoch, by the same
scorer.

With `compact`, `polytag train` and `spacy train` (tok2vec and ner, or tok2vec and tagger; no vectors, spaCy's own
defaults for efficiency on a processor) run one after the other on the same sentences, each as its users run it.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from harness import (
    Data,
    Report,
    Side,
    add_peers,
    closing,
    console,
    median_ratio,
    parser,
    peer_python,
    polytag_command,
    table,
    take_turns,
    timed,
)
from spacy_runs import train_spacy

SPACY_COMPONENT = {"ner": "ner", "pos": "tagger"}
SECONDS = "seconds to train"


def main() -> None:
    """Train both sides, and print tables."""
    options = parser(__doc__)
    add_peers(options)
    options.add_argument("--corpus", required=True)
    options.add_argument("--encoder", required=True, help="`compact`, or a checkpoint")
    options.add_argument("--task", default="ner")
    options.add_argument("--epochs", type=int, help="default: 3 with a checkpoint, the encoder's own with compact")
    options.add_argument("--seeds", type=int, default=1, help="runs a side, each with the next seed")
    options.add_argument("--first-seed", type=int, default=0, help="the first run's, to take a long series in parts")
    options.add_argument("--steps", type=int, help="time stretches of so many steps instead of whole epochs")
    options.add_argument("--rounds", type=int, default=5, help="stretches a side; one more comes first, untimed")
    options.add_argument("--batch-size", type=int, default=16)
    options.add_argument("--windows", type=int, help="windows a step of polytag, where not the batch size")
    options.add_argument("--learning-rate", type=float, default=1e-4)
    options.add_argument("--weight-decay", type=float, default=0.01)
    options.add_argument("--context", default="sentence", help="polytag's: sentence or document")
    options.add_argument("--window", type=int, help="polytag's: units a window holds")
    options.add_argument("--precision", help="polytag's: float32 or bfloat16; its own choice by default")
    options.add_argument("--limit", type=int, help="sentences to train on")
    options.add_argument("--spacy-steps", type=int, help="stop spaCy after so many steps (to try the script out)")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = _compact if chosen.encoder == "compact" else _checkpoint
        run(chosen, Path(folder))


def _checkpoint(chosen: argparse.Namespace, folder: Path) -> None:
    # Where only steps are timed, evaluation at the end of an epoch only has to be short.
    data = Data(folder / "data", chosen.corpus, chosen.task, {"train": chosen.limit, "validation": chosen.steps and 64})
    report = Report("train", chosen, data.about)
    runs: list[dict[str, list[dict[str, Any]]]] = []
    subwords = 0
    for seed in _seeds(chosen):
        sides = []
        with closing(sides):
            sides.append(Side("polytag", sys.executable, "polytag_train.py", options=_options(chosen, data, seed)))
            if not chosen.without_peers:
                sides.append(_trainer(chosen, data, seed))
                subwords = sides[1].about["subwords"]
            report.versions(sides)
            if chosen.steps:
                take_turns(sides, 1, steps=max(20, chosen.steps // 3))  # compiles, and warms caches
                runs.append(take_turns(sides, chosen.rounds, steps=chosen.steps))
            else:
                runs.append(take_turns(sides, chosen.epochs or 3))
        for found in runs[-1].get("transformers.Trainer", []):
            if "tags" in found:
                found["score"] = data.score("validation", found.pop("tags"))
                console.print(f"seed {seed}, transformers.Trainer: validation {found['score']:.4f}", markup=False)
    found = {name: [result for run in runs for result in run[name]] for name in runs[0]}
    if not subwords:  # nobody counted the corpus: an epoch is a round, or, with stretches, not known
        subwords = runs[0]["polytag"][0]["subwords"]
    rows = [_row(name, results, [run[name] for run in runs], subwords) for name, results in found.items()]
    report.add(runs=runs, subwords_an_epoch=subwords, summary={row["side"]: row for row in rows})
    columns = list(rows[0])
    tables = [table(f"Training, {chosen.context} windows", columns, ([row[c] for c in columns] for row in rows))]
    if len(found) == 2:
        own, peer = ([result["seconds"] / result["subwords"] for result in results] for results in found.values())
        ratios = {
            "median of rounds": median_ratio(peer, own),
            "all rounds together": rows[0]["subwords/s"] / rows[1]["subwords/s"],
        }
        report.add(time_an_epoch_trainer_over_polytag=ratios)
        tables.append(table("Time an epoch, Trainer ÷ polytag", ["", "ratio"], ratios.items()))
        if not chosen.steps:
            report.add(score_below_peer=rows[1]["best epoch"] - rows[0]["best epoch"])
    report.show(*tables)


def _seeds(chosen: argparse.Namespace) -> range:
    return range(chosen.first_seed, chosen.first_seed + chosen.seeds)


def _row(name: str, results: list[dict[str, Any]], runs: list[list[dict[str, Any]]], subwords: int) -> dict[str, Any]:
    seconds = sum(result["seconds"] for result in results)
    rate = sum(result["subwords"] for result in results) / seconds
    row: dict[str, Any] = {
        "side": name,
        "subwords/s": rate,
        "seconds an epoch": subwords / rate,
        "ms a step": 1000 * seconds / sum(result["steps"] for result in results),
    }
    if "score" in results[0]:
        row["last epoch"] = statistics.mean(run[-1]["score"] for run in runs)
        row["best epoch"] = statistics.mean(max(result["score"] for result in run) for run in runs)
        row["by seed"] = " ".join(f"{max(result['score'] for result in run):.4f}" for run in runs)
    return row


def _options(chosen: argparse.Namespace, data: Data, seed: int) -> dict[str, Any]:
    names = ("encoder", "learning_rate", "weight_decay", "context", "window", "precision")
    return {
        **{name: getattr(chosen, name) for name in names if getattr(chosen, name) is not None},
        "task": chosen.task,
        "corpus": str(data.folder),
        "batch_size": chosen.windows or chosen.batch_size,
        "epochs": chosen.epochs or 3,
        "seed": seed,
    }


def _trainer(chosen: argparse.Namespace, data: Data, seed: int) -> Side:
    return Side(
        "transformers.Trainer",
        peer_python(chosen.peers, "torch"),
        "trainer_train.py",
        folder=str(data.folder),
        column=data.column,
        labels=data.labels,
        encoder=chosen.encoder,
        batch_size=chosen.batch_size,
        learning_rate=chosen.learning_rate,
        weight_decay=chosen.weight_decay,
        epochs=chosen.epochs or 3,
        seed=seed,
    )


def _compact(chosen: argparse.Namespace, folder: Path) -> None:
    data = Data(folder / "data", chosen.corpus, chosen.task, {"train": chosen.limit})
    for name in ("batch_size", "windows", "learning_rate", "weight_decay", "context", "window", "precision", "steps"):
        delattr(chosen, name)  # each side has its own defaults here
    report = Report("train", chosen, data.about)
    peer = f"spaCy, {SPACY_COMPONENT[chosen.task]}"
    names = ["polytag, compact"] if chosen.without_peers else ["polytag, compact", peer]
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for seed in _seeds(chosen):
        trained = {name: _train(name, chosen, data, folder / f"{name}-{seed}", seed) for name in names}
        for split in ("validation", "test"):
            sides: list[Side] = []
            with closing(sides):
                sides += [_predictor(name, chosen, data, model, split) for name, (_, model) in trained.items()]
                report.versions(sides)
                for side in sides:
                    trained[side.name][0][split] = data.score(split, side.go(tags="words")["tags"])
                found = take_turns(sides, chosen.rounds, **{"from": "words"})
            words = data.about[split]["words"]
            for name, results in found.items():
                taken = statistics.median(result["seconds"] for result in results)
                trained[name][0][f"{split}, words/s"] = words / taken
        for name, (figures, _) in trained.items():
            runs[name].append(figures)
            shown = "  ".join(f"{column} {value:,.4f}" for column, value in figures.items())
            console.print(f"seed {seed}, {name}: {shown}", markup=False)
    columns = list(runs[names[0]][0])
    rows = [[name, *(statistics.mean(run[column] for run in runs[name]) for column in columns)] for name in names]
    tables = [table(f"Training on {chosen.task}, means of {chosen.seeds} runs", ["side", *columns], rows)]
    report.add(runs=runs, means={row[0]: dict(zip(columns, row[1:], strict=True)) for row in rows})
    if len(names) == 2:
        over = {column: [run[column] for run in runs[names[0]]] for column in columns}
        under = {column: [run[column] for run in runs[peer]] for column in columns}
        ratios = {
            "training time, spaCy ÷ polytag": median_ratio(under[SECONDS], over[SECONDS]),
            "words/s on test, polytag ÷ spaCy": median_ratio(over["test, words/s"], under["test, words/s"]),
        }
        report.add(ratios=ratios)
        tables.append(table("Ratios, medians of runs", ["", "ratio"], ratios.items()))
    report.show(*tables)


def _train(name: str, chosen: argparse.Namespace, data: Data, folder: Path, seed: int) -> tuple[dict[str, float], Path]:
    """Train one side from its own command line; its time, and its model."""
    console.print(f"training {name}, seed {seed}", markup=False)
    if name.startswith("spaCy"):
        python = peer_python(chosen.peers, "spacy")
        seconds, model = train_spacy(python, data, SPACY_COMPONENT[chosen.task], folder, seed, chosen.spacy_steps)
    else:
        model = folder
        command = [polytag_command(), "train", "--task", chosen.task, "--corpus", data.folder, "--encoder", "compact"]
        command += ["--output", model, "--seed", str(seed)]
        command += ["--epochs", str(chosen.epochs)] if chosen.epochs else []
        seconds, _ = timed(command)
    console.print(f"  {seconds:.1f} s")
    return {SECONDS: seconds}, model


def _predictor(name: str, chosen: argparse.Namespace, data: Data, model: Path, split: str) -> Side:
    file = str(data.folder / f"{split}.jsonl")
    if not name.startswith("spaCy"):
        return Side(name, sys.executable, "polytag_predict.py", task=chosen.task, tagger=str(model), file=file)
    python, component = peer_python(chosen.peers, "spacy"), SPACY_COMPONENT[chosen.task]
    return Side(name, python, "spacy_predict.py", model=str(model), file=file, component=component)


if __name__ == "__main__":
    main()
