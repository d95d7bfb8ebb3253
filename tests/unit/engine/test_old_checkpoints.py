"""Checkpoints of transformers' TensorFlow models are read as those of PyTorch are."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from polytag.engine.encoders.pretrained import create
from support.checkpoints import make_checkpoint, read_checkpoint, write_tensors
from support.old_checkpoints import CASES, STATES, layout, values, write_config, write_h5, write_old_checkpoint
from support.references import inputs

Arrays = dict[str, NDArray[np.float32]]


def hidden_states(folder: Path) -> NDArray[np.float32]:
    ids, mask = inputs()
    return np.asarray(create(str(folder)).network(ids[:, :, None], mask))[mask]


def reference(case: str) -> NDArray[np.float32]:
    with np.load(STATES) as states:
        return states[case]


@pytest.mark.parametrize("case", CASES)
def test_hidden_states_are_those_of_the_tensorflow_model(tmp_path: Path, case: str) -> None:
    encoder = create(str(write_old_checkpoint(tmp_path / "old", case)))
    ids, mask = inputs()
    np.testing.assert_allclose(np.asarray(encoder.network(ids[:, :, None], mask))[mask], reference(case), atol=1e-4)
    # What is saved is read by transformers' names again, and gives the same bits.
    write_tensors(new := write_config(tmp_path / "new", case), encoder.tensors())
    again = create(str(new)).tensors()
    assert all(np.array_equal(again[name], tensor) for name, tensor in encoder.tensors().items())


def without_model(case: str) -> Arrays:
    """The variables as shards and safetensors name them: without the layer and the model before the name."""
    return {path.split("/", 2)[2]: values(path, shape) for path, shape in layout(case).items()}


def test_weights_in_several_files_are_read_together(tmp_path: Path) -> None:
    folder, variables = write_config(tmp_path, "albert"), without_model("albert")
    names = list(variables)
    parts = {"tf_model-00001-of-00002.h5": names[::2], "tf_model-00002-of-00002.h5": names[1::2]}
    for file, part in parts.items():
        write_h5(folder / file, {name: variables[name] for name in part})
    weight_map = {name: file for file, part in parts.items() for name in part}
    (folder / "tf_model.h5.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    np.testing.assert_allclose(hidden_states(folder), reference("albert"), atol=1e-4)


def test_safetensors_of_tensorflow_models_are_read(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    folder = write_config(tmp_path, "deberta-v2")
    save_file(without_model("deberta-v2"), folder / "model.safetensors", metadata={"format": "tf"})
    np.testing.assert_allclose(hidden_states(folder), reference("deberta-v2"), atol=1e-4)


def test_safetensors_come_first(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path, "bert")
    (folder / "tf_model.h5").write_bytes(b"not read")
    assert np.array_equal(
        create(str(folder)).tensors()["bert.embeddings.LayerNorm.bias"],
        read_checkpoint(folder)["bert.embeddings.LayerNorm.bias"],
    )
