"""Metrics: from gold and predicted tags to scores."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from polytag.schemes import LabelScheme


@dataclass(frozen=True, slots=True)
class Scores:
    """What a metric found.

    Attributes:
        overall: Score by name, over all words or spans: `{"f1": 0.91, "support": 5942}`. Rates lie in 0..1.
        per_label: The same for each label: `{"PER": {"precision": 0.95, ...}}`.
    """

    overall: Mapping[str, float]
    per_label: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


class Metric(ABC):
    """Turns gold and predicted tag sequences into scores."""

    name: ClassVar[str]
    summary: ClassVar[str]
    headline: ClassVar[str]
    """The overall score, higher is better, by which an epoch is chosen: `"f1"`."""

    @abstractmethod
    def compute(self, gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], scheme: LabelScheme) -> Scores:
        """Score predicted tags against gold tags.

        Args:
            gold: A list of tags for each sentence; both are in `scheme`. Tags never seen in training may occur.
            predicted: As many sentences, each as long as its gold counterpart.
            scheme: The label scheme the tags are in.
        """
