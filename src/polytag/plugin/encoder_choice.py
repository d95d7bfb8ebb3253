"""Choose the provider of an encoder, by the name that the user gave or by a checkpoint in a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from polytag.errors import PolytagError, UnknownNameError
from polytag.files import expand_home, path_exists
from polytag.plugin.encoder import Encoder, EncoderProvider, WordCoder
from polytag.plugin.registry import registry
from polytag.plugin.surroundings import for_plugin

Made = TypeVar("Made", bound=WordCoder)


def choose_encoder(reference: str) -> EncoderProvider:
    """The provider of the encoder that the user named.

    Raises:
        PolytagError: No plugin provides it.
    """
    encoders = registry().encoders
    if reference in encoders:
        return encoders[reference]
    if not path_exists(expand_home(reference)) and get_close_matches(reference, encoders, cutoff=0.75):
        raise UnknownNameError("encoder", reference, encoders)
    for provider in _core_last():
        if encoders.asked(provider, partial(provider.accepts, reference)):
            return provider
    raise PolytagError(
        f"The encoder {reference!r} does not exist: it is not a folder, and cannot be "
        "the name of a model on the hub. Check the path."
    )


def make_encoder(provider: EncoderProvider, make: Callable[[], Encoder]) -> Encoder:
    """The encoder that a method of a provider makes.

    Raises:
        PolytagError: It cannot be made.
        PluginError: The method failed, or made something else.
    """
    return _made(provider, make, Encoder)


def make_coder(provider: EncoderProvider, make: Callable[[], WordCoder]) -> WordCoder:
    """The word coder that a method of a provider makes; errors are as in `make_encoder`."""
    return _made(provider, make, WordCoder)


def _made(provider: EncoderProvider, make: Callable[[], Made], expected: type[Any]) -> Made:
    encoders = registry().encoders
    with for_plugin(), encoders.calling(provider.name):
        made = make()
    if not isinstance(made, expected):
        raise encoders.misfit(provider.name, f"{repr(made)[:60]} and not an object of the type {expected.__name__}")
    return made


def choose_restorer(folder: Path) -> EncoderProvider:
    """The provider that restores the encoder of a checkpoint that transformers wrote.

    Raises:
        PolytagError: None does.
    """
    encoders = registry().encoders
    for provider in _core_last():
        if encoders.asked(provider, partial(provider.restores_transformers, folder)):
            return provider
    raise PolytagError(
        f"The folder {str(folder)!r} is a checkpoint of transformers, but no loaded encoder reads it. "
        "`polytag plugins` lists the plugins that are not loaded."
    )


def _core_last() -> Iterator[EncoderProvider]:
    """All providers, core's own last, because they accept nearly every name as one on the hub."""
    encoders = registry().encoders
    for name in sorted(encoders, key=lambda name: encoders.providers(name)[0].is_core):
        yield encoders[name]
