"""The contracts of encoders and of what provides them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from polytag.encoders import Encoder, EncoderProvider
from polytag.errors import PolytagError
from polytag.tasks import Task
from polytag.testing.contracts import Bench, BrokenContractError, Contract, NotCheckableError
from polytag.testing.tasks import write_corpus

_WORDS = ["Peter", "sleeps", "in", "Zürich", "\u200b", "\x01", "日本", "un" * 40, "."]
_TOLERANCE = 1e-4
"""What two ways of computing the same vectors may differ by."""


def _encodes(provider: EncoderProvider, bench: Bench) -> None:
    encoder = _create(provider, bench)
    for words in (_WORDS, [], ["\x00"]):
        units = encoder.encode(words)
        if units.ids.dtype != np.int32 or units.counts.dtype != np.int32:
            raise BrokenContractError(
                f"encode({words}) gives ids of type {units.ids.dtype} and counts of type {units.counts.dtype}, and "
                "both have to be int32."
            )
        if units.counts.shape != (len(words),) or (units.counts < 1).any():
            raise BrokenContractError(
                f"encode({words}) gives the counts {units.counts.tolist()}: each of the {len(words)} words needs at "
                "least one unit, also one that is nothing to the encoder."
            )
        if units.ids.shape != (int(units.counts.sum()), encoder.n_features):
            raise BrokenContractError(
                f"encode({words}) gives ids of shape {units.ids.shape}, and its counts and n_features ask for "
                f"{(int(units.counts.sum()), encoder.n_features)}."
            )


def _ignores_padding(provider: EncoderProvider, bench: Bench) -> None:
    encoder = _create(provider, bench)
    alone, padded = _vectors(encoder, 0), _vectors(encoder, 5)
    if alone.shape != padded.shape or alone.ndim != 2:
        raise BrokenContractError(f"network() gives vectors of the shapes {alone.shape} and {padded.shape}, padded.")
    if (worst := float(np.abs(alone - padded).max())) > _TOLERANCE:
        raise BrokenContractError(
            f"The vectors of a sentence change by up to {worst:.2g} when padding follows it: `mask` is not heeded."
        )


def _restores(provider: EncoderProvider, bench: Bench) -> None:
    encoder, other = _create(provider, bench), _create(provider, bench)
    vectors = _vectors(encoder, 0)
    _ = other.network
    other.assign({name: np.array(tensor) for name, tensor in encoder.tensors().items()})
    if float(np.abs(_vectors(other, 0) - vectors).max()) > _TOLERANCE:
        raise BrokenContractError("assign() of another encoder's tensors() does not give the same vectors.")


def _trains(provider: EncoderProvider, bench: Bench) -> None:
    import polytag

    if (named := _create(provider, bench).provider) != provider.name:
        raise BrokenContractError(
            f"In its encoders, the attribute `provider` is {named!r}: a tagger would be loaded by another provider "
            f"than {provider.name!r}."
        )
    task: Task = bench.registry.tasks["ner"]
    output = bench.folder / "tagger"
    corpus = write_corpus(task, bench.registry, bench.folder / "corpus")
    result = polytag.train(
        task="ner",
        corpus=str(corpus),
        reader="jsonl",
        output=output,
        encoder=_reference(provider, bench),
        epochs=1,
        quiet=True,
    )
    before = result.tagger.predict_tags([_WORDS])
    if (after := polytag.Tagger.load(output).predict_tags([_WORDS])) != before:
        raise BrokenContractError(f"A tagger with it says {before}, and saved and loaded it says {after}.")


CONTRACTS = (
    Contract("encoder", "every word has units", _encodes),
    Contract("encoder", "padding changes nothing", _ignores_padding),
    Contract("encoder", "weights can be taken out and put in", _restores),
    Contract("encoder", "a tagger with it can be trained, saved and loaded", _trains),
)


def _reference(provider: EncoderProvider, bench: Bench) -> str:
    reference = str(bench.encoders.get(provider.name, provider.name))
    if not provider.accepts(reference):
        raise NotCheckableError(_missing(provider))
    return reference


def _create(provider: EncoderProvider, bench: Bench) -> Encoder:
    reference = _reference(provider, bench)
    try:
        return provider.create(reference)
    except PolytagError:
        if provider.name in bench.encoders:
            raise
        raise NotCheckableError(_missing(provider)) from None


def _missing(provider: EncoderProvider) -> str:
    return (
        "It loads checkpoints. Name a small one in `encoders` of the PluginConformance test: "
        f'encoders = {{"{provider.name}": "tests/checkpoint"}}.'
    )


def _vectors(encoder: Encoder, padding: int) -> NDArray[Any]:
    """float32 (units, width): what the network makes of one sentence, with so many padded positions after it."""
    units = encoder.encode(_WORDS[:4]).ids
    ids = np.full((1, len(units) + padding, encoder.n_features), encoder.padding, dtype=np.int32)
    ids[0, : len(units)] = units
    mask = np.arange(ids.shape[1])[np.newaxis] < len(units)
    vectors: NDArray[Any] = np.asarray(encoder.network(ids, mask, training=False))
    return vectors[0, : len(units)]
