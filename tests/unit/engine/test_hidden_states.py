"""Hidden states agree with PyTorch, for every family and for what a configuration may say of the network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from polytag.engine.encoders.pretrained import create
from support.references import CASES, FILE, inputs, write_case


@pytest.mark.parametrize("name", CASES)
def test_hidden_states_are_those_of_pytorch(tmp_path: Path, name: str) -> None:
    ids, mask = inputs()
    encoder = create(str(write_case(tmp_path, CASES[name])))
    found = np.asarray(encoder.network(ids[:, :, None], mask))[mask]
    with np.load(FILE) as references:
        np.testing.assert_allclose(found, references[name], atol=1e-4)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("bert", "bert, relu"),
        ("bert", "bert, gelu_new"),
        ("albert", "albert, gelu"),
        ("roberta", "roberta, large epsilon"),
        ("deberta-v2", "deberta-v2, many buckets"),
    ],
)
def test_references_tell_configurations_apart(one: str, other: str) -> None:
    """Or else agreement with them would show nothing."""
    with np.load(FILE) as references:
        assert np.abs(references[one] - references[other]).max() > 2e-4
