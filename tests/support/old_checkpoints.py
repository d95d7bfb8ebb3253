"""Checkpoints as the TensorFlow models of transformers 4.54.1 saved them, for tests that run without these.

`old_checkpoints.json` has the paths and shapes of the variables in a `tf_model.h5` of each family, and
`old_checkpoints.npz` the hidden states that the TensorFlow model computed. `tests/benchmarks/old_checkpoints.py` writes
both. Each variable has random values, with a seed that follows from its path: nothing here knows polytag's names.
"""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from support.checkpoints import FAMILIES, make_classifier
from support.references import VOCABULARY

LAYOUTS = Path(__file__).with_suffix(".json")
STATES = Path(__file__).with_suffix(".npz")
LABELS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
PRETRAINING = "bert, pretraining"
ENCODER = "bert, encoder"
_OLD = [family for family in FAMILIES if family not in ("modernbert", "eurobert")]  # which TensorFlow never had
CASES = dict(zip(_OLD, _OLD, strict=True)) | {PRETRAINING: "bert", ENCODER: "bert"}
"""Case -> family. Most are token classifiers."""

Layout = dict[str, tuple[int, ...]]


def write_config(folder: Path, case: str) -> Path:
    """Tokenizer and config.json of a case, without weights."""
    make_classifier(folder, CASES[case], LABELS, vocab_size=VOCABULARY)
    (folder / "model.safetensors").unlink()
    if case != CASES[case]:
        config = json.loads((folder / "config.json").read_text())
        config["architectures"] = ["BertForPreTraining" if case == PRETRAINING else "BertModel"]
        (folder / "config.json").write_text(json.dumps(config))
    return folder


def layout(case: str) -> Layout:
    """The paths of the variables in its `tf_model.h5`, and their shapes."""
    lines = [line.split() for line in json.loads(LAYOUTS.read_text())[case]]
    return {path: tuple(map(int, shape)) for path, *shape in lines}


def values(path: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Values large enough to make a difference; layer norms near one. A variable under two layers has the same."""
    _, _, variable = path.partition("/")
    found = np.random.default_rng(zlib.crc32(variable.encode())).normal(0, 0.3, shape).astype(np.float32)
    return found + 1 if variable.endswith("gamma:0") else found


def write_h5(path: Path, variables: dict[str, NDArray[np.float32]]) -> None:
    """A file of HDF5."""
    import h5py

    with h5py.File(path, "w") as file:
        for name, array in variables.items():
            file[name] = array


def write_old_checkpoint(folder: Path, case: str) -> Path:
    """The checkpoint of a case."""
    write_config(folder, case)
    write_h5(folder / "tf_model.h5", {path: values(path, shape) for path, shape in layout(case).items()})
    return folder
