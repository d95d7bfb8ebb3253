"""Add entries with capital letters to an uncased WordPiece vocabulary."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from polytag.encoding.json_values import parse_json
from polytag.errors import PolytagError

N_CASES = 3
"""Lower case as in the checkpoint, Capitalised, UPPER CASE."""

_CAPITALISED, _UPPER = 1, 2


class Casing(NamedTuple):
    """The origin of each entry of a vocabulary with capitals.

    Attributes:
        base: int32 (entries,), the entry of the uncased vocabulary with the same letters.
        cases: int32 (entries,), the case of each entry, below `N_CASES`; 0 for entries of the uncased vocabulary.
    """

    base: NDArray[np.int32]
    cases: NDArray[np.int32]


def add_capitals(folder: Path, reference: str) -> Casing:
    """Rewrite the tokenizer files in a folder: add entries with capitals, and keep capitals in text.

    Every entry that starts a word gets a capitalised and an upper-case form, every later one an upper-case form, so
    that words in these forms are split as before. Words of mixed case are split at their inner capitals.

    Args:
        folder: Has tokenizer.json and tokenizer_config.json.
        reference: Name of the encoder, for messages.

    Raises:
        PolytagError: The tokenizer already keeps capitals, or is not a WordPiece tokenizer like BERT's.
    """
    path = folder / "tokenizer.json"
    described = parse_json(path.read_bytes())  # written by `tokenizers`
    normalizer, model = described["normalizer"] or {}, described["model"]
    if model.get("type") != "WordPiece" or normalizer.get("type") != "BertNormalizer" or not normalizer["lowercase"]:
        raise PolytagError(
            f"The encoder {reference!r} cannot use --cased: only uncased checkpoints with BERT's tokenizer can. Leave "
            "--cased out."
        )
    special = {token["content"] for token in described["added_tokens"]}
    # Added tokens are not in the vocabulary, and ids may have gaps: make sure that no id is used twice.
    vocabulary: dict[str, int] = model["vocab"] | {token["content"]: token["id"] for token in described["added_tokens"]}
    base = list(range(max(vocabulary.values()) + 1))
    cases = [0] * len(base)
    grown = dict(vocabulary)
    for entry, row in vocabulary.items():
        if entry in special or entry.startswith("[unused"):
            continue
        for form, case in _forms(entry, model["continuing_subword_prefix"]):
            if form not in grown and len(form) == len(entry):  # some letters have no single capital letter
                grown[form] = len(base)
                base.append(row)
                cases.append(case)
    model["vocab"] = grown
    # By default accents are stripped together with capitals, and the vocabulary has none.
    normalizer |= {"lowercase": False, "strip_accents": normalizer["strip_accents"] is not False}
    path.write_text(json.dumps(described, ensure_ascii=False), encoding="utf-8")
    _update(folder / "tokenizer_config.json", do_lower_case=False, strip_accents=normalizer["strip_accents"])
    (folder / "vocab.txt").unlink(missing_ok=True)
    return Casing(np.array(base, dtype=np.int32), np.array(cases, dtype=np.int32))


def _forms(entry: str, prefix: str) -> list[tuple[str, int]]:
    if entry.startswith(prefix):
        return [(prefix + entry.removeprefix(prefix).upper(), _UPPER)]
    return [(entry[:1].upper() + entry[1:], _CAPITALISED), (entry.upper(), _UPPER)]


def _update(path: Path, **values: Any) -> None:
    settings = parse_json(path.read_bytes())
    path.write_text(json.dumps(settings | values, indent=2), encoding="utf-8")
