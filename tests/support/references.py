"""Hidden states as PyTorch computes them, for tests that run without PyTorch.

`references.npz` holds them. Where PyTorch is installed, `PYTHONPATH=tests python tests/support/references.py` makes it
anew: for each case a tiny checkpoint (`make_checkpoint`, random weights from a seed) goes through transformers' own
model.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from support.checkpoints import FAMILIES, HIDDEN, make_checkpoint

FILE = Path(__file__).with_suffix(".npz")
LENGTHS = (40, 17, 1)
"""Of the windows; in the longest, most of DeBERTa's distances lie beyond its buckets."""
VOCABULARY = 400
"""More than the tiny tokenizers have, so that the weights do not depend on what those learn."""


class Case(NamedTuple):
    """A family, fields of its config.json that differ from the tiny ones, and fields that config.json lacks."""

    family: str
    changes: dict[str, Any] = {}  # noqa: RUF012  # never changed
    absent: tuple[str, ...] = ()


CASES = {family: Case(family) for family in FAMILIES} | {
    "bert, gelu_new": Case("bert", {"hidden_act": "gelu_new"}),
    "bert, relu": Case("bert", {"hidden_act": "relu"}),
    "bert, no hidden_act": Case("bert", absent=("hidden_act",)),
    "distilbert, relu": Case("distilbert", {"activation": "relu"}),
    "albert, gelu": Case("albert", {"hidden_act": "gelu"}),
    "albert, no hidden_act": Case("albert", absent=("hidden_act",)),
    "albert, two groups": Case("albert", {"num_hidden_groups": 2}),
    "albert, a group of three layers and one of two": Case("albert", {"num_hidden_groups": 2, "num_hidden_layers": 5}),
    "electra, wide embeddings": Case("electra", {"embedding_size": HIDDEN}),
    "electra, gelu_pytorch_tanh": Case("electra", {"hidden_act": "gelu_pytorch_tanh"}),
    "roberta, large epsilon": Case("roberta", {"layer_norm_eps": 0.1}),
    "roberta, padding has id 0": Case("roberta", {"pad_token_id": 0}),
    "xlm-roberta, padding has id 3": Case("xlm-roberta", {"pad_token_id": 3}),
    "distilbert, fields of bert": Case("distilbert", {"layer_norm_eps": 0.1, "type_vocab_size": 2}),
    "distilbert, names of bert": Case(
        "distilbert",
        {"hidden_size": HIDDEN, "num_attention_heads": 4, "num_hidden_layers": 1},
        ("dim", "n_heads", "n_layers"),
    ),
    "modernbert, older names": Case(
        "modernbert",
        {"global_attn_every_n_layers": 2, "global_rope_theta": 500.0, "local_rope_theta": 50.0, "num_hidden_layers": 3},
        ("layer_types", "rope_parameters"),
    ),
    "modernbert, with biases": Case(
        "modernbert", {"norm_bias": True, "attention_bias": True, "mlp_bias": True, "classifier_bias": True}
    ),
    "modernbert, relu": Case("modernbert", {"hidden_activation": "relu", "classifier_activation": "silu"}),
    "modernbert, local attention to each position itself": Case("modernbert", {"local_attention": 1}),
    "modernbert, sliding_window": Case("modernbert", {"sliding_window": 2}, ("local_attention",)),
    "modernbert, rope_scaling": Case(
        "modernbert", {"rope_scaling": {"rope_type": "default", "rope_theta": 77.0}}, ("rope_parameters",)
    ),
    "eurobert, rope_scaling": Case(
        "eurobert", {"rope_scaling": {"rope_type": "default", "rope_theta": 77.0}}, ("rope_parameters",)
    ),
    "eurobert, no shared heads": Case("eurobert", {"num_key_value_heads": 2, "rms_norm_eps": 0.1, "head_dim": 4}),
    "eurobert, rope_theta": Case("eurobert", {"rope_theta": 77.0}, ("rope_parameters",)),
    "deberta-v2, gelu_new": Case("deberta-v2", {"hidden_act": "gelu_new"}),
    "deberta-v2, the middle of the buckets is the greatest distance": Case(
        "deberta-v2", {"position_buckets": 78, "max_relative_positions": 40}
    ),
    "deberta-v2, a distance at the edge of a bucket": Case(
        "deberta-v2", {"position_buckets": 14, "max_relative_positions": 40, "pos_att_type": "P2C|C2P"}
    ),
    "deberta-v2, many buckets": Case("deberta-v2", {"position_buckets": 64, "max_relative_positions": 100}),
}


def write_case(folder: Path, case: Case) -> Path:
    """The checkpoint of a case."""
    make_checkpoint(folder, case.family, seed=3, vocab_size=VOCABULARY, **case.changes)
    path = folder / "config.json"
    config = case.changes | json.loads(path.read_text())  # also fields that transformers wrote in older versions
    config = {name: value for name, value in config.items() if name not in case.absent}
    path.write_text(json.dumps(config))
    return folder


def inputs() -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Ids, int32 (windows, length), of no special token but padding, and the mask, False at padding."""
    random = np.random.default_rng(5)
    mask = np.arange(max(LENGTHS)) < np.array(LENGTHS)[:, None]
    return np.where(mask, random.integers(5, VOCABULARY, mask.shape), 1).astype(np.int32), mask


def pytorch_vectors(folder: Path, ids: NDArray[np.int32], mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Hidden states, float32 (units, width), of the units that are no padding, by transformers on PyTorch.

    ModernBERT's are what its classifier gets.
    """
    import torch
    from transformers import AutoModel, AutoModelForTokenClassification

    if json.loads((folder / "config.json").read_text())["model_type"] == "modernbert":
        whole = AutoModelForTokenClassification.from_pretrained(folder).eval()
        with torch.no_grad():
            found = whole.model(
                torch.tensor(ids, dtype=torch.long), attention_mask=torch.tensor(mask, dtype=torch.long)
            )
            return whole.head(found.last_hidden_state).numpy()[mask]
    model = AutoModel.from_pretrained(folder).eval()
    with torch.no_grad():
        found = model(torch.tensor(ids, dtype=torch.long), attention_mask=torch.tensor(mask, dtype=torch.long))
    return found.last_hidden_state.numpy()[mask]


def main() -> None:
    """Write `references.npz`."""
    import tempfile

    with tempfile.TemporaryDirectory() as root:
        vectors = {
            name: pytorch_vectors(write_case(Path(root) / str(number), case), *inputs())
            for number, (name, case) in enumerate(CASES.items())
        }
    np.savez_compressed(FILE, **vectors)
    for name, values in vectors.items():
        print(f"{name:28} {values.shape} standard deviation {values.std():.2f}")


if __name__ == "__main__":
    main()
