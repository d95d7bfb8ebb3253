"""The options of a run as keyword arguments, for editors, type checkers and `help`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar, get_type_hints

from polytag.plugin.encoder import Precision
from polytag.plugin.reader import ReadingKeywords
from polytag.training.config import RunConfig

Function = TypeVar("Function", bound=Callable[..., Any])


class RunOptions(ReadingKeywords, total=False):
    """The fields of `RunConfig`, documented there, with the types that it accepts for them."""

    task: str | Sequence[str]
    corpus: str
    output: str | Path
    encoder: str
    cased: bool
    vectors: str | None
    vector_words: int
    from_: str | None
    labels: str | None
    annotated: str | Sequence[str] | None
    reader: str | None
    corpus_scheme: str | None
    tags_as_is: bool
    scheme: str | None
    alignment: str | None
    decoding: str
    context: Literal["sentence", "document"]
    window: int | None
    splitter: str
    epochs: int | None
    batch_size: int | None
    accumulate: int
    learning_rate: float | None
    warmup: float
    weight_decay: float | None
    clip: float
    averaging: float | None
    patience: int
    precision: Precision | None
    freeze: int | None
    lora: int | None
    task_weights: Mapping[str, float]
    loss_weights: str | None
    seed: int
    checkpoint_every: int
    teacher: str | Sequence[str]
    texts: str | Sequence[str]
    teacher_labels: Mapping[str, str]
    teacher_weight: float
    teacher_temperature: float
    variants: int
    teacher_cache: str | Path | None
    device: str
    workers: int
    runner: Literal["processes", "ray"]
    tensorboard: str | Path | None
    profile: str | Path | None
    report: bool
    export: Literal["auto", "onnx", "none"]
    push: str | None
    push_every: Literal["end", "epoch"]
    push_private: bool
    resume: bool
    overwrite: bool


def with_run_options(function: Function) -> Function:
    """Make the signature of a function with `**options: Unpack[RunOptions]` list every option with its default.

    A required option has the default None, which means that it is not given.
    """
    own = inspect.signature(function)
    types = get_type_hints(RunOptions)
    options = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None if field.is_required() else field.get_default(call_default_factory=True),
            annotation=types[name],
        )
        for name, field in RunConfig.model_fields.items()
    ]
    kept = [parameter for parameter in own.parameters.values() if parameter.kind is not parameter.VAR_KEYWORD]
    function.__signature__ = own.replace(parameters=[*kept, *options])  # type: ignore[attr-defined]
    return function
