"""Weights of labels in the loss, to raise the influence of rare labels."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from polytag.encoding.json_values import read_toml
from polytag.errors import PolytagError, suggest

BALANCED = "balanced"
_LARGEST = sys.float_info.max

Weights = dict[str, tuple[float, ...]]


def loss_weights(
    choice: str, labels: Mapping[str, Sequence[str]], tags: Mapping[str, Iterable[Sequence[str]]]
) -> Weights:
    """The weights of each task's labels, in id order.

    Args:
        choice: `balanced`, or a TOML file with a table per task: `[ner]` and then `"B-MISC" = 3.0`. Other labels have
            the weight 1.
        labels: The labels of each task, in id order.
        tags: The tags of each task in the training split.

    Raises:
        PolytagError: The file cannot be read, names an unknown task or label, or has a weight that is not positive.
    """
    if choice == BALANCED:
        return {task: _balanced(names, tags[task]) for task, names in labels.items()}
    tables = _read(Path(choice))
    for task, table in tables.items():
        if task not in labels:
            raise PolytagError(f"{choice} has a table [{task}], which is not a task of this run ({', '.join(labels)}).")
        for label, weight in table.items():
            if label not in labels[task]:
                raise PolytagError(f"{choice}, [{task}]: no label {label!r}.{suggest(label, labels[task], 'label')}")
            if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight <= _LARGEST:
                raise PolytagError(f"{choice}, [{task}], {label!r}: {weight!r} is not a positive number.")
    return {task: tuple(float(tables.get(task, {}).get(name, 1.0)) for name in names) for task, names in labels.items()}


def _balanced(names: Sequence[str], tags: Iterable[Sequence[str]]) -> tuple[float, ...]:
    """Words / (seen labels x words of the label), like balanced class weights in scikit-learn; 1 for unseen labels."""
    counts = Counter(tag for sentence in tags for tag in sentence)
    counts = Counter({name: counts[name] for name in names if counts[name]})
    total = sum(counts.values())
    return tuple(total / (len(counts) * counts[name]) if counts[name] else 1.0 for name in names)


def _read(file: Path) -> dict[str, dict[str, Any]]:
    try:
        tables = read_toml(file)
    except OSError as error:
        raise PolytagError(
            f"The loss weights {str(file)!r} cannot be read: {error.strerror}. Give `{BALANCED}`, or a TOML file."
        ) from error
    except ValueError as error:
        raise PolytagError(f"The loss weights {str(file)!r} are not TOML: {error}.") from error
    if not all(isinstance(table, dict) for table in tables.values()):
        raise PolytagError(f'{file}: weights must be in a table per task, such as [ner] and then "B-MISC" = 3.0.')
    return tables
