"""Active learning: how many sentences `polytag suggest` needs, over a random choice, for 95% of the full F1.

    python tests/benchmarks/suggest.py --corpus ../shared/data/conll2003 --seeds 3 --keep rounds
    python tests/benchmarks/suggest.py --corpus ../shared/data/conll2003 --full 0.838 --seeds 1 --keep rounds

The training split is raw text at first, apart from `--start` random sentences. In each round, a tagger is trained from
scratch on what is labelled, and scored on the whole test split; then `--step` more sentences get their labels: those
that `polytag suggest` chooses, or the next ones of a random order. Both sides begin with the same sentences, and train
with the same options: epochs for some 12,000 sentences in all, at least 8 and at most 30. The random side begins to
train with as many sentences as the other side needed. A side ends with the first round that reaches the goal. The full
F1 is that of a tagger trained on all sentences, with the defaults. Rounds that are in `--keep` are not trained again.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from harness import Data, Report, console, parser, table

import polytag

_PASSES, _EPOCHS = 12_000, (8, 30)


def main() -> None:
    """Carry out all rounds, and print a table."""
    options = parser(__doc__)
    options.add_argument("--corpus", required=True)
    options.add_argument("--task", default="ner")
    options.add_argument("--encoder", default="compact")
    options.add_argument("--strategy", default="margin")
    options.add_argument("--diverse", action="store_true")
    options.add_argument("--start", type=int, default=200, help="sentences that are labelled at first")
    options.add_argument("--step", type=int, default=200, help="sentences to label in a round")
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--first-seed", type=int, default=0)
    options.add_argument("--share", type=float, default=0.95, help="share of the full F1 to reach")
    options.add_argument("--full", type=float, help="the full F1, instead of a training on all sentences")
    options.add_argument("--validation", type=int, default=800, help="sentences of the validation split to use")
    options.add_argument("--limit", type=int, help="sentences of the training split (to try the script out)")
    options.add_argument("--keep", type=Path, help="folder to keep finished rounds in")
    chosen = options.parse_args()
    warnings.simplefilter("ignore", polytag.CorpusWarning)
    with tempfile.TemporaryDirectory() as folder:
        _measure(chosen, chosen.keep or Path(folder) / "rounds", Path(folder))


def _measure(chosen: argparse.Namespace, keep: Path, folder: Path) -> None:
    keep.mkdir(parents=True, exist_ok=True)
    data = Data(folder / "data", chosen.corpus, chosen.task, {"train": chosen.limit, "validation": chosen.validation})
    report = Report("suggest", chosen, data.about)
    whole = list(range(len(data.words["train"])))
    full = chosen.full or _round(chosen, data, keep / "full.json", whole, 0, None)["score"]
    goal = chosen.share * full
    console.print(f"full F1 {full:.4f}, goal {goal:.4f}")
    rows, ratios = [], []
    for seed in range(chosen.first_seed, chosen.first_seed + chosen.seeds):
        order = np.random.default_rng(seed).permutation(len(whole)).tolist()
        needed, words = _suggested(chosen, data, keep, order, seed, goal)
        by_chance, words_by_chance = _at_random(chosen, data, keep, order, seed, goal, needed)
        ratios.append(needed / by_chance)
        rows.append([f"seed {seed}", needed, by_chance, ratios[-1], words / words_by_chance])
    report.add(full=full, goal=goal, rows=rows, ratio=statistics.mean(ratios))
    rows.append(["mean", None, None, statistics.mean(ratios), None])
    report.show(
        table(
            f"Sentences for {chosen.share:.0%} of the full F1 of {chosen.task}",
            ["", chosen.strategy, "random", "sentences, ratio", "words, ratio"],
            rows,
        )
    )


def _suggested(
    chosen: argparse.Namespace, data: Data, keep: Path, order: list[int], seed: int, goal: float
) -> tuple[int, int]:
    """The sentences and words that the strategy needs."""
    name = f"{chosen.strategy}{'-diverse' if chosen.diverse else ''}"
    labelled = order[: chosen.start]
    while True:
        done = _round(chosen, data, keep / f"{name}-{seed}-{len(labelled)}.json", labelled, seed, name)
        if done["score"] >= goal or not done["next"]:
            return len(labelled), done["words"]
        labelled = labelled + done["next"]


def _at_random(
    chosen: argparse.Namespace, data: Data, keep: Path, order: list[int], seed: int, goal: float, first: int
) -> tuple[int, int]:
    """The sentences and words that a random choice needs."""
    for size in range(first, len(order) + 1, chosen.step):
        done = _round(chosen, data, keep / f"random-{seed}-{size}.json", order[:size], seed, None)
        if done["score"] >= goal:
            break
    return size, done["words"]


def _round(
    chosen: argparse.Namespace, data: Data, kept: Path, labelled: list[int], seed: int, strategy: str | None
) -> dict[str, Any]:
    """Train on the labelled sentences, score, and choose the next ones with a strategy; or read what was kept."""
    if not kept.exists():
        began = time.perf_counter()
        with tempfile.TemporaryDirectory() as name:
            done = _carried_out(chosen, data, Path(name), labelled, seed, strategy)
        done["seconds"] = round(time.perf_counter() - began, 1)
        new = kept.with_suffix(".new")
        new.write_text(json.dumps(done), encoding="utf-8")
        new.rename(kept)
    found: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
    facts = f"{len(labelled):,} sentences  {found['words']:,} words  F1 {found['score']:.4f}  {found['seconds']} s"
    console.print(f"{kept.stem}  {facts}", markup=False)
    return found


def _carried_out(
    chosen: argparse.Namespace, data: Data, folder: Path, labelled: list[int], seed: int, strategy: str | None
) -> dict[str, Any]:
    words, tags = data.words["train"], data.tags["train"]
    _write(folder / "train.jsonl", [{"tokens": words[i], data.column: tags[i]} for i in labelled])
    for split in ("validation", "test"):
        (folder / f"{split}.jsonl").symlink_to((data.folder / f"{split}.jsonl").resolve())
    whole = len(labelled) == len(words)
    epochs = None if whole else int(np.clip(round(_PASSES / len(labelled)), *_EPOCHS))
    options = {"task": chosen.task, "encoder": chosen.encoder, "seed": seed, "epochs": epochs, "quiet": True}
    result = polytag.train(corpus=str(folder), output=folder / "tagger", **options)
    following: list[int] = []
    if strategy:
        has_labels = set(labelled)
        pool = [{"tokens": words[i], "index": i} for i in range(len(words)) if i not in has_labels]
        _write(folder / "raw.jsonl", pool)
        known = f"train={folder / 'train.jsonl'}"
        further = {"strategy": chosen.strategy, "diverse": chosen.diverse, "labelled": known, "seed": seed}
        found = polytag.suggest(folder / "tagger", folder / "raw.jsonl", chosen.step, **further)
        sink = io.StringIO()
        found.write(sink, "jsonl")
        following = [json.loads(line)["index"] for line in sink.getvalue().splitlines()]
    assert result.test
    return {
        "score": result.test.tasks[chosen.task].score,
        "words": sum(len(words[i]) for i in labelled),
        "next": following,
    }


def _write(file: Path, rows: list[dict[str, Any]]) -> None:
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


if __name__ == "__main__":
    main()
