"""Layouts and hidden states of the TensorFlow models of transformers 4, to which `tf_model.h5` files are compared.

    python3 -m venv old && old/bin/pip install transformers==4.54.1 tf-keras==2.19.0 tensorflow-cpu==2.19.1
    PYTHONPATH=tests TF_USE_LEGACY_KERAS=1 old/bin/python tests/benchmarks/old_checkpoints.py

It writes `old_checkpoints.json` and `.npz` in `tests/support`, and needs neither polytag nor PyTorch. A tiny model is
saved; its variables are overwritten in the file; it is loaded again, and computes.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from support.old_checkpoints import CASES, ENCODER, LAYOUTS, PRETRAINING, STATES, Layout, values, write_config
from support.references import inputs


def main() -> None:
    """Write both files."""
    layouts, states = {}, {}
    for case in CASES:
        with tempfile.TemporaryDirectory() as name:
            folder = write_config(Path(name), case)
            _save(folder, case)
            layouts[case] = _fill(folder / "tf_model.h5")
            states[case] = _hidden_states(folder)
            _check_other_forms(folder, case, layouts[case])
        print(f"{case:20} {len(layouts[case])} variables, standard deviation {states[case].std():.2f}")
    lines = {case: [" ".join(map(str, (path, *shape))) for path, shape in own.items()] for case, own in layouts.items()}
    LAYOUTS.write_text(json.dumps(lines, indent=0) + "\n")
    np.savez_compressed(STATES, **states)


def _model_class(case: str) -> Any:
    from transformers import TFAutoModel, TFAutoModelForPreTraining, TFAutoModelForTokenClassification

    return {PRETRAINING: TFAutoModelForPreTraining, ENCODER: TFAutoModel}.get(case, TFAutoModelForTokenClassification)


def _save(folder: Path, case: str) -> None:
    from transformers import AutoConfig

    model = _model_class(case).from_config(AutoConfig.from_pretrained(folder))
    model(model.dummy_inputs)
    model.save_pretrained(folder, safe_serialization=False)


def _fill(path: Path) -> Layout:
    """Overwrite the variables in a file, and return their paths and shapes."""
    import h5py

    found: Layout = {}

    def fill(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            found[name] = item.shape
            item[...] = values(name, item.shape)

    with h5py.File(path, "r+") as file:
        file.visititems(fill)
    return found


def _hidden_states(folder: Path) -> NDArray[np.float32]:
    from transformers import TFAutoModel

    ids, mask = inputs()
    model = TFAutoModel.from_pretrained(folder)
    return np.asarray(model(ids, attention_mask=mask.astype(np.int32)).last_hidden_state)[mask]


def _check_other_forms(folder: Path, case: str, layout: Layout) -> None:
    """In shards and in safetensors, a variable has the same path, without the layer and the model it begins with."""
    import h5py
    from safetensors import safe_open

    own = {path.split("/", 2)[2] for path in layout}
    model = _model_class(case).from_pretrained(folder)
    model.save_pretrained(folder, max_shard_size="4KB", safe_serialization=False)
    found: set[str] = set()
    for shard in folder.glob("tf_model-*.h5"):
        with h5py.File(shard) as file:
            file.visititems(lambda name, item: found.add(name) if isinstance(item, h5py.Dataset) else None)
    model.save_pretrained(folder, safe_serialization=True)
    with safe_open(folder / "model.safetensors", "numpy") as file:
        assert file.metadata() == {"format": "tf"}
        assert set(file.keys()) == own == found, (set(file.keys()) ^ own, found ^ own)


if __name__ == "__main__":
    main()
