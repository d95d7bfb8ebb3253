"""What a tagger knows of each of its tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polytag.tagger.folder import damaged
from polytag.tagger.viterbi import Decoding, check_decoding


@dataclass(frozen=True, slots=True)
class TaskHead:
    """What a tagger knows of one of its tasks.

    Attributes:
        labels: Tags in id order.
        scheme: Name of the label scheme of these tags.
        alignment: Name of the alignment strategy.
        decoding: How scores become tags.
        temperature: What logits are divided by before the softmax.
    """

    labels: tuple[str, ...]
    scheme: str
    alignment: str
    decoding: Decoding = "viterbi"
    temperature: float = 1.0


def heads_of(folder: Path, description: Mapping[str, Any], decoding: Decoding | None = None) -> dict[str, TaskHead]:
    """What the description of a tagger's folder says of each task.

    Args:
        folder: The folder.
        description: As `read_description` gives it.
        decoding: What to decode with instead of what it says.

    Raises:
        TaggerError: Something is missing.
        PolytagError: There is no such decoding.
    """
    decoding = check_decoding(decoding)
    try:
        return {
            name: TaskHead(
                tuple(saved["labels"]),
                saved["scheme"],
                saved["alignment"],
                decoding or saved["decoding"],
                saved["temperature"],
            )
            for name, saved in description["tasks"].items()
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise damaged(folder / "polytag.json", error) from error
