"""How the benchmarks train spaCy: as its documentation does, on the sentences that polytag trains on."""

from __future__ import annotations

import subprocess
from pathlib import Path

from harness import SIDES, Data, timed


def train_spacy(
    python: Path, data: Data, component: str, folder: Path, seed: int, steps: int | None = None
) -> tuple[float, Path]:
    """Train a pipeline; the seconds that `spacy train` took, and where the best one is.

    Args:
        python: The Python of spaCy's environment.
        data: What to train on; a sentence becomes a document, as `spacy convert` has it.
        component: `ner` or `tagger`.
        folder: Where to write.
        seed: The seed.
        steps: Stop after so many steps, if spaCy has not decided to stop before.
    """
    folder.mkdir(parents=True)
    for split in ("train", "validation"):
        arguments = [data.folder / f"{split}.jsonl", data.column, component, folder / f"{split}.spacy"]
        subprocess.run([python, SIDES / "spacy_convert.py", *arguments], check=True)
    config = folder / "config.cfg"
    # What `--optimize efficiency` and a processor mean, are spaCy's defaults; they are named for the reader.
    chosen = ["--lang", "en", "--pipeline", component, "--optimize", "efficiency"]
    subprocess.run([python, "-m", "spacy", "init", "config", config, *chosen], check=True, capture_output=True)
    command = [python, "-m", "spacy", "train", config, "--output", folder / "model", "--gpu-id", "-1"]
    command += ["--paths.train", folder / "train.spacy", "--paths.dev", folder / "validation.spacy"]
    command += ["--system.seed", str(seed)]
    command += ["--training.max_steps", str(steps), "--training.eval_frequency", str(steps)] if steps else []
    seconds, _ = timed(command)
    return seconds, folder / "model" / "model-best"
