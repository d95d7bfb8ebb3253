"""An encoder without a network whose units are letters: what becomes of words is plain to see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from polytag.plugin.encoder import Encoder, Tensors, Units


class LetterEncoder(Encoder):
    """One unit a letter, its code point; a word without letters is one unit, a question mark."""

    provider: ClassVar[str] = "letters"
    unit: ClassVar[str] = "subword"
    reference = "letters"
    n_features = 1
    before: tuple[int, ...] = (1, 2)
    after: tuple[int, ...] = (3,)
    padding = 0
    overlap = 4

    def __init__(self, max_units: int = 20) -> None:
        self.max_units = max_units

    def encode(self, words: Sequence[str]) -> Units:
        pieces = [[ord(letter) for letter in word[: self.max_units] or "?"] for word in words]
        ids = np.array([letter for piece in pieces for letter in piece], np.int32).reshape(-1, 1)
        return Units(ids, np.array([len(piece) for piece in pieces], np.int32))

    @property
    def network(self) -> Any:
        raise NotImplementedError

    def tensors(self) -> Tensors:
        raise NotImplementedError

    def assign(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        raise NotImplementedError

    def config(self) -> dict[str, Any]:
        raise NotImplementedError

    def architecture(self) -> str:
        raise NotImplementedError

    def save_files(self, folder: Path) -> None:
        raise NotImplementedError
