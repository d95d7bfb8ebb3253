"""The head of a task: its labels, and how its scores are decoded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, with_config
from pydantic_core import PydanticCustomError

from polytag.tagger.viterbi import Decoding


def _distinct(labels: tuple[str, ...]) -> tuple[str, ...]:
    label, count = max(Counter(labels).items(), key=lambda item: item[1])
    if count > 1:
        raise PydanticCustomError("repeated", "{label} occurs twice", {"label": label})
    return labels


Name = Annotated[str, Field(min_length=1)]


@with_config(ConfigDict(extra="ignore"))
@dataclass(frozen=True, slots=True)
class TaskHead:
    """The labels of one task, and how its scores are decoded. `TaggerDescription` validates the values.

    Attributes:
        labels: Labels in id order.
        scheme: Name of the label scheme of these tags.
        alignment: Name of the alignment strategy.
        decoding: `viterbi` or `argmax`.
        temperature: Divisor of the logits before the softmax.
        column: The tag column that the user named for the task; None if the task's own columns hold it.
    """

    labels: Annotated[tuple[Name, ...], Field(min_length=1), AfterValidator(_distinct)]
    scheme: Name
    alignment: Name
    decoding: Decoding = "viterbi"
    temperature: Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)] = 1.0
    column: Name | None = None


def summary(heads: Mapping[str, TaskHead], model: Any) -> str:
    """A tagger in one line: `Tagger(ner: 9 labels, compact, 5.9M parameters)`; an export does not know the latter."""
    parts = [f"{name}: {len(head.labels)} labels" for name, head in heads.items()]
    parts.append(Path(model.encoder_name).name if model.encoder_name else f"in {model.runtime}")
    if (size := model.n_parameters) is not None:
        parts.append(f"{size / 1e6:.1f}M parameters" if size >= 100_000 else f"{size:,} parameters")
    return f"Tagger({', '.join(parts)})"
