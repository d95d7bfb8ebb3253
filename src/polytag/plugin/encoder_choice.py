"""Choose the provider of an encoder, by the name that the user gave or by a checkpoint in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from polytag.errors import PolytagError, UnknownNameError
from polytag.files import path_exists
from polytag.plugin.encoder import EncoderProvider
from polytag.plugin.registry import registry

CORE = "polytag.builtin"
"""The module of core's own plugin."""


def choose_encoder(reference: str) -> EncoderProvider:
    """The provider of the encoder that the user named.

    Raises:
        PolytagError: No plugin provides it.
    """
    encoders = registry().encoders
    if reference in encoders:
        return encoders[reference]
    if not path_exists(Path(reference)) and get_close_matches(reference, encoders, cutoff=0.75):
        raise UnknownNameError("encoder", reference, encoders)
    for provider in _core_last():
        if provider.accepts(reference):
            return provider
    raise PolytagError(
        f"The encoder {reference!r} does not exist: it is not a folder, and cannot be "
        "the name of a model on the hub. Check the path."
    )


def choose_restorer(folder: Path) -> EncoderProvider:
    """The provider that restores the encoder of a checkpoint that transformers wrote.

    Raises:
        PolytagError: None does.
    """
    for provider in _core_last():
        if provider.restores_transformers(folder):
            return provider
    raise PolytagError(
        f"The folder {str(folder)!r} is a checkpoint of transformers, but no loaded encoder reads it. "
        "`polytag plugins` lists the plugins that are not loaded."
    )


def _core_last() -> Iterator[EncoderProvider]:
    """All providers, core's own last, because they accept nearly every name as one on the hub."""
    encoders = registry().encoders
    for name in sorted(encoders, key=lambda name: encoders.providers(name)[0].module == CORE):
        yield encoders[name]
