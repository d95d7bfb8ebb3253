"""Targets of a student: the probabilities of its teachers for words, at the units that learn them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from polytag.encoding.features import Features
from polytag.plugin.alignment import AlignmentStrategy, FloatArray, IntArray

OWN, CONTINUED = 0, 1


@dataclass(frozen=True, slots=True)
class Teaching:
    """The teachers' probabilities for one task, and which units learn from them.

    Attributes:
        words: float16 (words, labels), probabilities of the student's labels; usually a memory map.
        roles: int8 (units,): OWN for units that learn the distribution of their word, CONTINUED for those that learn
            it with each label replaced by its continuation, negative for units that do not learn.
        continuation: int32 (labels,), the continuation of each label.
    """

    words: NDArray[np.float16]
    roles: NDArray[np.int8]
    continuation: IntArray

    @classmethod
    def of(
        cls, words: NDArray[np.float16], features: Features, strategy: AlignmentStrategy, continuation: IntArray
    ) -> Self:
        """The teaching of a split: the units that the alignment strategy labels learn.

        Args:
            words: As the attribute.
            features: The features of the split.
            strategy: The alignment strategy of the task.
            continuation: As the attribute.
        """
        own = np.full(features.n_words, OWN, dtype=np.int32)
        roles = features.unit_labels(own, strategy, np.array([CONTINUED, CONTINUED], dtype=np.int32))
        return cls(words, roles.astype(np.int8), continuation)

    def at(self, units: NDArray[np.int64], word_ids: IntArray) -> FloatArray:
        """The targets of units, float32 (..., labels); rows of zeros for units that do not learn.

        Args:
            units: int64 (...), indices of units, negative where there is none.
            word_ids: int32 (units,), the word of each unit.
        """
        n_labels = self.words.shape[1]
        found = np.zeros((*units.shape, n_labels), dtype=np.float32)
        learns = units >= 0
        learns[learns] = self.roles[units[learns]] >= 0
        chosen = units[learns]
        targets = self.words[word_ids[chosen]].astype(np.float32)
        continued = self.roles[chosen] == CONTINUED
        if continued.any():
            targets[continued] = targets[continued] @ np.eye(n_labels, dtype=np.float32)[self.continuation]
        found[learns] = targets
        return found

    def save(self, folder: Path, name: str) -> None:
        """Write the arrays into files of a folder whose names begin with `name`, for `load`."""
        for part, values in self._parts().items():
            np.save(folder / f"{name}-{part}.npy", values)

    @classmethod
    def load(cls, folder: Path, name: str) -> Self | None:
        """The teaching that was saved, as memory maps; None without one."""
        if not (folder / f"{name}-words.npy").is_file():
            return None
        return cls(
            *(open_memmap(folder / f"{name}-{part}.npy", mode="r") for part in ("words", "roles", "continuation"))
        )

    def _parts(self) -> dict[str, NDArray[Any]]:
        return {"words": self.words, "roles": self.roles, "continuation": self.continuation}
