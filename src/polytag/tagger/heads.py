"""The head of a task: its labels, and how its scores are decoded."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, ConfigDict, Field, with_config
from pydantic_core import PydanticCustomError

from polytag.encoding.json_values import read_json
from polytag.encoding.tensors import parameter_tensors
from polytag.errors import PolytagError, TaggerError
from polytag.plugin.alignment import FloatArray
from polytag.plugin.encoder import head_prefix
from polytag.plugin.head import ARGMAX, SOFTMAX, VITERBI
from polytag.plugin.registry import registry
from polytag.plugin.scheme import LabelScheme
from polytag.tagger.viterbi import listed


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
        decoding: `viterbi`, `argmax`, or the name of the head.
        temperature: Divisor of the logits before the softmax.
        column: The tag column that the user named for the task; None if the task's own columns hold it.
        kind: Name of the head.
    """

    labels: Annotated[tuple[Name, ...], Field(min_length=1), AfterValidator(_distinct)]
    scheme: Name
    alignment: Name
    decoding: Name = VITERBI
    temperature: Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)] = 1.0
    column: Name | None = None
    kind: Name = SOFTMAX

    def decoded_by(self, decoding: str | None) -> TaskHead:
        """The same head with another decoding; None for its own.

        Raises:
            PolytagError: It was not trained for this decoding.
        """
        if decoding is None:
            return self
        choices = decodings_of(self.kind)
        if decoding not in choices:
            raise PolytagError(
                f"The tagger was not trained to be decoded by {decoding!r}. Choose {listed(choices)}, or train a "
                f"tagger with --decoding {decoding}."
            )
        return replace(self, decoding=decoding)


REQUIRED = tuple(field.name for field in fields(TaskHead) if field.name not in ("column", "kind"))
"""The keys of every task in `polytag.json`; only a task whose column the user named has a column, and only one with
another head than `softmax` a kind."""


def complete(value: object) -> object:
    """Check that a task has every required key, since in the file they have no defaults, and a decoding of its head.

    Raises:
        PydanticCustomError: It has not.
    """
    if isinstance(value, Mapping):
        for name in REQUIRED:
            if name not in value:
                raise PydanticCustomError("incomplete", "it has no {key}", {"key": name})
        kind, decoding = value.get("kind", SOFTMAX), value["decoding"]
        if not isinstance(kind, str) or not isinstance(decoding, str):
            return value  # whose types are checked next
        if decoding not in (choices := decodings_of(kind)):
            raise PydanticCustomError("decoding", "it must be {of}", {"of": listed(choices)})
    return value


def decodings_of(kind: str) -> tuple[str, ...]:
    """The decodings of a head: by the probabilities of words, and its own."""
    return (VITERBI, ARGMAX) if kind == SOFTMAX else (kind, VITERBI, ARGMAX)


def initial_parameters(kind: str, labels: Sequence[str], scheme: LabelScheme) -> dict[str, FloatArray]:
    """The initial values of the parameters of a head.

    Args:
        kind: Name of the head.
        labels: The labels of its task, in id order.
        scheme: Their label scheme.

    Raises:
        PluginError: They are not finite numbers by name.
    """
    found = registry().heads[kind].parameters(labels, scheme)
    fit = isinstance(found, Mapping) and all(
        isinstance(name, str) and name.isidentifier() and name not in ("weight", "bias") and _is_float32(values)
        for name, values in found.items()
    )
    if not fit:
        raise registry().heads.misfit(kind, f"the parameters {repr(found)[:60]}, and not finite float32 arrays by name")
    return dict(found)


def _is_float32(values: object) -> bool:
    return isinstance(values, np.ndarray) and values.dtype == np.float32 and bool(np.isfinite(values).all())


PARAMETERS = "heads.json"
"""The file of an export with the parameters of its heads."""

HeadParameters = Mapping[str, Mapping[str, NDArray[Any]]]
"""For each task, the parameters of its head by name."""


def blank_parameters(heads: Mapping[str, TaskHead]) -> dict[str, dict[str, FloatArray]]:
    """The initial parameters of all heads that have any."""
    schemes = registry().schemes
    found = {
        task: initial_parameters(head.kind, head.labels, schemes[head.scheme])
        for task, head in heads.items()
        if head.kind != SOFTMAX
    }
    return {task: own for task, own in found.items() if own}


def saved_parameters(
    heads: Mapping[str, TaskHead], tensors: Callable[[], Mapping[str, NDArray[Any]]]
) -> HeadParameters:
    """The parameters of the heads of a tagger.

    Args:
        heads: Its heads.
        tensors: Reads its tensors; called only if a head has parameters.

    Raises:
        TaggerError: A tensor is missing, has the wrong shape, or has values that are not numbers.
    """
    blank = blank_parameters(heads)
    if not blank:
        return {}
    found = tensors()
    return {
        task: parameter_tensors(
            found,
            head_prefix(task, len(heads)),
            {name: own[name].shape for name in own},
            f"its labels were edited, or its head {heads[task].kind!r} has other parameters than when it was trained",
        )
        for task, own in blank.items()
    }


def write_parameters(parameters: HeadParameters, folder: Path) -> None:
    """Write the parameters of the heads of an export, for programs without polytag; nothing if there are none."""
    if parameters:
        plain = {task: {name: values.tolist() for name, values in own.items()} for task, own in parameters.items()}
        (folder / PARAMETERS).write_text(json.dumps(plain) + "\n", encoding="utf-8")


def exported_parameters(folder: Path, heads: Mapping[str, TaskHead]) -> HeadParameters:
    """The parameters of the heads of an export; the inverse of `write_parameters`.

    Raises:
        TaggerError: The file is missing or damaged.
    """

    def tensors() -> Mapping[str, NDArray[Any]]:
        found = read_json(folder / PARAMETERS, "Export the tagger again.", TaggerError)
        try:
            with np.errstate(over="ignore"):  # an infinity is refused next
                return {
                    f"{head_prefix(task, len(heads))}.{name}": np.array(values, dtype=np.float32)
                    for task, own in found.items()
                    for name, values in own.items()
                }
        except (AttributeError, TypeError, ValueError, OverflowError) as error:
            raise TaggerError(
                f"{folder / PARAMETERS} is damaged: it must have an object of arrays for each task. Export the tagger "
                "again."
            ) from error

    return saved_parameters(heads, tensors)


def summary(heads: Mapping[str, TaskHead], model: Any) -> str:
    """A tagger in one line: `Tagger(ner: 9 labels, compact, 5.9M parameters)`; an export does not know the latter."""
    parts = [f"{name}: {len(head.labels)} labels" for name, head in heads.items()]
    parts.append(Path(model.encoder_name).name if model.encoder_name else f"in {model.runtime}")
    if (size := model.n_parameters) is not None:
        parts.append(f"{size / 1e6:.1f}M parameters" if size >= 100_000 else f"{size:,} parameters")
    return f"Tagger({', '.join(parts)})"
