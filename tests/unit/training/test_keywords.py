"""The options of a run as keyword arguments of `polytag.train`."""

import inspect
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import NoneType, UnionType

import polytag
from polytag import RunConfig
from polytag.training.keywords import RunOptions

# What a field may also be made from.
_GIVEN = {
    tuple[str, ...]: str | Sequence[str],
    Path: str | Path,
    dict[str, float]: Mapping[str, float],
    dict[str, str]: Mapping[str, str],
}


def plain(annotation):
    """A type without its constraints."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return plain(arguments[0])
    if origin in (typing.Union, UnionType):
        return typing.Union[tuple(map(plain, arguments))]  # noqa: UP007  # of as many as there are
    if origin is dict:
        return dict[tuple(map(plain, arguments))]
    return annotation


def accepted(annotation):
    """The type of what a field can be made from."""
    allowed = plain(annotation)
    if NoneType in typing.get_args(allowed):
        (kind,) = set(typing.get_args(allowed)) - {NoneType}
        return _GIVEN.get(kind, kind) | None
    return _GIVEN.get(allowed, allowed)


def test_an_editor_knows_every_option_with_its_type():
    fields = {name: accepted(field.annotation) for name, field in RunConfig.model_fields.items()}
    assert typing.get_type_hints(RunOptions) == fields
    assert "**options: Unpack[RunOptions]" in inspect.getsource(polytag.train)


def test_the_signature_lists_every_option_with_its_default():
    signature = inspect.signature(polytag.train)
    *_, last = signature.parameters.values()
    assert set(RunConfig.model_fields) < set(signature.parameters)
    assert last.kind is last.KEYWORD_ONLY
    defaults = {name: parameter.default for name, parameter in signature.parameters.items()}
    assert (defaults["encoder"], defaults["warmup"], defaults["epochs"], defaults["task_weights"]) == (
        *("compact", 0.1, None),
        {},
    )
    made = RunConfig(task="ner", corpus="sample", output="x")
    for name in set(RunConfig.model_fields) - made.model_fields_set:
        assert defaults[name] == getattr(made, name), name


def test_a_run_given_as_a_configuration_fits_the_signature():
    config = RunConfig(task="ner", corpus="sample", output="x")
    assert inspect.signature(polytag.train).bind(config, quiet=True).arguments == {"config": config, "quiet": True}
