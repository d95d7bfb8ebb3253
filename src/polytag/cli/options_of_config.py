"""Derive the options of a run from the fields of `RunConfig`, for `polytag train` and the reference."""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer
from pydantic.fields import FieldInfo

from polytag.builtin import polytag_encoders
from polytag.plugin.encoder import TrainingDefaults
from polytag.training.config import RunConfig
from polytag.training.options import Option

_OF_ENCODERS = {field.name for field in fields(TrainingDefaults)}
_SIGNS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
_NATIVE = "bfloat16 where the processor is faster at it"


@dataclass(frozen=True, slots=True)
class RunOption:
    """An option of a run, as the command line and the reference show it.

    Attributes:
        name: Name of the field and of the keyword argument: `from_`.
        key: Its name in a TOML file: `from`.
        flags: Its flags, the long flag first: `--task`, `-t`.
        kind: Its type: `bool`, `int`, `float`, `str`, `Path`, `tuple` (of texts) or `dict` (text to number).
        choices: The valid names; empty if they are not limited.
        range: The valid numbers, such as `0<=x<1`; empty if they are not limited.
        default: The default value; None if `shown` describes it.
        required: Whether every run must set it.
        help: Its help text.
        shown: Its further presentation.
    """

    name: str
    key: str
    flags: tuple[str, ...]
    kind: type
    choices: tuple[str, ...]
    range: str
    default: Any
    required: bool
    help: str
    shown: Option


def run_options() -> list[RunOption]:
    """Every option of a run, in the order of the fields of `RunConfig`."""
    return [_option(name, field) for name, field in RunConfig.model_fields.items()]


def described_defaults() -> dict[str, str]:
    """Name of an option -> description of its default, if that is not a single value.

    Only the built-in encoders are included, so that showing help runs no code of plugins.
    """
    described = {option.name: option.shown.shown for option in run_options() if option.shown.shown}
    providers = list(polytag_encoders())
    for name in _OF_ENCODERS:
        described[name] = ", ".join(
            f"{encoder.name} {_written(getattr(encoder.defaults, name))}" for encoder in providers
        )
    return described


def parameters() -> list[Any]:
    """Typer's parameters for the options of a run; without defaults, so that given options can be recognised."""

    def command(**_options: Any) -> None:
        pass

    keyword = inspect.Parameter.KEYWORD_ONLY
    command.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # Typer reads it
        [
            inspect.Parameter(option.name, keyword, default=None, annotation=_annotation(option))
            for option in run_options()
        ]
    )
    app = typer.Typer(add_completion=False)
    app.command()(command)
    return typer.main.get_command(app).params


def show_defaults(params: Iterable[Any]) -> None:
    """Set the defaults that parameters show in their help; do not parse with these parameters afterwards."""
    options, described = {option.name: option for option in run_options()}, described_defaults()
    for param in params:
        if param.name in described:
            param.show_default = described[param.name]
        elif param.name in options and options[param.name].default is not None:
            param.default, param.show_default = options[param.name].default, True


def _option(name: str, field: FieldInfo) -> RunOption:
    kind, choices, constraints = _kind(field.annotation)
    constraints += field.metadata
    shown = next((entry for entry in field.metadata if isinstance(entry, Option)), Option())
    key = field.alias or name
    flags = (shown.flag or f"--{key.replace('_', '-')}", *filter(None, [shown.short]))
    required = field.is_required()
    default = None if required or field.default_factory else field.default
    return RunOption(
        name, key, flags, kind, choices, _range(constraints), default, required, field.description or "", shown
    )


def _kind(annotation: Any) -> tuple[type, tuple[str, ...], list[Any]]:
    """The type in an annotation (apart from None), its valid names, and its constraints."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return _kind(next(argument for argument in arguments if argument is not types.NoneType))
    if origin is Annotated:
        kind, choices, constraints = _kind(arguments[0])
        inner = [entry.metadata if isinstance(entry, FieldInfo) else [entry] for entry in arguments[1:]]
        return kind, choices, sum(inner, constraints)
    if origin is Literal:
        return str, arguments, []
    if origin is dict:
        return dict, (), _kind(arguments[1])[2]
    return origin or annotation, (), []


def _range(constraints: Iterable[Any]) -> str:
    bounds = {name: getattr(entry, name) for entry in constraints for name in _SIGNS if hasattr(entry, name)}
    lower = next((name for name in ("ge", "gt") if name in bounds), None)
    upper = next((f"{_SIGNS[name]}{bounds[name]}" for name in ("le", "lt") if name in bounds), "")
    if lower and upper:
        return f"{bounds[lower]}{_SIGNS[lower].replace('>', '<')}x{upper}"
    return f"x{_SIGNS[lower]}{bounds[lower]}" if lower else upper and f"x{upper}"


def _written(value: Any) -> str:
    if isinstance(value, str):
        return _NATIVE if value == "native" else value
    return f"{value:g}"


def _annotation(option: RunOption) -> Any:
    """Typer's annotation of an option. Values are checked by `RunConfig`, also for TOML files and Python."""
    kind: Any = option.kind if option.kind in (bool, int, float, Path) else str
    choices = option.choices
    return Annotated[
        list[str] if option.shown.repeated else kind,
        typer.Option(
            *option.flags,
            help=option.help,
            metavar=_metavar(option),
            autocompletion=(lambda: list(choices)) if choices else None,
            rich_help_panel=option.shown.panel or None,
        ),
    ]


def _metavar(option: RunOption) -> str | None:
    if option.choices:
        return f"[{'|'.join(option.choices)}]"
    if option.shown.value:
        return f"<{option.shown.value}>"
    if option.kind is bool:
        return None
    name = "str" if option.kind is tuple else option.kind.__name__.lower()
    return f"<{name}>" + (f" [{option.range}]" if option.range else "")
